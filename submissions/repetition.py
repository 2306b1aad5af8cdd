"""What of a result can be repeated: its configuration, and how far this machine is another."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from harness.card import WorkloadCard
from harness.errors import LevelfieldError, UsageError
from harness.records import InferenceSettings, Mode, Record, Run, Scenario
from harness.system import System
from rules.round import Round
from rules.submission import Entry
from submissions.bundle import Bundle
from workloads.catalogue import load_card

_REPEATED = ("workload", "scenario", "division", "hyperparameters", "sut", "precision", "compiled")
_ASKED = ("target_rate", "samples_per_query")
"""Settings that a submitter chooses; the round gives the others."""
_LONGEST = 200
_MOST = 200
_FASTEST_PER_S = 1e7
_LARGEST_QUERY = 2**16

Text = Annotated[str, Field(max_length=_LONGEST)]


class Difference(Record):
    """One respect in which the machine, or what ran on it, is not the original's."""

    what: Text
    original: Text
    replica: Text


def find_entry(bundle: Bundle, result: str) -> Entry:
    """The result ``workload/scenario`` of ``bundle``; `UsageError` with those there are."""
    known = {f"{e.result.workload}/{e.result.scenario.value}": e for e in bundle.submission.entries}
    if result not in known:
        raise UsageError(f"--result {result}: not in the bundle; known: {', '.join(known)}")
    return known[result]


def repeated_run(entry: Entry) -> Run:
    """The run whose configuration all scored runs of ``entry`` share, and that can be repeated.

    `LevelfieldError` where they differ, where a program of the submitter's own ran, or where
    there is no run to repeat.
    """
    mode = Mode.TRAINING if entry.result.scenario == Scenario.TRAIN else Mode.PERFORMANCE
    runs = [evidence.run for evidence in entry.of_mode(mode)]
    if not runs:
        raise LevelfieldError(f"{entry.path}: holds no {mode} run; there is nothing to repeat")
    first = runs[0]
    for run in runs:
        if run.command is not None:
            raise LevelfieldError(
                f"{entry.path}: trained by the submitter's own program, which a bundle does not "
                "hold; ask the submitter for it, and run it with --command"
            )
        if name := unlike(first, run):
            raise LevelfieldError(
                f"{entry.path}: its runs differ in {name}; ask the submitter which to repeat"
            )
    return first


def unlike(one: Run, other: Run) -> str | None:
    """Name of the first part of the configuration in which two runs differ."""
    for name in _REPEATED:
        if getattr(one, name) != getattr(other, name):
            return name
    for name in _ASKED:
        if getattr(one.settings, name, None) != getattr(other.settings, name, None):
            return name
    return None


def settings_of(run: Run, terms: Round) -> InferenceSettings:
    """The round's settings with the rate and the samples a query of ``run``.

    `LevelfieldError` for more of either than a run here could hold.
    """
    asked = run.settings
    rate = asked.target_rate if asked else None
    if asked and ((rate or 0) > _FASTEST_PER_S or asked.samples_per_query > _LARGEST_QUERY):
        raise LevelfieldError(
            f"run {run.id}: asks for {rate} queries per second of {asked.samples_per_query} "
            "samples; refused, nothing could answer these"
        )
    settings = terms.settings(run.scenario, load_card(run.workload), rate)
    several = {"samples_per_query": asked.samples_per_query} if asked else {}
    return settings.model_copy(update=several)


def own_system(run: Run, card: WorkloadCard, named: str | None) -> str:
    """``package.module:Class`` of the system under test of ``run``, if it may be imported here.

    One of the workload's own may. Nothing else that a bundle names is: the user must have
    ``named`` the same. `LevelfieldError` if not.
    """
    spec = run.sut or ""
    if spec not in card.engines.values() and spec != named:
        raise LevelfieldError(
            f"run {run.id}: measured the submitter's own system {spec[:_LONGEST]!a}; nothing that "
            "a bundle names is imported: get it from the submitter, read it, and give --sut"
        )
    return spec


def find_differences(
    original: System, run: Run, here: System, workload_sha256: str
) -> tuple[Difference, ...]:
    """Where the workload, the harness, the software and the machine are others; in that order."""
    sides = [
        {"workload": run.workload_sha256, **_facts(original)},
        {"workload": workload_sha256, **_facts(here)},
    ]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return tuple(
        Difference(what=name[:_LONGEST], original=sides[0].get(name, "none")[:_LONGEST],
                   replica=sides[1].get(name, "none")[:_LONGEST])
        for name in names
        if sides[0].get(name) != sides[1].get(name)
    )[:_MOST]  # fmt: skip


def _facts(system: System) -> dict[str, str]:
    fields = system.model_dump(mode="json", exclude={"record", "declared"})
    order = ("harness", "software", "accelerators", "processor", "memory_bytes")
    facts = {"system": system.id}
    for name in order:
        facts |= dict(_flat(name, fields[name]))
    return facts


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """``(dotted name, value)`` of every leaf."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, "none" if value is None else str(value)


DIFFERENCES_HEADER = ["What", "Original", "Here"]


def difference_rows(differences: Sequence[Difference]) -> list[list[str]]:
    """A row each under `DIFFERENCES_HEADER`; what no terminal should print is shown as ``?``."""
    return [[_shown(d.what), _shown(d.original), _shown(d.replica)] for d in differences]


def _shown(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
