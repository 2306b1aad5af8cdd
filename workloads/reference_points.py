"""Makes reference convergence points: the reference trained seed by seed, kept as it goes."""

import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.card import ReferenceConvergencePoint, WorkloadCard
from harness.errors import LevelfieldError
from harness.records import Number
from harness.workload import Arithmetic, Workload

Points = tuple[ReferenceConvergencePoint, ...]
_POINTS = TypeAdapter(Points)


@dataclass(frozen=True)
class Converged:
    """One run of the reference."""

    seed: int
    samples: int | None
    """At the evaluation that first met the target; none at the card's limit."""
    seconds: float
    """Processor time."""


def read_points(path: Path) -> Points:
    """The points in ``path``, none if there is no file; `LevelfieldError` if it holds others."""
    if not path.exists():
        return ()
    try:
        return _POINTS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = " ".join(str(error).split())[:300]
        raise LevelfieldError(
            f"{path}: not reference convergence points: {reason}; move the file away"
        ) from error


def make_point(
    card: WorkloadCard,
    hyperparameters: Mapping[str, Number],
    runs: int,
    path: Path,
    *,
    jobs: int = 1,
    folder: Path | None = None,
    told: Callable[[Converged, int], None] = lambda *_: None,
) -> ReferenceConvergencePoint:
    """Train seeds 0 to ``runs - 1`` that ``path`` does not hold yet; return the whole point.

    The file is replaced after each run, so that what was measured outlives an interruption.
    ``told`` gets each run and how many there are now. `LevelfieldError` if the file holds a point
    of this batch size that was made otherwise.
    """
    point = _begun(card, hyperparameters, path)
    seeds = [seed for seed in range(runs) if seed not in point.seeds]
    for run in _each(card.name, dict(hyperparameters), seeds, jobs, folder):
        point = _with(point, run)
        _store(path, point)
        told(run, len(point.seeds))
    return point


def converge(workload: Workload, hyperparameters: Mapping[str, Number], seed: int) -> Converged:
    """Train once, as the training driver does, without its records."""
    facts = workload.card.training
    begun = time.process_time()
    session = workload.training(hyperparameters, seed, Arithmetic())
    evaluation = workload.evaluation(Arithmetic())
    session.load()
    evaluation.load()
    reached = False
    while not reached and session.samples < facts.limit:
        session.train(facts.evaluate_every)
        reached = facts.target.met(evaluation.evaluate(session.model)[facts.target.metric])
    seconds = round(time.process_time() - begun, 2)
    return Converged(seed, session.samples if reached else None, seconds)


def _begun(
    card: WorkloadCard, hyperparameters: Mapping[str, Number], path: Path
) -> ReferenceConvergencePoint:
    """The point of this batch size in ``path``, if it is of these settings, or a new one."""
    batch = int(hyperparameters["global_batch_size"])
    for point in read_points(path):
        if point.global_batch_size == batch:
            if (point.hyperparameters, point.version) != (dict(hyperparameters), card.version):
                raise LevelfieldError(
                    f"{path}: holds a point at batch size {batch} made with other settings, or "
                    f"with another version than {card.version}; move it away, or choose --out"
                )
            return point
    return ReferenceConvergencePoint(
        global_batch_size=batch,
        samples_to_converge=(),
        seeds=(),
        hyperparameters=dict(hyperparameters),
        measured_on="",
        version=card.version,
    )


def _with(point: ReferenceConvergencePoint, run: Converged) -> ReferenceConvergencePoint:
    """``point`` with one more run, in the order of the seeds."""
    rows = list(zip(point.seeds, point.samples_to_converge, point.seconds, strict=True))
    rows = sorted([*rows, (run.seed, run.samples, run.seconds)], key=lambda row: row[0])
    return point.model_copy(
        update={
            "seeds": tuple(row[0] for row in rows),
            "samples_to_converge": tuple(row[1] for row in rows),
            "seconds": tuple(row[2] for row in rows),
            "measured_on": _machine(),
            "date": datetime.now(UTC).date().isoformat(),
        }
    )


def _machine() -> str:
    from workloads.framework import describe_torch

    torch = describe_torch()
    threads = f"{torch.threads} thread" + "s" * (torch.threads != 1)
    return (
        f"{platform.machine()}, {threads}, torch {torch.version}, "
        f"Python {platform.python_version()}"
    )


def _store(path: Path, point: ReferenceConvergencePoint) -> None:
    """Put ``point`` among the others, in the order of batch sizes, replacing the file whole."""
    others = [p for p in read_points(path) if p.global_batch_size != point.global_batch_size]
    points = sorted([*others, point], key=lambda p: p.global_batch_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    rows = [json.dumps(p.model_dump()) for p in points]
    new.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
    new.replace(path)


def _each(
    name: str,
    hyperparameters: Mapping[str, Number],
    seeds: Sequence[int],
    jobs: int,
    folder: Path | None,
) -> Iterator[Converged]:
    """A run for each seed as it ends, ``jobs`` at a time, each in a process of its own if > 1."""
    if jobs == 1:
        yield from (_run(name, hyperparameters, seed, folder) for seed in seeds)
        return
    spawn = multiprocessing.get_context("spawn")  # a fork would share torch's threads
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        runs = [pool.submit(_run, name, hyperparameters, seed, folder) for seed in seeds]
        try:
            for run in as_completed(runs):
                yield run.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run(
    name: str, hyperparameters: Mapping[str, Number], seed: int, folder: Path | None
) -> Converged:
    from workloads.catalogue import load_workload

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workload = load_workload(name, folder)
    workload.prepare(lambda *_: None)
    return converge(workload, hyperparameters, seed)
