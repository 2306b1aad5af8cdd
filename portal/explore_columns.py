"""The columns of the table of all results: what each shows of a row of the data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.records import Metric, Scenario
from portal.data_rows import Row
from portal.data_schema import STATUSES
from portal.listing import SCENARIO_TITLES, SHOWN_UNITS
from portal.quantities import for_people
from portal.replications import LEVELS

NOTHING = "–"
NOT_STATED = "not stated"
_MILLION = 1e6


@dataclass(frozen=True)
class Column:
    """One column; a number is told in words beside its value."""

    name: str
    title: str
    text: Callable[[Row], str]
    """What a reader sees; of a row with a value."""
    value: Callable[[Row], Any]
    number: bool = False
    filtered: bool = False
    shown: bool = False
    width: float = 10.5
    """In rem: columns stay where they are, whichever rows are drawn."""
    within: tuple[str, ...] = ()
    """Columns without which its numbers cannot be compared: they are ordered first."""

    def shows(self, row: Row) -> str:
        """What a reader sees of ``row``."""
        missing = NOTHING if self.number else NOT_STATED
        return missing if self.value(row) is None else self.text(row)


@dataclass(frozen=True)
class Titles:
    """Names for people, by the names that the data use."""

    rounds: Mapping[str, str]
    workloads: Mapping[str, str]


def make_columns(titles: Titles) -> tuple[Column, ...]:
    """Every column, in the order of the table."""
    return (
        _words("system", "System", shown=True, width=13.5),
        _words("workload", "Workload", titles.workloads, shown=True, width=12),
        _words("scenario", "Scenario", _SCENARIOS, shown=True, width=9),
        _words("metric", "Kind of score", _METRICS, filtered=False),
        Column(
            "value", "Score", _score, _raw("value"), number=True, shown=True, within=("metric",)
        ),
        _number("rank", "Rank", shown=True, width=4.5),
        _words("status", "Status", _STATUSES, shown=True, width=13.5),
        _words("organisation", "Organisation", shown=True, width=11.5),
        _words("precision", "Precision", shown=True, width=7),
        _words("round", "Round", titles.rounds, shown=True, width=7.5),
        _words("division", "Division", shown=True, width=6.5),
        Column("trust", "Trust", _raw("trust"), _level, filtered=True, shown=True, width=12),
        *_further(),
    )


def _further() -> tuple[Column, ...]:
    """Columns that a reader may add."""
    return (
        Column("started", "Newest run", _date, _date_or_none),
        _words("submitter", "Submitter", filtered=False, width=9),
        _words("availability", "Availability", filtered=False),
        _words("accelerator", "Accelerator", filtered=False),
        _number("accelerators", "Accelerators"),
        _number("runs", "Runs"),
        _words("work", "Energy and cost are of", filtered=False),
        Column(
            "energy_j", "Energy", _energy, _raw("energy_j"), number=True, width=14, within=("work",)
        ),
        _words("energy_boundary", "Energy within", filtered=False),
        _words("currency", "Currency", filtered=False, width=6.5),
        Column(
            "cost",
            "Cost",
            _cost,
            _raw("cost"),
            number=True,
            width=15.5,
            within=("currency", "work"),
        ),
        _number("warnings", "Warnings"),
        _number("errors", "Errors"),
        _words("sut", "Answered by", filtered=False, width=14),
        _words("bundle", "Bundle", filtered=False, width=15),
    )


def _words(
    name: str,
    title: str,
    words: Mapping[str, str] | None = None,
    *,
    filtered: bool = True,
    shown: bool = False,
    width: float = 10.5,
) -> Column:
    known = words or {}

    def text(row: Row) -> str:
        return known.get(row[name], row[name])

    return Column(name, title, text, _raw(name), filtered=filtered, shown=shown, width=width)


def _number(name: str, title: str, *, shown: bool = False, width: float = 7.5) -> Column:
    def text(row: Row) -> str:
        return f"{row[name]:,}"

    return Column(name, title, text, _raw(name), number=True, shown=shown, width=width)


def _raw(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def _score(row: Row) -> str:
    return str(for_people(row["value"], SHOWN_UNITS[Metric(row["metric"])]))


def _energy(row: Row) -> str:
    return f"{for_people(row['energy_j'], 'J')} per {row['work']}"


def _cost(row: Row) -> str:
    """Of a run, or of a million where one costs next to nothing."""
    if row["work"] == "training run":
        return f"{for_people(row['cost'], '')} {row['currency']} per training run"
    many = for_people(row["cost"] * _MILLION, "")
    return f"{many} {row['currency']} per million {row['work']}s"


def _date(row: Row) -> str:
    return datetime.fromtimestamp(row["started_ms"] / 1000, UTC).date().isoformat()


def _date_or_none(row: Row) -> str | None:
    return None if row["started_ms"] is None else _date(row)


def _level(row: Row) -> str:
    """``L1`` of ``L1: signed``; of an import the sentence that stands for a level."""
    trust: str = row["trust"]
    return next((level for level, words in LEVELS.items() if trust == words), trust)


_SCENARIOS = {scenario.value: SCENARIO_TITLES[scenario] for scenario in Scenario}
_METRICS = {
    Metric.TIME_TO_TRAIN.value: "Time to train",
    Metric.LATENCY.value: "Latency",
    Metric.THROUGHPUT.value: "Samples per second",
    Metric.RATE.value: "Queries per second",
    Metric.TOKENS.value: "Tokens per second",
}
_STATUSES = {name: words for name, (_, _, words) in STATUSES.items()}
