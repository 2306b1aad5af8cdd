"""MLPERF rules on training itself: when it met its target, when it was evaluated, in what steps."""

import itertools
from collections.abc import Iterator

from harness.events import Event
from rules.case import Problem
from rules.mlperf.case import RunCase, number, rule, shown, value_of
from rules.mlperf.sequence import INTERVALS

STATUSES = ("success", "aborted")
_STEPPED = ("eval_start", "eval_stop", "run_stop")
"""Lines whose step, where they log one, is the number of optimiser steps so far."""
_ROUNDING = 1e-6
"""Of a batch; far above what a float's last bit is of it."""


def _ended(case: RunCase) -> bool:
    return case.ended


def _closed(case: RunCase) -> bool:
    return case.closed


@rule(9, on="run", when=_ended)
def status_tells_the_truth(case: RunCase) -> Iterator[Problem]:
    """run_stop has the status success if the target was met inside the run, else aborted.

    Recomputed from the eval_accuracy lines before run_stop, whose values are finite numbers.
    """
    (stop, *_), evaluations = case.log.all("run_stop"), case.log.all("eval_accuracy")
    wrong = [event for event in evaluations if number(event.value) is None]
    yield from case.first(wrong, "eval_accuracy is no number", value_of)
    inside = [event for event in evaluations if event.line < stop.line]
    met = [event for event in inside if case.met(event)]
    expected, status = "success" if met else "aborted", stop.metadata.get("status")
    if status != expected:
        last = (met or inside or [stop])[-1]
        yield case.problem(
            f"the run says {shown(status)}, and its evaluations {expected}",
            stop,
            expected=f"{expected} (target: {case.benchmark.target.text})",
            found=f"{shown(last.value)} in line {last.line}" if inside else "no evaluation",
        )


@rule(10, on="run", when=_ended)
def first_success_ends_the_run(case: RunCase) -> Iterator[Problem]:
    """No evaluation follows the first that meets the target."""
    evaluations = case.log.all("eval_accuracy")
    for event, following in itertools.pairwise(evaluations):
        if case.met(event):
            yield case.problem(
                "the target was met before, and the run went on",
                following,
                expected=f"an end after line {event.line}",
                found=f"{shown(event.value)} there, {shown(following.value)} here",
            )
            return


@rule(11, on="run", when=_closed)
def evaluations_follow_the_schedule(case: RunCase) -> Iterator[Problem]:
    """In the closed division, evaluations come where the written rules place them.

    Where samples count, the interval is rounded up to whole batches, and as many of the first
    evaluations as the rules say are left out; where epochs count, an evaluation lies within a
    hundredth of an epoch (the round's number) of its place. The first that is elsewhere is shown.
    A warning where every eval_start stands in its place and eval_accuracy counts at most one batch
    less or more.
    """
    places = _places(case, "eval_accuracy")
    off = [(at, *one) for at, one in enumerate(places) if not _within(case, *one[1:])]
    if off:
        at, event, expected, found = off[0]
        shows = event.metadata.get(case.benchmark.unit) if found is None else f"{found:.10g}"
        alike = not any(not _within(case, *one[1:]) for one in _places(case, "eval_start"))
        slight = all(_within(case, *one[1:], case.batch_size or 0) for one in places)
        yield case.problem(
            f"evaluation {at + 1} is off the schedule",
            event,
            expected=f"{case.benchmark.unit} {expected:.10g}",
            found=shows if isinstance(shows, str) else shown(shows),
            severity="warning" if alike and slight else "error",
        )


def _places(case: RunCase, key: str) -> list[tuple[Event, float, float | None]]:
    """Each event ``key``, where it belongs and where it is; none at all if nobody can know."""
    first, interval = _schedule(case)
    return [
        (event, first + at * interval, number(event.metadata.get(case.benchmark.unit)))
        for at, event in enumerate(case.log.all(key) if interval else ())
    ]


def _schedule(case: RunCase) -> tuple[float, float]:
    """The place of the first evaluation and the interval; zero if the batch size is unknown."""
    schedule, size = case.benchmark.schedule, case.batch_size
    if schedule.every_epochs is not None:
        return schedule.every_epochs, schedule.every_epochs
    interval = (schedule.interval(size) if size else None) or 0
    return (schedule.skipped(size or 1) + 1) * interval, interval


def _within(case: RunCase, expected: float, found: float | None, slack: float = 0) -> bool:
    """Whether ``found`` is as expected, within ``slack`` samples; epochs have a slack of theirs."""
    if case.benchmark.unit == "epoch_num":
        slack = case.strict.epoch_slack
    return found is not None and abs(found - expected) <= slack


@rule(12, on="run")
def samples_are_whole_batches(case: RunCase) -> Iterator[Problem]:
    """Samples are steps times the global batch size.

    global_batch_size is a whole number from 1; every samples_count of a block, an evaluation or
    the end is a multiple of it, and where eval_start, eval_stop or run_stop also has a step, the
    product of both. Of dlrm_dcnv2, whose logs give epochs in full, an evaluation comes after a
    whole number of batches.
    """
    size = case.batch_size
    if size is None:
        yield case.problem(
            "global_batch_size is no whole number from 1",
            case.log.last("global_batch_size"),
            found=shown(case.run.global_batch_size),
        )
        return
    wrong = [event for event in _counted(case) if not _whole(event, size)]
    yield from case.first(
        wrong,
        "samples are not whole batches of the global_batch_size",
        lambda event: {name: event.metadata.get(name) for name in ("samples_count", "step")},
        expected=f"samples_count = step x {size}",
    )
    if case.facts.epochs_in_batches:
        yield from _epochs_in_batches(case, size)


def _epochs_in_batches(case: RunCase, size: int) -> Iterator[Problem]:
    """Evaluations whose epoch is no whole number of batches; the last of an epoch is not full."""
    batches = -(-case.facts.train_samples // size)
    wrong = [
        event
        for event in case.log.all("eval_accuracy")
        if (epoch := number(event.metadata.get("epoch_num"))) is not None
        and abs(epoch * batches - round(epoch * batches)) > _ROUNDING
    ]
    yield from case.first(
        wrong,
        "the epoch of eval_accuracy is no whole number of batches of the global_batch_size",
        lambda event: event.metadata.get("epoch_num"),
        expected=f"a multiple of 1/{batches}",
    )


def _counted(case: RunCase) -> Iterator[Event]:
    keys = [f"{name}_{end}" for name in INTERVALS for end in ("start", "stop")]
    for key in (*keys, "eval_accuracy", "run_stop"):
        yield from (e for e in case.log.all(key) if e.metadata.get("samples_count") is not None)


def _whole(event: Event, size: int) -> bool:
    samples, step = number(event.metadata["samples_count"]), event.metadata.get("step")
    if samples is None or samples < 0 or samples % size:
        return False
    return event.key not in _STEPPED or step is None or number(step) == samples / size


@rule(13, on="run")
def data_set_is_whole(case: RunCase) -> Iterator[Problem]:
    """train_samples and eval_samples are the numbers of samples of the benchmark's data set.

    A warning, of retinanet, for a number that can be a number of batches instead; of training, for
    one that can be the samples used or their limit: whole batches, at least up to the last
    evaluation.
    """
    facts = case.facts
    for key, expected in (
        ("train_samples", facts.train_samples),
        ("eval_samples", facts.eval_samples),
    ):
        for event in case.log.all(key):
            if event.value != expected or isinstance(event.value, bool):
                other = _other_meaning(case, event, expected)
                yield case.problem(
                    f"{key} is not that of the data set" + (f", but {other}" if other else ""),
                    event,
                    expected=str(expected),
                    found=shown(event.value),
                    severity="warning" if other else "error",
                )
                break


def _other_meaning(case: RunCase, event: Event, samples: int) -> str | None:
    """What else than ``samples`` the value may count."""
    value, size = number(event.value), case.batch_size
    if value is None or size is None or value < 1:
        return None
    if event.key == "eval_samples":
        # Evaluation has batches of its own; none in use is smaller than half of training's.
        batches = case.facts.counts_batches and value <= 2 * samples / size
        return "may be batches" if batches else None
    if case.facts.counts_batches and value == -(-samples // size):
        return f"as many batches of {size}"
    last = case.log.last("eval_accuracy")
    used = number(last.metadata.get("samples_count")) if last else None
    return "may be the samples used" if used and value >= used and value % size == 0 else None
