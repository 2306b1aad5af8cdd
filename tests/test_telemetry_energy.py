"""Energy from telemetry: exact where it can be, honest about gaps, harmless with nonsense."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.telemetry.energy import Boundary, Energy, energies
from harness.telemetry.log import Reading, Sample, TelemetryLog

START, STOP = 1_700_000_000_000, 1_700_000_010_000


def log_of(
    source: str,
    name: str,
    reading: Callable[[float], Reading],
    times_ms: range | list[int] = range(-500, 10_501, 100),
) -> TelemetryLog:
    """Readings as a function of the seconds from the window's start, every 100 ms unless told."""
    return TelemetryLog(
        tuple(
            Sample(time_ms=START + at, source=source, values={name: reading(at / 1000)})
            for at in times_ms
        )
    )


def one(log: TelemetryLog) -> Energy:
    (found,) = energies(log, START, STOP)
    return found


WATTS = st.floats(0, 1e6)


@given(WATTS)
def test_constant_power_is_exact(watts: float) -> None:
    by_power = one(log_of("nvml", "power_w", lambda _: (watts,)))
    by_counter = one(log_of("nvml", "energy_j", lambda t: (watts * (t + 0.5),)))
    assert by_power.joules == pytest.approx(10 * watts)
    assert by_power.uncertainty_j == 0
    assert by_counter.joules == pytest.approx(10 * watts)
    assert by_counter.uncertainty_j == pytest.approx(0.2 * watts)
    assert by_power.covered == by_counter.covered == 1
    assert (by_power.method, by_counter.method) == ("trapezoid", "counter")


@given(WATTS, st.floats(0, 1e5))
def test_counter_and_trapezoid_agree_on_a_ramp(watts: float, slope: float) -> None:
    ramp = log_of("meter", "power_w", lambda t: watts + slope * (t + 0.5))
    total = log_of(
        "rapl", "package_energy_j", lambda t: (watts * (t + 0.5) + slope / 2 * (t + 0.5) ** 2,)
    )
    by_power, by_counter = one(ramp), one(total)
    assert by_power.joules == pytest.approx(10 * watts + slope * (10 * 0.5 + 50))
    assert by_power.joules == pytest.approx(by_counter.joules)
    assert by_power.uncertainty_j == pytest.approx(slope * 0.1 * 10 / 2, abs=1e-6)
    assert (by_power.boundary, by_counter.boundary) == (Boundary.WALL, Boundary.PACKAGE)


def test_the_ends_are_interpolated_between_the_readings_around_them() -> None:
    times = [-500, *range(1000, 10_100, 100)]
    log = log_of("nvml", "energy_j", lambda t: (0.0 if t < 0 else 60.0,), times)
    assert one(log).joules == pytest.approx(40)
    assert one(log).uncertainty_j == pytest.approx(60)


@pytest.mark.parametrize("name", ["power_w", "energy_j"])
@given(first=st.integers(0, 80), length=st.integers(21, 60))
def test_a_gap_lowers_what_is_covered_and_never_raises_energy(
    name: str, first: int, length: int
) -> None:
    def reading(t: float) -> Reading:
        return ((100 + 40 * (t % 3)) if name == "power_w" else 100 * (t + 1) ** 2,)

    whole = log_of("nvml", name, reading)
    kept = whole.samples[:first] + whole.samples[first + length :]
    gaps = tuple(
        sample.model_copy(update={"values": {name: (None,)}})
        for sample in whole.samples[first : first + length]
    )
    full = one(whole)
    for log in (TelemetryLog(kept), TelemetryLog(kept + gaps)):
        (found,) = energies(log, START, STOP) or [None]
        assert found is not None
        assert found.covered < 1
        assert found.joules <= full.joules * (1 + 1e-12)
        assert found.uncertainty_j > 0


def test_a_counter_goes_on_over_a_gap_and_short_gaps_are_bridged() -> None:
    times = [*range(-500, 3000, 100), *range(6000, 10_501, 100)]
    found = one(log_of("nvml", "energy_j", lambda t: (50 * (t + 1),), times))
    assert found.joules == pytest.approx(500)
    assert found.covered == pytest.approx(0.69)
    slow = one(log_of("meter", "power_w", lambda _: 7.0, list(range(-1000, 12_000, 2000))))
    assert (slow.joules, slow.covered) == (pytest.approx(70), 1)


def test_devices_add_up_and_a_lost_one_is_not_made_up() -> None:
    found = one(log_of("nvml", "power_w", lambda t: (100.0, None if t > 5 else 200.0)))
    assert found.joules == pytest.approx(1000 + 1000)
    assert found.covered == pytest.approx(0.75)
    assert found.uncertainty_j == pytest.approx(1000)


def test_a_counter_is_preferred_unless_power_covers_more() -> None:
    power = log_of("nvml", "power_w", lambda _: (100.0,))
    total = log_of("nvml", "energy_j", lambda t: (90 * (t + 1),))
    lost = log_of("nvml", "energy_j", lambda t: (90 * (t + 1) if t < 3 else None,))
    assert one(TelemetryLog(power.samples + total.samples)).source == "nvml.energy_j"
    assert one(TelemetryLog(power.samples + lost.samples)).source == "nvml.power_w"


def test_a_counter_that_falls_is_not_counted_there() -> None:
    found = one(log_of("nvml", "energy_j", lambda t: (100 * (t + 1) if t < 5 else 100 * (t - 5),)))
    assert found.joules == pytest.approx(990)
    assert found.covered == pytest.approx(0.99)


def test_nothing_measured_or_no_window_is_no_energy() -> None:
    assert energies(TelemetryLog(()), START, STOP) == []
    assert energies(log_of("nvml", "power_w", lambda _: (None,)), START, STOP) == []
    assert energies(log_of("nvml", "power_w", lambda _: ()), START, STOP) == []
    assert energies(log_of("nvml", "power_w", lambda _: (1.0,)), STOP, START) == []


VALUE = st.none() | st.integers(-(2**64), 2**64) | st.floats(-(2.0**64), 2.0**64)
READING = VALUE | st.lists(VALUE, max_size=3).map(tuple)
TIME = st.integers(START - 3000, STOP + 3000) | st.integers(0, 2**53 - 1)
NAME = st.sampled_from(["energy_j", "power_w", "package_energy_j"])
SAMPLES = st.lists(
    st.tuples(TIME, st.sampled_from(["nvml", "rapl", "meter"]), NAME, READING), max_size=30
)


@given(SAMPLES)
def test_no_log_does_harm(samples: list[tuple[int, str, str, Any]]) -> None:
    log = TelemetryLog(tuple(Sample(time_ms=t, source=s, values={n: v}) for t, s, n, v in samples))
    for found in energies(log, START, STOP):
        assert 0 <= found.joules < float("inf")
        assert 0 <= found.uncertainty_j < float("inf")
        assert 0 < found.covered <= 1
