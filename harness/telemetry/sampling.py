"""The sampling process itself: samples beside the process that started it until that says so."""

import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.clock import SystemClock
from harness.errors import LevelfieldError
from harness.telemetry.sampler import Sampler
from harness.telemetry.sources import all_sources

READY = "ready"


def main(words: Sequence[str]) -> int:
    """Sample into the file ``words[0]``; the exit status.

    ``words[1]`` is the anchor of the run's clock (`Clock.wall_at_zero_ns`), ``words[2]`` the id of
    the process that is measured, ``words[3]``, if there, the power meter. The first line of the
    output is `READY`, as soon as there is a sample; any other line is why it ended early.
    """
    path, owner = Path(words[0]), int(words[2])
    wall_ms = SystemClock(int(words[1])).wall_ms
    meter = words[3] if len(words) > 3 else None
    try:
        with Sampler(path, all_sources(meter, owner), wall_ms) as sampler:
            print(READY, flush=True)
            sampler.sample(_told_to_end(owner))
    except LevelfieldError as error:
        print(error)
        return 1
    except OSError as error:
        print(f"{error.filename or path}: {error.strerror}; mend that and run again")
        return 1
    return 0


def _told_to_end(owner: int) -> Callable[[float], bool]:
    """Whether, after so many seconds at most, the owner has written or closed, or is gone.

    Its end is looked for as well: what it forked may still hold its end of the pipe.
    """

    def ended(seconds: float) -> bool:
        told, _, _ = select.select([sys.stdin], [], [], seconds)
        return bool(told) or os.getppid() != owner

    return ended
