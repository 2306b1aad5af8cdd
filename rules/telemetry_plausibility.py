"""TELE rules on what the readings say: can it be, and do they bear each other out."""

from collections.abc import Iterator

import numpy as np

from harness.phases import KEY, phase_times
from rules.case import Problem, RunCase
from rules.model_flops import model_flops_utilisation
from rules.registry import rule
from rules.scoring import duration_ns, timed_window_ms
from rules.telemetry import sampled, telemetry_problem
from rules.timeline import Floats

_SHARES = (
    ("host", "cpu_utilisation"),
    ("nvml", "utilisation"),
    ("nvml", "memory_utilisation"),
    ("gpm", "sm_activity"),
    ("gpm", "sm_occupancy"),
    ("gpm", "tensor_activity"),
    ("gpm", "dram_bandwidth_utilisation"),
)
_MAY_BE_NEGATIVE = {"temperature_c"}
_COUNTERS = {
    "host": (
        "cpu_busy_s", "cpu_steal_s", "swap_in_bytes", "swap_out_bytes", "disk_read_bytes",
        "disk_write_bytes", "network_received_bytes", "network_sent_bytes", "context_switches",
    ),
    "pressure": ("cpu_some_s", "memory_some_s", "memory_full_s", "io_some_s", "io_full_s"),
    "cgroup": ("throttled_s", "throttled_periods", "oom_kills"),
    "rapl": ("package_energy_j", "dram_energy_j"),
    "nvml": ("energy_j",),
}  # fmt: skip
_ROUNDING = 0.01
_OVER_LIMIT = 1.2
_ENERGY_DIFFERS = 0.1
_LONG_ENOUGH_S = 5
_CPU_DIFFERS = 0.1
_BUSY = 0.8
_FLATTERED = 0.5
_LITTLE_ARITHMETIC = 0.05
_OVER_PEAK = 1.1
_PHASES_DIFFER = 0.01
_STAMP_S = 0.01  # run_start and run_stop are stamped in whole milliseconds


@rule("TELE-5", on="run", when=sampled())
def readings_are_possible(case: RunCase) -> Iterator[Problem]:
    """No reading is one that cannot be: shares lie in 0 to 1, and memory used in what there is.

    Nothing but a temperature is negative. A hundredth is granted for rounding. What cannot be is
    an error.
    """
    line = case.timeline
    assert line is not None
    for source in line.sources:
        for name in line.columns(source):
            low, high = _bounds(line.readings(source, name).values)
            if low < 0 and name not in _MAY_BE_NEGATIVE:
                yield _impossible(case, f"{source}.{name} is negative", "at least 0", low)
            if (source, name) in _SHARES and high > 1 + _ROUNDING:
                yield _impossible(case, f"{source}.{name} is no share", "at most 1", high)
    memory = case.submission.system.memory_bytes
    used = _bounds(line.readings("host", "memory_used_bytes").values)[1]
    if used > memory:
        limit = f"at most {memory} bytes"
        yield _impossible(case, "more memory was used than the system has", limit, used)


@rule("TELE-6", on="run", when=sampled(("nvml", "power_w"), ("nvml", "power_limit_w")))
def power_keeps_its_limit(case: RunCase) -> Iterator[Problem]:
    """No accelerator drew more than 1.2 times the power limit that it told (a warning).

    The mean over any second is judged, since a limit is not kept to the millisecond.
    """
    line = case.timeline
    assert line is not None
    power, limit = line.inside("nvml", "power_w"), line.inside("nvml", "power_limit_w")
    for device in range(min(power.values.shape[1], limit.values.shape[1])):
        most = _bounds(limit.values[:, device])[1]
        drawn = _most_over_a_second(power.times_ms, power.values[:, device])
        if drawn > _OVER_LIMIT * most:
            yield telemetry_problem(
                case,
                f"accelerator {device} drew more power than its limit allows",
                expected=f"at most {_OVER_LIMIT} times {most:g} W",
                found=f"{drawn:.0f} W",
            )


@rule("TELE-7", on="run", when=sampled())
def counters_never_fall(case: RunCase) -> Iterator[Problem]:
    """Counters only grow: busy time, energy, bytes moved, time stalled (a warning).

    A counter that starts again, with its driver or its interface, leaves a total that is too
    small.
    """
    line = case.timeline
    assert line is not None
    for source, names in _COUNTERS.items():
        fallen = [name for name in names if _falls(line.readings(source, name).values)]
        if fallen:
            yield telemetry_problem(case, f"{source}: counters fell: {', '.join(fallen)}")


@rule("TELE-8", on="run", when=sampled(("nvml", "energy_j"), ("nvml", "power_w")))
def energy_is_power_times_time(case: RunCase) -> Iterator[Problem]:
    """Each accelerator's energy counter grew as its power says, within 10 % (a warning).

    Judged from 5 s on: power readings are themselves means over up to a second.
    """
    line = case.timeline
    assert line is not None
    energy, power = line.inside("nvml", "energy_j"), line.inside("nvml", "power_w")
    for device in range(min(energy.values.shape[1], power.values.shape[1])):
        times_ms, counted = _known(energy.times_ms, energy.values[:, device])
        moments_ms, watts = _known(power.times_ms, power.values[:, device])
        if len(counted) < 2 or len(watts) < 2 or times_ms[-1] - times_ms[0] < 1000 * _LONG_ENOUGH_S:
            continue
        at = np.union1d(times_ms[[0, -1]], moments_ms)
        at = at[(at >= times_ms[0]) & (at <= times_ms[-1])]
        expected = float(np.trapezoid(np.interp(at, moments_ms, watts), at)) / 1000
        found = float(counted[-1] - counted[0])
        if abs(found - expected) > _ENERGY_DIFFERS * max(found, expected):
            yield telemetry_problem(
                case,
                f"accelerator {device}: the energy counter disagrees with power over time",
                expected=f"{expected:.4g} J",
                found=f"{found:.4g} J",
            )


@rule("TELE-9", on="run", when=sampled(("host", "cpu_utilisation"), ("host", "cpu_busy_s")))
def utilisation_is_what_was_counted(case: RunCase) -> Iterator[Problem]:
    """CPU utilisation agrees with the seconds that the cores were busy (a warning).

    The mean of all cores over the timed window, within 10 percentage points and the time that a
    hypervisor took, which one of the two may count. Judged from a window of 1 s on.
    """
    line = case.timeline
    assert line is not None
    use, busy = line.inside("host", "cpu_utilisation"), line.total("host", "cpu_busy_s")
    if len(use) < 2 or not len(busy) or line.seconds < 1:
        return
    elapsed_s = use.values.shape[1] * (busy.times_ms[-1] - busy.times_ms[0]) / 1000
    counted = float(busy.values[-1, 0]) / elapsed_s
    steal = line.total("host", "cpu_steal_s")
    stolen = float(steal.values[-1, 0]) / elapsed_s if len(steal) else 0.0
    shares = use.values[1:]  # a reading is of the interval before it
    weights = np.diff(use.times_ms).reshape(-1, 1) * ~np.isnan(shares)
    if not weights.any():
        return
    told = float((np.nan_to_num(shares) * weights).sum() / weights.sum())
    if not counted - _CPU_DIFFERS <= told <= counted + stolen + _CPU_DIFFERS:
        yield telemetry_problem(
            case,
            "CPU utilisation is not what the busy time of the cores says",
            expected=f"{100 * counted:.0f} % of {use.values.shape[1]} cores",
            found=f"{100 * told:.0f} %",
        )


@rule("TELE-10", on="run", when=sampled(("nvml", "utilisation")))
def utilisation_does_not_flatter(case: RunCase) -> Iterator[Problem]:
    """An accelerator that calls itself busy has work on its multiprocessors (a warning).

    NVML's utilisation is the share of time in which at least one kernel ran, however small; SM
    activity is the share of the multiprocessors that had work, averaged over time; MFU is the
    model's own arithmetic as a share of the measured peak. A finding where the first is at least
    80 % over the timed window, and the second less than half of it or the third, as far as it is
    known, less than a twentieth.
    """
    line = case.timeline
    assert line is not None
    flattering, honest = line.inside("nvml", "utilisation"), line.inside("gpm", "sm_activity")
    mfu = _mfu(case)
    for device in range(flattering.values.shape[1]):
        told = _mean(flattering.values, device)
        if told is None or told < _BUSY:
            continue
        worked = _mean(honest.values, device)
        busy = f"accelerator {device}: GPU utilisation {100 * told:.0f} %"
        if worked is not None and worked < _FLATTERED * told:
            yield telemetry_problem(
                case,
                f"{busy}, SM activity {100 * worked:.0f} %: a kernel ran nearly all the time, but "
                "most of the multiprocessors had no work",
            )
        elif mfu is not None and mfu < _LITTLE_ARITHMETIC * told:
            yield telemetry_problem(
                case,
                f"{busy}, MFU {100 * mfu:.1f} %: a kernel ran nearly all the time, but little of "
                "it was the model's own arithmetic",
            )


@rule("TELE-11", on="run", when=lambda case: _window_of_phases_s(case) is not None)
def phases_fill_the_window(case: RunCase) -> Iterator[Problem]:
    """Where a run tells how its time was spent, the phases add up to the timed window within 1 %.

    Otherwise some of the time is hidden, or counted twice (a warning).
    """
    window_s, first = _window_of_phases_s(case), case.evidence.log.first(KEY)
    assert window_s is not None
    assert first is not None
    times = phase_times(case.evidence.log)
    if times is None:
        yield case.log_problem(
            "the times of the phases cannot be read",
            first.line,
            expected="known phases, each once, each with seconds from 0",
            severity="warning",
        )
    elif abs(sum(times.values()) - window_s) > max(_PHASES_DIFFER * window_s, _STAMP_S):
        yield case.log_problem(
            "the phases do not add up to the timed window",
            first.line,
            expected=f"{window_s:.3f} s",
            found=f"{sum(times.values()):.3f} s",
            severity="warning",
        )


@rule("TELE-15", on="run", when=lambda case: _mfu(case) is not None)
def arithmetic_stays_below_the_peak(case: RunCase) -> Iterator[Problem]:
    """A run did no more of its model's arithmetic than the measured peak allows (a warning).

    An MFU above 1.1 says that the peak was measured on a busy machine, or the work was not done.
    """
    mfu = _mfu(case)
    if mfu is not None and mfu > _OVER_PEAK:
        yield case.record_problem(
            "the model's FLOPs in the time of the run exceed the measured peak; measure it again "
            "on an idle machine",
            expected=f"an MFU of at most {_OVER_PEAK}",
            found=f"{mfu:.4g}",
            severity="warning",
        )


def _mfu(case: RunCase) -> float | None:
    return model_flops_utilisation(case.evidence, case.reference.card)


def _window_of_phases_s(case: RunCase) -> float | None:
    """Run_start to run_stop, or first scheduled to last completed; none if no phase is logged."""
    if case.evidence.log.first(KEY) is None:
        return None
    if not case.trains:
        return duration_ns(case.queries) / 1e9 if len(case.queries) else None
    window_ms = timed_window_ms(case.evidence.log)
    return (window_ms[1] - window_ms[0]) / 1000 if window_ms else None


def _impossible(case: RunCase, message: str, expected: str, found: float) -> Problem:
    return telemetry_problem(case, message, expected=expected, found=f"{found:g}", severity="error")


def _bounds(values: Floats) -> tuple[float, float]:
    """Least and greatest; 0 and 0 of nothing."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def _falls(values: Floats) -> bool:
    """Whether any entry is less than at a reading before, gaps passed over."""
    highest = np.fmax.accumulate(values, axis=0)
    return bool((values < highest).any())


def _known(times_ms: Floats, values: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(values)
    return times_ms[known], values[known]


def _mean(values: Floats, entry: int) -> float | None:
    """Over the readings of one entry; none of nothing."""
    known = values[:, entry] if entry < values.shape[1] else np.empty(0)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else None


def _most_over_a_second(times_ms: Floats, values: Floats) -> float:
    """The greatest mean of the readings of any second; 0 of nothing."""
    times_ms, values = _known(times_ms, values)
    if not len(values):
        return 0.0
    first = np.searchsorted(times_ms, times_ms - 1000, "right")
    sums = np.concatenate(([0.0], np.cumsum(values)))
    last = np.arange(1, len(values) + 1)
    means = (sums[last] - sums[first]) / (last - first)
    return float(means.max())
