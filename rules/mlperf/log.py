"""Official results as types: a file is a run, a benchmark directory is a result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.events import Event, EventLog


@dataclass(frozen=True)
class OfficialRun:
    """One ``result_<i>.txt``."""

    name: str
    """``result_<i>.txt``."""
    file: str
    """Path of the log in the bundle, for findings."""
    log: EventLog
    size: int
    """Bytes."""

    @property
    def marked(self) -> int:
        """Lines that are marked as events, readable or not."""
        return len(self.log.events) + len(self.log.broken)

    @property
    def global_batch_size(self) -> Any:
        """The value of the last ``global_batch_size``, whatever it is; none if none is logged."""
        event = self.log.last("global_batch_size")
        return event.value if event else None

    @property
    def timed(self) -> tuple[Event, Event] | None:
        """The lines between which the official tools time the run, none if one is missing.

        These are the last ``run_start`` and the last ``run_stop`` up to the line at which both
        have been seen.
        """
        starts, stops = self.log.all("run_start"), self.log.all("run_stop")
        if not starts or not stops:
            return None
        end = max(starts[0].line, stops[0].line)
        return (
            [start for start in starts if start.line <= end][-1],
            [stop for stop in stops if stop.line <= end][-1],
        )


@dataclass(frozen=True)
class OfficialResult:
    """One benchmark directory: what a submitter measured on one system."""

    submitter: str
    system: str
    benchmark: str
    path: str
    """The result's folder in the bundle, for findings."""
    runs: tuple[OfficialRun, ...]
    """In order of the files' numbers."""
    published_scaling: float | None
    """The factor that was published with the logs; none where no file gives one."""
    description: Mapping[str, Any] = field(default_factory=dict)
    """The system's official description, as ``systems/<system>.json`` has it."""
    description_file: str = ""
    """Path of the description, for findings; so is the next."""
    scaling_file: str = ""
    """Path of the published scaling."""
