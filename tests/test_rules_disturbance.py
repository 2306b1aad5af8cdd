"""rules/disturbance.py, on telemetry of many shapes and on what this harness once recorded."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from telemetry_logs import Shape, between, grown, steady_log
from valid import training_run

from harness.events import EventLog
from harness.telemetry.log import TelemetryLog
from rules.disturbance import Disturbance, Kind, disturbances, find
from rules.timeline import Timeline

START = 1_790_000_000_000
STOP = START + 10_000


def found(
    changes: Mapping[str, Shape] | None = None, start_ms: int = START, stop_ms: int = STOP
) -> tuple[Disturbance, ...]:
    return find(Timeline(steady_log(START, STOP, changes), start_ms, stop_ms))


def test_a_steady_machine_is_undisturbed() -> None:
    assert found() == ()


SHAPES: dict[Kind, tuple[str, Shape, str]] = {
    Kind.OTHER_LOAD: (
        "host.cpu_busy_s",
        grown(1.6, 3, 6, 0.9),
        "other processes used 48 % of 2 cores for 3.0 s",
    ),
    Kind.STEAL: (
        "host.cpu_steal_s",
        grown(0, 3, 6, 0.4),
        "the hypervisor took 20 % of the cores for 3.0 s",
    ),
    Kind.MEMORY_PRESSURE: (
        "pressure.memory_full_s",
        grown(0, 3, 6, 0.25),
        "all processes waited for memory 25 % of the time for 3.0 s",
    ),
    Kind.CPU_THROTTLING: (
        "cgroup.throttled_s",
        grown(0, 3, 6, 0.5),
        "the CPU quota held the run's threads back, 0.50 s each second for 3.0 s",
    ),
    Kind.SWAPPING: (
        "host.swap_out_bytes",
        grown(0, 3, 6, 4e6),
        "4 MB a second moved to swap for 3.0 s",
    ),
    Kind.FREQUENCY_DROP: (
        "host.cpu_frequency_hz",
        between(3, 6, (1.4e9, 1.6e9), (3e9, 3e9)),
        "cores fell to 1.50 GHz from 3.00 GHz while busy for 3.0 s",
    ),
    Kind.THERMAL_THROTTLING: (
        "nvml.throttle_reasons",
        between(3, 6, (0x48,), (0,)),
        "accelerator 0 was slowed down (hw_slowdown, hw_thermal_slowdown) for 3.0 s",
    ),
    Kind.POWER_THROTTLING: (
        "nvml.throttle_reasons",
        between(3, 6, (0x4,), (1,)),
        "accelerator 0 was slowed down (sw_power_cap) for 3.0 s",
    ),
    Kind.OTHER_GPU_PROCESSES: (
        "nvml.other_processes",
        between(3, 6, (2,), (0,)),
        "other processes were on accelerator 0 for 3.0 s",
    ),
}


def test_every_kind_has_a_shape() -> None:
    assert SHAPES.keys() == set(Kind)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_disturbance_is_told_with_its_seconds(kind: Kind) -> None:
    quantity, shape, text = SHAPES[kind]
    (one,) = found({quantity: shape})
    assert (one.kind, one.text) == (kind, text)
    assert (one.start_ms, one.stop_ms) == pytest.approx((START + 3000, START + 6000), abs=101)
    assert one.seconds == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize("kind", SHAPES)
def test_only_the_timed_window_counts(kind: Kind) -> None:
    quantity, shape, _ = SHAPES[kind]
    assert found({quantity: shape}, stop_ms=START + 2800) == ()
    (one,) = found({quantity: shape}, start_ms=START + 4500, stop_ms=START + 8000)
    assert (one.start_ms, one.stop_ms) == pytest.approx((START + 4500, START + 6000), abs=101)


@pytest.mark.parametrize("kind", SHAPES)
def test_what_was_not_measured_is_no_disturbance(kind: Kind) -> None:
    quantity, _, _ = SHAPES[kind]
    assert found({quantity: lambda _: None}) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"host.cpu_busy_s": grown(1.6, 3, 3.5, 2.0)},
        {"host.cpu_busy_s": grown(2.0, 0, 0, 0), "host.own_cpu_s": grown(1.85, 0, 0, 0)},
        {"host.cpu_frequency_hz": between(3, 3.8, (1e9, 1e9), (3e9, 3e9))},
        {
            "host.cpu_frequency_hz": between(3, 6, (1e9, 1e9), (3e9, 3e9)),
            "host.cpu_utilisation": between(3, 6, (0.1, 0.1), (0.9, 0.7)),
        },
        {"nvml.throttle_reasons": between(3, 6, (0x1 | 0x2,), (0,))},
        {"host.own_cpu_s": between(4, 99, 3.0, 5.0), "host.cpu_busy_s": lambda _: 1000.0},
    ],
    ids=["short burst", "under 10 %", "short drop", "idle cores", "harmless", "a child is gone"],
)
def test_small_things_are_no_disturbance(changes: Mapping[str, Shape]) -> None:
    assert found(changes) == ()


def test_stretches_close_to_one_another_are_one() -> None:
    def twice(t: float) -> tuple[int]:
        return (0x4,) if 2 <= t < 3 or 3.3 <= t < 4 or 7 <= t < 8 else (0,)

    first, second = found({"nvml.throttle_reasons": twice})
    assert (first.seconds, second.seconds) == pytest.approx((2, 1), abs=0.01)


def test_a_gap_does_not_prolong_what_was_read_before_it() -> None:
    log = steady_log(START, STOP, {"nvml.throttle_reasons": lambda _: (0x4,)})
    kept = (s for s in log.samples if not START + 2000 < s.time_ms < START + 9000)
    first, second = find(Timeline(TelemetryLog(tuple(kept)), START, STOP))
    assert (first.seconds, second.seconds) == pytest.approx((4, 1), abs=0.01)


def test_each_device_is_told() -> None:
    hot = found({"nvml.throttle_reasons": lambda t: (0, 0x20) if t > 5 else (None, 0)})
    assert [one.text.partition(" was ")[0] for one in hot] == ["accelerator 1"]


@pytest.mark.parametrize(
    "value", [2**64, -(2**64), 1e19, (), (None,), (1, 2, 3), -1, 0.5, (2**64, None)]
)
def test_hostile_readings_are_harmless(value: float | tuple[int | None, ...]) -> None:
    for quantity in {quantity for quantity, _, _ in SHAPES.values()}:
        odd = found({quantity: lambda t: value if 3 < t < 5 else 1})
        assert all(START <= one.start_ms < one.stop_ms <= STOP for one in odd)


def test_a_run_without_telemetry_or_window_has_none() -> None:
    evidence = training_run(0, 3)
    assert disturbances(evidence) == ()
    assert disturbances(replace(evidence, telemetry=TelemetryLog(()))) == ()
    assert disturbances(replace(evidence, log=EventLog(()))) == ()
