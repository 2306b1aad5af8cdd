"""rules/mlperf/loadgen.py: LoadGen's logs, whatever is in them."""

from hypothesis import given
from hypothesis import strategies as st
from loadgen_logs import SERVER, detail, line

from rules.mlperf.loadgen import parse_detail, parse_summary


def test_facts_are_read_by_key() -> None:
    log = parse_detail(detail(SERVER))
    assert log.number("effective_target_qps") == 16.5
    assert log.flag("result_min_duration_met") is True
    assert log.text("result_validity") == "VALID"
    assert (log.broken, log.errors, log.contradictions) == (0, (), ())


def test_what_is_of_another_kind_is_none() -> None:
    odd = {"a": "12", "b": True, "c": -1, "d": [1], "e": "x" * 401, "f": 10**400, "g": 1}
    log = parse_detail(detail(odd))
    assert [log.number(key) for key in "abcdfgz"] == [None, None, None, None, None, 1, None]
    assert log.flag("g") is None
    assert log.text("e") is None


def test_not_a_number_is_none() -> None:
    log = parse_detail(
        b':::MLLOG {"key": "a", "value": NaN}\n:::MLLOG {"key": "b", "value": 1e999}'
    )
    assert (log.number("a"), log.number("b")) == (None, None)


def test_a_result_that_is_stated_twice_and_differently_is_seen() -> None:
    twice = detail({"result_validity": "INVALID"}) + b"\n" + detail({"result_validity": "VALID"})
    assert parse_detail(twice).contradictions == ("result_validity",)
    messages = detail({"generic_message": "a"}) + b"\n" + detail({"generic_message": "b"})
    assert parse_detail(messages).contradictions == ()


def test_marked_errors_are_kept() -> None:
    log = parse_detail(line("error_runtime", "no response", error=True).encode())
    assert log.errors == ("error_runtime: no response",)


def test_hostile_lines_are_counted_and_passed_over() -> None:
    lines = (
        b":::MLLOG {",
        b":::MLLOG []",
        b':::MLLOG {"key": 1}',
        b":::MLLOG " + b"[" * 200_000,
        b':::MLLOG {"key": "a", "value": ' + b"9" * 10_000 + b"}",
        b"\x00\xff :::MLLOG " + b"\xfe",
        b"no mark",
    )
    log = parse_detail(b"\n".join(lines) + b"\n" + detail({"num_errors": 0}))
    assert log.broken == 6
    assert log.facts == {"num_errors": 0}


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    parse_detail(b":::MLLOG " + data)
    parse_summary(data)


def test_a_summary_gives_its_first_values() -> None:
    found = parse_summary(b"Result is : VALID\n  Min queries satisfied : Yes\nResult is : NO\n===")
    assert found == {"Result is": "VALID", "Min queries satisfied": "Yes"}
