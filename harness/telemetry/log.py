"""The telemetry log: ``telemetry.jsonl``, a line a sample of a source, and its summary."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError
from harness.records import Record

_LARGEST = 2**64  # bit masks of 64 bits fit; sums of readings stay finite
_Integer = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
_Float = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]

Reading = _Integer | _Float | tuple[_Integer | _Float | None, ...] | None
"""One measured quantity in SI base units; a tuple has an entry a core or a device.

None is a gap: the source had no value. A gap is never told as 0.
"""


class Sample(Record):
    """What one source read at one moment."""

    time_ms: Annotated[int, Field(ge=0, lt=2**53)]
    """Wall time in milliseconds, from the clock that stamps the event log."""
    source: str
    values: dict[str, Reading]
    gaps: dict[str, str] = Field(default_factory=dict)
    """Why a quantity, or an entry of it, has no value: ``permission denied``, ``device lost``."""

    def line(self) -> str:
        """The sample as a line of ``telemetry.jsonl``."""
        return self.model_dump_json(exclude_defaults=True) + "\n"


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

    A reading with a value a core (or a device) counts as the mean over those that have one.
    """
    readings: dict[str, list[float]] = {}
    for sample in log.samples:
        if start_ms <= sample.time_ms <= stop_ms:
            for name, value in sample.values.items():
                entries = value if isinstance(value, tuple) else (value,)
                found = [entry for entry in entries if entry is not None]
                if found:
                    mean = sum(found) / len(found)
                    readings.setdefault(f"{sample.source}.{name}", []).append(mean)
    return {
        name: Summary(mean=sum(means) / len(means), maximum=max(means), samples=len(means))
        for name, means in readings.items()
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
