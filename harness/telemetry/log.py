"""The telemetry log: ``telemetry.jsonl``, a line a sample of a source, and its summary."""

from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from harness.errors import LevelfieldError
from harness.records import Number, Record

Reading = Number | tuple[Number, ...] | None
"""One measured quantity in SI base units; none where the source had no value (a gap)."""


class Sample(Record):
    """What one source read at one moment."""

    time_ms: int
    """Wall time in milliseconds, from the clock that stamps the event log."""
    source: str
    values: dict[str, Reading]


@dataclass(frozen=True)
class TelemetryLog:
    """Every sample of a run in the order taken."""

    samples: tuple[Sample, ...]

    def series(self, source: str, name: str) -> list[tuple[int, Reading]]:
        """``(time_ms, value)`` of one quantity, gaps included."""
        return [(s.time_ms, s.values.get(name)) for s in self.samples if s.source == source]


class Summary(Record):
    """One quantity over the timed window."""

    mean: float
    maximum: float
    samples: int
    """Readings in the window; gaps are not counted."""


def summarise(log: TelemetryLog, start_ms: int, stop_ms: int) -> dict[str, Summary]:
    """Mean and maximum of each ``source.quantity`` with readings in ``[start_ms, stop_ms]``.

    A reading with a value a core (or a device) counts as the mean over them.
    """
    readings: dict[str, list[float]] = {}
    for sample in log.samples:
        if start_ms <= sample.time_ms <= stop_ms:
            for name, value in sample.values.items():
                if value is not None and value != ():
                    readings.setdefault(f"{sample.source}.{name}", []).append(float(np.mean(value)))
    return {
        name: Summary(mean=float(np.mean(found)), maximum=max(found), samples=len(found))
        for name, found in readings.items()
    }


def read_telemetry(data: bytes, where: str) -> TelemetryLog:
    """Read ``telemetry.jsonl``; `LevelfieldError` names the first bad line."""
    samples = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            samples.append(Sample.model_validate_json(line))
        except ValidationError as error:
            raise LevelfieldError(
                f"{where}:{number}: not a telemetry sample: {error.errors()[0]['msg']}; "
                "pack the run again"
            ) from error
    return TelemetryLog(tuple(samples))
