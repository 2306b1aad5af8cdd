"""Systems under test that cheat, measured by the real driver in simulated time, and what is found.

Each is quick where it cheats (0.2 ms a sample) and honest work takes 2 ms.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_folders import subject
from toy import MS, ToyLibrary, toy_card

from harness.audit import audit_tasks
from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from harness.inference import Target, Task, infer
from harness.records import InferenceSettings, Mode, Scenario
from harness.scenarios import sample_order
from rules.case import Reference
from rules.round import read_round
from rules.rule import check
from submissions.pack import pack

SEEDS = {"library": 11, "order": 12, "schedule": 13}
ROUND = read_round("practice").model_copy(
    update={
        "workloads": ("toy",),
        "seeds": SEEDS,
        "audits": read_round("2026.1").audits,
    }
)
ALL, LOADED = 256, 128


class Library(ToyLibrary):
    """Sample i is the number i."""

    total_samples = ALL
    performance_samples = LOADED


class Honest:
    """Answers a sample with itself."""

    max_batch = 1

    def __init__(self, clock: SimulatedClock, library: Library) -> None:
        self.clock = clock
        self.library = library

    def quick(self, sample: int) -> bool:
        """Whether this sample is not worked on."""
        return False

    def predict(self, inputs: list[int]) -> list[int]:
        self.clock.advance(MS // 5 if self.quick(inputs[0]) else 2 * MS)
        return inputs


class StoresAnswers(Honest):
    """Remembers the last 16 samples."""

    def __init__(self, clock: SimulatedClock, library: Library) -> None:
        super().__init__(clock, library)
        self.stored: list[int] = []

    def quick(self, sample: int) -> bool:
        known = sample in self.stored
        self.stored = [*self.stored, sample][-16:]
        return known


class KnowsTheSeed(Honest):
    """Has made the answers in the order of the round's seed, and works only off that order."""

    def __init__(self, clock: SimulatedClock, library: Library) -> None:
        super().__init__(clock, library)
        self.next = 0

    def quick(self, sample: int) -> bool:
        places = sample_order(SEEDS["order"], self.next + 1, LOADED)
        foreseen = sorted(self.library.loaded)[places[self.next] % len(self.library.loaded)]
        self.next += sample == foreseen
        return sample == foreseen


class Guesses(Honest):
    """Works only when the whole data set is loaded: that must be accuracy mode."""

    def quick(self, sample: int) -> bool:
        return len(self.library.loaded) < ALL

    def predict(self, inputs: list[int]) -> list[int]:
        answers = super().predict(inputs)
        return [0 for _ in answers] if self.quick(inputs[0]) else answers


class DropsSlowQueries(Honest):
    """Gives up on every seventh sample, which would take longest."""

    def predict(self, inputs: list[int]) -> list[int]:
        if inputs[0] % 7 == 0:
            raise TimeoutError("too slow")
        return super().predict(inputs)


def quality(answers: dict[int, Any]) -> float:
    """Share of samples answered with themselves."""
    if len(answers) != ALL:
        raise LevelfieldError("samples are missing; run accuracy again")
    return sum(sample == answer for sample, answer in answers.items()) / ALL


def measured(
    make: Callable[[SimulatedClock, Library], Honest], folder: Path, **changes: int
) -> set[str]:
    """Rules that find something in a performance run, an accuracy run and every audit."""
    facts = {"samples": ALL, "performance_samples": LOADED}
    card = toy_card()
    card = card.model_copy(update={"inference": card.inference.model_copy(update=facts)})
    settings: InferenceSettings = ROUND.settings(Scenario.SINGLE_STREAM, card)
    settings = settings.model_copy(update=changes)
    tasks = [
        Task(Scenario.SINGLE_STREAM, mode, settings, SEEDS)
        for mode in (Mode.PERFORMANCE, Mode.ACCURACY)
    ]
    clock, seed = SimulatedClock(), iter(range(100, 200))
    library = Library()
    target = Target("toy:System", make(clock, library), library, quality)
    for number, task in enumerate(tasks):
        run = infer(target, task, folder / f"runs/{number}", subject(), clock)
        if task.mode == Mode.PERFORMANCE:
            tasks += audit_tasks(run, lambda: next(seed))
    bundle = pack([folder / "runs"], "acme", "practice", folder / "bundle")
    reference = Reference(card, "0" * 64, quality)  # type: ignore[arg-type]
    found = check(bundle.submission, ROUND, lambda _: reference).findings
    return {f.rule for f in found if f.severity == "error"}


def test_an_honest_system_passes(tmp_path: Path) -> None:
    assert measured(Honest, tmp_path) == set()


@pytest.mark.parametrize(
    ("cheat", "rule"),
    [
        (StoresAnswers, "AUDIT-4"),
        (KnowsTheSeed, "AUDIT-6"),
        (Guesses, "AUDIT-3"),
        (DropsSlowQueries, "INFER-3"),
    ],
)
def test_a_cheat_is_found(cheat: type[Honest], rule: str, tmp_path: Path) -> None:
    assert rule in measured(cheat, tmp_path)


def test_a_run_that_stops_early_is_found(tmp_path: Path) -> None:
    assert {"INFER-5", "INFER-15"} <= measured(Honest, tmp_path, min_duration_ns=500 * MS)
