"""Reference convergence points of an official round, as an import keeps them beside its bundles."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.records import Identifier, Number, Record


class OfficialPoint(Record):
    """One of MLPerf's reference convergence points."""

    name: Annotated[str, Field(max_length=200)]
    benchmark: Identifier
    global_batch_size: Annotated[int, Field(gt=0)]
    converged: Annotated[tuple[Number, ...], Field(min_length=1)]
    """Samples, or epochs where the benchmark counts them, of each run."""
    hyperparameters: dict[str, Any]
    measured_by: str


class OfficialPoints(Record):
    """All points that an import was given."""

    record: Literal["levelfield/official-points/v1"] = Field(
        default="levelfield/official-points/v1", alias="schema"
    )
    round: Identifier
    points: tuple[OfficialPoint, ...]

    def by_benchmark(self) -> Mapping[str, Mapping[int, Sequence[float]]]:
        """By benchmark and batch size, when each run converged."""
        found: dict[str, dict[int, Sequence[float]]] = {}
        for one in self.points:
            found.setdefault(one.benchmark, {})[one.global_batch_size] = one.converged
        return found
