"""The external meter: its lines, what is amiss with them, a file that grows, a command."""

import shlex
import sys
import time
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.telemetry.log import Sample, read_telemetry
from harness.telemetry.meter import Meter
from harness.telemetry.sampler import Sampler

NOW = 1_790_000_000_000_000_000
MS = 1_000_000


def line(at_ms: int, watts: object) -> str:
    return f"{NOW + at_ms * MS},{watts}\n"


def told(samples: list[Sample]) -> list[object]:
    """Times from now in milliseconds with watts; of gaps the reasons."""
    return [
        next(iter(s.gaps.values()), (s.time_ms - NOW // MS, s.values["power_w"])) for s in samples
    ]


def meter_of(path: Path, text: str) -> Meter:
    path.write_text(text)
    meter = Meter(str(path), now_ns=lambda: NOW)
    meter.open()
    return meter


def test_a_file_is_followed_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    meter = meter_of(path, "# a comment\n\n" + line(0, 200) + line(500, "201.5")[:-1])
    assert told(list(meter.samples())) == [(0, 200.0)]
    with path.open("a") as stream:
        stream.write("\n" + line(1000, 202))
    assert told(list(meter.samples())) == [(500, 201.5), (1000, 202.0)]
    assert list(meter.samples()) == []
    meter.close()
    assert list(meter.samples()) == []


@pytest.mark.parametrize(
    "bad",
    ["power", "1,2,3", "-5,1", "5,-1", "5,nan", "5,inf", "5,1e400", "9" * 40 + ",1", "5,", "\x00"],
)
def test_a_bad_line_is_a_gap(tmp_path: Path, bad: str) -> None:
    meter = meter_of(tmp_path / "p", f"{line(0, 1)}{bad}\n{line(1, 2)}")
    assert told(list(meter.samples())) == [(0, 1.0), (1, 2.0), "unreadable lines: 1"]
    meter.close()


def test_lines_out_of_order_and_from_before_the_run_are_left_out(tmp_path: Path) -> None:
    text = line(-60_000, 9) + line(0, 1) + line(-1, 2) + line(0, 3) + line(1, 4)
    meter = meter_of(tmp_path / "p", text)
    assert told(list(meter.samples())) == [
        (0, 1.0),
        (1, 4.0),
        "lines out of order: 2",
    ]
    meter.close()


def drain(meter: Meter, until: int) -> list[object]:
    """What ``meter`` says until it has said ``until`` things."""
    found: list[object] = []
    deadline = time.monotonic() + 30
    while len(found) < until and time.monotonic() < deadline:
        found += told(list(meter.samples()))
        time.sleep(0.01)
    return found


def command(program: str) -> str:
    return shlex.join([sys.executable, "-c", program])


def test_a_command_that_dies_leaves_a_gap_with_the_reason() -> None:
    spec = command(f"print('{NOW},7'); raise SystemExit(3)")
    meter = Meter(spec, now_ns=lambda: NOW)
    for _ in range(2):  # a run each
        meter.open()
        assert drain(meter, 2)[0] == (0, 7.0)
        assert drain(meter, 0) == []
        meter.close()


def test_a_command_ends_with_the_run() -> None:
    program = f"import time\nprint('{NOW},7', flush=True)\ntime.sleep(600)"
    meter = Meter(command(program), now_ns=lambda: NOW)
    meter.open()
    assert drain(meter, 1) == [(0, 7.0)]
    lines = meter._lines
    assert lines is not None
    assert lines.ended() is None
    meter.close()
    assert lines.ended()


def test_closing_waits_for_a_reading_from_after_the_run() -> None:
    program = f"""
import time
print('{NOW - MS},7', flush=True)
time.sleep(0.2)
print('{NOW + MS},8', flush=True)
time.sleep(600)"""
    meter = Meter(command(program), now_ns=lambda: NOW)
    meter.open()
    assert drain(meter, 1) == [(-1, 7.0)]
    assert told(meter.close()) == [(1, 8.0)]
    assert meter.close() == []


def test_what_is_neither_a_file_nor_a_program_is_refused(tmp_path: Path) -> None:
    for spec in (str(tmp_path / "none"), "no-such-program-anywhere --x", "", "a 'b"):
        with pytest.raises(UsageError, match="--meter"):
            Meter(spec)


def test_it_says_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text("")
    assert Meter(str(path)).presence().what == f"power in watts from the file {path}"


def test_the_sampler_opens_it_for_a_run_and_keeps_its_times(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text(line(0, 200) + line(7, 201))
    meter = Meter(str(path), now_ns=lambda: NOW)
    # Left not before there is a reading from after the run.
    with Sampler(tmp_path / "t", [meter], lambda: 5), path.open("a") as stream:
        stream.write(line(9, 202))
    log = read_telemetry((tmp_path / "t").read_bytes(), "t")
    start = NOW // MS
    assert log.series("meter", "power_w") == [(start, 200), (start + 7, 201), (start + 9, 202)]
