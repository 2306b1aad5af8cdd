"""Pressure, control groups and RAPL, each from made folders: missing, denied, wrapped, lost."""

import errno
from pathlib import Path

import pytest

from harness.telemetry.cgroup import Cgroup, own_folders
from harness.telemetry.kernel_file import KernelFile
from harness.telemetry.pressure import Pressure
from harness.telemetry.rapl import Rapl

_HELD = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=250000\n"


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Let files called ``name`` fail as the kernel does: root may read any made file."""
    whole = KernelFile.text

    def text(file: KernelFile) -> str:
        if file.path.name == name:
            raise OSError(number, "refused")
        return whole(file)

    monkeypatch.setattr(KernelFile, "text", text)


def test_pressure_is_in_seconds(tmp_path: Path) -> None:
    pressure = Pressure(made(tmp_path, dict.fromkeys(("cpu", "memory", "io"), _HELD)))
    assert pressure.available()
    assert pressure.presence().present
    assert pressure.read() == {
        "cpu_some_s": 1.5,
        "memory_some_s": 1.5,
        "memory_full_s": 0.25,
        "io_some_s": 1.5,
        "io_full_s": 0.25,
    }


def test_pressure_that_is_switched_off_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not Pressure(tmp_path).available()
    pressure = Pressure(made(tmp_path, {"cpu": _HELD}))
    refuse(monkeypatch, "cpu", errno.EOPNOTSUPP)
    assert not pressure.available()
    assert "psi=1" in pressure.presence().advice


def test_pressure_without_permission_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressure = Pressure(made(tmp_path, {"cpu": _HELD, "memory": "some total=x\n", "io": _HELD}))
    refuse(monkeypatch, "cpu", errno.EACCES)
    assert pressure.available()
    assert pressure.read()["cpu_some_s"] is None
    assert pressure.gaps()["cpu_some_s"] == "permission denied"
    assert pressure.gaps()["memory_full_s"] == "counter unreadable"
    assert "io_some_s" not in pressure.gaps()


@pytest.fixture
def second(tmp_path: Path) -> tuple[Path, Path]:
    """A tree of version 2 and the membership in it."""
    stat = "usage_usec 5\nnr_periods 9\nnr_throttled {}\nthrottled_usec {}\n"
    files = {
        "fs/cgroup.controllers": "cpu memory",
        "fs/cpu.stat": "usage_usec 5\n",
        "fs/jobs/cpu.stat": stat.format(2, 500_000),
        "fs/jobs/one/cpu.stat": stat.format(1, 250_000),
        "fs/jobs/one/memory.current": "4096\n",
        "fs/jobs/one/memory.events": "low 0\noom_kill 3\n",
        "membership": "0::/jobs/one\n",
    }
    made(tmp_path, files)
    return tmp_path / "fs", tmp_path / "membership"


def test_throttling_counts_the_groups_above(second: tuple[Path, Path]) -> None:
    group = Cgroup(*second)
    assert group.available()
    assert group.read() == {
        "throttled_s": 0.75,
        "throttled_periods": 3,
        "memory_used_bytes": 4096,
        "oom_kills": 3,
    }
    assert group.gaps() == {}


def test_a_group_that_is_removed_is_a_gap(
    second: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Cgroup(*second)
    refuse(monkeypatch, "memory.current", errno.ENODEV)
    assert group.read()["memory_used_bytes"] is None
    assert group.gaps() == {"memory_used_bytes": "device lost"}


def test_version_1_has_a_tree_a_controller(tmp_path: Path) -> None:
    files = {
        "fs/cpu,cpuacct/a/cpu.stat": "nr_periods 1\nnr_throttled 1\nthrottled_time 2000000000\n",
        "fs/memory/memory.usage_in_bytes": "1\n",
        "fs/memory/memory.max_usage_in_bytes": "2\n",
        "fs/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        "membership": "4:memory:/docker/of-the-host\n1:cpu,cpuacct:/a\n0::/\n",
    }
    root = made(tmp_path, files) / "fs"
    assert own_folders("memory", root, tmp_path / "membership") == (root / "memory",)
    assert Cgroup(root, tmp_path / "membership").read() == {
        "throttled_s": 2.0,
        "throttled_periods": 1,
        "memory_used_bytes": 1,
        "memory_peak_bytes": 2,
        "oom_kills": 0,
    }


def test_no_group_is_no_source(tmp_path: Path) -> None:
    group = Cgroup(tmp_path, tmp_path / "missing")
    assert not group.available()
    assert not group.presence().present


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    files = {"intel-rapl:2/name": "psys\n", "intel-rapl:2/energy_uj": "5\n"}
    for number in (0, 1):
        files |= {
            f"intel-rapl:{number}/name": f"package-{number}\n",
            f"intel-rapl:{number}/energy_uj": f"{number}000000\n",
            f"intel-rapl:{number}/max_energy_range_uj": "10000000\n",
        }
    files |= {"intel-rapl:0:0/name": "core\n", "intel-rapl:0:1/name": "dram\n"}
    return made(tmp_path, {**files, "intel-rapl:0:1/energy_uj": "7000000\n"})


def test_energy_goes_on_where_the_counter_wraps(packages: Path) -> None:
    rapl = Rapl(packages)
    assert rapl.presence().present
    assert rapl.read() == {"package_energy_j": (0.0, 1.0), "dram_energy_j": (7.0,)}
    (packages / "intel-rapl:1/energy_uj").write_text("9000000\n")
    assert rapl.read()["package_energy_j"] == (0.0, 9.0)
    (packages / "intel-rapl:1/energy_uj").write_text("3000000\n")
    assert rapl.read()["package_energy_j"] == (0.0, 13.0)


def test_a_wrap_of_unknown_range_is_a_gap_until_it_is_known(packages: Path) -> None:
    (packages / "intel-rapl:1/max_energy_range_uj").unlink()
    rapl = Rapl(packages)
    rapl.read()
    (packages / "intel-rapl:1/energy_uj").write_text("0\n")
    assert rapl.read()["package_energy_j"] == (0.0, None)
    assert rapl.gaps() == {"package_energy_j": "device lost"}


def test_energy_that_only_root_may_read_is_a_gap_and_told(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "energy_uj", errno.EACCES)
    rapl = Rapl(packages)
    assert rapl.available()
    assert rapl.read() == {"package_energy_j": (None, None), "dram_energy_j": (None,)}
    assert set(rapl.gaps().values()) == {"permission denied"}
    assert not rapl.presence().present
    assert "chmod a+r" in rapl.presence().advice


def test_no_counter_of_energy_is_no_source(tmp_path: Path) -> None:
    assert not Rapl(tmp_path).available()
    assert "virtual machine" in Rapl(tmp_path).presence().what
