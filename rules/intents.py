"""INTENT rules: every run was announced before it started, and every start is accounted for."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from harness.intents import Configuration, Intent, Line, Outcome, body_digest, kind_of
from harness.records import Run, Scenario
from rules.case import Problem, ResultCase, RunCase, Severity, SubmissionCase
from rules.intent_accounts import Ending, account_of, lines_of
from rules.registry import rule

INTENTS = "intents.jsonl"
"""File of the bundle, line for line as the rules count them."""
_MOST = 10
"""Problems of one kind that are told; a hostile log may have any number."""
_CLOCK_MS = 60_000
"""How far a machine's clock may be set back between runs."""
_ROUNDING_MS = 1_000
_WITHDRAW = "levelfield intents withdraw"


def _kept(case: SubmissionCase) -> bool:
    return case.submission.intents is not None


def _severity(case: SubmissionCase) -> Severity:
    return "error" if case.round.intents_required else "warning"


def _problem(case: SubmissionCase, message: str, line: Line | None = None) -> Problem:
    number = line.head.index + 1 if line else None
    return Problem(message, INTENTS, number, severity=_severity(case))


@rule("INTENT-1", on="submission", when=lambda case: case.submission.origin is None)
def intent_log_is_whole(case: SubmissionCase) -> Iterator[Problem]:
    """The submission holds the round's intent log, from its first line, and no line is missing.

    Each line holds the digest of the one before, and is of the bundle's round. Lines about the
    results of the bundle are shown whole and are about what they say; of all others only the head
    need be shown. A warning in rounds that do not require it.
    """
    lines = case.submission.intents
    if lines is None:
        yield Problem(
            f"no {INTENTS}, so nobody can tell how many runs were started; make the runs with "
            "this version of levelfield run, and pack again",
            "manifest.json",
            severity=_severity(case),
        )
        return
    shown = {
        (entry.result.workload, str(entry.result.scenario)) for entry in case.submission.entries
    }
    found = faults(lines, case.submission.round, shown)
    yield from (_problem(case, message, line) for line, message in islice(found, _MOST))


def faults(
    lines: Sequence[Line], round_name: str, shown: Iterable[tuple[str, str]] = ()
) -> Iterator[tuple[Line, str]]:
    """What is wrong with a log of ``round_name`` as a chain, line by line.

    ``shown`` are the workloads and scenarios whose lines may not be hidden.
    """
    open_ = set(shown)
    previous: str | None = None
    for number, line in enumerate(lines):
        head = line.head
        if (head.index, head.previous) != (number, previous):
            yield line, "does not follow the line before: one was changed, added or taken out"
        if head.round != round_name:
            yield line, f"is of round {head.round}, not {round_name}"
        if line.body is not None:
            yield from ((line, fault) for fault in _body_faults(line))
        elif (head.workload, str(head.scenario)) in open_:
            yield line, f"is hidden, though the bundle has a result of {head.workload}; show it"
        previous = line.digest


def _body_faults(line: Line) -> Iterator[str]:
    head, body = line.head, line.body
    if body is None:
        return
    if head.body_sha256 != body_digest(body):
        yield "its body is not the one that its digest names: it was changed afterwards"
    if head.kind != kind_of(body):
        yield f"says that it is one of kind {head.kind}, and holds another"
    if isinstance(body, Intent):
        about = body.configuration.workload, body.configuration.scenario
        if about != (head.workload, head.scenario):
            yield "its head names another workload or scenario than its configuration"


@rule("INTENT-2", on="run", when=_kept)
def run_was_announced(case: RunCase) -> Iterator[Problem]:
    """Every run was announced before it started, as what it then was, and its end was told.

    The log has exactly one intent with the run's id, of the configuration and the start that its
    record has, and an outcome that is its status; the run was not withdrawn.
    """
    run = case.evidence.run
    lines = lines_of(case.submission.intents or (), case.entry)
    intents = [(line, line.body) for line in lines if _is_intent_of(line, run)]
    if len(intents) != 1:
        how = "never announced" if not intents else f"announced {len(intents)} times"
        yield case.record_problem(
            f"the run was {how} in {INTENTS}; submit runs as levelfield run left them",
            severity=_severity(case),
        )
        return
    line, intent = intents[0]
    assert isinstance(intent, Intent)
    yield from (_problem(case, message, line) for message in _contradictions(intent, run))
    bodies = [line.body for line in lines]
    told = [b.status for b in bodies if isinstance(b, Outcome) and b.run_id == run.id]
    if run.status not in told:
        said = ", ".join(told) or "nothing of its end"
        yield _problem(case, f"the run {run.id} is {run.status}, the log says {said}", line)
    if "withdrawn" in told:
        yield _problem(case, f"the run {run.id} was withdrawn, but is in the bundle", line)


def _is_intent_of(line: Line, run: Run) -> bool:
    body = line.body
    return isinstance(body, Intent) and body.run_id == run.id and body.purpose == "run"


def _contradictions(intent: Intent, run: Run) -> Iterator[str]:
    changed = intent.configuration.differences(Configuration.of(run))
    if changed:
        yield f"the run {run.id} was announced with another {', '.join(changed)} than it had"
    if intent.started_ms != run.started_ms:
        yield f"the run {run.id} was announced with another start than its record has"


@rule("INTENT-3", on="result", when=_kept)
def every_start_is_accounted_for(case: ResultCase) -> Iterator[Problem]:
    """Every run that was started as one of the result's is in the bundle, or its end is told.

    Runs with the configuration of one of the result's, seeds apart, are tries at the same result.
    Those that are not in the bundle were withdrawn with a reason, or failed in inference: a
    training run that missed the target or failed counts as lost. One that was complete and then
    withdrawn is a warning in every round. Where a search found the rate, the search was announced.
    """
    account = account_of(case.entry, case.submission.intents or ())
    trains = case.scenario == Scenario.TRAIN
    for ending, run_ids in account.left_out.items():
        told = f"{ending}: {_listed(run_ids)} of {case.entry.path}"
        if ending is Ending.NONE:
            yield _problem(case, f"{told}; say what became of them with {_WITHDRAW}")
        elif ending is Ending.COMPLETE or (trains and ending in (Ending.ABORTED, Ending.FAILED)):
            yield _problem(case, f"{told}; pack them all, or withdraw them with {_WITHDRAW}")
        elif ending is Ending.WITHDRAWN_COMPLETE:
            yield Problem(
                f"{told}; levelfield intents show gives the reasons", INTENTS, severity="warning"
            )
    if case.entry.search and not account.searches:
        yield _problem(case, f"the search of {case.entry.path} was never announced")


def _listed(run_ids: Sequence[str]) -> str:
    more = f" and {len(run_ids) - 3} more" if len(run_ids) > 3 else ""
    runs = "1 run" if len(run_ids) == 1 else f"{len(run_ids)} runs"
    return f"{runs} ({', '.join(run_ids[:3])}{more})"


@rule("INTENT-4", on="result", when=_kept)
def order_and_times_agree(case: ResultCase) -> Iterator[Problem]:
    """The log's order is that of its times, and of the runs.

    No line is told a minute or more before the one above it, no run ends before it was announced
    or sooner than it lasted, none ends twice but to be withdrawn, and runs take the slots that were
    set aside for them, in order.
    """
    lines = lines_of(case.submission.intents or (), case.entry)
    runs = {evidence.run.id: evidence.run for evidence in case.entry.runs}
    found = (*_time_faults(lines), *_outcome_faults(lines, runs), *_slot_faults(lines))
    yield from (_problem(case, message, line) for line, message in found[:_MOST])


def _time_faults(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    latest_ms = 0
    for line in lines:
        now_ms = _time_ms(line)
        if now_ms < latest_ms - _CLOCK_MS:
            yield line, "was told before the lines above it, by its time"
        latest_ms = max(latest_ms, now_ms)


def _time_ms(line: Line) -> int:
    body = line.body
    if isinstance(body, Intent):
        return body.started_ms
    if isinstance(body, Outcome):
        return body.ended_ms
    return body.made_ms if body else 0


def _outcome_faults(lines: Sequence[Line], runs: dict[str, Run]) -> Iterator[tuple[Line, str]]:
    started: dict[str, int] = {}
    ended: set[str] = set()
    for line in lines:
        body = line.body
        if isinstance(body, Intent):
            started[body.run_id] = body.started_ms
        elif isinstance(body, Outcome) and body.run_id not in started:
            yield line, f"tells the end of run {body.run_id}, which was not announced before"
        elif isinstance(body, Outcome):
            run = runs.get(body.run_id)
            lasted_ms = (run.duration_ns or 0) // 1_000_000 if run else 0
            if body.run_id in ended and body.status != "withdrawn":
                yield line, f"tells the end of run {body.run_id} again"
            if body.ended_ms < started[body.run_id] + lasted_ms - _ROUNDING_MS:
                yield line, f"the run {body.run_id} ended sooner than it lasted"
            ended.add(body.run_id)


def _slot_faults(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    free: deque[str] = deque()
    for line in lines:
        body = line.body
        if line.head.kind == "slot":
            free.append(line.digest)
        elif isinstance(body, Intent) and body.purpose == "run":
            due = free.popleft() if free else None
            if body.slot != due:
                yield line, f"the run {body.run_id} did not take the next slot that was set aside"
