"""An official MLPerf round as data, read from ``rounds/mlperf-*.toml``: targets, run counts,
evaluation schedules, what the official checker asks of each key of a log.
"""

import difflib
import math
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Division, Identifier, Number, Record
from rules.round import OFFICIAL, ConvergenceTerms

_ROOT = Path(__file__).parents[1] / "rounds"

Unit = Literal["samples_count", "epoch_num"]
"""Name in the metadata of an evaluation of how far training had come."""


class Condition(Record):
    """What a logged value must be; what is not given is not asked."""

    equals: Number | str | None = None
    one_of: tuple[str, ...] = ()
    not_empty: bool = False
    at_least: Number | None = None
    above: Number | None = None
    at_most: Number | None = None
    below: Number | None = None

    def holds(self, value: Any) -> bool:
        """Whether ``value``, of any type, is so; a bound refuses what is not a number."""
        if self.equals is not None and value != self.equals:
            return False
        if (self.one_of and value not in self.one_of) or (self.not_empty and value == ""):
            return False
        return not self.bounded or (isinstance(value, int | float) and self._within(value))

    @cached_property
    def bounded(self) -> bool:
        """Whether a bound is set."""
        return any(x is not None for x in (self.at_least, self.above, self.at_most, self.below))

    def _within(self, value: Number) -> bool:
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    @property
    def text(self) -> str:
        """The condition for people, as ``at least 0.34, below 1.0``."""
        parts = [
            f"{name.replace('_', ' ')} {value!r}"
            for name in ("equals", "at_least", "above", "at_most", "below")
            if (value := getattr(self, name)) is not None
        ]
        parts += [f"one of {', '.join(self.one_of)}"] if self.one_of else []
        return ", ".join(parts + (["not empty"] if self.not_empty else [])) or "anything"


class Target(Condition):
    """The quality that a run must reach: a bound on one side, a limit of sense on the other."""

    @property
    def higher_is_better(self) -> bool:
        """Whether quality rises."""
        return self.at_least is not None

    @property
    def value(self) -> Number:
        """The target itself."""
        found = self.at_least if self.at_least is not None else self.at_most
        return math.nan if found is None else found


class MetadataCheck(Condition):
    """What an event's metadata must hold."""

    any_of: tuple[str, ...] = ()
    """At least one of these names must be there."""
    when: str | None = None
    """The check is only made where this name is there."""
    field: str | None = None
    """The condition is on this one's value, where it is there."""


class Share(Record):
    """``ceil(number x times / logged value of over)``; without ``over`` the number itself."""

    number: int
    times: int = 1
    over: str | None = None


class Proportion(Record):
    """The value x ``times`` must equal the logged value of ``of`` x ``factor``, as floats."""

    times: Number
    of: str
    factor: Number


class Difference(Record):
    """The value must equal ``total`` less what is remembered of the key ``minus``."""

    total: Share
    minus: str


class KeyCheck(Condition):
    """What the official checker asks of one key of a log; the condition is on every value."""

    occurs: Literal["exactly_one", "at_least_one"] = "exactly_one"
    alternative: str | None = None
    """With it one of the two keys is enough, and ``occurs`` is not asked."""
    metadata: tuple[MetadataCheck, ...] = ()
    after: tuple[str, ...] = ()
    """Keys of which a line must have come before."""
    before: tuple[str, ...] = ()
    """Keys of which no line may have come before."""
    within_init_limit: bool = False
    """At most the division's limit on initialisation after the earliest ``init_start``."""
    some: Condition | None = None
    """What at least one of the values must meet."""
    names_benchmark: bool = False
    """The value must be one of the round's benchmarks."""
    meets_target: bool = False
    """At least one of the values must meet the benchmark's target."""
    proportion: Proportion | None = None
    difference: Difference | None = None
    remembered: Share | None = None
    """What `Difference` takes for this key's value; the logged one where this is not given."""

    @cached_property
    def asks_of_lines(self) -> bool:
        """Whether anything is asked of each line, beyond how often the key occurs."""
        counted = {"occurs", "alternative", "some", "meets_target"}
        return any(
            value != KeyCheck.model_fields[name].default
            for name, value in self
            if name not in counted
        )


class Schedule(Record):
    """When the written rules ask for an evaluation."""

    every_samples: Annotated[int, Field(gt=0)] | None = None
    every_epochs: Annotated[float, Field(gt=0)] | None = None
    skip_per_batch: float = 0.0
    skip_constant: float = 0.0

    def interval(self, batch_size: int) -> int | None:
        """Samples between evaluations, in whole batches; none where epochs count."""
        if self.every_samples is None:
            return None
        return -(-self.every_samples // batch_size) * batch_size

    def skipped(self, batch_size: int) -> int:
        """How many of the first evaluations are left out at this batch size."""
        return math.floor(self.skip_per_batch * batch_size + self.skip_constant)


class OfficialBenchmark(Record):
    """One benchmark's terms."""

    title: str
    target: Target
    runs: Annotated[int, Field(gt=0)]
    """Files that a directory must hold, exactly."""
    unit: Unit
    """What a run's point of convergence is counted in."""
    epoch_samples: int | None = None
    """Samples of an epoch, where a rule needs them."""
    schedule: Schedule
    keys: dict[str, KeyCheck]
    """What the checker asks in the closed division."""
    open_keys: dict[str, KeyCheck]
    """What it asks in the open division."""
    written: dict[str, Condition] = Field(default_factory=dict)
    """Hyperparameters that the written rules fix and the checker does not test."""


class OfficialScoring(Record):
    """How the runs of a directory become a score."""

    drop: Annotated[int, Field(ge=0)]
    """Runs that the Olympic mean drops at each end; dropped files count as the slowest."""
    tolerated: Annotated[int, Field(ge=0)]
    """Files that may fail the checker."""


class OfficialRound(Record):
    """An official round's terms."""

    name: Identifier
    title: str
    source: str
    """Whose round it is, and by which version of the official tools it was judged."""
    init_limit_s: dict[Division, int]
    scoring: OfficialScoring
    convergence: ConvergenceTerms
    system_fields: tuple[str, ...]
    """Names that a system's description must hold."""
    passed_over: str
    """A key that fills most of the logs and that nobody asks for: import does not read it."""
    keys: dict[str, KeyCheck]
    """What the checker asks in every log."""
    division_keys: dict[Division, dict[str, KeyCheck]]
    benchmarks: dict[Identifier, OfficialBenchmark]


def official_round_names() -> list[str]:
    """Names of all official rounds, sorted."""
    return sorted(path.stem for path in _ROOT.glob(f"{OFFICIAL}*.toml"))


def read_official_round(name: str) -> OfficialRound:
    """The official round ``name``; `UsageError` with the nearest name if there is none."""
    if name not in official_round_names():
        near = difflib.get_close_matches(name, official_round_names(), 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(official_round_names())}"
        raise UsageError(f"{name}: no such official round; {hint}")
    path = _ROOT / f"{name}.toml"
    try:
        return OfficialRound.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a round: {error}; mend the file") from error
