"""Energy, cost and carbon of a result, each with what is counted, or why it is missing."""

from portal_example import PRICE, all_scenarios, published, system, training_run

from harness.price import Grid
from portal.efficiency_table import EfficiencyTable, efficiency_table
from portal.listing import list_results
from portal.measured import efficiency_of

_GRID = Grid(
    g_co2_per_kwh=360.0, region="Nowhere", source="https://example.org/g", date="2026-11-01"
)


def _table(watts: float, **declared: object) -> EfficiencyTable:
    machine = system("a", "acme", **declared)
    listings = list_results([published(machine, all_scenarios(1.0, watts), round_name="2026.1")])
    found = efficiency_of(listings[0])
    assert found is not None
    return efficiency_table(listings[0], found)


def test_every_figure_says_what_is_counted() -> None:
    rows = {name: (figure, counted) for name, figure, counted in _table(220.0).rows}
    figure, counted = rows["Energy of a training run, boundary board"]
    assert figure.startswith("1.90 kJ ± ")
    assert "accelerators’ boards" in counted
    assert "the mean of the 3 runs" in counted
    assert "NVML, its energy counter" in counted
    assert rows["Mean power, boundary board"][0] == "220 W"


def test_cost_and_carbon_from_what_is_declared() -> None:
    table = _table(220.0, price=PRICE, grid=_GRID)
    rows = {name: (figure, counted) for name, figure, counted in table.rows}
    cost, counted = rows["Cost of a training run"]
    assert cost.endswith(" USD")
    assert "electricity is not added (https://example.org/price, 2026-11-01)" in counted
    carbon, counted = rows["Carbon of a training run"]
    assert carbon == "190 mg"
    assert "360 g/kWh (Nowhere" in counted
    assert table.missing == ()


def test_what_is_missing_is_explained() -> None:
    table = _table(0.0)
    assert table.rows == ()
    assert [sentence.partition(":")[0] for sentence in table.missing] == [
        "No energy was measured",
        "No cost",
        "No carbon",
    ]


def test_no_valid_number_no_table() -> None:
    runs = [training_run(n, 9.0, converges=False) for n in (1, 2, 3)]
    (listing,) = list_results([published(system("a", "acme"), runs, round_name="2026.1")])
    assert efficiency_of(listing) is None
