"""rules/telemetry.py and rules/telemetry_plausibility.py, on submissions with other telemetry."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from altered import with_evidence
from breaks_telemetry import (
    LONGEST,
    TELEMETRY_BREAKS,
    TRAIN,
    lost_after,
    of_peak,
    of_ten_seconds,
    phases,
    with_shapes,
    with_telemetry,
)
from fake_nvml import healthy_log, lost_log, lying_log, throttled_log
from telemetry_logs import Shape, between, grown
from valid import CARD, REFERENCE, ROUND, valid_submission

from harness.telemetry.log import Sample, TelemetryLog, read_telemetry
from rules.case import RunCase
from rules.rule import RULES, Finding, as_findings
from rules.scoring import timed_window_ms
from rules.submission import Submission

VALID = valid_submission()
RECORDED = Path(__file__).parent / "telemetry_recorded"
LONG = of_ten_seconds(VALID)


def findings(submission: Submission) -> list[Finding]:
    """What the rules of telemetry have against the longest training run."""
    entry = submission.entries[0]
    case = RunCase(submission, ROUND, {CARD.name: REFERENCE}, entry, entry.runs[LONGEST])
    rules = [one for number, one in RULES.items() if number.startswith("TELE-")]
    judged = ((one.number, one.judge(case)) for one in rules if one.applies(case))
    return [finding for number, problems in judged for finding in as_findings(number, problems)]


def on_a_card(log: Callable[[int, int], TelemetryLog]) -> set[str]:
    """Rules broken by what the real sources read of a scripted card."""
    window = timed_window_ms(LONG.entries[0].runs[LONGEST].log)
    assert window is not None
    told = log(*window)
    changed = with_evidence(LONG, TRAIN, lambda e: replace(e, telemetry=told), LONGEST)
    return {one.rule for one in findings(changed)}


def test_a_healthy_card_is_silent() -> None:
    assert on_a_card(healthy_log) == set()


@pytest.mark.parametrize(
    ("log", "rule"), [(throttled_log, "TELE-12"), (lost_log, "TELE-4"), (lying_log, "TELE-10")]
)
def test_a_bad_card_breaks_one_rule(log: Callable[[int, int], TelemetryLog], rule: str) -> None:
    assert on_a_card(log) == {rule}


@pytest.mark.parametrize("number", TELEMETRY_BREAKS)
def test_only_what_cannot_be_is_an_error(number: str) -> None:
    found = [one for example in TELEMETRY_BREAKS[number] for one in findings(example(VALID))]
    severities = {one.severity for one in found if one.rule == number}
    odd = {"TELE-3": {"warning", "error"}, "TELE-5": {"error"}}
    assert severities == odd.get(number, {"warning"})


def test_without_telemetry_only_its_absence_is_told() -> None:
    (one,) = findings(with_telemetry(VALID, lambda _: ()))
    assert one.text == (
        "warning TELE-1 results/image_classification/train/run_3/telemetry.jsonl: "
        "no telemetry was sampled"
    )


def test_a_log_of_old_has_only_what_it_has() -> None:
    """Two samples a second of one quantity, as they were once recorded."""

    def old(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
        hosts = [s for s in samples if s.source == "host"][::5]
        kept = {"cpu_utilisation", "memory_used_bytes"}
        return tuple(
            s.model_copy(update={"values": {n: v for n, v in s.values.items() if n in kept}})
            for s in (*hosts, samples[-1].model_copy(update={"source": "host"}))
        )

    assert findings(with_telemetry(VALID, old)) == []


def messages(submission: Submission) -> list[tuple[str, str | None]]:
    return [(one.message, one.found) for one in findings(submission)]


def test_a_lost_device_is_named_with_its_reason() -> None:
    ((message, found),) = messages(with_telemetry(VALID, lost_after("gpm", 1.5)))
    assert message == "gpm lost what it had measured: sm_activity"
    assert found == "no value for 2.0 s (device lost)"


@pytest.mark.parametrize(
    "shape",
    [
        between(0, 1, (None,), (500.0,)),
        between(1, 2.5, (None,), (500.0,)),
        between(3.2, 9, (None,), (500.0,)),
    ],
    ids=["not yet read", "a short gap", "the last readings"],
)
def test_what_comes_back_is_not_lost(shape: Shape) -> None:
    assert findings(with_shapes(VALID, {"nvml.power_w": shape})) == []


def test_the_flattering_number_stands_beside_the_honest_one() -> None:
    ((message, _),) = messages(with_shapes(VALID, {"gpm.sm_activity": lambda _: (0.12,)}))
    assert message.startswith("accelerator 0: GPU utilisation 95 %, SM activity 12 %: ")


def test_little_arithmetic_is_told_where_sm_activity_is_not_known() -> None:
    unknown = with_shapes(VALID, {"gpm.sm_activity": lambda _: None})
    assert findings(unknown) == []
    ((message, _),) = messages(of_peak(unknown, 1e15))
    assert "MFU 0.1 %" in message


@pytest.mark.parametrize(("name", "rules"), [("undisturbed", set()), ("disturbed", {"TELE-13"})])
def test_what_this_harness_recorded(name: str, rules: set[str]) -> None:
    """One busy core of two for 4 s, alone and beside processes that wanted both."""
    path = RECORDED / f"{name}.jsonl"
    log = read_telemetry(path.read_bytes(), path.name)
    window = timed_window_ms(VALID.entries[0].runs[LONGEST].log)
    assert window is not None
    later_ms = window[0] - log.samples[0].time_ms - 400

    def recorded(_: tuple[Sample, ...]) -> tuple[Sample, ...]:
        moved = (s.model_copy(update={"time_ms": s.time_ms + later_ms}) for s in log.samples)
        return tuple(moved)

    assert {one.rule for one in findings(with_telemetry(VALID, recorded))} == rules


def test_energy_is_compared_with_power_over_time() -> None:
    changed = with_shapes(LONG, {"nvml.energy_j": lambda t: (1e5 + 400 * t,)})
    (one,) = findings(changed)
    assert (one.rule, one.expected, one.found) == ("TELE-8", "5000 J", "4000 J")
    near = with_shapes(LONG, {"nvml.energy_j": lambda t: (1e5 + 455 * t,)})
    assert findings(near) == []


def test_the_wall_is_compared_with_what_is_behind_it() -> None:
    """500 W of the accelerator and 30 W of the processor, over 3 s."""
    (one,) = findings(with_shapes(VALID, {"meter.power_w": lambda _: 450.0}))
    assert one.expected is not None
    assert "rapl.package_energy_j and nvml.energy_j" in one.expected
    assert (one.rule, one.found) == ("TELE-16", "1350 J")
    assert findings(with_shapes(VALID, {"meter.power_w": lambda _: 640.0})) == []


def test_a_moment_above_the_power_limit_is_granted() -> None:
    spike = between(1, 1.2, (1000.0,), (500.0,))
    assert findings(with_shapes(VALID, {"nvml.power_w": spike})) == []


def test_utilisation_may_count_stolen_time_or_not() -> None:
    stolen: dict[str, Shape] = {
        "host.cpu_busy_s": grown(1.0, 0, 0, 0),
        "host.own_cpu_s": grown(1.0, 0, 0, 0),
        "host.cpu_steal_s": grown(0.6, 0, 0, 0),
    }
    assert {one.rule for one in findings(with_shapes(VALID, stolen))} == {"TELE-13"}


def test_phases_that_add_up_are_silent() -> None:
    changed = phases(VALID, ("compute", 2.5), ("evaluation", 0.3), ("idle", 0.19))
    assert findings(changed) == []


def test_a_disturbance_is_one_finding_with_all_its_seconds() -> None:
    twice = {"nvml.throttle_reasons": lambda t: (0x40,) if 1 <= t < 3 or 5 <= t < 6 else (0,)}
    ((message, _),) = messages(with_shapes(LONG, twice))
    assert message == (
        "thermal_throttling: accelerator 0 was slowed down (hw_thermal_slowdown) for 2.0 s, "
        "from 0.8 s after run_start; 2 stretches, 3.0 s in all"
    )


@pytest.mark.parametrize("value", [2**64, -(2**64), (), (None,), (1.0, None, 3.0), 0.5])
def test_a_hostile_reading_is_judged_or_passed_over(
    value: float | tuple[float | None, ...],
) -> None:
    quantities = ["host.cpu_utilisation", "host.cpu_busy_s", "nvml.power_w", "nvml.power_limit_w"]
    quantities += ["nvml.energy_j", "nvml.utilisation", "gpm.sm_activity", "sampler.late_s"]
    for quantity in quantities:
        for shape in (lambda _: value, between(1, 2, value, 1.0)):
            texts = [one.text for one in findings(with_shapes(LONG, {quantity: shape}))]
            assert not [text for text in texts if "nan" in text or "inf" in text]
