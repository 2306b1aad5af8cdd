"""For each rule of telemetry, examples that break it: one thing changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from altered import with_evidence, with_log, with_record
from telemetry_logs import Shape, between, grown, steady_log

from harness.events import Event
from harness.records import Peak, Scenario
from harness.telemetry.log import Sample, TelemetryLog
from rules.submission import RunEvidence, Submission

Break = Callable[[Submission], Submission]

TRAIN = Scenario.TRAIN
LONGEST = 2
"""The training run of 3 s."""
NEVER = 1e9


def with_telemetry(
    submission: Submission,
    edit: Callable[[tuple[Sample, ...]], tuple[Sample, ...]],
    number: int = LONGEST,
) -> Submission:
    """``submission`` with the samples of a training run edited."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        return replace(evidence, telemetry=TelemetryLog(edit(evidence.telemetry.samples)))

    return with_evidence(submission, TRAIN, changed, number)


def with_shapes(
    submission: Submission, changes: Mapping[str, Shape], interval_ms: int = 100
) -> Submission:
    """``submission`` with some quantities of its longest training run other than steady."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        first, last = evidence.log.events[0].time_ms, evidence.log.events[-1].time_ms
        log = steady_log(first, last, changes, interval_ms)
        return replace(evidence, telemetry=log)

    return with_evidence(submission, TRAIN, changed, LONGEST)


def of_ten_seconds(submission: Submission) -> Submission:
    """``submission`` with 7 s more before the end of its longest training run."""

    def later(events: list[Event]) -> list[Event]:
        return [e.replaced(time_ms=e.time_ms + 7000 * (e.key == "run_stop")) for e in events]

    return with_log(submission, TRAIN, later, LONGEST)


def phases(submission: Submission, *told: tuple[str, object]) -> Submission:
    """``submission`` with ``phase_time`` events at the end of its longest training run."""

    def logged(events: list[Event]) -> list[Event]:
        stop = events[-1]
        further = [
            stop.replaced(key="phase_time", value=seconds, metadata={"phase": phase})
            for phase, seconds in told
        ]
        return [*events, *further]

    return with_log(submission, TRAIN, logged, LONGEST)


def of_peak(submission: Submission, flops: float) -> Submission:
    """``submission`` with a measured peak in the record of its longest training run."""
    peak = Peak(
        device="Example CPU", flops={"fp32": flops}, bandwidth_bytes_per_s=1e10, measured_ms=1
    )
    return with_record(submission, TRAIN, LONGEST, peak=peak, precision="fp32")


def lost_after(source: str, seconds: float) -> Callable[[tuple[Sample, ...]], tuple[Sample, ...]]:
    """An edit after which every quantity of ``source`` is a gap from some moment on."""

    def edit(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
        lost_ms = samples[0].time_ms + 1000 * seconds
        return tuple(
            s.model_copy(
                update={
                    "values": dict.fromkeys(s.values),
                    "gaps": dict.fromkeys(s.values, "device lost"),
                }
            )
            if s.source == source and s.time_ms >= lost_ms
            else s
            for s in samples
        )

    return edit


def ended_after(source: str, seconds: float) -> Callable[[tuple[Sample, ...]], tuple[Sample, ...]]:
    """An edit after which ``source`` gives no samples from some moment on."""

    def edit(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
        end_ms = samples[0].time_ms + 1000 * seconds
        return tuple(s for s in samples if s.source != source or s.time_ms < end_ms)

    return edit


TELEMETRY_BREAKS: dict[str, list[Break]] = {
    "TELE-1": [
        lambda s: with_telemetry(s, lambda _: ()),
        lambda s: with_telemetry(s, lambda samples: samples[:3]),
    ],
    "TELE-2": [
        lambda s: with_shapes(s, {}, interval_ms=300),
        lambda s: with_shapes(s, {"sampler.late_s": between(1, 2, 0.4, 0.0)}),
    ],
    "TELE-3": [
        lambda s: with_telemetry(s, lambda found: found[len(found) // 4 :]),
        lambda s: with_telemetry(s, lambda found: found[: len(found) * 3 // 4]),
        lambda s: with_telemetry(s, lambda found: (*found, found[10])),
    ],
    "TELE-4": [
        lambda s: with_telemetry(s, lost_after("nvml", 1.5)),
        lambda s: with_shapes(s, {"nvml.power_w": between(0.5, 2.8, (None,), (500.0,))}),
        lambda s: with_telemetry(with_shapes(of_ten_seconds(s), {}), ended_after("nvml", 1.5)),
    ],
    "TELE-5": [
        lambda s: with_shapes(s, {"host.cpu_utilisation": lambda _: (1.2, 0.7)}),
        lambda s: with_shapes(s, {"gpm.sm_activity": lambda _: (-0.5,)}),
        lambda s: with_shapes(s, {"nvml.power_w": between(1, 1.2, (-1.0,), (500.0,))}),
        lambda s: with_shapes(s, {"host.memory_used_bytes": lambda _: 2**60}),
    ],
    "TELE-6": [lambda s: with_shapes(s, {"nvml.power_w": lambda _: (900.0,)})],
    "TELE-7": [
        lambda s: with_shapes(s, {"nvml.energy_j": lambda t: (1000 * (t % 2),)}),
        lambda s: with_shapes(s, {"host.cpu_busy_s": between(1, 2, 5.0, 9.0)}),
    ],
    "TELE-8": [
        lambda s: with_shapes(of_ten_seconds(s), {"nvml.energy_j": lambda t: (400 * t + 9.0,)}),
        lambda s: with_shapes(of_ten_seconds(s), {"nvml.power_w": lambda _: (560.0,)}),
    ],
    "TELE-9": [
        lambda s: with_shapes(s, {"host.cpu_utilisation": lambda _: (0.2, 0.1)}),
        lambda s: with_shapes(s, {"host.cpu_busy_s": lambda _: 1000.0}),
    ],
    "TELE-10": [lambda s: with_shapes(s, {"gpm.sm_activity": lambda _: (0.12,)})],
    "TELE-11": [
        lambda s: phases(s, ("compute", 2.5), ("idle", 0.45)),
        lambda s: phases(s, ("compute", 2.5), ("idle", 0.55)),
        lambda s: phases(s, ("compute", -1.0), ("idle", 4.0)),
        lambda s: phases(s, ("sleep", 3.0)),
    ],
    "TELE-12": [
        lambda s: with_shapes(s, {"nvml.throttle_reasons": between(1, 2, (0x40,), (0,))}),
        lambda s: with_shapes(s, {"nvml.throttle_reasons": between(1, 2, (0x4,), (0,))}),
    ],
    "TELE-13": [
        lambda s: with_shapes(s, {"host.cpu_busy_s": grown(1.6, 0, NEVER, 0.4)}),
        lambda s: with_shapes(s, {"host.cpu_steal_s": grown(0, 1, NEVER, 0.2)}),
        lambda s: with_shapes(s, {"nvml.other_processes": between(1, 2, (1,), (0,))}),
    ],
    "TELE-14": [
        lambda s: with_shapes(
            s, {"host.cpu_frequency_hz": between(1.5, 9, (2e9, 2e9), (3e9, 3e9))}
        ),
        lambda s: with_shapes(s, {"host.swap_in_bytes": lambda t: round(2**22 * max(t, 0.0))}),
        lambda s: with_shapes(s, {"pressure.memory_full_s": grown(0, 1, NEVER, 0.2)}),
        lambda s: with_shapes(s, {"cgroup.throttled_s": grown(0, 1, NEVER, 0.5)}),
    ],
    "TELE-15": [lambda s: of_peak(s, 1e6)],
    "TELE-16": [lambda s: with_shapes(s, {"meter.power_w": lambda _: 450.0})],
}
