import gc
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.clock import SimulatedClock
from harness.events import EventWriter, intervals, many_logs, parse_events, values

OFFICIAL = Path(__file__).parents[2] / "shared/mlperf/sample"


def written() -> tuple[io.StringIO, EventWriter, SimulatedClock]:
    stream, clock = io.StringIO(), SimulatedClock()
    return stream, EventWriter(stream, clock), clock


def test_what_is_written_is_read_back() -> None:
    stream, log, clock = written()
    log.start("run_start")
    clock.advance(7_000_000)
    log.event("eval_accuracy", 0.5, samples_count=64)
    log.stop("run_stop", status="success")
    events = parse_events(stream.getvalue().encode()).events
    assert [e.event_type for e in events] == ["INTERVAL_START", "POINT_IN_TIME", "INTERVAL_END"]
    assert events[1].time_ms - events[0].time_ms == 7
    assert events[1].value == 0.5
    assert events[1].metadata["samples_count"] == 64
    assert events[1].metadata["file"] == "tests/test_events.py"
    assert [e.line for e in events] == [1, 2, 3]


def test_a_relayed_line_keeps_the_time_at_which_it_came() -> None:
    stream, log, clock = written()
    clock.advance(1_000_000)
    log.relay(':::MLLOG {"time_ms": 5, "key": "seed", "value": 1, "metadata": {}}\n')
    (event,) = parse_events(stream.getvalue().encode()).events
    assert (event.time_ms, event.received_ms) == (5, clock.wall_ms())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (":::MLLOG {", "not JSON"),
        (":::MLLOG [1]", "not an object"),
        (':::MLLOG {"time_ms": 1.5, "key": "a", "value": 1, "metadata": {}}', "time_ms"),
        (':::MLLOG {"time_ms": -1, "key": "a", "value": 1, "metadata": {}}', "time_ms"),
        (f':::MLLOG {{"time_ms": {10**400}, "key": "a", "value": 1, "metadata": {{}}}}', "time_ms"),
        (':::MLLOG {"time_ms": 1, "key": "a", "metadata": {}}', "value"),
        (':::MLLOG {"time_ms": 1, "key": "a", "value": 1}', "metadata"),
    ],
)
def test_broken_lines_are_kept_with_a_reason(line: str, reason: str) -> None:
    log = parse_events(f"noise\n{line}\n".encode())
    assert log.events == ()
    assert log.broken[0].line == 2
    assert reason in log.broken[0].reason


def test_the_last_mark_on_a_line_counts() -> None:
    data = b'x :::MLLOG {} :::MLLOG {"time_ms": 1, "key": "a", "value": 2, "metadata": {}}'
    assert values(parse_events(data).all("a")) == [2]


def line(value: str) -> bytes:
    return f':::MLLOG {{"time_ms": 1, "key": "a", "value": {value}, "metadata": {{}}}}'.encode()


def test_a_mark_needs_the_space_after_it() -> None:
    log = parse_events(b"+ grep :::MLLOG\n" + line("1"))
    assert log.broken == ()
    assert [event.line for event in log.events] == [2]


def test_a_carriage_return_ends_a_line_without_a_number() -> None:
    log = parse_events(b"10 %\r" + line("1") + b"\r20 %\r" + line("2") + b"\r\n" + line("3"))
    assert [(event.line, event.value) for event in log.events] == [(1, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("value", ["1e400", "-Infinity", str(2**64), str(-(2**70)), "1e300"])
def test_what_the_standard_library_takes_is_taken(value: str) -> None:
    (found,) = values(parse_events(line(value)).all("a"))
    assert (found, type(found)) == (json.loads(value), type(json.loads(value)))


def test_bytes_are_latin_1() -> None:
    assert values(parse_events(line('"\xe9"').decode().encode("latin-1")).all("a")) == ["\xe9"]
    assert values(parse_events('"\xe9"'.join(["", line("1").decode()]).encode()).all("a")) == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_values_are_what_json_makes_of_them(value: object) -> None:
    text = json.dumps(value)
    (found,) = values(parse_events(line(text)).all("a"))
    assert repr(found) == repr(json.loads(text))


@given(st.binary(max_size=300))
@example(b"1" * 5000)
@example(b"[" * 100_000)
@example(b"received_ms=" + b"1" * 5000 + b" :::MLLOG {}")
def test_any_bytes_are_read_without_a_crash(data: bytes) -> None:
    log = parse_events(b":::MLLOG " + data)
    assert len(log.events) + len(log.broken) >= 1


def test_intervals_pair_start_and_stop() -> None:
    stream, log, _ = written()
    for key in ("block_start", "block_stop", "block_stop", "block_start"):
        log.event(key)
    pairs = list(intervals(parse_events(stream.getvalue().encode()), "block"))
    assert [(a.line, b.line) for a, b in pairs] == [(1, 2)]


@pytest.mark.skipif(not OFFICIAL.exists(), reason="MLPerf's published logs are not here")
def test_official_logs_are_read() -> None:
    paths = sorted(OFFICIAL.glob("*.txt"))
    assert len(paths) == 7
    for path in paths:
        log = parse_events(path.read_bytes())
        assert log.broken == ()
        assert len(log.events) == path.read_bytes().count(b":::MLLOG")
        stop = log.first("run_stop")
        assert stop is not None
        assert stop.metadata["status"] == "success"


def test_our_log_is_read_by_the_official_package(tmp_path: Path) -> None:
    from mlperf_logging.compliance_checker.mlp_parser import parse_file

    stream, log, _ = written()
    log.event("submission_benchmark", "image_classification")
    log.event("eval_accuracy", 0.98, samples_count=100)
    path = tmp_path / "result_0.txt"
    path.write_text(stream.getvalue())
    parsed, failed = parse_file(str(path), ruleset="5.1.0")
    assert failed == []
    assert [(line.key, line.value["value"]) for line in parsed] == [
        ("submission_benchmark", "image_classification"),
        ("eval_accuracy", 0.98),
    ]
    assert (
        json.loads(stream.getvalue().splitlines()[0].removeprefix(":::MLLOG "))["namespace"] == ""
    )


def test_the_collector_rests_while_many_logs_are_read() -> None:
    assert gc.isenabled()
    with many_logs():
        with many_logs():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
