"""From a run's files to what the rules judge: the one function that packing and opening share."""

from collections.abc import Iterator, Mapping

from harness.answers import read_answers
from harness.errors import LevelfieldError
from harness.events import MARK, BrokenLine, EventLog, parse_events
from harness.queries import read_query_log
from harness.records import Run
from harness.telemetry.log import read_telemetry
from rules.submission import RunEvidence
from submissions.layout import files_of
from submissions.strict_json import doubt, parse, read_record


def read_run(path: str, files: Mapping[str, bytes], *, official: bool = False) -> RunEvidence:
    """One run from the bytes of its files, by name; ``path`` is what messages call the folder.

    `LevelfieldError` if a file that the run must have is missing, a file that it cannot have is
    there, or one cannot be read. A log with broken lines is read: the rules speak of them. So
    they do of events in doubtful JSON (duplicate keys, 1e999 …), unless the log is an
    ``official`` one, of which MLPerf's own reader takes these.
    """
    if "run.json" not in files:
        raise LevelfieldError(f"{path}/run.json: missing; a run folder needs its record")
    run = read_record(Run, files["run.json"], f"{path}/run.json")
    _check_names(path, run, files)
    queries, answers = files.get("queries.npy"), files.get("answers.jsonl")
    _check_lines(f"{path}/telemetry.jsonl", files["telemetry.jsonl"])
    _check_lines(f"{path}/answers.jsonl", answers or b"")
    return RunEvidence(
        path=path,
        run=run,
        log=_read_log(files["events.log"], official),
        queries=None if queries is None else read_query_log(queries, f"{path}/queries.npy"),
        answers=None if answers is None else read_answers(answers, f"{path}/answers.jsonl"),
        telemetry=read_telemetry(files["telemetry.jsonl"], f"{path}/telemetry.jsonl"),
    )


def _read_log(data: bytes, official: bool) -> EventLog:
    log = parse_events(data)
    if official:
        return log
    broken = {line.line: line for line in (*log.broken, *_doubtful_lines(data))}
    return EventLog(
        tuple(event for event in log.events if event.line not in broken),
        tuple(broken[number] for number in sorted(broken)),
    )


def _doubtful_lines(data: bytes) -> Iterator[BrokenLine]:
    for number, line in enumerate(data.split(b"\n"), 1):
        for piece in line.split(b"\r"):
            _, marked, text = piece.rpartition(MARK.encode())
            if marked and (reason := doubt(text)):
                yield BrokenLine(number, reason)
                break


def _check_names(path: str, run: Run, files: Mapping[str, bytes]) -> None:
    expected = files_of(run)
    for name in sorted(expected - files.keys()):
        raise LevelfieldError(f"{path}/{name}: missing; a {run.mode.value} run needs it")
    for name in sorted(files.keys() - expected):
        raise LevelfieldError(f"{path}/{name}: a {run.mode.value} run has no such file; remove it")


def _check_lines(where: str, data: bytes) -> None:
    for number, line in enumerate(data.splitlines(), 1):
        parse(line, f"{where}:{number}")
