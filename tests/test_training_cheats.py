"""Trainings that cheat, measured by the real driver in simulated time, and what is found."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from run_folders import subject
from toy import ToyWorkload, toy_card

from harness.card import Hyperparameter, ReferenceConvergencePoint, WorkloadCard
from harness.clock import SimulatedClock
from harness.records import Number
from harness.training import train
from harness.workload import Progress
from rules.case import Reference
from rules.round import read_round
from rules.rule import check
from submissions.pack import pack

ROUND = read_round("2026.1").model_copy(
    update={
        "workloads": ("toy",),
        "training": read_round("practice").training,
        "declared_system_required": False,
        "clean_harness_required": False,
        "intents_required": False,
    }
)
BATCH = Hyperparameter(default=100, minimum=50, maximum=200, help="batch")
MOMENTUM = Hyperparameter(default=0.9, help="fixed")
STEPS = [9, 10, 10, 11] * 5
"""Evaluations of 100 samples that the reference needed, seed by seed."""
POINT = ReferenceConvergencePoint(
    global_batch_size=100,
    samples_to_converge=tuple(100 * steps for steps in STEPS),
    seeds=tuple(range(len(STEPS))),
    hyperparameters={"global_batch_size": 100, "momentum": 0.9},
    measured_on="in thought",
)


def card() -> WorkloadCard:
    """A toy that takes about ten evaluations to its target of 0.9, and keeps its tail at 0.5."""
    facts = toy_card(limit=2000).training.model_copy(
        update={
            "hyperparameters": {"global_batch_size": BATCH, "momentum": MOMENTUM},
            "floors": {"tail": 0.5},
        }
    )
    return toy_card().model_copy(update={"training": facts})


@dataclass
class Toy(ToyWorkload):
    """A training that reaches 0.9 at evaluation ``steps``; what a cheat changes are its fields."""

    clock: SimulatedClock
    steps: int
    checksum: str = "0" * 64
    tail: float = 0.5
    changes: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        curve = [0.9 * min(1.0, k / self.steps) for k in range(1, 21)]
        super().__init__(self.clock, curve)
        self._evaluation.tail = self.tail
        facts = card().training.model_copy(update=self.changes)
        self.card = card().model_copy(update={"training": facts})

    def prepare(self, report: Progress) -> str:
        super().prepare(report)
        return self.checksum


def found(
    tmp_path: Path,
    *,
    digest: str = "0" * 64,
    faster: float = 1.0,
    momentum: float = 0.9,
    **cheat: object,
) -> set[str]:
    """Rules that find an error in three such runs, packed and checked."""
    who = replace(subject(), workload_sha256=digest)
    settings: dict[str, Number] = {"global_batch_size": 100, "momentum": momentum}
    for number, steps in enumerate((9, 10, 11)):
        clock = SimulatedClock(1_700_000_000_000 + number * 60_000)
        toy = Toy(clock, round(steps / faster), **cheat)  # type: ignore[arg-type]
        train(toy, settings, number, tmp_path / f"runs/run_{number}", who, clock)
    bundle = pack([tmp_path / "runs"], "acme", "2026.1", tmp_path / "bundle")
    reference = Reference(card(), "0" * 64, lambda _: 1.0, (POINT,))
    findings = check(bundle.submission, ROUND, lambda _: reference).findings
    return {one.rule for one in findings if one.severity == "error"}


def test_an_honest_training_passes(tmp_path: Path) -> None:
    assert found(tmp_path) == set()


def test_a_leak_of_the_evaluation_set_learns_faster_than_the_reference(tmp_path: Path) -> None:
    """A session cannot hold the evaluation set; a program that does learns as no seed did."""
    assert "TRAIN-15" in found(tmp_path, faster=2)


def test_code_that_was_changed_is_not_the_reference(tmp_path: Path) -> None:
    assert found(tmp_path, digest="1" * 64) == {"ROUND-4"}


def test_a_lower_target(tmp_path: Path) -> None:
    target = card().training.target.model_copy(update={"value": 0.6})
    assert "TRAIN-3" in found(tmp_path, changes={"target": target})


def test_another_data_seed(tmp_path: Path) -> None:
    assert found(tmp_path, checksum="d" * 64) == {"TRAIN-11"}


def test_a_hyperparameter_outside_its_bounds(tmp_path: Path) -> None:
    assert found(tmp_path, momentum=0.99) == {"TRAIN-7"}


@pytest.mark.parametrize("every", [50, 200])
def test_evaluations_that_are_skipped_or_added(every: int, tmp_path: Path) -> None:
    assert "TRAIN-4" in found(tmp_path, changes={"evaluate_every": every})


def test_a_model_that_drops_the_tail(tmp_path: Path) -> None:
    assert found(tmp_path, tail=0.49) == {"TRAIN-12"}
