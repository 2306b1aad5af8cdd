"""A performance run of MLPerf Inference as its checks see it, and what a check says."""

from dataclasses import dataclass

from harness.records import Record
from rules.mlperf.inference_terms import Bounds, InferenceRound, ModelTerms
from rules.mlperf.loadgen import LoadgenLog

SCENARIOS = ("Interactive", "Offline", "Server")
"""Folders of the scenarios that are judged: those of data centres."""


class Check(Record):
    """One condition of validity."""

    name: str
    recorded: bool | None
    """LoadGen's own verdict; none where it gives none."""
    recomputed: bool | None
    """Ours; none where the log does not decide it."""
    why: str
    """The numbers that decide it, or why none can."""

    @property
    def agrees(self) -> bool:
        """Whether the two verdicts do not contradict each other."""
        return None in (self.recorded, self.recomputed) or self.recorded == self.recomputed


@dataclass(frozen=True)
class Run:
    """A performance run with what its round asks of it."""

    log: LoadgenLog
    scenario: str
    """The folder's, one of `SCENARIOS`."""
    terms: InferenceRound
    model: ModelTerms

    @property
    def open_loop(self) -> bool:
        """Whether queries arrive by a schedule; LoadGen calls both such scenarios Server."""
        return self.scenario != "Offline"

    @property
    def bounds(self) -> Bounds:
        """What the round asks of the percentiles."""
        return self.model.bounds.get(self.scenario, Bounds())

    def positive(self, key: str) -> float:
        """A number of the log, 0 if it has none."""
        return self.log.number(key) or 0


def undecided(name: str, recorded: bool | None, why: str) -> Check:
    """A check that the log does not decide."""
    return Check(name=name, recorded=recorded, recomputed=None, why=why)
