"""Measures a workload's reference convergence points and writes its ``rcp.json``.

    python bench/rcp.py image_classification --batch 64 --set opt_base_learning_rate=0.1 --seeds 20

One point a call; a point of the same batch size is replaced. The loop is the training driver's:
train for the card's ``evaluate_every`` samples, evaluate, stop at the target or at the limit.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import torch
from pydantic import TypeAdapter

from harness.card import ReferenceConvergencePoint, settle_hyperparameters
from harness.records import Number
from harness.workload import Workload
from workloads import catalogue

_POINTS = TypeAdapter(tuple[ReferenceConvergencePoint, ...])


def samples_to_converge(
    workload: Workload, hyperparameters: dict[str, Number], seed: int
) -> int | None:
    """Samples at the evaluation that first meets the target; none at the limit."""
    facts = workload.card.training
    session = workload.training(hyperparameters, seed)
    session.load()
    while session.samples < facts.limit:
        session.train(facts.evaluate_every)
        if facts.target.met(session.evaluate()):
            return session.samples
    return None


def measure(
    workload: Workload, changes: dict[str, Number], seeds: range
) -> ReferenceConvergencePoint:
    """One training a seed, with the card's settings and ``changes`` within their bounds."""
    hyperparameters = settle_hyperparameters(workload.card.training, changes, bounded=True)
    samples = []
    for seed in seeds:
        begun = time.process_time()
        samples.append(samples_to_converge(workload, hyperparameters, seed))
        seconds = time.process_time() - begun
        print(f"seed {seed}: {samples[-1]} samples, {seconds:.1f} CPU s", flush=True)
    return ReferenceConvergencePoint(
        global_batch_size=int(hyperparameters["global_batch_size"]),
        samples_to_converge=tuple(samples),
        seeds=tuple(seeds),
        hyperparameters=hyperparameters,
        measured_on=f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s), "
        f"torch {torch.__version__}, Python {platform.python_version()}",
    )


def store(path: Path, point: ReferenceConvergencePoint) -> None:
    """Put ``point`` into the file, by batch size, in place of an older one."""
    known = _POINTS.validate_json(path.read_bytes(), strict=False) if path.exists() else ()
    points = [p for p in known if p.global_batch_size != point.global_batch_size]
    points.append(point)
    points.sort(key=lambda p: p.global_batch_size)
    path.write_text(json.dumps([p.model_dump() for p in points], indent=1) + "\n", "utf-8")


def main() -> None:
    """Read the command line, measure, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workload")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    changes = {key: json.loads(value) for key, _, value in (s.partition("=") for s in options.set)}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    point = measure(catalogue.load_workload(options.workload), changes, seeds)
    folder = Path(catalogue.__file__).parent / options.workload
    store(folder / "rcp.json", point)


if __name__ == "__main__":
    main()
