"""Describes the numerical framework: which torch, how built, with how many threads."""

import torch

from harness.system import Framework


def describe_torch() -> Framework:
    """Version, build flags in one line, and threads within an operation of this torch."""
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
