"""Finds workloads: a workload is a folder here with a ``card.toml``."""

import difflib
import hashlib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.card import WorkloadCard, read_card
from harness.errors import UsageError
from harness.workload import Workload

_ROOT = Path(__file__).parent


def workload_names() -> list[str]:
    """Names of all workloads, sorted."""
    return sorted(card.parent.name for card in _ROOT.glob("*/card.toml"))


def load_card(name: str) -> WorkloadCard:
    """The card of workload ``name``, without importing its code; `UsageError` if unknown."""
    return read_card(_folder(name) / "card.toml")


def load_workload(name: str) -> Workload:
    """The workload's code. This is what imports torch."""
    _folder(name)
    module = importlib.import_module(f"workloads.{name}.workload")
    workload: Workload = module.WORKLOAD
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
    _folder(name)
    scorer: Callable[[Mapping[int, Any]], float]
    scorer = importlib.import_module(f"workloads.{name}.data").quality
    return scorer


def workload_digest(name: str) -> str:
    """SHA-256 over the names and bytes of every file of the workload's folder."""
    folder = _folder(name)
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
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
