"""A round of MLPerf Inference as data, read from ``rounds/inference/*.toml``."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Record

_ROOT = Path(__file__).parents[1] / "rounds" / "inference"

Test = Literal["TEST01", "TEST04", "TEST06"]
"""MLPerf's names of the audits that published results hold."""


class Bounds(Record):
    """What the 99th percentile of a server's times must hold."""

    latency_s: float | None = None
    ttft_s: float | None = None
    tpot_s: float | None = None


class ModelTerms(Record):
    """What a round asks of one model."""

    # The upper end of a range may be infinite.
    model_config = ConfigDict(allow_inf_nan=True)

    names: dict[str, float]
    """Folder names, and the share of the reference's accuracy that each asks for."""
    samples: Annotated[int, Field(gt=0)]
    """In the data set: accuracy mode answers each, offline asks for at least so many."""
    tokens: bool
    """Whether results count tokens."""
    audits: tuple[Test, ...]
    reference: dict[str, float]
    """Accuracies of the reference; higher is better."""
    ranges: dict[str, tuple[float, float]]
    """Further accuracies, and the least and the greatest allowed."""
    bounds: dict[str, Bounds]
    """By the scenario's folder."""


class InferenceRound(Record):
    """One round's terms."""

    name: Identifier
    title: str
    source: str
    min_duration_s: float
    percentile: float
    audit_tolerance: float
    """How far an audit's speed may lie from the result's, as a share."""
    seeds: dict[str, int]
    """Seeds that everybody uses, by LoadGen's names."""
    models: dict[str, ModelTerms]

    def model(self, name: str) -> tuple[ModelTerms, float] | None:
        """The terms of the model with folder ``name``, and its share; none if it has none."""
        for terms in self.models.values():
            if name in terms.names:
                return terms, terms.names[name]
        return None


def inference_round_names() -> list[str]:
    """Names of all rounds of MLPerf Inference, sorted."""
    return sorted(path.stem for path in _ROOT.glob("*.toml"))


def read_inference_round(name: str) -> InferenceRound:
    """The round ``name``; `UsageError` with the nearest name if there is none."""
    known = inference_round_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"{name}: no such round of MLPerf Inference; {hint}")
    path = _ROOT / f"{name}.toml"
    try:
        return InferenceRound.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a round: {error}; mend the file") from error
