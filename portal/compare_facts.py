"""What stands side by side where results are compared: how each was run, and on what."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from harness.records import InferenceSettings, Mode, Run
from portal.borrowed import number
from portal.constraint_chips import chips_of_all
from portal.listing import Listing
from portal.quantities import for_people
from portal.rendering import plural
from portal.system_table import system_groups
from submissions.borrowing import settings_of

Rows = list[tuple[str, str]]

LONGEST = 120
"""Characters of a value; of longer ones stands the beginning and what tells two apart."""
MOST = 60
"""Rows of a group, so that a system of thousands of parts does not swell the page."""


def fact_groups(listing: Listing) -> list[tuple[str, Rows]]:
    """``(heading, rows)`` of everything in which two results may differ beside their scores."""
    groups = (
        ("How it was run", _runs(listing)),
        ("Hyperparameters", _hyperparameters(listing)),
        ("Settings of the scenario", _settings(listing)),
        *_system(listing),
    )
    shown = [(title, [(name, value) for name, value in rows if value]) for title, rows in groups]
    return [(title, _within(rows)) for title, rows in shown if rows]


def _within(rows: Rows) -> Rows:
    """At most `MOST` rows, each value `cut`; what is left out is told."""
    told = [(name, cut(value)) for name, value in rows[:MOST]]
    left = len(rows) - len(told)
    return [*told, ("and more", f"{plural(left, 'fact')} on its page")] if left else told


def cut(text: str) -> str:
    """``text``; if it is long, its beginning with a digest, so that a difference still shows."""
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: LONGEST - 40]}… ({len(text):,} characters, SHA-256 {digest}…)"


def _counted(listing: Listing) -> list[Run]:
    """The runs that the score may be of, else all."""
    modes = (Mode.TRAINING, Mode.PERFORMANCE)
    runs = [evidence.run for evidence in listing.entry.runs]
    return [run for run in runs if run.mode in modes] or runs


def _said(runs: Iterable[Run], tell: Callable[[Run], str | None]) -> str:
    """What the runs say, each thing once."""
    return " and ".join(dict.fromkeys(said for run in runs if (said := tell(run))))


def _runs(listing: Listing) -> Iterator[tuple[str, str]]:
    runs = _counted(listing)
    yield "Submitter", listing.published.bundle.submission.submitter
    yield "Trust", listing.trust
    yield "Runs", plural(len(runs), "run")
    yield "Seeds", _seeds(runs)
    yield "Answered by", _said(runs, lambda run: run.sut)
    yield "Precision", _said(runs, lambda run: run.precision) or "not asked for"
    yield "Compiled", _said(runs, lambda run: _yes_or_no(run.compiled))
    yield "Own program", _said(runs, lambda run: " ".join(run.command or ()))
    limits = chips_of_all(run.constraints for run in runs)
    yield "Held to limits", ", ".join(limits) or "none"
    yield "Workload’s files", _said(runs, lambda run: f"SHA-256 {run.workload_sha256[:12]}…")


def _yes_or_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _seeds(runs: list[Run]) -> str:
    """The policy of seeds: of training how many differ, of inference the round's own."""
    drawn = {tuple(sorted(run.seeds.items())) for run in runs}
    if len(drawn) == 1 and len(runs) == 1:
        return ", ".join(f"{name} {seed}" for name, seed in next(iter(drawn)))
    if not any(drawn):
        return "not told"
    return f"{len(drawn)} different in {plural(len(runs), 'run')}"


def _hyperparameters(listing: Listing) -> Iterator[tuple[str, str]]:
    for one in settings_of(listing.entry, listing.card):
        yield one.name, ", ".join(map(number, one.used))
    lenders = [run.borrowed_from.bundle for run in _counted(listing) if run.borrowed_from]
    yield "Borrowed from bundle", " and ".join(dict.fromkeys(lenders))


def _settings(listing: Listing) -> Iterator[tuple[str, str]]:
    asked = [run.settings for run in _counted(listing) if run.settings]
    if not asked:
        return
    for name, tell in _TOLD.items():
        yield name, " and ".join(dict.fromkeys(said for one in asked if (said := tell(one))))


def _seconds(nanoseconds: int | None) -> str:
    return "" if nanoseconds is None else str(for_people(nanoseconds / 1e9, "s"))


def _rate(rate: float | None) -> str:
    return "" if rate is None else str(for_people(rate, "queries/s", digits=4))


_TOLD: dict[str, Callable[[InferenceSettings], str]] = {
    "Target rate": lambda one: _rate(one.target_rate),
    "Samples per query": lambda one: f"{one.samples_per_query:,}",
    "At least": lambda one: f"{_seconds(one.min_duration_ns)} and {one.min_query_count:,} queries",
    "Percentile": lambda one: f"{one.percentile * 100:g}",
    "Bound on latency": lambda one: _seconds(one.latency_bound_ns),
    "Bound on the first token": lambda one: _seconds(one.ttft_bound_ns),
    "Bound on a further token": lambda one: _seconds(one.tpot_bound_ns),
}


def _system(listing: Listing) -> list[tuple[str, Rows]]:
    """The description under its headings, a row a package."""
    imported, system = listing.published.imported, listing.published.system
    if imported:
        return [("System, as described to the source", imported.described)]
    software = system.software
    apart = {
        "Packages": list(software.packages.items()),
        "Thread settings": list(software.thread_variables.items()),
    }
    return [
        (title, [row for name, value in rows for row in sorted(apart.get(name, [(name, value)]))])
        for title, rows in system_groups(system)
    ]
