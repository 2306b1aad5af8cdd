"""Units for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.quantities import for_people, range_for_people


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, "s", "1.23 ms"),
        (12345, "samples/s", "12,345 samples/s"),
        (8.2345, "s", "8.23 s"),
        (0.9996, "s", "1.00 s"),
        (61.4, "s", "61.4 s"),
        (750, "s", "12.5 min"),
        (2.5e-7, "s", "250 ns"),
        (4e-12, "s", "0.00400 ns"),
        (0.985, "%", "98.5 %"),
        (3.6e9, "Hz", "3.60 GHz"),
        (16 * 2**30, "B", "16.0 GiB"),
        (0, "s", "0 s"),
        (0, "B", "0 B"),
        (0, "J", "0 J"),
        (0.0004, "J", "400 µJ"),
        (1.9e-4, "kg", "190 mg"),
        (3.2e11, "FLOP/s", "320 GFLOP/s"),
        (float("inf"), "queries/s", "inf queries/s"),
        (-0.00123, "s", "-1.23 ms"),
        (0.25, "", "0.250"),
    ],
)
def test_reads_as_a_person_would_write_it(value: float, unit: str, text: str) -> None:
    assert str(for_people(value, unit)) == text


def test_more_digits_on_request() -> None:
    assert str(for_people(0.00123456, "s", digits=5)) == "1.2346 ms"


@given(st.floats(min_value=1e-9, max_value=599))
def test_keeps_three_digits_of_any_duration(seconds: float) -> None:
    shown = for_people(seconds, "s")
    scale = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[shown.unit]
    assert float(shown.number.replace(",", "")) * scale == pytest.approx(seconds, rel=0.00501)


def test_an_interval_names_both_ends_or_that_one_is_open() -> None:
    assert range_for_people(0.0123, 1.5, "s") == "12.3 ms to 1.50 s"
    assert range_for_people(1.2346, 1.2399, "s", digits=4) == "1.235 s to 1.240 s"
    assert range_for_people(1.2, float("inf"), "s") == "from 1.20 s"
