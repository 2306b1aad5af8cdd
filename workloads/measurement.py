"""Puts a workload and the harness together: what is measured, on which machine, with what."""

import sys
from pathlib import Path

from harness.card import WorkloadCard
from harness.errors import UsageError
from harness.inference import Target
from harness.peak import peak_of
from harness.recording import Sampling, Subject
from harness.records import Division
from harness.sut import load_sut
from harness.system import Declared, System, find_system
from harness.telemetry.meter import Meter
from harness.workload import Progress
from workloads.catalogue import engine_spec, load_scorer, load_workload, workload_digest


def describe_system(declared: Declared | None) -> System:
    """This machine as a run describes it, with its numerical framework."""
    from workloads.framework import describe_torch

    return find_system(declared, describe_torch())


def subject_of(
    card: WorkloadCard, division: str, declared: Declared | None, meter: str | None = None
) -> Subject:
    """What the runs of one command have in common; see `Meter` for ``meter`` and its errors."""
    from workloads.peak import device_text

    if meter:
        Meter(meter)  # refused here rather than by the first run
    system = describe_system(declared)
    return Subject(
        workload=card.name,
        workload_sha256=workload_digest(card.name),
        division=Division(division),
        system=system,
        sampling=Sampling(meter),
        peak=peak_of(device_text(system)),
    )


def sut_spec(card: WorkloadCard, sut: str | None, engine: str | None) -> str:
    """``package.module:Class`` of a submitter's own system, else of the workload's engine."""
    if sut and engine:
        raise UsageError("--engine: chooses among the workload's own systems; drop it or --sut")
    return sut or engine_spec(card.name, engine or "eager")


def target_of(
    card: WorkloadCard,
    spec: str,
    precision: str | None,
    folder: Path | None = None,
    report: Progress = lambda *_: None,
) -> Target:
    """The system under test ``spec`` with the workload's data, checked, and its scorer.

    ``folder`` is the user's own data at scale full. Modules are also looked for in the current
    folder, where a submitter's own usually are.
    """
    sys.path.insert(0, str(Path.cwd()))
    workload = load_workload(card.name, folder)
    workload.prepare(report)
    library = workload.library()
    thing = load_sut(spec, library, precision)
    return Target(spec, thing, library, load_scorer(card.name), precision)
