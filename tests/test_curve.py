import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from submissions.curve import unsound

P = 2**255 - 19
TOP = 2**255
# y of the points of order eight; the other four of small order have y = 0, 1 and -1.
EIGHTH = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
SMALL = [1, P - 1, 0, TOP, EIGHTH, EIGHTH + TOP, P - EIGHTH, P - EIGHTH + TOP]


@pytest.mark.parametrize("encoded", SMALL)
def test_each_of_the_eight_points_of_small_order_is_refused(encoded: int) -> None:
    assert "small order" in str(unsound(encoded.to_bytes(32, "little")))


@pytest.mark.parametrize("encoded", [P, P + 1, P + 3, 2**255 - 1, TOP + P, TOP + 1, TOP + P - 1])
def test_a_second_encoding_of_a_point_is_refused(encoded: int) -> None:
    assert "canonical" in str(unsound(encoded.to_bytes(32, "little")))


def test_other_bytes_are_refused() -> None:
    assert unsound((2).to_bytes(32, "little")) == "not a point of the curve"
    assert unsound(b"\1" * 31) == "not 32 bytes"


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32))
def test_every_generated_key_is_sound(seed: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert unsound(key.public_key().public_bytes_raw()) is None
