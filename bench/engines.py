"""The engines of image_classification in each arithmetic, side by side: speed and accuracy.

Run: python -P bench/engines.py [repetitions]. Each repetition measures every system once, in an
order that turns, so that a drift of the machine cancels. Prints medians with least and most.
Seconds are of processor time, all threads together, so that others on the machine count little.
"""

import statistics
import sys
import time
from typing import Any

import numpy as np

from harness.errors import UsageError
from harness.sut import load_sut
from workloads.catalogue import engine_spec, load_card
from workloads.image_classification import data
from workloads.image_classification.workload import workload
from workloads.library import Library

_NAME = "image_classification"
_PRECISIONS = ("fp32", "bf16", "int8")
_SECONDS = 1.0


def systems(library: Library) -> dict[str, Any]:
    """Every engine in every precision that it offers, by name."""
    found = {}
    for engine in load_card(_NAME).engines:
        for precision in _PRECISIONS:
            try:
                sut = load_sut(engine_spec(_NAME, engine), library, precision)
            except UsageError as refusal:
                print(refusal)
            else:
                found[f"{engine} {precision}"] = sut
    return found


def latencies_s(sut: Any, library: Library) -> list[float]:
    """Seconds of queries of one sample, over `_SECONDS`."""
    samples = np.random.default_rng(0).integers(0, library.total_samples, 65536)
    taken: list[float] = []
    end = time.process_time() + _SECONDS
    while (before := time.process_time()) < end:
        sut.predict(library.get(samples[len(taken) : len(taken) + 1]))
        taken.append(time.process_time() - before)
    return taken


def rate(sut: Any, library: Library) -> float:
    """Samples per second in the largest batches, over `_SECONDS`."""
    answered = 0
    begin = time.process_time()
    while (now := time.process_time()) < begin + _SECONDS:
        sut.predict(library.get(np.arange(answered, answered + sut.max_batch) % 896))
        answered += sut.max_batch
    return answered / (now - begin)


def right(sut: Any, library: Library, batch: int) -> int:
    """Samples of the data set answered rightly in batches of ``batch``."""
    total = library.total_samples
    batches = [np.arange(i, min(i + batch, total)) for i in range(0, total, batch)]
    answers = np.concatenate([sut.predict(library.get(chosen)) for chosen in batches])
    return int((answers == np.array(data.labels())).sum())


def spread(values: list[float], digits: int) -> str:
    """Median, least and most."""
    shown = (statistics.median(values), min(values), max(values))
    return "{:,.{d}f} ({:,.{d}f} to {:,.{d}f})".format(*shown, d=digits)


def main() -> None:
    """Measure and print a Markdown table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    library = workload(load_card("image_classification"), None).library()
    library.load(range(library.total_samples))
    suts = systems(library)
    single: dict[str, list[float]] = {name: [] for name in suts}
    tail: dict[str, list[float]] = {name: [] for name in suts}
    rates: dict[str, list[float]] = {name: [] for name in suts}
    for repetition in range(repetitions):
        names = list(suts)[repetition % len(suts) :] + list(suts)[: repetition % len(suts)]
        for name in names if repetition % 2 else reversed(names):
            taken = [1e3 * seconds for seconds in latencies_s(suts[name], library)]
            single[name].append(statistics.median(taken))
            tail[name].append(float(np.percentile(taken, 90)))
            rates[name].append(rate(suts[name], library))
    print("| system | samples/s | p50 of one sample, ms | p90, ms | right in 64s | right singly |")
    print("|---|---|---|---|---|---|")
    for name, sut in suts.items():
        cells = [name, spread(rates[name], 0), spread(single[name], 3), spread(tail[name], 3)]
        cells += [str(right(sut, library, 64)), str(right(sut, library, 1))]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
