"""Model FLOPs utilisation, MFU: how well a run used the arithmetic that its device can do."""

import math

from harness.card import WorkloadCard
from harness.events import EventLog, intervals
from harness.records import Mode
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence


def model_flops_utilisation(evidence: RunEvidence, card: WorkloadCard | None) -> float | None:
    """Model FLOPs by the seconds in training blocks (inference: of the window) x measured peak.

    The peak is the one of the run's precision. None where the card states no FLOPs, no peak was
    measured, or the log is not whole. Chowdhery et al., 2022, arXiv:2204.02311, appendix B.
    """
    run = evidence.run
    if card is None or run.peak is None:
        return None
    training = run.mode == Mode.TRAINING
    flops = (card.training if training else card.inference).flops_per_sample
    peak = run.peak.flops.get(run.precision or "fp32")
    done = _trained(evidence.log) if training else _answered(evidence)
    if flops is None or peak is None or done is None:
        return None
    samples, seconds = done
    found = flops * samples / seconds / peak
    return found if math.isfinite(found) else None


def _trained(log: EventLog) -> tuple[int, float] | None:
    """Samples and seconds within training blocks; none if a block does not tell its samples."""
    samples = milliseconds = 0
    for start, stop in intervals(log, "block"):
        if start.samples_count is None or stop.samples_count is None:
            return None
        samples += stop.samples_count - start.samples_count
        milliseconds += stop.time_ms - start.time_ms
    return (samples, milliseconds / 1000) if samples > 0 and milliseconds > 0 else None


def _answered(evidence: RunEvidence) -> tuple[int, float] | None:
    window_ms = timed_window_ms(evidence.log)
    if evidence.queries is None or window_ms is None or window_ms[1] <= window_ms[0]:
        return None
    return len(evidence.queries), (window_ms[1] - window_ms[0]) / 1000
