"""TELE rules on what disturbed a run in its timed window."""

from collections.abc import Iterable, Iterator

from rules.case import Problem, RunCase
from rules.disturbance import Disturbance, Kind, find
from rules.registry import rule
from rules.telemetry import sampled, telemetry_problem

_THROTTLING = (Kind.THERMAL_THROTTLING, Kind.POWER_THROTTLING)
_OTHERS = (Kind.OTHER_LOAD, Kind.OTHER_GPU_PROCESSES, Kind.STEAL)
_SHORTAGE = (Kind.FREQUENCY_DROP, Kind.SWAPPING, Kind.MEMORY_PRESSURE, Kind.CPU_THROTTLING)


@rule("TELE-12", on="run", when=sampled(("nvml", "throttle_reasons")))
def accelerators_were_not_throttled(case: RunCase) -> Iterator[Problem]:
    """No accelerator was slowed down by heat or by its power limit (a warning).

    thermal_throttling, power_throttling: the reasons that NVML gives at any reading in the timed
    window. The seconds are told for each.
    """
    yield from _told(case, _THROTTLING)


@rule("TELE-13", on="run", when=sampled())
def the_machine_was_the_runs_own(case: RunCase) -> Iterator[Problem]:
    """Nobody else used the machine in the timed window (a warning).

    other_load: over at least a second, processes other than the run's used more than 10 % of the
    cores. steal: over at least a second, a hypervisor gave more than 5 % of them to others.
    other_gpu_processes: another process was on an accelerator. The seconds are told for each.
    """
    yield from _told(case, _OTHERS)


@rule("TELE-14", on="run", when=sampled())
def the_machine_ran_freely(case: RunCase) -> Iterator[Problem]:
    """Clocks, memory and quotas held nothing back in the timed window (a warning).

    frequency_drop: for a second or more, busy cores ran below 80 % of the window's 90th
    percentile. Over at least a second, swapping: more than a mebibyte a second went to or came
    from swap; memory_pressure: all waited for memory for more than 1 % of the time;
    cpu_throttling: a CPU quota held threads back for more than 1 % of a core's time. The seconds
    are told for each.
    """
    yield from _told(case, _SHORTAGE)


def _told(case: RunCase, kinds: Iterable[Kind]) -> Iterator[Problem]:
    """One problem a kind: the longest stretch, and the seconds of all."""
    assert case.timeline is not None
    found = find(case.timeline)
    for kind in kinds:
        stretches = [one for one in found if one.kind == kind]
        if stretches:
            yield telemetry_problem(case, _message(stretches, case.timeline.start_ms))


def _message(stretches: list[Disturbance], start_ms: int) -> str:
    longest = max(stretches, key=lambda one: one.seconds)
    after_s = (longest.start_ms - start_ms) / 1000
    told = f"{longest.kind}: {longest.text}, from {after_s:.1f} s after run_start"
    if len(stretches) > 1:
        seconds = sum(one.seconds for one in stretches)
        told += f"; {len(stretches)} stretches, {seconds:.1f} s in all"
    return told
