"""One published result as the pages show it: words and addresses, no new verdicts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.records import METRIC_OF, UNIT_OF, Division, Metric, Mode, Scenario
from harness.system import System
from portal.imported_terms import Imported, ImportedResult
from portal.quantities import Quantity, for_people
from portal.replications import LEVELS, Repeated
from rules.round import Round, read_round
from rules.rule import Finding, Report
from rules.submission import Entry, RunEvidence
from submissions.attestation import Verification
from submissions.bundle import Bundle
from submissions.review.status import Status
from workloads.catalogue import load_card

SCENARIO_TITLES = {
    Scenario.TRAIN: "Training",
    Scenario.SINGLE_STREAM: "Single stream",
    Scenario.MULTI_STREAM: "Multi stream",
    Scenario.SERVER: "Server",
    Scenario.INTERACTIVE: "Interactive",
    Scenario.OFFLINE: "Offline",
}
METRIC_TITLES = {
    Metric.TIME_TO_TRAIN: "Time to train to the quality target",
    Metric.LATENCY: "Latency of one query",
    Metric.THROUGHPUT: "Samples answered per second",
    Metric.RATE: "Queries answered per second within the bound on latency",
    Metric.TOKENS: "Tokens generated per second within the bounds on latency",
}
SHOWN_UNITS = {
    Metric.TIME_TO_TRAIN: "s",
    Metric.LATENCY: "s",
    Metric.THROUGHPUT: "samples/s",
    Metric.RATE: "queries/s",
    Metric.TOKENS: "tokens/s",
}
"""What a person reads for the SI unit of a score: of 1/s, what is counted."""
OFFICIAL = "OFFICIAL"
"""In place of a rule's number, where the official tools refuse an imported result."""
_SAFE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Published:
    """A bundle with what the check and the verification said of it."""

    bundle: Bundle
    report: Report
    verification: Verification | None
    """None where nobody tried to verify it; it is then shown as unsigned."""
    imported: Imported | None = None
    """Of a bundle that was imported."""
    replications: tuple[Repeated, ...] = ()
    """What others' replications say of its results."""
    standing: Status | None = None
    """Where it stands in its round, if it was handed in to one: the log's word, replayed."""

    @property
    def system(self) -> System:
        """The machine that the bundle's runs ran on."""
        return self.bundle.submission.system

    @property
    def organisation(self) -> str:
        """Who made the system: declared, else the submitter."""
        declared = self.system.declared
        return declared.organisation if declared else self.bundle.submission.submitter

    @property
    def trust(self) -> str:
        """The trust level with its meaning in a word; of an import, that it has none."""
        if self.imported:
            return self.imported.statement
        return LEVELS[self.level]

    @property
    def level(self) -> str:
        """How far others vouch for the bundle, as its statements say."""
        return self.verification.level if self.verification else "L0"

    def refuses(self, finding: Finding) -> bool:
        """Whether a finding refuses a result.

        An imported result stands as long as its own tools accept it: what else is found is told.
        What its round waived is told too.
        """
        waived = {one.rule for one in self.standing.waivers} if self.standing else set()
        return (
            finding.severity == "error"
            and finding.rule not in waived
            and (not self.imported or finding.rule == OFFICIAL)
        )


@dataclass(frozen=True)
class Listing:
    """One result of one bundle."""

    published: Published
    entry: Entry
    round: Round
    card: WorkloadCard
    rank: int | None = None
    facts: Mapping[str, Any] | None = field(default=None, repr=False)
    """What `portal.facts` keeps of the logs, which are then empty; none where they are there."""

    @property
    def id(self) -> str:
        """Name of the result on the site, made of safe identifiers only."""
        result = self.entry.result
        return safe(f"{self.published.bundle.id}-{result.workload}-{result.scenario}")

    @property
    def address(self) -> str:
        """The result's page, from the root of the site."""
        return f"x/{self.id}/index.html"

    def number(self, evidence: RunEvidence) -> int:
        """The run's number within the result, from 1."""
        return [run.path for run in self.entry.runs].index(evidence.path) + 1

    def run_address(self, evidence: RunEvidence, line: int | None = None) -> str:
        """The run's log page, from the root of the site, at ``line`` if given."""
        return f"x/{self.id}/runs/{self.number(evidence)}/index.html" + (
            f"#L{line}" if line else ""
        )

    @property
    def board_address(self) -> str:
        """The leaderboard that the result stands on."""
        result = self.entry.result
        parts = (self.round.name, result.workload, result.scenario, result.division)
        return "/".join(("r", *map(safe, parts), "index.html"))

    @property
    def score(self) -> Quantity | None:
        """The claimed value for people."""
        value = self.entry.result.value
        return None if value is None else for_people(value, self.shown_unit)

    @property
    def unit(self) -> str:
        """SI unit of the score."""
        return UNIT_OF[self.entry.result.metric]

    @property
    def shown_unit(self) -> str:
        """Unit of the score for people."""
        return SHOWN_UNITS[self.entry.result.metric]

    @property
    def sut(self) -> str | None:
        """``package.module:Class`` of what answered; none for training."""
        return self._of_runs("sut")

    @property
    def precision(self) -> str | None:
        """Arithmetic that the system under test was asked for; none if for none."""
        return self._of_runs("precision")

    @property
    def variant(self) -> str:
        """System under test, if one answered, and precision in short."""
        name = (self.sut or "").rpartition(":")[2]
        return ", ".join(part for part in (name, self.precision) if part)

    def _of_runs(self, field: str) -> str | None:
        """What the performance runs, else all runs, say in ``field``; several if they differ."""
        runs = self.entry.of_mode(Mode.PERFORMANCE) or self.entry.runs
        said = dict.fromkeys(getattr(evidence.run, field) for evidence in runs)
        return " and ".join(value for value in said if value) or None

    @property
    def has_terms(self) -> bool:
        """Whether the round knows the scenario at all; a refused result's may not."""
        return self.entry.result.scenario in {Scenario.TRAIN, *self.round.inference}

    @property
    def percentile(self) -> float | None:
        """The share of queries that the round's terms are about; none without terms."""
        scenario = self.entry.result.scenario
        known = scenario is not Scenario.TRAIN and self.has_terms
        return self.round.terms(scenario).percentile if known else None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Findings against this result or the whole bundle, not those in another result's files."""
        others = tuple(
            f"{entry.path}/"
            for entry in self.published.bundle.submission.entries
            if entry.path != self.entry.path
        )
        return tuple(
            finding
            for finding in self.published.report.findings
            if not f"{finding.file or ''}/".startswith(others)
        )

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that refuse the result."""
        return tuple(finding for finding in self.findings if self.published.refuses(finding))

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that a reader should know of."""
        return tuple(finding for finding in self.findings if not self.published.refuses(finding))

    @property
    def accepted(self) -> bool:
        """Whether the result has a score and the check has nothing against it."""
        return not self.errors and self.entry.result.value is not None

    @property
    def rankable(self) -> bool:
        """Whether its round ranks at all."""
        return self.round.rankable

    @property
    def imported(self) -> ImportedResult | None:
        """What an imported result has beside its entry."""
        found = self.published.imported
        return found.results[self.entry.result.workload] if found else None

    @property
    def system_name(self) -> str:
        """The system's name for people."""
        return self.published.system.name

    @property
    def organisation(self) -> str:
        """See `Published`."""
        return self.published.organisation

    @property
    def trust(self) -> str:
        """As of `Published`; a result that was reviewed and replicated has the next level."""
        if self.published.standing:
            return LEVELS[self.published.standing.levels.get(self.entry.path, "L0")]
        level = self.published.level
        if level == "L2" and any(repeated.raises for repeated in self.replications):
            return LEVELS["L3"]
        return self.published.trust

    @property
    def replications(self) -> tuple[Repeated, ...]:
        """What others' replications say of this result."""
        name = f"{self.entry.result.workload}/{self.entry.result.scenario.value}"
        return tuple(one for one in self.published.replications if one.result == name)

    @property
    def workload_title(self) -> str:
        """The workload's name for people."""
        return self.card.title

    @property
    def scenario_title(self) -> str:
        """The scenario's name for people."""
        return SCENARIO_TITLES[self.entry.result.scenario]

    @property
    def metric_title(self) -> str:
        """What the score is, in words."""
        scenario = self.entry.result.scenario
        title = METRIC_TITLES[METRIC_OF[scenario]]
        if METRIC_OF[scenario] is not Metric.LATENCY or self.percentile is None:
            return title
        return f"{title}, {percentile(self.percentile)}"

    @property
    def division(self) -> Division:
        """The result's division."""
        return self.entry.result.division


def percentile(share: float) -> str:
    """``90th percentile`` for 0.9."""
    return f"{share * 100:g}th percentile"


def safe(name: str) -> str:
    """``name``, if it may be part of a file name on the site; else `LevelfieldError`."""
    if not _SAFE.fullmatch(name):
        raise LevelfieldError(f"{name!r}: not an identifier; no page can have that name")
    return name


def list_results(entries: Sequence[Published]) -> list[Listing]:
    """Every result of every bundle, in the order of the bundles' ids."""
    return [
        _listing(published, entry)
        for published in sorted(entries, key=lambda published: published.bundle.id)
        for entry in published.bundle.submission.entries
    ]


def _listing(published: Published, entry: Entry) -> Listing:
    name = entry.result.workload
    if published.imported:
        found = published.imported.results[name]
        return Listing(published, entry, found.round, found.card)
    terms = read_round(published.bundle.submission.round)
    return Listing(published, entry, terms, load_card(name))
