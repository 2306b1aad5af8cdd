from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from harness.telemetry.host import Host
from harness.telemetry.log import Reading, Sample, TelemetryLog, read_telemetry, summarise
from harness.telemetry.sampler import Presence, Sampler


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
    sampler = Sampler(path, [counting, missing], lambda: 5, interval_s=3600)
    sampler.start()
    sampler.stop()
    log = read_telemetry(path.read_bytes(), "telemetry.jsonl")
    assert log.series("counting", "reads") == [(5, 1), (5, 2)]
    assert log.series("counting", "gap") == [(5, None), (5, None)]
    assert missing.reads == 0


def test_a_thread_that_cannot_write_says_so_at_the_end(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path / "t", [Counting()], lambda: 5, interval_s=0.001)
    sampler.start()
    with sampler._stream:
        sampler._stream = Path("/dev/full").open("w")  # noqa: SIM115 (the sampler closes it)
        sampler._thread.join()
    with pytest.raises(OSError, match="No space left"):
        sampler.stop()


def test_summary_counts_only_the_window_and_no_gaps() -> None:
    samples = [
        Sample(time_ms=t, source="host", values={"cpu": (0.0, t / 10), "gap": None})
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


def test_the_host_reads_every_core_and_plausible_memory() -> None:
    import psutil

    values = Host().read()
    cores = values["cpu_utilisation"]
    assert isinstance(cores, tuple)
    assert len(cores) == psutil.cpu_count()
    assert all(0 <= share <= 1 for share in cores)
    memory = values["memory_used_bytes"]
    assert isinstance(memory, int)
    assert 0 < memory < psutil.virtual_memory().total
