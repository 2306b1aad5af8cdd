"""A search as rows and as a sentence."""

import pytest

from harness.capacity import Probe, Search
from harness.records import Scenario
from harness.search_table import SEARCH_HEADER, conclusion, search_rows

MS = 1_000_000


def probe(rate: float, percentile_ns: int, verdict: str, *, confirming: bool = False) -> Probe:
    return Probe.model_validate(
        {
            "rate": rate,
            "duration_ns": 2000 * MS,
            "queries": 1000,
            "over_bound": 5,
            "percentile_ns": percentile_ns,
            "lateness_p99_ns": 0,
            "verdict": verdict,
            "confirming": confirming,
        }
    )


def search(*probes: Probe, found: float | None = None, what: str = "target_rate") -> Search:
    return Search.model_validate(
        {
            "scenario": Scenario.SERVER,
            "what": what,
            "bound_ns": 10 * MS,
            "percentile": 0.99,
            "probes": probes,
            "found": found,
        }
    )


def test_a_row_shows_the_percentile_against_the_bound() -> None:
    rows = search_rows(
        search(
            probe(100.0, 5 * MS, "valid"),
            probe(1600.0, 200 * MS, "invalid"),
            probe(1234.0, 10 * MS, "valid", confirming=True),
            found=1234.0,
        )
    )
    assert all(len(row) == len(SEARCH_HEADER) for row in rows)
    assert rows[0][:5] == ["100", "2 s", "1,000", "5", "5 ms"]
    assert [row[5] for row in rows] == ["███████       │", "█" * 14 + "│███████▶", "█" * 14 + "│"]
    assert rows[2][0] == "1,234"
    assert rows[2][6] == "valid, full length"


@pytest.mark.parametrize(
    ("probes", "found", "what", "sentence"),
    [
        (
            [probe(1234.0, 9 * MS, "valid", confirming=True)],
            1234.0,
            "target_rate",
            "found 1,234 queries per second: a run of full length kept the 99th percentile "
            "within 10 ms",
        ),
        (
            [probe(8.0, 9 * MS, "valid", confirming=True)],
            8.0,
            "samples_per_query",
            "found 8 samples a query",
        ),
        (
            [probe(2.0, 30 * MS, "invalid"), probe(1.0, 20 * MS, "invalid")],
            None,
            "target_rate",
            "even at 1 queries per second the 99th percentile of latency, 20 ms, is not shown",
        ),
        (
            [probe(100.0, 20 * MS, "invalid", confirming=True)],
            None,
            "target_rate",
            "no run of full length kept the 99th percentile within 10 ms; quieten",
        ),
    ],
)
def test_the_conclusion_says_what_to_do(
    probes: list[Probe], found: float | None, what: str, sentence: str
) -> None:
    assert sentence in conclusion(search(*probes, found=found, what=what))
