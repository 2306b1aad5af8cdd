import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers import Answer
from harness.errors import LevelfieldError
from submissions.strict_json import MAX_INTEGER, parse, read_record

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda x: not (x == 0 and math.copysign(1, x) < 0)
    )
    | st.text(st.characters(exclude_categories=["Cs"]))
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)

NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?\Z")
"""As JSON has them, within what can be held and beyond."""

FORMS = ("{}", "[{}]", '{{"a":{}}}', "[ {} ]", "[1,\n{}]")

REFUSED = {
    b'{"a": 1, "a": 1}': "duplicate key 'a'",
    b'[{"a": {"b": 1, "\\u0062": 2}}]': "duplicate key 'b'",
    b"NaN": "NaN",
    b"[-Infinity]": "-Infinity",
    b"1e999": "infinite",
    b"-1e999": "infinite",
    b"-0": "minus zero",
    b"-0.0e5": "minus zero",
    b"9007199254740992": "2^53-1",
    b"-9007199254740992": "2^53-1",
    b"1" * 100_000: "2^53-1",
    b"[" * 33 + b"]" * 33: "nested deeper than 32",
    b"[" * 100_000: "nested deeper than 32",
    b'{"a":' * 33 + b"1" + b"}" * 33: "nested deeper than 32",
    b"\xef\xbb\xbf1": "byte order mark",
    "1".encode("utf-16"): "byte order mark",
    "{}".encode("utf-16-le"): "UTF-16",
    b'"\xff"': "not UTF-8 at byte 1",
    b'"\xed\xa0\x80"': "not UTF-8 at byte 1",
    b'"\\ud800"': "lone surrogate",
    b'{"\\udfff": 1}': "lone surrogate",
    b"": "not JSON",
    b"1 2": "not JSON",
    b"[1,]": "not JSON",
    b"'a'": "not JSON",
    b"01": "not JSON",
    b'"\n"': "not JSON",
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_whatever_is_doubtful_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(LevelfieldError) as refusal:
        parse(data, "x.json")
    assert str(refusal.value).startswith("x.json: ")
    assert reason in str(refusal.value)


@given(TREES)
def test_what_is_sound_reads_as_it_was_written(tree: Any) -> None:
    assert parse(json.dumps(tree).encode(), "x") == tree
    assert parse(json.dumps(tree, ensure_ascii=False).encode(), "x") == tree


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse(data, "x")
    except LevelfieldError:
        return
    assert json.loads(data) == value


def test_thirty_two_levels_are_allowed() -> None:
    assert parse(b"[" * 32 + b"]" * 32, "x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"sample": 1.5, "answer": 1}', "sample: "),
        (b'{"sample": 1}', "answer: "),
        (b'{"sample": 1, "answer": 1, "more": 1}', "more: "),
        (b"[]", "the whole: "),
    ],
)
def test_a_record_is_refused_by_field(data: bytes, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=f"^a: {reason}"):
        read_record(Answer, data, "a")


def test_a_message_holds_no_control_characters_of_the_writer() -> None:
    with pytest.raises(LevelfieldError) as refusal:
        read_record(Answer, b'{"sample": 1, "answer": 1, "\\u001b[2J": 1}', "a")
    assert "\x1b" not in str(refusal.value)


@given(st.lists(NUMBERS, min_size=1), st.sampled_from(FORMS))
def test_each_number_is_held_or_refused_wherever_it_stands(numbers: list[str], form: str) -> None:
    for text in numbers:
        value = float(text)
        whole = not set(text) & set(".eE")
        sound = math.isfinite(value) and not (value == 0 and text.startswith("-"))
        data = form.format(text).encode()
        if sound and not (whole and abs(int(text)) > MAX_INTEGER):
            assert parse(data, "f") == json.loads(data)
        else:
            with pytest.raises(LevelfieldError, match=r"2\^53-1|infinite|minus zero"):
                parse(data, "f")
