"""TRAIN rules: how a training result must come about."""

import math
from collections import Counter
from collections.abc import Iterator

from harness.events import Event
from harness.records import Mode, RunStatus, Scenario
from rules.case import Problem, ResultCase, RunCase
from rules.registry import rule

_TRANSPORT_MS = 1000
"""What may pass between a program's own time of a line and the line's arrival."""


def _trained(case: ResultCase) -> bool:
    return case.scenario == Scenario.TRAIN


def _finished(case: RunCase) -> bool:
    return case.finished


def _closed(case: RunCase) -> bool:
    return case.closed and case.finished


def _evaluation_step(case: RunCase) -> int:
    """Samples between evaluations: the card's, rounded up to whole batches."""
    every = case.reference.card.training.evaluate_every
    return math.ceil(every / case.batch_size) * case.batch_size


def _meets(case: RunCase, event: Event) -> bool:
    """Whether the evaluation meets the target; what is no finite number never does."""
    value, target = event.value, case.reference.card.training.target
    return type(value) in (int, float) and math.isfinite(value) and target.met(value)


@rule("TRAIN-1", on="result", when=_trained)
def number_of_runs(case: ResultCase) -> Iterator[Problem]:
    """A training result has at least the round's number of runs, and all that were started.

    Whoever starts more submits more: the score is then the Olympic mean of that stretch of
    consecutive runs, as many as the round asks for, whose mean is the median of all stretches.
    """
    runs, expected = len(case.entry.of_mode(Mode.TRAINING)), case.round.training.runs
    if runs < expected:
        yield Problem(
            "fewer training runs than the round asks for; run more, and submit all",
            case.file,
            expected=f"at least {expected}",
            found=str(runs),
        )


@rule("TRAIN-2", on="result", when=_trained)
def seeds_are_distinct(case: ResultCase) -> Iterator[Problem]:
    """Every training run has a seed of its own."""
    seeds = Counter(tuple(sorted(e.run.seeds.items())) for e in case.entry.runs)
    for evidence in case.entry.runs:
        if not evidence.run.seeds:
            yield Problem("the run has no seed", evidence.file("run.json"))
    for seed, count in seeds.items():
        if count > 1 and seed:
            yield Problem(
                f"{count} runs share one seed; let the harness draw them",
                case.file,
                found=str(seed),
            )


@rule("TRAIN-3", on="train", when=_finished)
def quality_is_reached(case: RunCase) -> Iterator[Problem]:
    """A run is complete if and only if its last evaluation meets the target, the first to do so.

    Recomputed from the log's eval_accuracy lines with the card's target: the run stops at the
    first evaluation that meets it, and a run that met it may not be called aborted.
    """
    evaluations = case.evidence.log.all("eval_accuracy")
    target = case.reference.card.training.target
    reached = bool(evaluations) and _meets(case, evaluations[-1])
    complete = case.evidence.run.status == RunStatus.COMPLETE
    if reached != complete:
        yield case.log_problem(
            "the target was reached, yet the run says aborted"
            if reached
            else "the run says complete, yet its last evaluation misses the target",
            evaluations[-1].line if evaluations else None,
            expected=f"{target.metric} {'>=' if target.higher_is_better else '<='} {target.value}",
            found=repr(evaluations[-1].value) if evaluations else "no evaluation",
        )
    for event in evaluations[:-1]:
        if _meets(case, event):
            yield case.log_problem(
                "the target was met here, yet the run went on", event.line, found=repr(event.value)
            )


@rule("TRAIN-4", on="train", when=_closed)
def evaluation_schedule(case: RunCase) -> Iterator[Problem]:
    """In the closed division, evaluations follow the card's schedule from the first to the last.

    The k-th evaluation comes after k times the card's interval, rounded up to whole batches of
    the run's global_batch_size; so do the blocks of training between them.
    """
    log, step = case.evidence.log, _evaluation_step(case)
    for key, first in (("eval_accuracy", step), ("block_start", 0), ("block_stop", step)):
        for number, event in enumerate(log.all(key)):
            expected = first + number * step
            if event.samples_count != expected:
                yield case.log_problem(
                    f"{key} {number + 1} is off the evaluation schedule",
                    event.line,
                    expected=f"{expected} samples",
                    found=f"{event.samples_count} samples",
                )
                break


@rule("TRAIN-5", on="train", when=_closed)
def samples_within_limit(case: RunCase) -> Iterator[Problem]:
    """In the closed division, a run ends at the target or at the card's limit of samples.

    No run begins a block at or beyond the limit, and none is aborted before it.
    """
    run, limit = case.evidence.run, case.reference.card.training.limit
    samples, step = run.samples or 0, _evaluation_step(case)
    if samples - step >= limit:
        yield case.record_problem(
            "trained beyond the card's limit", expected=f"< {limit + step}", found=str(samples)
        )
    if run.status == RunStatus.ABORTED and samples < limit:
        yield case.record_problem(
            "aborted before the card's limit", expected=f">= {limit}", found=str(samples)
        )


@rule("TRAIN-6", on="train", when=_finished)
def hyperparameters_are_logged(case: RunCase) -> Iterator[Problem]:
    """Every hyperparameter that the run claims is logged with that value, and with no other.

    In the closed division, the run claims every hyperparameter of the card.
    """
    claimed = case.evidence.run.hyperparameters
    for name, value in claimed.items():
        events = case.evidence.log.all(name)
        if not events:
            yield case.log_problem(f"hyperparameter {name} is not logged", expected=repr(value))
        for event in events:
            if event.value != value or isinstance(event.value, bool):
                yield case.log_problem(
                    f"hyperparameter {name} is not the record's",
                    event.line,
                    expected=repr(value),
                    found=repr(event.value),
                )
    for name in case.reference.card.training.hyperparameters:
        if case.closed and name not in claimed:
            yield case.record_problem(f"hyperparameter {name} is not given")


@rule("TRAIN-7", on="train", when=_closed)
def hyperparameters_within_bounds(case: RunCase) -> Iterator[Problem]:
    """In the closed division, only the card's hyperparameters change, within the card's bounds."""
    known = case.reference.card.training.hyperparameters
    for name, value in case.evidence.run.hyperparameters.items():
        spec = known.get(name)
        if spec is None:
            yield case.record_problem(
                f"hyperparameter {name} is not on the card", expected=", ".join(sorted(known))
            )
        elif not spec.allows(value):
            tunable = f"{spec.minimum} to {spec.maximum}"
            yield case.record_problem(
                f"hyperparameter {name} is out of the closed division's bounds",
                expected=tunable if spec.tunable else repr(spec.default),
                found=repr(value),
            )


@rule("TRAIN-8", on="train", when=_finished)
def initialisation_within_limit(case: RunCase) -> Iterator[Problem]:
    """From init_start to run_start, no more passes than the round allows untimed.

    The limit counts to run_start and not only to init_stop, so that nothing hides between them.
    """
    log, division = case.evidence.log, case.evidence.run.division
    start, run_start = log.first("init_start"), log.first("run_start")
    limit_s = case.round.training.init_limit_s[division]
    if start and run_start and run_start.time_ms - start.time_ms > limit_s * 1000:
        yield case.log_problem(
            "the initialisation took too long",
            run_start.line,
            expected=f"at most {limit_s} s",
            found=f"{(run_start.time_ms - start.time_ms) / 1000} s",
        )


@rule("TRAIN-9", on="train", when=_closed)
def data_set_is_whole(case: RunCase) -> Iterator[Problem]:
    """In the closed division, the log gives the card's numbers of training and test samples.

    train_samples and eval_samples are the card's, and gradient_accumulation_steps is a whole
    number from 1.
    """
    facts, log = case.reference.card.training, case.evidence.log
    for key, expected in (
        ("train_samples", facts.train_samples),
        ("eval_samples", facts.eval_samples),
    ):
        values = {repr(event.value) for event in log.all(key)}
        if values != {repr(expected)}:
            event = log.first(key)
            yield case.log_problem(
                f"{key} is not the card's",
                event.line if event else None,
                expected=str(expected),
                found=", ".join(sorted(values)) or "none",
            )
    steps = log.first("gradient_accumulation_steps")
    if steps is None or type(steps.value) is not int or steps.value < 1:
        yield case.log_problem(
            "gradient_accumulation_steps is missing or not a whole number from 1",
            steps.line if steps else None,
        )


@rule("TRAIN-10", on="train", when=lambda case: case.finished and case.evidence.run.command)
def own_clock_agrees(case: RunCase) -> Iterator[Problem]:
    """The times that a submitter's own program logs are those at which its lines arrived.

    Each of its lines was received by the harness within 1 s of the time that it states, and
    run_start and run_stop are such lines.
    """
    for event in case.evidence.log.events:
        if event.received_ms is None:
            if event.key in ("run_start", "run_stop"):
                yield case.log_problem(f"{event.key} has no time of arrival", event.line)
        elif abs(event.received_ms - event.time_ms) > _TRANSPORT_MS:
            yield case.log_problem(
                f"{event.key} states a time other than that of its arrival; write and flush each "
                "line at once",
                event.line,
                expected=f"{event.received_ms} within {_TRANSPORT_MS} ms",
                found=str(event.time_ms),
            )


@rule("TRAIN-11", on="train", when=_closed)
def data_set_is_the_cards(case: RunCase) -> Iterator[Problem]:
    """In the closed division, a run trained on the data set whose checksum the card states.

    data_sha256 is logged before run_start. Data that are generated are those of the round's
    data seed.
    """
    card, log = case.reference.card, case.evidence.log
    if card.data_seed not in (None, case.round.data_seed):
        yield case.record_problem(
            "the installed workload's data are not those of the round's data seed; judge with the "
            "release that the round names",
            expected=str(case.round.data_seed),
            found=str(card.data_seed),
        )
    event, start = log.first("data_sha256"), log.first("run_start")
    values = {repr(event.value) for event in log.all("data_sha256")}
    if values != {repr(card.data_sha256)} or not card.data_sha256:
        yield case.log_problem(
            "data_sha256 is not the card's: another data set, or another data seed",
            event.line if event else None,
            expected=card.data_sha256 or "a checksum on the card, which has none yet",
            found=", ".join(sorted(values)) or "none",
        )
    elif event and start and event.line > start.line:
        yield case.log_problem("data_sha256 is logged after run_start", event.line)


@rule("TRAIN-12", on="train", when=lambda case: case.evidence.run.status == RunStatus.COMPLETE)
def floors_are_kept(case: RunCase) -> Iterator[Problem]:
    """Where the card sets floors for further metrics, the last evaluation keeps each of them.

    Recomputed from the log's eval_metric lines at the samples_count of the last eval_accuracy.
    """
    log = case.evidence.log
    last = log.last("eval_accuracy")
    final = [
        event
        for event in log.all("eval_metric")
        if last and event.samples_count == last.samples_count
    ]
    for name, floor in case.reference.card.training.floors.items():
        found = [event for event in final if event.metadata.get("metric") == name]
        value = found[-1].value if found else None
        kept = isinstance(value, int | float) and not isinstance(value, bool) and value >= floor
        if not kept:
            yield case.log_problem(
                f"{name} is below the card's floor at the last evaluation"
                if found
                else f"{name} is not logged at the last evaluation",
                found[-1].line if found else None,
                expected=f">= {floor}",
                found=repr(value),
            )
