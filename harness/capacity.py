"""Finds the highest rate or query size that a system sustains; how to probe is an argument."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from harness.metrics import CONFIDENCE, least_queries, percentile, shown_within
from harness.records import Record, Scenario

Verdict = Literal["valid", "invalid", "unsure"]
Count = Annotated[int, Field(ge=0)]

RESOLUTION = 1.02
"""The search ends when the lowest failure lies so little above the highest success."""
BACK_OFF = 0.97
MAX_PROBES = 60
MAX_CONFIRMATIONS = 8
HIGHEST_RATE = 1e6
"""Queries per second, more than any generator issues: a search upwards ends here at last."""
MOST_SAMPLES = 2.0**20
_MAX_QUERIES = 4e6
_BOUNDS_IN_PROBE = 50
"""A probe lasts so many bounds: an overload of 1 in 50 takes that long to reach the bound."""
_IDLE_SHARE = 0.25
"""Below this many queries in the time of a bound they hardly meet, so rate is not the cause."""


class Probe(Record):
    """One measurement on the way."""

    rate: Annotated[float, Field(gt=0)]
    """Queries per second of the schedule, or samples a query."""
    duration_ns: Count
    """Asked for; a run that is stopped for its backlog is shorter."""
    queries: Count
    over_bound: Count
    """Queries beyond the bound (interactive: beyond one of the two)."""
    percentile_ns: Count
    """Of latency (interactive: of the time to the first token), as measured."""
    lateness_p99_ns: Count
    """99th percentile of issue minus schedule: how far the generator itself slipped."""
    verdict: Verdict
    confirming: bool = False
    """Whether it was a run of the round's full length."""

    @property
    def valid(self) -> bool:
        """Whether the system held."""
        return self.verdict == "valid"

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if self.over_bound > self.queries:
            raise ValueError("more queries beyond the bound than queries")
        return self


class Search(Record):
    """A whole search, probe by probe. Written to ``search.json``."""

    record: Literal["levelfield/search/v1"] = Field(default="levelfield/search/v1", alias="schema")
    scenario: Scenario
    what: Literal["target_rate", "samples_per_query"]
    bound_ns: Annotated[int, Field(gt=0)]
    percentile: Annotated[float, Field(gt=0, lt=1)]
    probes: tuple[Probe, ...]
    found: float | None
    """The rate of the confirming run that held; none if none did."""

    @model_validator(mode="after")
    def _found_is_confirmed(self) -> Self:
        held = [probe.rate for probe in self.probes if probe.confirming and probe.valid]
        if held != ([] if self.found is None else [self.found]):
            raise ValueError("found is not the rate of the one confirming probe that was valid")
        return self


@dataclass(frozen=True)
class Terms:
    """What a search is for."""

    scenario: Scenario
    bound_ns: int
    percentile: float
    full_ns: int
    """Length of a confirming run: the round's minimum duration."""

    @property
    def whole(self) -> bool:
        """Whether whole samples a query are searched for (multi_stream), not a rate."""
        return self.scenario == Scenario.MULTI_STREAM

    @property
    def lowest(self) -> float:
        """Where a search downwards ends: a failure here is not one of load."""
        return 1.0 if self.whole else _IDLE_SHARE * 1e9 / self.bound_ns

    @property
    def highest(self) -> float:
        """Where a search upwards ends."""
        return MOST_SAMPLES if self.whole else HIGHEST_RATE

    def first_ns(self, rate: float) -> int:
        """Length of a first probe: long enough to show an overload, short enough to hold."""
        usual = max(self.full_ns // 30, _BOUNDS_IN_PROBE * self.bound_ns)
        held = usual if self.whole else round(_MAX_QUERIES / rate * 1e9)
        return max(1, min(usual, held, self.full_ns))


Measure = Callable[[float, int], Probe]
"""Measures at a rate (or samples a query) for so many nanoseconds."""


def judge(queries: int, over_bound: int, p: float) -> Verdict:
    """What ``over_bound`` of ``queries`` beyond a bound say of the percentile ``p``.

    valid: early stopping is satisfied, as in LoadGen. invalid: the lower confidence limit
    (Clopper and Pearson) of the share beyond the bound is above 1 - p. Else unsure.
    """
    from scipy.special import betainc

    if shown_within(over_bound, queries, p):
        return "valid"
    # P(X >= over) for X ~ Binomial(queries, 1 - p)
    if over_bound and betainc(over_bound, queries - over_bound + 1, 1 - p) <= 1 - CONFIDENCE:
        return "invalid"
    return "unsure"


def assess(
    rate: float,
    duration_ns: int,
    latencies_ns: NDArray[np.int64],
    lateness_ns: NDArray[np.int64],
    terms: Terms,
    *,
    stopped: bool = False,
) -> Probe:
    """The probe of a measurement, from the latency and the lateness of each query.

    An unanswered query has waited until the end. A run that was ``stopped`` because its backlog
    grew too long is invalid, however few queries it had.
    """
    queries = len(latencies_ns)
    over = int(np.count_nonzero(latencies_ns > terms.bound_ns))
    return Probe(
        rate=rate,
        duration_ns=duration_ns,
        queries=queries,
        over_bound=over,
        percentile_ns=percentile(latencies_ns, terms.percentile) if queries else 0,
        lateness_p99_ns=max(0, percentile(lateness_ns, 0.99)) if queries else 0,
        verdict="invalid" if stopped else judge(queries, over, terms.percentile),
    )


def find_max(probe: Measure, start: float, terms: Terms, confirm: Measure | None = None) -> Search:
    """Search for the highest rate (multi_stream: the most samples a query) that is valid.

    Widening steps from ``start`` bracket it, halving narrows the bracket to `RESOLUTION`, then
    runs of full length, made by ``confirm`` (else by ``probe``), back off by 3 %, later by more,
    until one holds. Makes at most `MAX_PROBES` probes and `MAX_CONFIRMATIONS` confirming runs.
    """
    search = _Search(probe, confirm or probe, terms)
    bracket = search.bracket(start)
    found = None if bracket is None else search.confirmed(search.narrowed(*bracket))
    return Search(
        scenario=terms.scenario,
        what="samples_per_query" if terms.whole else "target_rate",
        bound_ns=terms.bound_ns,
        percentile=terms.percentile,
        probes=tuple(search.probes),
        found=found,
    )


@dataclass
class _Search:
    """The state of one search."""

    probe: Measure
    confirm: Measure
    terms: Terms
    probes: list[Probe] = field(default_factory=list)

    def bracket(self, start: float) -> tuple[float, float] | None:
        """A rate that holds and the next that does not; none if not even the lowest holds."""
        found = self._turn(start)
        # One noisy moment may have failed the upper end, so that is measured once more.
        if found and found[1] > found[0] and self._may_go_on and self._holds(found[1]):
            return self.bracket(found[1])
        return found

    def _turn(self, start: float) -> tuple[float, float] | None:
        low, high = self._climb(self._placed(start))
        if low is not None and (self._certain(low) or self._holds(low)):
            return low, high
        at = high if low is None else low
        for step in range(MAX_PROBES):
            further = self._placed(at / 2.0 ** max(1, step))
            if further == at or not self._may_go_on:
                return None
            if self._holds(further):
                return further, at
            at = further
        return None

    def _climb(self, at: float) -> tuple[float | None, float]:
        """The last rate on the way up that seemed to hold, and the first that did not.

        One short probe a step, even where it only promises: certainty takes long at low rates.
        """
        low = None
        for step in range(MAX_PROBES):
            probe = self._measured(at, self.terms.first_ns(at))
            if probe.verdict == "invalid" or not (self._would_hold(probe) or self._holds(at)):
                return low, at
            low, at = at, self._placed(at * 2.0 ** max(1, step))
            if low == at or not self._may_go_on:
                break
        return low, at

    def _certain(self, rate: float) -> bool:
        """Whether a probe at ``rate`` was valid, not only promising."""
        return any(probe.rate == rate and probe.valid for probe in self.probes)

    def _measured(self, rate: float, duration_ns: int) -> Probe:
        self.probes.append(self.probe(rate, duration_ns))
        return self.probes[-1]

    def narrowed(self, low: float, high: float) -> float:
        """The highest rate that held when the bracket had become as narrow as it may."""
        while high > low * RESOLUTION and self._may_go_on:
            middle = self._placed(math.sqrt(low * high))
            if self.terms.whole and middle in (low, high):
                if high - low <= 1:
                    break
                middle = low + 1
            if self._holds(middle, self.terms.full_ns // 8):
                low = middle
            else:
                high = middle
        return low

    def confirmed(self, rate: float) -> float | None:
        """The first rate, backing off ever further, at which a run of full length holds."""
        for attempt in range(MAX_CONFIRMATIONS):
            run = self.confirm(rate, self.terms.full_ns)
            self.probes.append(run.model_copy(update={"confirming": True}))
            if run.valid:
                return rate
            lower = rate * BACK_OFF ** max(1, attempt - 2)
            lower = self._placed(min(rate - 1, lower) if self.terms.whole else lower)
            if lower >= rate:
                break
            rate = lower
        return None

    def _holds(self, rate: float, at_least_ns: int = 0) -> bool:
        """Whether a probe at ``rate`` is valid; one that cannot tell is repeated, longer.

        One that cannot tell at its greatest length counts as its like of full length would:
        early stopping asks more of few queries. The confirming run has the last word.
        """
        duration = max(self.terms.first_ns(rate), at_least_ns)
        while True:
            probe = self._measured(rate, duration)
            longest = max(self.terms.full_ns // 4, self._needed_ns(probe))
            if probe.verdict != "unsure" or duration >= longest or not self._may_go_on:
                return self._would_hold(probe)
            duration = min(longest, max(2 * duration, self._needed_ns(probe)))

    def _would_hold(self, probe: Probe) -> bool:
        """Whether a run of full length with the same share beyond the bound would be valid."""
        if probe.verdict != "unsure":
            return probe.valid
        full_ns = max(self.terms.full_ns, self._needed_ns(probe))
        times = max(1.0, full_ns / max(probe.duration_ns, 1))
        queries, over = round(probe.queries * times), round(probe.over_bound * times)
        return judge(queries, over, self.terms.percentile) == "valid"

    def _needed_ns(self, probe: Probe) -> int:
        """How long a probe has to be for any verdict, at the pace at which queries came."""
        pace = max(probe.queries, 1) / max(probe.duration_ns, 1)
        return math.ceil(1.2 * least_queries(self.terms.percentile) / pace)

    @property
    def _may_go_on(self) -> bool:
        return len(self.probes) < MAX_PROBES

    def _placed(self, rate: float) -> float:
        """``rate`` within the limits, rounded to what a person would type."""
        within = min(max(rate, self.terms.lowest), self.terms.highest)
        return float(round(within)) if self.terms.whole else float(f"{within:.4g}")
