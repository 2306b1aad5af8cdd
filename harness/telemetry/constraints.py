"""Limits in force on this machine that a run has to live with: they are part of its result."""

import os

from harness.records import Number


def find_constraints() -> dict[str, Number]:
    """The limits that hold for this process; empty where it may use all of the machine."""
    return {**_affinity()}


def _affinity() -> dict[str, Number]:
    usable, there = len(os.sched_getaffinity(0)), os.cpu_count() or 0
    return {"cpu_affinity": usable} if usable < there else {}
