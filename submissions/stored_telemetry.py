"""Telemetry that is read when it is asked for: a long run's samples are larger than all else."""

import zlib
from functools import lru_cache

from harness.telemetry.log import Sample, TelemetryLog, read_telemetry


class StoredTelemetry(TelemetryLog):
    """A log that has been read once and found good, and is kept packed.

    The samples of the log that was asked for last are in memory, those of others are not.
    """

    def __init__(self, data: bytes, where: str) -> None:
        object.__setattr__(self, "_packed", zlib.compress(data, 1))
        object.__setattr__(self, "_where", where)

    @property
    def packed_bytes(self) -> int:
        """What it takes in memory while nobody asks."""
        return len(self._packed)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every sample in the order taken."""
        return _unpacked(self._packed, self._where)

    _packed: bytes
    _where: str


@lru_cache(maxsize=1)
def _unpacked(packed: bytes, where: str) -> tuple[Sample, ...]:
    return read_telemetry(zlib.decompress(packed), where).samples
