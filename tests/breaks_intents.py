"""How the rules of the intent log can be broken: lines taken out, changed, hidden, left open."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from valid import ROUND, announced, bodies_of, training_run

from harness.intents import Body, Intent, Line, Outcome, Slot, next_line
from harness.records import RunStatus, Scenario
from rules.submission import Submission

TRAIN = Scenario.TRAIN
EXTRA = training_run(9, 5).run
"""A run of the training result that the bundle does not hold."""


def with_lines(submission: Submission, lines: Iterable[Line]) -> Submission:
    """``submission`` with this log, whatever its links say."""
    return replace(submission, intents=tuple(lines))


def told_of(submission: Submission) -> tuple[Line, ...]:
    """The log of ``submission``."""
    assert submission.intents is not None
    return submission.intents


def linked(
    submission: Submission, change: Callable[[list[tuple[Body, Line]]], list[tuple[Body, Line]]]
) -> Submission:
    """The log written anew with other bodies: a forger's, whose links hold."""
    pairs = [(line.body, line) for line in told_of(submission) if line.body]
    made = list[Line]()
    for body, line in change(pairs):
        about = (line.head.round, line.head.workload, line.head.scenario)
        made.append(next_line(made[-1] if made else None, body, about))
    return with_lines(submission, made)


def edited(submission: Submission, number: int, **changes: object) -> Submission:
    """The log written anew with other fields in the body of one line."""

    def change(pairs: list[tuple[Body, Line]]) -> list[tuple[Body, Line]]:
        body, line = pairs[number]
        return [*pairs[:number], (body.model_copy(update=changes), line), *pairs[number + 1 :]]

    return linked(submission, change)


def added(submission: Submission, *bodies: Body) -> Submission:
    """The log written anew with lines about the training result after all others."""

    def change(pairs: list[tuple[Body, Line]]) -> list[tuple[Body, Line]]:
        return [*pairs, *((body, pairs[0][1]) for body in bodies)]

    return linked(submission, change)


def started(status: str | None, **changes: object) -> list[Body]:
    """An intent of `EXTRA`, and how it ended."""
    intent, outcome = bodies_of(EXTRA.model_copy(update=changes))
    return [intent] if status is None else [intent, outcome.model_copy(update={"status": status})]


def slot(number: int) -> Slot:
    """One of two slots."""
    return Slot(block="5" * 32, number=number, count=2, made_ms=EXTRA.started_ms)


def withdrawn(run_id: str = EXTRA.id) -> Outcome:
    """Says that a run, by default `EXTRA`, is no part of any result."""
    return Outcome(
        run_id=run_id, status="withdrawn", ended_ms=EXTRA.started_ms + 10**7, reason="no"
    )


def _changed(submission: Submission, number: int, **changes: object) -> Submission:
    lines = list(told_of(submission))
    body = lines[number].body
    assert body
    lines[number] = lines[number].model_copy(update={"body": body.model_copy(update=changes)})
    return with_lines(submission, lines)


def _headed(submission: Submission, **changes: object) -> Submission:
    """The last line with another head."""
    *rest, last = told_of(submission)
    head = last.head.model_copy(update=changes)
    return with_lines(submission, [*rest, last.model_copy(update={"head": head})])


def _without(submission: Submission, kind: type[Intent | Outcome]) -> Submission:
    """Without the first line of this kind, links mended."""

    def change(pairs: list[tuple[Body, Line]]) -> list[tuple[Body, Line]]:
        place = next(n for n, (body, _) in enumerate(pairs) if isinstance(body, kind))
        return pairs[:place] + pairs[place + 1 :]

    return linked(submission, change)


def _quick(submission: Submission) -> Submission:
    body = told_of(submission)[0].body
    assert isinstance(body, Intent)
    return edited(submission, 1, ended_ms=body.started_ms)


INTENT_BREAKS: dict[str, list[Callable[[Submission], Submission]]] = {
    "INTENT-1": [
        lambda s: replace(s, intents=None),
        lambda s: with_lines(s, told_of(s)[1:]),
        lambda s: with_lines(s, [*told_of(s)[:4], *told_of(s)[5:]]),
        lambda s: with_lines(s, [told_of(s)[1], told_of(s)[0], *told_of(s)[2:]]),
        lambda s: _changed(s, 2, started_ms=1),
        lambda s: with_lines(s, [told_of(s)[0].hidden(), *told_of(s)[1:]]),
        lambda s: _headed(s, round="2026.1" if s.round == ROUND.name else ROUND.name),
        lambda s: _headed(s, kind="slot"),
    ],
    "INTENT-2": [
        lambda s: _without(s, Intent),
        lambda s: _without(s, Outcome),
        lambda s: edited(s, 0, started_ms=1),
        lambda s: added(s, *[line.body for line in told_of(s)[:1] if line.body]),
        lambda s: with_lines(s, _as_search(told_of(s))),
        lambda s: replace(_other_seed(s), intents=s.intents),
        lambda s: edited(s, 1, status="aborted"),
        lambda s: added(s, withdrawn(training_run(0, 3).run.id)),
    ],
    "INTENT-3": [
        lambda s: added(s, *started("complete")),
        lambda s: added(s, *started(None)),
        lambda s: added(s, *started("aborted")),
        lambda s: added(s, *started("complete"), withdrawn()),
        lambda s: added(s, *started("complete", seeds={"run": 77})),
    ],
    "INTENT-4": [
        lambda s: added(s, *started("failed", started_ms=EXTRA.started_ms - 10**7)),
        _quick,
        lambda s: edited(s, 0, started_ms=10**13),
        lambda s: added(s, slot(1), *started("failed")),
        lambda s: added(s, *_taking("failed", "6" * 64)),
        lambda s: added(s, *started("failed"), *started("failed")[1:]),
        lambda s: added(s, withdrawn()),
    ],
}


def _as_search(lines: tuple[Line, ...]) -> list[Line]:
    body = lines[0].body
    assert body
    search = body.model_copy(update={"purpose": "search"})
    return [lines[0].model_copy(update={"body": search}), *lines[1:]]


def _taking(status: str, digest: str) -> list[Body]:
    intent, outcome = started(status)
    return [intent.model_copy(update={"slot": digest}), outcome]


def _other_seed(submission: Submission) -> Submission:
    entry = submission.entries[0]
    evidence = entry.runs[0]
    run = evidence.run.model_copy(update={"seeds": {"run": 7}, "status": RunStatus.COMPLETE})
    runs = (replace(evidence, run=run), *entry.runs[1:])
    return announced(
        replace(submission, entries=(replace(entry, runs=runs), *submission.entries[1:]))
    )
