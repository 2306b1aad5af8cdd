"""What telemetry costs: the same work with and without the sampling process, side by side.

Run: python bench/telemetry.py [pairs]. Prints the slow-down as a ratio with its spread, with every
source of this machine: of work in numpy that holds every core, of pure Python that holds the
interpreter lock, and of single queries, many short numpy calls one after the other, of which the
90th percentile of latency is told too. First what it takes to start and end the process, and the
processor time of a tick, which noise cannot hide.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from harness.clock import SystemClock
from harness.telemetry.process import SamplingProcess
from harness.telemetry.sampler import INTERVAL_S, Sampler
from harness.telemetry.sources import all_sources

_SECONDS = 1.0
_TICKS = 200
_STARTS = 9

Work = Callable[[int], list[float]]
"""Does so many rounds; the seconds of each."""


def _rounds(step: Callable[[], object]) -> Work:
    def work(rounds: int) -> list[float]:
        times = [time.perf_counter()]
        for _ in range(rounds):
            step()
            times.append(time.perf_counter())
        return np.diff(times).tolist()

    return work


def matrix_work() -> Work:
    """Work that holds every core that numpy uses."""
    left = np.random.default_rng(0).random((400, 400))
    return _rounds(lambda: np.tanh(left @ left / 100))


def python_work() -> Work:
    """Work that holds the interpreter lock."""
    return _rounds(lambda: sum(i & 3 for i in range(20_000)))


def query_work() -> Work:
    """Single queries: a small network of some 0.3 ms, the next when the last is answered."""
    random = np.random.default_rng(0)
    sample = random.random((1, 256))
    layers = [random.random((256, 256)) / 256 for _ in range(24)]

    def query() -> int:
        answer = sample
        for layer in layers:
            answer = np.maximum(answer @ layer, 0)
        return int(answer.argmax())

    return _rounds(query)


def sampled(work: Work, rounds: int, folder: Path) -> list[float]:
    """The same with the sampling process beside it."""
    with SamplingProcess(folder / "telemetry.jsonl", SystemClock()):
        return work(rounds)


def compare(name: str, work: Work, pairs: int, folder: Path) -> None:
    """Print the ratios over ``pairs`` pairs, of the total and of the 90th percentile."""
    rounds = max(1, round(_SECONDS / float(np.median(work(50)))))
    totals, tails = [], []
    for pair in range(pairs):
        if pair % 2:  # the order alternates, so that a drift of the machine cancels
            with_it, without = sampled(work, rounds, folder), work(rounds)
        else:
            without, with_it = work(rounds), sampled(work, rounds, folder)
        totals.append(sum(with_it) / sum(without))
        tails.append(float(np.quantile(with_it, 0.9) / np.quantile(without, 0.9)))
    print(f"{name:8} {pairs} pairs: time {_spread(totals)}; 90th percentile {_spread(tails)}")


def _spread(ratios: Sequence[float]) -> str:
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    error = 1.2533 * np.std(ratios, ddof=1) / np.sqrt(len(ratios))  # of a normal sample's median
    return f"ratio {median:.4f} +- {error:.4f} (quartiles {low:.4f} to {high:.4f})"


def start_and_end(folder: Path) -> None:
    """The time that a run takes longer for its first and its last sample."""
    starts, ends = [], []
    for _ in range(_STARTS):
        times = [time.perf_counter()]
        with SamplingProcess(folder / "telemetry.jsonl", SystemClock()):
            times.append(time.perf_counter())
        times.append(time.perf_counter())
        start, end = np.diff(times)
        starts.append(start)
        ends.append(end)
    for name, taken in (("start", starts), ("end", ends)):
        low, median, high = np.quantile(taken, [0, 0.5, 1])
        print(f"{name}: {median:.3f} s ({low:.3f} to {high:.3f})")


def own_time(folder: Path) -> None:
    """The processor time of a tick and of each source's reading."""
    sources = [source for source in all_sources() if source.available()]
    with Sampler(folder / "own.jsonl", sources, lambda: 0) as sampler:
        cost = _cost(sampler.take)
    print(f"one tick: {cost * 1e6:.0f} us of processor time = {cost / INTERVAL_S:.3%} of a core")
    for source in sources:
        print(f"  reading {source.name:8} {_cost(source.read) * 1e6:4.0f} us")


def _cost(step: Callable[[], object]) -> float:
    before = time.thread_time()
    for _ in range(_TICKS):
        step()
    return (time.thread_time() - before) / _TICKS


def main() -> None:
    """Print the cost of a tick, then the comparisons."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        start_and_end(Path(name))
        own_time(Path(name))
        compare("matrix", matrix_work(), pairs, Path(name))
        compare("python", python_work(), pairs, Path(name))
        compare("queries", query_work(), pairs, Path(name))


if __name__ == "__main__":
    main()
