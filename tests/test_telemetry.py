import errno
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from harness.telemetry.log import Reading, Sample, TelemetryLog, read_telemetry, summarise
from harness.telemetry.sampler import Presence, Reader, Sampler
from harness.telemetry.sources import all_sources


class Counting:
    name = "counting"

    def __init__(self) -> None:
        self.reads = 0

    def available(self) -> bool:
        return True

    def presence(self) -> Presence:
        return Presence(self.name, True, "counts")

    def gaps(self) -> Mapping[str, str]:
        return {"gap": "not supported"}

    def read(self) -> Mapping[str, Reading]:
        self.reads += 1
        return {"reads": self.reads, "gap": None}


class Missing(Counting):
    def available(self) -> bool:
        return False


def test_first_and_last_reading_are_taken_and_kept(tmp_path: Path) -> None:
    counting, missing = Counting(), Missing()
    path = tmp_path / "telemetry.jsonl"
    with Sampler(path, [counting, missing], lambda: 5):
        pass
    log = read_telemetry(path.read_bytes(), "telemetry.jsonl")
    assert log.series("counting", "reads") == [(5, 1), (5, 2)]
    assert log.series("counting", "gap") == [(5, None), (5, None)]
    assert missing.reads == 0


def test_every_tick_tells_its_own_cost(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    with Sampler(path, [Counting()], lambda: 5) as sampler:
        sampler.take(0.25)
    log = read_telemetry(path.read_bytes(), "t")
    assert log.series("sampler", "late_s") == [(5, 0.0), (5, 0.25), (5, 0.0)]
    assert all(isinstance(s, float) and s > 0 for _, s in log.series("sampler", "took_s"))


def test_ticks_that_were_overrun_are_left_out_and_none_drifts_or_comes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    passed = iter((0.125, 0.625, 3.25, 3.375))
    waits = []

    def wait(seconds: float) -> bool:
        """Let the time of a wait pass, and the tick begin that much after the last one was due."""
        nonlocal now
        waits.append(seconds)
        now = 100.0 + next(passed)
        return len(waits) == 4

    with Sampler(tmp_path / "t", [Counting()], lambda: 5, interval_s=0.5) as sampler:
        sampler.sample(wait)
    late = read_telemetry((tmp_path / "t").read_bytes(), "t").series("sampler", "late_s")
    # Ticks are due at 0.5, 1.0, 1.5 and 3.5 s; what begins before is not late.
    assert waits == [0.5, 0.875, 0.875, 0.25]
    assert [seconds for _, seconds in late] == [0.0, 0.0, 0.0, 1.75, 0.0]


def test_the_sources_of_a_run_and_a_meter_if_asked_for() -> None:
    names = [source.name for source in all_sources()]
    assert names == ["host", "pressure", "cgroup", "rapl", "nvml", "gpm"]
    assert [source.name for source in all_sources("cat")] == [*names, "meter"]
    assert [source.presence().name for source in all_sources()] == names


def test_a_source_that_fails_leaves_gaps_and_the_others_go_on() -> None:
    class Leaving(Counting):
        def read(self) -> Mapping[str, Reading]:
            if self.reads:
                raise OSError(errno.ENODEV, "No such device")
            return super().read()

    reader = Reader(Leaving())
    first, second = (next(iter(reader.samples(time_ms))) for time_ms in (1, 2))
    assert first.values == {"reads": 1, "gap": None}
    assert second.values == {"reads": None, "gap": None}
    assert second.gaps == {"reads": "device lost", "gap": "device lost"}
    assert "gaps" not in Sample(time_ms=1, source="a", values={"x": 1}).line()


@pytest.mark.parametrize("number", ["NaN", "1e999", "1e300", "9" * 400, "true", '"1"', "[[1]]"])
def test_a_reading_is_a_number_of_reasonable_size(number: str) -> None:
    line = f'{{"time_ms": 1, "source": "a", "values": {{"x": {number}}}}}'
    with pytest.raises(LevelfieldError, match=r"^t:1: not a telemetry sample"):
        read_telemetry(line.encode(), "t")


def test_summary_counts_only_the_window_and_no_gaps() -> None:
    samples = [
        Sample(time_ms=t, source="host", values={"cpu": (0.0, None, t / 10), "gap": None})
        for t in (1, 2, 4, 9)
    ]
    summary = summarise(TelemetryLog(tuple(samples)), 2, 4)
    assert summary["host.cpu"].mean == pytest.approx(0.15)
    assert summary["host.cpu"].maximum == pytest.approx(0.2)
    assert summary["host.cpu"].samples == 2
    assert "host.gap" not in summary


def test_a_bad_line_is_named() -> None:
    with pytest.raises(LevelfieldError, match=r"^t:2: not a telemetry sample"):
        read_telemetry(b'{"time_ms": 1, "source": "a", "values": {}}\n{"time_ms": 1}\n', "t")
