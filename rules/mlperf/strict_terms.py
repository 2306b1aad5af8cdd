"""What the strict reading of an official round takes beyond the round's own terms, read from
``rounds/strict/<round>.toml``.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Record
from rules.round import ConvergenceTerms

_ROOT = Path(__file__).parents[1] / "rounds/strict"

Count = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]


class StrictBenchmark(Record):
    """Facts of one benchmark."""

    train_samples: Count
    eval_samples: Count
    learning_rates: tuple[Rate, Rate]
    """The least and the greatest at which the reference was measured."""
    counts_batches: bool = False
    """Whether its logs are known to give batches where samples are asked for."""
    epochs_in_batches: bool = False
    """Whether its logs give epochs in full, so that whole batches can be told."""


class StrictTerms(Record):
    """What the strict reading of one round takes."""

    fall_ms: Annotated[int, Field(ge=0)]
    """By how much time may fall from line to line outside the run; inside it never does."""
    gap_ms: Annotated[int, Field(ge=0)]
    """What may pass between init_stop and run_start."""
    epoch_slack: Annotated[float, Field(ge=0)]
    """How far an evaluation may lie off its place, in epochs; samples are counted exactly."""
    learning_rate_factor: Annotated[float, Field(ge=1)]
    """How far a learning rate may lie beyond the reference's."""
    required_fields: tuple[tuple[str, ...], ...]
    """Names in a system's description, of each group of which one needs a meaningful value."""
    convergence: ConvergenceTerms
    benchmarks: dict[Identifier, StrictBenchmark]


def read_strict_terms(name: str) -> StrictTerms:
    """The strict terms of the official round ``name``; `UsageError` if it has none."""
    path = _ROOT / f"{name}.toml"
    known = sorted(one.stem for one in _ROOT.glob("*.toml"))
    if name not in known:
        raise UsageError(f"{name}: no strict reading of this round; known: {', '.join(known)}")
    try:
        return StrictTerms.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not strict terms: {error}; mend the file") from error
