"""Rounds: what a submission must meet, read from ``rounds/<name>.toml``."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Division, Identifier, InferenceSettings, Record, Scenario

_ROOT = Path(__file__).parent / "rounds"

InferenceScenario = Literal[Scenario.SINGLE_STREAM, Scenario.OFFLINE]


class TrainingTerms(Record):
    """What a round asks of a training result."""

    runs: Annotated[int, Field(ge=1)]
    drop: Annotated[int, Field(ge=0)]
    """Runs that the Olympic mean drops at each end."""
    tolerated_non_converging: Annotated[int, Field(ge=0)]
    """Runs that may miss the target; they count as the slowest."""
    init_limit_s: dict[Division, int]
    """Longest untimed initialisation, in seconds."""


class InferenceTerms(Record):
    """What a round asks of a performance run in one scenario."""

    min_duration_s: Annotated[float, Field(gt=0)]
    min_query_count: Annotated[int, Field(ge=1)]
    """Queries in single_stream; in offline, whose one query holds all, its samples."""
    percentile: Annotated[float, Field(gt=0, lt=1)]


class Round(Record):
    """One round's terms."""

    name: Identifier
    title: str
    rankable: bool
    """Whether its results may be ranked; those of a round to practise in may not."""
    workloads: tuple[Identifier, ...]
    divisions: tuple[Division, ...]
    accuracy_floor: Annotated[float, Field(gt=0, le=1)]
    """Least accuracy of inference, as a share of the reference's."""
    declared_system_required: bool
    clean_harness_required: bool
    training: TrainingTerms
    inference: dict[InferenceScenario, InferenceTerms]

    def settings(self, scenario: Scenario) -> InferenceSettings:
        """What the inference driver is asked to do in ``scenario``."""
        terms = self.terms(scenario)
        return InferenceSettings(
            min_duration_ns=round(terms.min_duration_s * 1e9),
            min_query_count=terms.min_query_count,
            percentile=terms.percentile,
        )

    def terms(self, scenario: Scenario) -> InferenceTerms:
        """The terms of an inference scenario; `UsageError` if the round has none for it."""
        if scenario not in self.inference:
            known = ", ".join(self.inference)
            raise UsageError(f"round {self.name}: has no scenario {scenario}; known: {known}")
        return self.inference[scenario]


def round_names() -> list[str]:
    """Names of all rounds, sorted."""
    return sorted(path.stem for path in _ROOT.glob("*.toml"))


def read_round(name: str) -> Round:
    """The round ``name``; `UsageError` with the nearest name if there is none."""
    if name not in round_names():
        near = difflib.get_close_matches(name, round_names(), 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(round_names())}"
        raise UsageError(f"{name}: no such round; {hint}")
    path = _ROOT / f"{name}.toml"
    try:
        return Round.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a round: {error}; mend the file") from error
