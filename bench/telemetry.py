"""What telemetry costs: the same work with and without the sampling thread, side by side.

Run: python bench/telemetry.py [pairs]. Prints the slow-down as a ratio with its spread, for work
in numpy that holds every core and for pure Python that holds the interpreter lock.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.telemetry.host import Host
from harness.telemetry.sampler import INTERVAL_S, Sampler

_SECONDS = 1.0


def matrix_work(rounds: int) -> None:
    """Work that holds every core that numpy uses."""
    left = np.random.default_rng(0).random((400, 400))
    for _ in range(rounds):
        left = np.tanh(left @ left / 100)


def python_work(rounds: int) -> None:
    """Work that holds the interpreter lock."""
    total = 0
    for i in range(rounds * 20_000):
        total += i & 3


def seconds(work: Callable[[int], None], rounds: int) -> float:
    """Wall seconds of one piece of work."""
    before = time.perf_counter()
    work(rounds)
    return time.perf_counter() - before


def sampled_seconds(work: Callable[[int], None], rounds: int, folder: Path) -> float:
    """The same with the sampling thread beside it."""
    sampler = Sampler(folder / "telemetry.jsonl", [Host()], lambda: time.time_ns() // 1_000_000)
    sampler.start()
    try:
        return seconds(work, rounds)
    finally:
        sampler.stop()


def compare(name: str, work: Callable[[int], None], pairs: int, folder: Path) -> None:
    """Print the ratio over ``pairs`` pairs."""
    rounds = max(1, round(_SECONDS / (seconds(work, 20) / 20)))
    ratios = []
    for pair in range(pairs):
        if pair % 2:  # the order alternates, so that a drift of the machine cancels
            with_it, without = sampled_seconds(work, rounds, folder), seconds(work, rounds)
        else:
            without, with_it = seconds(work, rounds), sampled_seconds(work, rounds, folder)
        ratios.append(with_it / without)
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"{name:8} {pairs} pairs: ratio median {median:.4f}, quartiles {low:.4f} to {high:.4f}")


def own_time(folder: Path) -> None:
    """The processor time of one reading, as a share of the interval: not hidden by noise."""
    sampler = Sampler(folder / "own.jsonl", [Host()], lambda: 0, interval_s=3600)
    sampler.start()
    before = time.thread_time()
    for _ in range(200):
        sampler.take()
    cost = (time.thread_time() - before) / 200
    sampler.stop()
    print(f"one reading: {cost * 1e6:.0f} us of processor time = {cost / INTERVAL_S:.3%} of a core")


def main() -> None:
    """Print the cost of a reading, then the two comparisons."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        own_time(Path(name))
        compare("matrix", matrix_work, pairs, Path(name))
        compare("python", python_work, pairs, Path(name))


if __name__ == "__main__":
    main()
