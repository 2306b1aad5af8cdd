"""The numerical framework: its threads, its version and build, the precisions asked of it."""

import os
from collections.abc import Sequence

import torch

from harness.errors import UsageError
from harness.system import Framework


def settle_threads() -> None:
    """One thread within an operation, unless ``OMP_NUM_THREADS`` asks for another number.

    torch's own default, a thread a core, suits large tensors on an idle machine. On small ones it
    gains little, and where anything else runs, each operation waits for its slowest thread: with
    two threads on two busy cores image_classification trained 4 to 20 times slower than with one.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


def default_device() -> torch.device:
    """The first accelerator if torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def require_precision(engine: str, precision: str, offered: Sequence[str]) -> None:
    """`UsageError`, with what ``engine`` offers, unless ``precision`` is among it."""
    if precision not in offered:
        raise UsageError(
            f"precision {precision}: the engine {engine} does not offer it; "
            f"choose {' or '.join(offered)}, or another engine"
        )


def describe_torch() -> Framework:
    """Version, build flags in one line, and the threads within an operation that runs will use."""
    settle_threads()
    return Framework(
        name="torch",
        version=str(torch.__version__),
        build=_one_line(torch.__config__.show()),
        threads=torch.get_num_threads(),
    )


def _one_line(build: str) -> str:
    """``- item`` lines joined by semicolons, without the heading line and doubled spaces."""
    items = [" ".join(line.strip(" -,").split()) for line in build.splitlines()[1:]]
    return "; ".join(item for item in items if item)
