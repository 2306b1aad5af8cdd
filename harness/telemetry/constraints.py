"""Limits in force on this machine that a run has to live with: they are part of its result."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from harness.records import Number
from harness.telemetry.cgroup import MEMBERSHIP, ROOT, own_folders
from harness.telemetry.nvml import gpu_constraints

_CORES = Path("/sys/devices/system/cpu")


def find_constraints() -> dict[str, Number]:
    """The limits that hold for this process; empty where it may use all of the machine."""
    return {**_affinity(), **group_limits(), **clock_limit(), **gpu_constraints()}


def _affinity() -> dict[str, Number]:
    if not hasattr(os, "sched_getaffinity"):
        return {}
    usable, there = len(os.sched_getaffinity(0)), os.cpu_count() or 0
    return {"cpu_affinity": usable} if usable < there else {}


def group_limits(root: Path = ROOT, membership: Path = MEMBERSHIP) -> dict[str, Number]:
    """Processor quota and memory limit of the control group, the least of it and those above."""
    limits: dict[str, Number] = {}
    quotas = [q for f in own_folders("cpu", root, membership) if (q := _quota(f)) is not None]
    if quotas and min(quotas) < (os.cpu_count() or 0):
        limits["cpu_quota_cores"] = min(quotas)
    files = ("memory.max", "memory.limit_in_bytes")
    folders = own_folders("memory", root, membership)
    memory = [n for folder in folders for file in files for n in _numbers(folder / file)]
    # Version 1 says "no limit" by a number beyond any machine's memory.
    if memory and min(memory) < psutil.virtual_memory().total:
        limits["memory_limit_bytes"] = min(memory)
    return limits


def _quota(folder: Path) -> float | None:
    """Cores' worth of time that a group gets; none without a quota (``max``, or -1)."""
    numbers = list(_numbers(folder / "cpu.max"))
    if not numbers:
        files = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
        numbers = [number for file in files for number in _numbers(file)]
    return numbers[0] / numbers[1] if len(numbers) == 2 and min(numbers) > 0 else None


def clock_limit(cores: Path = _CORES) -> dict[str, Number]:
    """The highest clock that any core may run at, where the hardware could run faster.

    Limits of the frequency policy, and of intel_pstate's ``max_perf_pct`` and ``no_turbo``.
    """
    hardware = _most(cores, "cpuinfo_max_freq")
    policy = _most(cores, "scaling_max_freq")
    if hardware is None or policy is None:
        return {}
    allowed = [policy]
    allowed += [hardware * share // 100 for share in _numbers(cores / "intel_pstate/max_perf_pct")]
    base = _most(cores, "base_frequency")
    if base is not None and list(_numbers(cores / "intel_pstate/no_turbo")) == [1]:
        allowed.append(base)
    return {"cpu_frequency_max_hz": min(allowed) * 1000} if min(allowed) < hardware else {}


def _most(cores: Path, name: str) -> int | None:
    found = [n for file in cores.glob(f"cpu[0-9]*/cpufreq/{name}") for n in _numbers(file)]
    return max(found, default=None)


def _numbers(file: Path) -> Iterator[int]:
    """The whole numbers in a file of the kernel's; none where it is not there or says ``max``."""
    try:
        words = file.read_text("utf-8").split()
    except OSError:
        return
    yield from (int(word) for word in words if word.lstrip("-").isdecimal())
