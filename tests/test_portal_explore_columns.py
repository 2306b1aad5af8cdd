"""Columns of the table of all results: each of the data, in a reader's words."""

from portal_example import HOSTILE, example

from harness.records import Metric
from portal.boards import make_boards
from portal.content import Content
from portal.data_rows import rows_of
from portal.explore_columns import NOT_STATED, NOTHING, Titles, make_columns
from portal.listing import list_results

ROWS = rows_of(Content(tuple(make_boards(list_results(example())))))["results"]
COLUMNS = {column.name: column for column in make_columns(Titles({"2026.1": "Round 1"}, {}))}


def _shown(name: str, **changed: object) -> str:
    return COLUMNS[name].shows({**ROWS[0], **changed})


def test_values_are_told_with_their_units() -> None:
    assert _shown("value", value=0.0012, metric=Metric.LATENCY.value) == "1.20 ms"
    assert _shown("value", value=7.0, metric=Metric.TIME_TO_TRAIN.value) == "7.00 s"
    assert _shown("value", value=1234.5, metric=Metric.TOKENS.value) == "1,234 tokens/s"
    assert _shown("energy_j", energy_j=1500.0, work="training run") == "1.50 kJ per training run"
    assert (
        _shown("cost", cost=2e-6, currency="USD", work="sample") == "2.00 USD per million samples"
    )
    assert _shown("cost", cost=3.0, currency="EUR", work="training run") == (
        "3.00 EUR per training run"
    )
    assert _shown("started", started_ms=1_790_000_000_000) == "2026-09-21"


def test_names_are_titles_where_there_is_one() -> None:
    assert _shown("round", round="2026.1") == "Round 1"
    assert _shown("workload", workload="unheard_of") == "unheard_of"
    assert _shown("scenario", scenario="single_stream") == "Single stream"
    assert _shown("status", status="refused") == "refused"
    assert _shown("system", system=HOSTILE) == HOSTILE


def test_what_is_missing_is_said() -> None:
    for name in ("value", "rank", "energy_j", "cost"):
        assert _shown(name, **{name: None}) == NOTHING
    assert _shown("precision", precision=None) == NOT_STATED
    assert _shown("started", started_ms=None) == NOT_STATED


def test_trust_is_named_by_its_level_and_an_import_by_its_sentence() -> None:
    trust = COLUMNS["trust"]
    assert trust.value({"trust": "L1: signed"}) == "L1"
    assert trust.value({"trust": "Imported: nobody here has verified it"}).startswith("Imported")


def test_every_column_tells_every_row_and_is_within_columns_that_are_there() -> None:
    for column in COLUMNS.values():
        assert all(isinstance(column.shows(row), str) for row in ROWS)
        for name in column.within:
            assert not COLUMNS[name].number
