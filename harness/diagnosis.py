"""What ``levelfield doctor`` says of a machine: its description, what is sampled, what is amiss."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.records import Number
from harness.system import System
from harness.telemetry.sampler import Presence

_FREE_BYTES = 2 * 2**30
_COARSE_NS = 10_000


def doubts(system: System) -> list[str]:
    """Sentences about what may spoil a measurement on ``system``; empty if nothing does."""
    return [doubt for doubt in (*_provenance(system), *_machine(system)) if doubt]


def described(system: System) -> list[str]:
    """The machine in a few lines."""
    software, processor = system.software, system.processor
    cores = f"{processor.threads} threads" if processor.threads != 1 else "1 thread"
    names = ", ".join(accelerator.model for accelerator in system.accelerators)
    framework = software.framework
    return [
        f"{system.name}: {processor.model}, {cores}",
        f"memory      {system.memory_bytes / 2**30:.1f} GiB",
        f"accelerator {names or 'none that NVML sees'}",
        f"software    {software.os}, {software.kernel}, {software.python}",
        *([f"framework   {framework.name} {framework.version}"] if framework else []),
    ]


def findings(
    sources: Sequence[Presence], constraints: Mapping[str, Number], found: Sequence[str]
) -> list[str]:
    """The telemetry sources as a table, then limits in force, then doubts.

    Advice that several sources share is given once.
    """
    lines = ["telemetry"]
    given: set[str] = set()
    for source in sources:
        lines.append(f"  {source.name:8} {'yes' if source.present else 'no ':3} {source.what}")
        if source.advice and source.advice not in given:
            lines.append(f"{'':15}{source.advice}")
            given.add(source.advice)
    lines.append("limits in force" if constraints else "limits in force: none")
    lines += [f"  {name:22} {value:,}" for name, value in constraints.items()]
    return [*lines, *(f"doubt: {doubt}" for doubt in found)]


def _provenance(system: System) -> list[str]:
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
