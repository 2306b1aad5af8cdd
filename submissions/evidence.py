"""From a run's files to what the rules judge: what packing and opening share."""

from collections.abc import Iterator, Mapping

from harness.answers import Answer, read_answers
from harness.errors import LevelfieldError
from harness.events import MARK, BrokenLine, Event, EventLog, parse_events
from harness.queries import QueryLog, read_query_log
from harness.records import Run
from harness.telemetry.log import Sample, TelemetryLog, read_telemetry
from rules.submission import RunEvidence
from submissions.allowance import LARGE_CONTENT_BYTES, Allowance, weight
from submissions.layout import files_of
from submissions.line_slices import slices
from submissions.stored_telemetry import StoredTelemetry
from submissions.strict_json import doubt, parse, read_record

MAX_BROKEN = 1000
_BROKEN = 256
"""What a broken line takes in memory, with its reason."""
_SHORT = 2**21
"""Telemetry that takes no more is kept parsed; of longer logs one at a time is."""


def read_run(
    path: str,
    files: Mapping[str, bytes],
    allowance: Allowance | None = None,
    *,
    official: bool = False,
) -> RunEvidence:
    """One run from the bytes of its files, by name; ``path`` is what messages call the folder.

    `LevelfieldError` if a file that the run must have is missing, a file that it cannot have is
    there, one cannot be read, or what they hold is more than the ``allowance`` (by default
    `LARGE_CONTENT_BYTES`). A log with broken lines is read: the rules speak of them. So they do
    of events in doubtful JSON (duplicate keys, 1e999 …), unless the log is an ``official`` one,
    of which MLPerf's own reader takes these.
    """
    if "run.json" not in files:
        raise LevelfieldError(f"{path}/run.json: missing; a run folder needs its record")
    allowance = allowance or Allowance(LARGE_CONTENT_BYTES)
    run = read_record(Run, files["run.json"], f"{path}/run.json")
    allowance.spend(f"{path}/run.json", weight(run))
    _check_names(path, run, files)
    return RunEvidence(
        path=path,
        run=run,
        log=_read_log(files["events.log"], f"{path}/events.log", allowance, official=official),
        queries=_read_queries(files.get("queries.npy"), f"{path}/queries.npy", allowance),
        answers=_read_answers(files.get("answers.jsonl"), f"{path}/answers.jsonl", allowance),
        telemetry=_read_telemetry(files["telemetry.jsonl"], f"{path}/telemetry.jsonl", allowance),
    )


def read_claim(path: str, files: Mapping[str, bytes]) -> RunEvidence:
    """One run as its record claims it, with empty logs in place of what it logged.

    `LevelfieldError` as of `read_run`, but for what the logs hold.
    """
    if "run.json" not in files:
        raise LevelfieldError(f"{path}/run.json: missing; a run folder needs its record")
    run = read_record(Run, files["run.json"], f"{path}/run.json")
    _check_names(path, run, files)
    return RunEvidence(path, run, EventLog(()), None, None, TelemetryLog(()))


def _read_log(data: bytes, where: str, allowance: Allowance, *, official: bool) -> EventLog:
    events: list[Event] = []
    broken: list[BrokenLine] = []
    for before, piece in slices(data, where):
        log = parse_events(piece, lines_before=before)
        spoilt = {line.line: line for line in log.broken}
        if not official:
            spoilt |= {line.line: line for line in _doubtful_lines(piece, before)}
        good = [event for event in log.events if event.line not in spoilt] if spoilt else log.events
        events += good
        broken += [spoilt[number] for number in sorted(spoilt)]
        allowance.spend(where, weight(good) + _BROKEN * len(spoilt))
        if len(broken) > MAX_BROKEN and not official:
            raise LevelfieldError(
                f"{where}: more than {MAX_BROKEN} lines are marked as events and are none; "
                "refused, mend the program that wrote them"
            )
    return EventLog(tuple(events), tuple(broken))


def _doubtful_lines(data: bytes, before: int) -> Iterator[BrokenLine]:
    mark = MARK.encode()
    number, end, at = before + 1, 0, data.find(mark)
    while at >= 0:
        number += data.count(b"\n", end, at)
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        for piece in data[at:end].split(b"\r"):
            _, marked, text = piece.rpartition(mark)
            if marked and (reason := doubt(text)):
                yield BrokenLine(number, reason)
                break
        at = data.find(mark, end)


def _read_queries(data: bytes | None, where: str, allowance: Allowance) -> QueryLog | None:
    if data is None:
        return None
    allowance.spend(where, len(data))
    return read_query_log(data, where)


def _read_answers(
    data: bytes | None, where: str, allowance: Allowance
) -> tuple[Answer, ...] | None:
    if data is None:
        return None
    answers: list[Answer] = []
    for before, piece in slices(data, where):
        _check_lines(where, before, piece)
        found = read_answers(piece, where)
        allowance.spend(where, weight(found))
        answers += found
    return tuple(answers)


def _read_telemetry(data: bytes, where: str, allowance: Allowance) -> TelemetryLog:
    """The log parsed if it is short, else packed; either way every line has been read."""
    samples: list[Sample] = []
    total = 0
    for before, piece in slices(data, where):
        _check_lines(where, before, piece)
        found = read_telemetry(piece, where).samples
        total += weight(found)
        allowance.ask(where, total)
        samples += found
    if total <= _SHORT:
        allowance.spend(where, total)
        return TelemetryLog(tuple(samples))
    stored = StoredTelemetry(data, where)
    allowance.spend(where, stored.packed_bytes)
    return stored


def _check_names(path: str, run: Run, files: Mapping[str, bytes]) -> None:
    expected = files_of(run)
    for name in sorted(expected - files.keys()):
        raise LevelfieldError(f"{path}/{name}: missing; a {run.mode.value} run needs it")
    for name in sorted(files.keys() - expected):
        raise LevelfieldError(f"{path}/{name}: a {run.mode.value} run has no such file; remove it")


def _check_lines(where: str, before: int, data: bytes) -> None:
    for number, line in enumerate(data.splitlines(), before + 1):
        parse(line, f"{where}:{number}")
