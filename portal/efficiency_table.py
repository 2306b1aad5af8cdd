"""Energy, cost and carbon of one result, each with the sentence of what is counted."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.price import Price
from portal.listing import Listing
from portal.measured import BOUNDARY_WORDS
from portal.quantities import for_people
from portal.rendering import plural
from rules.efficiency import Carbon, Cost, Efficiency, EnergyUse, Per, counted_runs

_INSTRUMENTS = {"nvml": "NVML", "rapl": "RAPL", "meter": "an external meter"}


@dataclass(frozen=True)
class EfficiencyTable:
    """Rows of name, figure and what is counted; sentences of what is missing and why."""

    rows: tuple[tuple[str, str, str], ...]
    missing: tuple[str, ...]


def efficiency_table(listing: Listing, found: Efficiency) -> EfficiencyTable:
    """The table of what the rules found of ``listing``."""
    count = len(counted_runs(listing.entry, listing.round))
    runs = f"the mean of the {plural(count, 'run')} that the score is of"
    rows = [row for use in found.energy for row in _energy(use, runs if count > 1 else "")]
    declared = listing.published.system.declared
    if found.cost and declared and declared.price:
        rows += _cost(found.cost, declared.price)
    if found.carbon and declared and declared.grid:
        grid = declared.grid
        stated = f"{grid.g_co2_per_kwh:,g} g/kWh ({grid.region}; {grid.source}, {grid.date})"
        rows += _carbon(found.carbon, stated)
    return EfficiencyTable(tuple(rows), tuple(_missing(listing, found)))


def _energy(use: EnergyUse, runs: str) -> Iterator[tuple[str, str, str]]:
    share = use.uncertainty_j / use.joules if use.joules > 0 else 0.0
    counted = (
        f"Of {BOUNDARY_WORDS[use.boundary]}, within the timed window{_and(runs)}: "
        f"{_method(use)}. Readings cover {for_people(use.covered, '%')} of it."
    )
    for name, joules in _amounts(use.per):
        if joules is not None:
            figure = f"{for_people(joules, 'J')} ± {for_people(joules * share, 'J')}"
            yield f"Energy of a {name}, boundary {use.boundary}", figure, counted
    yield f"Mean power, boundary {use.boundary}", str(for_people(use.watts, "W")), counted


def _method(use: EnergyUse) -> str:
    """By which instrument, and how power or a counter became energy."""
    said = []
    for source in use.sources:
        instrument, _, quantity = source.partition(".")
        how = "its energy counter" if quantity.endswith("_j") else "its power, by trapezoids"
        said.append(f"{_INSTRUMENTS.get(instrument, instrument)}, {how}")
    return " and ".join(said)


def _cost(cost: Cost, price: Price) -> Iterator[tuple[str, str, str]]:
    if price.amortisation_years is None:
        basis = "the price of an hour on demand"
    else:
        basis = (
            f"the purchase over {price.amortisation_years:g} years, "
            f"at work {for_people(price.utilisation, '%')} of the time"
        )
    counted = (
        f"Time of the system at {price.amount:,.2f} {price.currency}, {basis}; electricity is not "
        f"added ({price.source}, {price.date})."
    )
    for name, amount in _in_bulk(cost.per):
        if amount is not None:
            yield f"Cost of a {name}", f"{for_people(amount, '')} {cost.currency}", counted


def _carbon(carbon: Carbon, stated: str) -> Iterator[tuple[str, str, str]]:
    counted = (
        f"Carbon dioxide of the energy of {BOUNDARY_WORDS[carbon.boundary]}, at {stated}; what "
        "lies outside, and making the machine, is not counted."
    )
    for name, kilograms in _in_bulk(carbon.per):
        if kilograms is not None:
            yield f"Carbon of a {name}", str(for_people(kilograms, "kg")), counted


def _amounts(per: Per) -> tuple[tuple[str, float | None], ...]:
    return (("training run", per.run), ("sample", per.sample), ("token", per.token))


def _in_bulk(per: Per) -> tuple[tuple[str, float | None], ...]:
    return (
        ("training run", per.run),
        ("million samples", per.million_samples),
        ("million tokens", per.million_tokens),
    )


def _missing(listing: Listing, found: Efficiency) -> Iterator[str]:
    declared = listing.published.system.declared
    if found.left_out:
        yield f"Measured and not told: {'; '.join(found.left_out)}."
    elif not found.energy:
        yield (
            "No energy was measured: the telemetry has no readings of NVML, RAPL or an external "
            "meter in the timed window."
        )
    if declared is None or declared.price is None:
        yield "No cost: the submitter states no price."
    if declared is None or declared.grid is None:
        yield "No carbon: the submitter does not state how clean the electricity is."


def _and(runs: str) -> str:
    return f", {runs}" if runs else ""
