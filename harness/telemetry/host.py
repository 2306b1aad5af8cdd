"""The host's own counters, read from /proc: processors, memory, disk and network traffic."""

import os
from collections.abc import Mapping
from pathlib import Path

from harness.telemetry.kernel_file import Group, KernelFile, take
from harness.telemetry.log import Reading
from harness.telemetry.own_time import OwnTime
from harness.telemetry.sampler import Presence

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SECTOR = 512  # of /proc/diskstats, whatever the disk's own
_SLOW_EVERY = 10
_BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq; guest time is within user
_STEAL = 7
_IDLE = (3, 4)


class Host:
    """Use of each core since the last reading, memory, and totals since boot.

    Clock frequencies and the number of processes are slow to read: every tenth sample has them.
    Disks are those with hardware behind them, so that no layer on top counts twice; the network
    is every interface but the loopback. Own time is that of ``owner``, see `OwnTime`.
    """

    name = "host"

    def __init__(self, root: Path = Path("/"), owner: int | None = None) -> None:
        self._proc = root / "proc"
        self._stat = KernelFile(self._proc / "stat")
        self._meminfo = KernelFile(self._proc / "meminfo")
        self._vmstat = KernelFile(self._proc / "vmstat")
        self._diskstats = KernelFile(self._proc / "diskstats")
        self._network = KernelFile(self._proc / "net/dev")
        self._cpuinfo = KernelFile(self._proc / "cpuinfo")
        cores = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        self._clocks = [KernelFile(path) for path in sorted(cores, key=_core_of)]
        self._disks = {path.parent.name for path in (root / "sys/block").glob("*/device")}
        self._own = OwnTime(owner)
        self._before: list[tuple[int, int]] = []
        self._reads = 0
        self._started = 0
        self._gaps: dict[str, str] = {}
        if self.available():
            self._cores(self._stat.text())  # the first reading has no interval to look back on

    def available(self) -> bool:
        """Whether there is a Linux kernel that tells."""
        return self._stat.path.exists()

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        if not self.available():
            return Presence(self.name, False, "no /proc: the kernel is not Linux")
        what = "use and clocks of each core, own and others' load, memory, swap, disk, network"
        return Presence(self.name, True, what)

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        groups: list[Group] = [
            (
                ("cpu_utilisation", "cpu_busy_s", "cpu_steal_s", "context_switches"),
                self._processors,
            ),
            (("own_cpu_s",), self._own_time),
            (("memory_used_bytes", "swap_used_bytes"), self._memory),
            (("swap_in_bytes", "swap_out_bytes"), self._swapping),
            (("disk_read_bytes", "disk_write_bytes"), self._disk),
            (("network_received_bytes", "network_sent_bytes"), self._traffic),
        ]
        if self._reads % _SLOW_EVERY == 0:
            groups.append((("cpu_frequency_hz",), self._frequencies))
            groups.append((("process_count",), self._processes))
        self._reads += 1
        values, gaps = take(groups)
        if any(share is None for share in _entries(values["cpu_utilisation"])):
            gaps.setdefault("cpu_utilisation", "interval too short")
        self._gaps = gaps
        return values

    def _processors(self) -> dict[str, Reading]:
        text = self._stat.text()
        total = [int(word) for word in text.split("\n", 1)[0].split()[1:]]
        self._started = _field(text, "processes")
        return {
            "cpu_utilisation": self._cores(text),
            "cpu_busy_s": sum(total[column] for column in _BUSY) / _TICKS,
            "cpu_steal_s": total[_STEAL] / _TICKS,
            "context_switches": _field(text, "ctxt"),
        }

    def _own_time(self) -> dict[str, Reading]:
        return {"own_cpu_s": round(self._own.seconds(self._started), 6)}

    def _cores(self, text: str) -> tuple[float | None, ...]:
        """Share of the interval since the last call in which each core was not idle.

        The kernel counts in hundredths of a second: no entry where it counted none.
        """
        now = []
        for line in text.splitlines()[1:]:
            if not line.startswith("cpu"):
                break
            columns = [int(word) for word in line.split()[1:9]]
            now.append((sum(columns), sum(columns[column] for column in _IDLE)))
        before = self._before if len(self._before) == len(now) else now
        self._before = now
        return tuple(
            round(min(1.0, max(0.0, 1 - (idle - idle_before) / (total - total_before))), 4)
            if total > total_before
            else None
            for (total, idle), (total_before, idle_before) in zip(now, before, strict=True)
        )

    def _memory(self) -> dict[str, Reading]:
        text = self._meminfo.text()
        used = _field(text, "MemTotal:") - _field(text, "MemAvailable:")
        swap = _field(text, "SwapTotal:") - _field(text, "SwapFree:")
        return {"memory_used_bytes": used * 1024, "swap_used_bytes": swap * 1024}

    def _swapping(self) -> dict[str, Reading]:
        text = self._vmstat.text()
        return {
            "swap_in_bytes": _field(text, "pswpin") * _PAGE,
            "swap_out_bytes": _field(text, "pswpout") * _PAGE,
        }

    def _disk(self) -> dict[str, Reading]:
        """See the kernel's Documentation/admin-guide/iostats.rst for the columns."""
        lines = (line.split() for line in self._diskstats.text().splitlines())
        disks = [words for words in lines if words[2] in self._disks]
        return {
            "disk_read_bytes": sum(int(words[5]) for words in disks) * _SECTOR,
            "disk_write_bytes": sum(int(words[9]) for words in disks) * _SECTOR,
        }

    def _traffic(self) -> dict[str, Reading]:
        lines = (line.partition(":") for line in self._network.text().splitlines()[2:])
        found = [words.split() for name, _, words in lines if name.strip() != "lo"]
        return {
            "network_received_bytes": sum(int(words[0]) for words in found),
            "network_sent_bytes": sum(int(words[8]) for words in found),
        }

    def _frequencies(self) -> dict[str, Reading]:
        if self._clocks:
            return {"cpu_frequency_hz": tuple(clock.number() * 1000 for clock in self._clocks)}
        pairs = (line.partition(":") for line in self._cpuinfo.text().splitlines())
        clocks = tuple(float(value) * 1e6 for name, _, value in pairs if name.strip() == "cpu MHz")
        if not clocks:
            raise ValueError("no core tells its clock")
        return {"cpu_frequency_hz": clocks}

    def _processes(self) -> dict[str, Reading]:
        names = os.listdir(self._proc)  # noqa: PTH208 (names alone, and fast)
        return {"process_count": sum(name.isdecimal() for name in names)}


def _field(text: str, name: str) -> int:
    """The number behind ``name`` in a file with a line a number; far faster than reading all."""
    line = f"\n{text}".partition(f"\n{name} ")[2].partition("\n")[0]
    return int(line.split()[0])


def _core_of(path: Path) -> int:
    return int(path.parent.parent.name.removeprefix("cpu"))


def _entries(reading: Reading) -> tuple[Reading, ...]:
    return reading if isinstance(reading, tuple) else ()
