"""Finds workloads: a workload is a folder here with a ``card.toml``."""

import difflib
import hashlib
import importlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from harness.card import Scale, WorkloadCard, read_card, scales_of
from harness.errors import UsageError
from harness.workload import Workload
from workloads.reference_points import Points, read_points

_ROOT = Path(__file__).parent

_read_card, _read_points = cache(read_card), cache(read_points)
"""A site asks for them once for each of its results."""


def workload_names() -> list[str]:
    """Names of all workloads, sorted."""
    return sorted(card.parent.name for card in _ROOT.glob("*/card.toml"))


def benchmark_names() -> list[str]:
    """Names of all workloads at all their scales: ``W`` for mini, else ``W.scale``."""
    return [
        name if scale == Scale.MINI else f"{name}.{scale}"
        for name in workload_names()
        for scale in scales_of(_ROOT / name / "card.toml")
    ]


def load_card(name: str) -> WorkloadCard:
    """The card of ``name``, ``W`` or ``W.scale``, without its code; `UsageError` if unknown."""
    workload, _, scale = name.partition(".")
    path = _folder(workload) / "card.toml"
    if scale and scale not in scales_of(path):
        known = ", ".join(n for n in benchmark_names() if n.partition(".")[0] == workload)
        raise UsageError(f"{name}: no such scale; known: {known}")
    return _read_card(path, Scale(scale) if scale else Scale.MINI)


def load_points(name: str) -> Points:
    """The reference convergence points of ``name``; empty if none are measured, or none installed.

    ``rcp.json`` in the workload's folder, ``rcp.<scale>.json`` for a scale other than mini.
    """
    workload, _, scale = name.partition(".")
    if workload not in workload_names():
        return ()
    return _read_points(_ROOT / workload / (f"rcp.{scale}.json" if scale else "rcp.json"))


def load_workload(name: str, folder: Path | None = None) -> Workload:
    """The workload's code. This is what imports torch.

    ``folder`` holds the user's own weights and data at scale full, and is none elsewhere.
    """
    card = load_card(name)
    if (card.scale == Scale.FULL) != (folder is not None):
        raise UsageError(
            f"{name}: reads weights and data that you have; give their folder with --data"
            if folder is None
            else f"{name}: makes its own data; drop --data, or choose --scale full"
        )
    module = importlib.import_module(f"workloads.{card.workload}.workload")
    workload: Workload = module.workload(card, folder)
    return workload


def engine_spec(name: str, engine: str) -> str:
    """``package.module:Class`` of one of the workload's own systems; `UsageError` if unknown."""
    engines = load_card(name).engines
    if engine not in engines:
        near = difflib.get_close_matches(engine, engines, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(engines)}"
        raise UsageError(f"--engine {engine}: not an engine of {name}; {hint}")
    return engines[engine]


def load_scorer(name: str) -> Callable[[Mapping[int, Any]], float]:
    """The workload's ``quality(answers)``: quality from answers by sample index, without torch.

    It raises `LevelfieldError` where samples are missing or unknown, or an answer has no sense.
    """
    card = load_card(name)
    quality: Callable[[WorkloadCard, Mapping[int, Any]], float]
    quality = importlib.import_module(f"workloads.{card.workload}.data").quality
    return partial(quality, card)


def workload_digest(name: str) -> str:
    """SHA-256 over names and bytes of the files in the workload's folder that make a run.

    Its page and its reference points are left out: a round may add points while it is reviewed.
    What workloads share is the harness's, whose commit each run records.
    """
    folder = _folder(name.partition(".")[0])
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        described = path.suffix == ".md" or path.name.startswith("rcp.")
        if path.is_file() and not described and "__pycache__" not in path.parts:
            relative = path.relative_to(folder).as_posix()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{relative}\0{digest}\n".encode())
    return total.hexdigest()


def _folder(name: str) -> Path:
    if name not in workload_names():
        near = difflib.get_close_matches(name, workload_names(), 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(workload_names())}"
        raise UsageError(f"{name}: no such workload; {hint}")
    return _ROOT / name
