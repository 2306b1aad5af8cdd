"""Log lines: numbered as the parser numbers them, readable whatever they hold."""

from hypothesis import given
from hypothesis import strategies as st

from harness.events import parse_events
from portal.log_page import log_lines

EVENT = b':::MLLOG {"time_ms": %d, "key": "%s", "value": null, "metadata": {}}'


def _lines(data: bytes) -> list:  # type: ignore[type-arg]
    return log_lines(data, parse_events(data))


def test_key_time_and_number() -> None:
    first, text, last = _lines(EVENT % (1000, b"run_start") + b"\nhello\n" + EVENT % (2500, b"x"))
    assert (first.number, first.key, first.seconds) == (1, "run_start", "+0.000 s")
    assert (text.number, text.before, text.seconds) == (2, "hello", "")
    assert (last.number, last.seconds) == (3, "+1.500 s")


def test_a_broken_line_says_why() -> None:
    (line,) = _lines(b":::MLLOG {")
    assert line.broken == "the text after :::MLLOG is not JSON"


def test_what_a_line_holds_is_escaped() -> None:
    hostile = b"</code><script>alert(1)</script>"
    line, broken = _lines(hostile + EVENT % (5, b"<b>") + b"\n:::MLLOG {" + hostile)
    assert "<script" not in line.__html__() + broken.__html__()
    assert line.__html__().startswith('<li id="L1"><a href="#L1">1</a>')
    assert "<b>&lt;b&gt;</b>" in line.__html__()
    assert '<span class="broken">✕ the text after :::MLLOG is not JSON</span>' in broken.__html__()


def test_control_characters_and_long_lines_are_tamed() -> None:
    (line,) = _lines(b"\x1b[31m\x00" + b"a" * 5000)
    assert "\x1b" not in line.before
    assert line.before.endswith("more characters in the raw file")


@given(st.binary(max_size=300))
def test_numbers_are_those_of_the_parser(data: bytes) -> None:
    lines = _lines(data)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    broken = {line.number for line in lines if line.broken}
    assert broken == {line.line for line in parse_events(data).broken}


@given(st.from_regex(r"[a-z_]{1,9}", fullmatch=True))
def test_cutting_around_the_key_loses_nothing(key: str) -> None:
    data = EVENT % (5, key.encode())
    (line,) = _lines(data)
    assert line.key == key
    assert (line.before + line.key + line.after).encode() == data
