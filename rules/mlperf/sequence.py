"""MLPERF rules on the order of a log: what appears once, what follows what, and when."""

import itertools
from collections.abc import Iterator
from typing import Any

from harness.events import Event
from rules.case import Problem
from rules.mlperf.case import RunCase, rule

ONCE = ("init_stop", "run_start", "run_stop")
INTERVALS = ("block", "epoch", "eval")
_MILESTONES = ("init_start", *ONCE)
_INSIDE = ("block_start", "block_stop", "epoch_start", "eval_start", "eval_accuracy", "eval_stop")
"""The last ``epoch_stop`` may follow run_stop: training has ended, its loop not yet."""
_PARTNER = {
    **{f"{name}_start": f"{name}_stop" for name in INTERVALS},
    **{f"{name}_stop": f"{name}_start" for name in INTERVALS},
    "eval_accuracy": "eval_start",
}
_TIMED = (*_MILESTONES, *_INSIDE, "epoch_stop")


@rule(1, on="run")
def lines_are_readable(case: RunCase) -> Iterator[Problem]:
    """Every line that is marked as an event can be read as one, and is of its key's type.

    A key that ends in _start begins an interval (INTERVAL_START), one that ends in _stop ends one
    (INTERVAL_END), eval_accuracy is a POINT_IN_TIME.
    """
    broken = case.log.broken
    if broken:
        more = f"; so are {len(broken)} lines" if len(broken) > 1 else ""
        yield Problem(broken[0].reason + more, case.run.file, broken[0].line)
    for key in _TIMED:
        expected = _event_type(key)
        wrong = [event for event in case.log.all(key) if event.event_type != expected]
        yield from case.first(
            wrong,
            f"{key} is of another type",
            expected=expected,
            found=lambda event: event.event_type,
            severity="warning",
        )


def _event_type(key: str) -> str:
    if key.endswith("_start"):
        return "INTERVAL_START"
    return "INTERVAL_END" if key.endswith("_stop") else "POINT_IN_TIME"


@rule(2, on="run")
def milestones_appear_once(case: RunCase) -> Iterator[Problem]:
    """init_stop, run_start and run_stop appear exactly once, whatever their values.

    The official checker lets a line be repeated with an equal value, and the official score begins
    at a later run_start. A log without run_stop is that of a lost run (MLPERF-18).
    """
    for key in ONCE:
        events = case.log.all(key)
        if len(events) > 1:
            yield case.problem(
                f"{key} is logged more than once; the first is line {events[0].line}",
                events[1],
                expected="1",
                found=str(len(events)),
            )
        elif not events and key != "run_stop":
            yield case.problem(f"{key} is missing", expected="1", found="0")


@rule(3, on="run")
def milestones_follow_one_another(case: RunCase) -> Iterator[Problem]:
    """init_start, init_stop, run_start and run_stop follow one another, in line and in time."""
    found = [event for key in _MILESTONES if (event := case.log.first(key))]
    for before, event in itertools.pairwise(found):
        if event.line < before.line or event.time_ms < before.time_ms:
            yield case.problem(
                f"{event.key} comes before {before.key}",
                event,
                expected=f"after line {before.line}, at {before.time_ms} ms or later",
                found=f"{event.time_ms} ms",
            )


@rule(4, on="run")
def times_rise(case: RunCase) -> Iterator[Problem]:
    """From run_start to run_stop, the time never falls from one line to the next.

    Before and after, where several processes write into one file, it falls by at most 1 s (the
    round's number); more is a warning. The largest fall is shown.
    """
    start, stop = case.log.first("run_start"), case.log.last("run_stop")
    first = start.line if start else 0
    last = stop.line if stop else float("inf")
    inside: list[tuple[Event, Event]] = []
    outside: list[tuple[Event, Event]] = []
    for before, event in itertools.pairwise(case.log.events):
        fall_ms = before.time_ms - event.time_ms
        if fall_ms > 0:
            if first <= before.line and event.line <= last:
                inside.append((before, event))
            elif fall_ms > case.strict.fall_ms:
                outside.append((before, event))
    yield from _falls(case, inside, "inside the run")
    yield from _falls(case, outside, "outside the run", severity="warning")


def _falls(
    case: RunCase, falls: list[tuple[Event, Event]], where: str, **details: Any
) -> Iterator[Problem]:
    if falls:
        before, event = max(falls, key=lambda pair: pair[0].time_ms - pair[1].time_ms)
        times = f"; so it does {len(falls)} times" if len(falls) > 1 else ""
        yield case.problem(
            f"the time of {event.key} falls {where}{times}",
            event,
            expected=f"from {before.time_ms} ms",
            found=f"{event.time_ms} ms, {before.time_ms - event.time_ms} ms earlier",
            **details,
        )


@rule(5, on="run")
def run_begins_at_once(case: RunCase) -> Iterator[Problem]:
    """Between init_stop and run_start passes at most 1 s (the round's number).

    What lies between them would be neither initialisation nor run.
    """
    stop, start = case.log.first("init_stop"), case.log.first("run_start")
    if stop and start and start.time_ms - stop.time_ms > case.strict.gap_ms:
        yield case.problem(
            "run_start comes long after init_stop",
            start,
            expected=f"within {case.strict.gap_ms} ms",
            found=f"{start.time_ms - stop.time_ms} ms",
        )


@rule(6, on="run")
def initialisation_within_limit(case: RunCase) -> Iterator[Problem]:
    """From the first init_start to the last run_start, no more passes than the round allows.

    The limit is the division's. The official checker counts to init_stop.
    """
    begin = min(case.log.all("init_start"), key=lambda event: event.time_ms, default=None)
    start = case.log.last("run_start")
    limit_s = case.terms.init_limit_s[case.division]
    if begin and start and start.time_ms - begin.time_ms > limit_s * 1000:
        yield case.problem(
            "the initialisation took too long",
            start,
            expected=f"at most {limit_s} s from line {begin.line}",
            found=f"{(start.time_ms - begin.time_ms) / 1000} s",
        )


@rule(7, on="run")
def intervals_pair_up(case: RunCase) -> Iterator[Problem]:
    """Each block, epoch and evaluation that starts stops before the next of its kind starts.

    Each eval_accuracy lies in an evaluation. The last interval of a lost run may stay open.
    """
    opened: dict[str, Event] = {}
    alone: dict[str, list[Event]] = {}
    for event in case.log.events:
        if event.key not in _PARTNER:
            continue
        name, _, end = event.key.rpartition("_")
        before = opened.pop(name, None)
        if end == "start" and before:
            alone.setdefault(before.key, []).append(before)
        elif end != "start" and not before:
            alone.setdefault(event.key, []).append(event)
        if end == "start":
            opened[name] = event
        elif event.key == "eval_accuracy" and before:
            opened[name] = before
    for event in opened.values() if case.ended else ():
        alone.setdefault(event.key, []).append(event)
    for key, events in alone.items():
        yield from case.first(events, f"{key} has no {_PARTNER[key]}")


@rule(8, on="run")
def work_lies_inside_the_run(case: RunCase) -> Iterator[Problem]:
    """Every block, epoch and evaluation lies between run_start and run_stop, in line and in time.

    Only the last epoch_stop may follow.
    """
    start, stop = case.log.first("run_start"), case.log.last("run_stop")
    for key in _INSIDE:
        outside = [e for e in case.log.all(key) if _precedes(e, start) or _precedes(stop, e)]
        yield from case.first(outside, f"{key} lies outside the run")


def _precedes(one: Event | None, other: Event | None) -> bool:
    """Whether ``one`` comes before ``other``, in line or in time."""
    return bool(one and other and (one.line < other.line or one.time_ms < other.time_ms))
