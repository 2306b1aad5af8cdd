"""What ``levelfield doctor`` finds doubtful about a machine, each with what to do about it."""

import os
import shutil
import time
from pathlib import Path

from harness.system import System

_FREE_BYTES = 2 * 2**30
_COARSE_NS = 10_000


def doubts(system: System) -> list[str]:
    """Sentences about what may spoil a measurement on ``system``; empty if nothing does."""
    return [doubt for doubt in (*_described(system), *_machine(system)) if doubt]


def _described(system: System) -> list[str]:
    found = []
    if system.declared is None:
        found.append("no system.toml: name and organisation are unknown; see docs/vendors.md")
    if system.harness.commit is None:
        found.append("Levelfield runs from no git checkout: its version cannot be proved")
    elif not system.harness.clean:
        found.append("Levelfield's checkout has local changes; commit them or check out a release")
    return found


def _machine(system: System) -> list[str]:
    found = []
    processor = system.processor
    if processor.governor not in (None, "performance"):
        found.append(
            f"frequency governor {processor.governor}: timings will vary; "
            "set it to performance (cpupower frequency-set -g performance)"
        )
    if processor.governor is None:
        found.append("the frequency governor is not shown here (a virtual machine?)")
    busy = os.getloadavg()[0]
    if busy > 0.5 * processor.threads:
        found.append(f"load average {busy:.1f}: other work is running; wait, or stop it")
    if shutil.disk_usage(Path.cwd()).free < _FREE_BYTES:
        found.append("less than 2 GiB free on this disk; make room")
    if time.get_clock_info("perf_counter").resolution * 1e9 > _COARSE_NS:
        found.append("the clock is coarser than 10 microseconds: short latencies are not exact")
    return found
