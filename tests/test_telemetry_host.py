"""The host's counters from a made /proc and from the real one, and one's own processor time."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.telemetry.host import Host
from harness.telemetry.kernel_file import KernelFile
from harness.telemetry.own_time import OwnTime, _seconds_of

_STAT = """cpu  {user} 20 30 400 50 6 7 8 0 0
cpu0 {user} 0 0 {idle} 0 0 0 0 0 0
cpu1 0 0 0 500 0 0 0 0 0 0
intr 1 2 3
ctxt 9000
processes 70
"""
_FILES = {
    "proc/stat": _STAT.format(user=100, idle=100),
    "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB\n"
    "SwapTotal: 50 kB\nSwapFree: 40 kB\n",
    "proc/vmstat": "nr_free_pages 5\npswpin 2\npswpout 3\n",
    "proc/diskstats": "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n253 0 dm-0 1 0 99 0 1 0 99 0 0 0 0\n",
    "proc/net/dev": "Inter-|\n face |\n lo: 9 0 0 0 0 0 0 0 9 0\n eth0: 7 0 0 0 0 0 0 0 8 0\n",
    "proc/cpuinfo": "processor : 0\ncpu MHz\t\t: 2000.5\n",
    "proc/17/stat": "",
    "sys/block/sda/device/model": "disk",
    "sys/block/dm-0/size": "1",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_counters_are_read_in_base_units(root: Path) -> None:
    host = Host(root)
    (root / "proc/stat").write_text(_STAT.format(user=103, idle=101))
    values = dict(host.read())
    assert values.pop("own_cpu_s") != 0
    assert values == {
        "cpu_utilisation": (0.75, None),
        "cpu_busy_s": 1.66,
        "cpu_steal_s": 0.08,
        "context_switches": 9000,
        "memory_used_bytes": 400 * 1024,
        "swap_used_bytes": 10 * 1024,
        "swap_in_bytes": 2 * 4096,
        "swap_out_bytes": 3 * 4096,
        "disk_read_bytes": 5120,
        "disk_write_bytes": 10240,
        "network_received_bytes": 7,
        "network_sent_bytes": 8,
        "cpu_frequency_hz": (2000.5e6,),
        "process_count": 1,
    }
    assert host.gaps() == {"cpu_utilisation": "interval too short"}
    assert "process_count" not in host.read()


def test_clocks_come_from_the_policy_in_the_order_of_the_cores(root: Path) -> None:
    for core, kilohertz in ((0, 800_000), (2, 900_000), (10, 1_000_000)):
        folder = root / f"sys/devices/system/cpu/cpu{core}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_cur_freq").write_text(f"{kilohertz}\n")
    assert Host(root).read()["cpu_frequency_hz"] == (800e6, 900e6, 1000e6)


def test_what_is_missing_or_garbled_is_a_gap_and_the_rest_is_read(root: Path) -> None:
    (root / "proc/vmstat").unlink()
    (root / "proc/meminfo").write_text("MemTotal: 1000 kB\n")
    host = Host(root)
    values = host.read()
    assert values["swap_in_bytes"] is None
    assert values["memory_used_bytes"] is None
    assert values["context_switches"] == 9000
    assert host.gaps()["swap_in_bytes"] == "device lost"
    assert host.gaps()["memory_used_bytes"] == "counter unreadable"


def test_no_proc_is_no_source(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert not host.available()
    assert not host.presence().present


def test_this_machine_is_read_without_gaps() -> None:
    host = Host()
    values = host.read()
    assert set(host.gaps()) <= {"cpu_utilisation"}
    memory = values["memory_used_bytes"]
    assert isinstance(memory, int)
    assert memory > 0


def test_own_time_counts_children_while_they_live_and_after() -> None:
    work = "x = 0\nwhile __import__('time').process_time() < 0.15: x += 1\n"
    own = OwnTime()
    before = own.seconds(1)
    with subprocess.Popen(
        [sys.executable, "-c", f"{work}print(); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        child.stdout.readline()
        living = own.seconds(2)
        child.communicate(b"\n")
    assert living - before >= 0.1
    assert own.seconds(1) - before >= 0.1


def test_own_time_never_falls(tmp_path: Path) -> None:
    line = "5 (a) R 1 1 1 1 0 -1 4194304 1 0 0 0 {} 0 0 0 20 0 1\n"
    (tmp_path / "5").mkdir()
    (tmp_path / "5/stat").write_text(line.format(400))
    own = OwnTime(5, tmp_path)
    assert own.seconds(1) == pytest.approx(4.0)
    (tmp_path / "5/stat").write_text(line.format(100))
    assert own.seconds(1) == pytest.approx(4.0)


def test_own_time_is_that_of_the_owner_s_tree() -> None:
    work = "while __import__('time').process_time() < 0.15: pass\n"
    with subprocess.Popen(
        [sys.executable, "-c", f"{work}print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        child.stdout.readline()
        assert 0.1 <= OwnTime(child.pid).seconds(1) < OwnTime().seconds(1)
        child.communicate(b"\n")


def test_a_process_of_any_name_is_read_and_one_that_ended_is_nothing(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("5 (a) R b) S 1 1 1 0 -1 4194304 1 0 0 0 100 200 300 400 20 0 1\n")
    assert _seconds_of(KernelFile(stat)) == pytest.approx(10.0)
    assert _seconds_of(KernelFile(tmp_path / "gone")) == 0.0
