"""What a machine costs and how clean its electricity is, as ``system.toml`` declares them."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from harness.records import Record

_HOUR_S = 3600.0
_YEAR_S = 365.25 * 24 * _HOUR_S
_JOULES_PER_KWH = 3.6e6


def _iso_date(value: object) -> object:
    """A day as ISO text; TOML writes one with quotation marks or without."""
    if type(value) is datetime.date:
        return value.isoformat()
    if not isinstance(value, str) or len(value) != len("2026-11-01"):
        raise ValueError("not a day; write it as 2026-11-01")
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise ValueError("not a day; write it as 2026-11-01") from error


Day = Annotated[str, BeforeValidator(_iso_date)]
Link = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]


class Price(Record):
    """What the whole system costs; ``[price]``."""

    amount: Annotated[float, Field(gt=0, le=1e12)]
    """On demand: for an hour of use. Owned: the purchase of everything."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217, as EUR."""
    kind: Literal["on_demand", "owned"]
    amortisation_years: Annotated[float, Field(ge=0.1, le=50)] | None = None
    """Owned: years over which the purchase is spread."""
    utilisation: Annotated[float, Field(ge=0.01, le=1)] = 1.0
    """Owned: the share of these years in which the machine works."""
    source: Link
    """Where the price can be read."""
    date: Day
    """When it was read there."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.kind == "owned" and self.amortisation_years is None:
            raise ValueError("an owned system needs amortisation_years; add them")
        if self.kind == "on_demand" and (self.amortisation_years or self.utilisation != 1):
            raise ValueError(
                "amortisation_years and utilisation are for owned systems; take them out"
            )
        return self

    @property
    def per_second(self) -> float:
        """Cost of a second, in ``currency``.

        On demand: amount / 3600. Owned: amount / (amortisation_years x 31,557,600 x utilisation),
        with years of 365.25 days: idle time is paid for by the time at work.
        """
        if self.amortisation_years is None:
            return self.amount / _HOUR_S
        return self.amount / (self.amortisation_years * _YEAR_S * self.utilisation)


class Grid(Record):
    """The electricity that the system runs on; ``[grid]``."""

    g_co2_per_kwh: Annotated[float, Field(ge=0, le=10_000)]
    """Grams of carbon dioxide (equivalent) a kilowatt-hour, the unit that sources state."""
    region: Annotated[str, Field(min_length=1, max_length=100)]
    """Which grid, or which supply contract."""
    source: Link
    date: Day
    """When it was read at the source, or the last day of the period that it is the mean of."""

    @property
    def kg_per_joule(self) -> float:
        """Kilograms of carbon dioxide a joule: g_co2_per_kwh / 1000 / 3,600,000."""
        return self.g_co2_per_kwh / 1000 / _JOULES_PER_KWH
