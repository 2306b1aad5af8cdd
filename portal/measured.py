"""What a unit of a result's work took: time, energy by boundary, money."""

from dataclasses import dataclass

from harness.records import Metric
from harness.telemetry.energy import Boundary
from portal.facts import fact
from portal.listing import Listing
from rules.efficiency import Efficiency, Per, efficiency

BOUNDARY_WORDS = {
    Boundary.PACKAGE: "the processors’ packages",
    Boundary.BOARD: "the accelerators’ boards",
    Boundary.NODE: "the whole machine behind its power supply",
    Boundary.WALL: "everything that is plugged in",
}


@dataclass(frozen=True)
class UnitEnergy:
    """Energy of one unit of work within one boundary."""

    boundary: Boundary
    joules: float
    uncertainty_j: float


@dataclass(frozen=True)
class Measured:
    """One result's figures a unit; none where they were not measured or not stated."""

    unit: str
    """``training run``, ``sample`` or ``token``."""
    seconds: float
    """Of the whole system, a unit."""
    energies: tuple[UnitEnergy, ...] = ()
    cost: float | None = None
    """Of `per`."""
    currency: str = ""
    price_per_hour: float | None = None

    @property
    def per(self) -> tuple[float, str]:
        """How many units a cost is told for, and their name: a run, a million samples."""
        if self.unit == _RUN:
            return 1.0, _RUN
        return _MILLION, f"million {self.unit}s"

    @property
    def rate(self) -> tuple[float, str]:
        """Units of work in an hour (trainings) or a second."""
        if self.unit == _RUN:
            return 3600 / self.seconds, "training runs per hour"
        return 1 / self.seconds, f"{self.unit}s per second"


@fact
def efficiency_of(listing: Listing) -> Efficiency | None:
    """What the rules make of the result's energy, money and carbon."""
    submission = listing.published.bundle.submission
    return efficiency(submission, listing.entry, listing.round, listing.card)


def measure(listing: Listing) -> Measured | None:
    """The figures of ``listing`` a unit of its work; none where it has no valid number."""
    found = efficiency_of(listing)
    if found is None:
        return None
    unit = unit_of(listing)
    seconds = of_unit(found.work.share(found.work.seconds), unit)
    if not seconds:
        return None
    declared = listing.published.system.declared
    cost = of_unit(found.cost.per, unit) if found.cost else None
    blank = Measured(unit, seconds)
    return Measured(
        unit=unit,
        seconds=seconds,
        energies=tuple(
            UnitEnergy(use.boundary, joules, use.uncertainty_j * joules / use.joules)
            for use in found.energy
            if (joules := of_unit(use.per, unit)) and use.joules > 0
        ),
        cost=None if cost is None else cost * blank.per[0],
        currency=found.cost.currency if found.cost else "",
        price_per_hour=declared.price.per_second * 3600 if declared and declared.price else None,
    )


def unit_of(listing: Listing) -> str:
    """What the result's work is counted in."""
    metric = listing.entry.result.metric
    return {Metric.TIME_TO_TRAIN: _RUN, Metric.TOKENS: "token"}.get(metric, "sample")


def of_unit(per: Per, unit: str) -> float | None:
    """The amount of ``per`` that is of one ``unit``."""
    return {_RUN: per.run, "token": per.token}.get(unit, per.sample)


_RUN = "training run"
_MILLION = 1e6
