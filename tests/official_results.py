"""MLPerf's published results, where the archive is at hand, and small official logs made here."""

import json
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from harness.events import parse_events
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.terms import read_official_round
from submissions.mlperf_training import Imported, import_training

OFFICIAL = Path(__file__).parents[2] / "shared/mlperf"
ARCHIVE = OFFICIAL / "training_v5.1.tar.xz"
POINTS = OFFICIAL / "rcps_5.1.0"
ROUND = read_official_round("mlperf-training-5.1")

needs_archive = pytest.mark.skipif(
    not ARCHIVE.exists(), reason="MLPerf's published results are not here"
)


def oracle() -> dict[tuple[str, str, str], dict[str, Any]]:
    """What the official tools said, by submitter, system and benchmark."""
    records = json.loads((OFFICIAL / "training_v5.1_oracle.json").read_text("utf-8"))
    return {(one["submitter"], one["system"], one["benchmark"]): one for one in records}


def unpack(into: Path, *submitters: str) -> None:
    """Unpack what ``submitters``, among the first of the archive, published."""
    with tarfile.open(ARCHIVE, "r|xz") as archive:
        for member in archive:
            submitter = member.name.split("/")[0]
            if submitter > max(submitters):
                break
            if submitter in submitters:
                archive.extract(member, into, filter="data")


def published() -> Iterator[OfficialResult]:
    """Every published directory, one at a time."""
    with tarfile.open(ARCHIVE, "r|xz") as archive:
        files = ((one.name.split("/"), archive.extractfile(one)) for one in archive if one.isfile())
        read = ((path, stream.read()) for path, stream in files if stream)
        systems: dict[str, Any] = {}
        for folder, members in groupby(read, lambda one: one[0][:-1]):
            found = {path[-1]: data for path, data in members}
            if folder[1] == "systems":
                systems |= {f"{folder[0]}/{name}": json.loads(found[name]) for name in found}
                continue
            scaling = found.pop("scaling.json", None)
            runs = [run(name, data) for name, data in found.items() if name.endswith(".txt")]
            yield OfficialResult(
                folder[0],
                folder[2],
                folder[3],
                "/".join(folder),
                tuple(sorted(runs, key=lambda one: one.name)),
                json.loads(scaling)["scaling_factor"] if scaling else None,
                systems[f"{folder[0]}/{folder[2]}.json"],
            )


def run(name: str, data: bytes) -> OfficialRun:
    return OfficialRun(name, name, parse_events(data), len(data))


Line = tuple[str, Any, dict[str, Any]]
"""Key, value, metadata."""

HYPERPARAMETERS: dict[str, Any] = {
    "global_batch_size": 8,
    "opt_base_learning_rate": 4e-4,
    "opt_learning_rate_training_steps": 1024,
    "opt_gradient_clip_norm": 0.3,
    "opt_adamw_weight_decay": 1e-4,
    "gradient_accumulation_steps": 1,
    "lora_alpha": 32,
    "lora_rank": 16,
    "train_samples": 3901,
    "eval_samples": 173,
}


def lora_lines(seed: int = 1, loss: float = 0.92) -> list[Line]:
    """A sound log of llama2_70b_lora with one evaluation."""
    submission = {"org": "a", "platform": "b", "division": "closed", "benchmark": "llama2_70b_lora"}
    at = {"samples_count": 3072}
    return [
        ("cache_clear", True, {}),
        ("init_start", None, {}),
        *((f"submission_{name}", value, {}) for name, value in submission.items()),
        *((name, value, {}) for name, value in HYPERPARAMETERS.items()),
        ("seed", seed, {}),
        ("init_stop", None, {}),
        ("run_start", None, {}),
        ("block_start", None, {"samples_count": 0}),
        ("block_stop", None, at),
        ("eval_start", None, at),
        ("eval_accuracy", loss, at),
        ("eval_stop", None, at),
        ("run_stop", None, {"status": "success"}),
    ]


def text(lines: list[Line], step_ms: int = 1000) -> bytes:
    """``lines`` as a log, ``step_ms`` apart."""
    return b"".join(
        b":::MLLOG "
        + json.dumps(
            {
                "namespace": "",
                "time_ms": 1_760_000_000_000 + number * step_ms,
                "event_type": "POINT_IN_TIME",
                "key": key,
                "value": value,
                "metadata": {"file": "train.py", "lineno": 7, **metadata},
            }
        ).encode()
        + b"\n"
        for number, (key, value, metadata) in enumerate(lines)
    )


DESCRIPTION = {
    **dict.fromkeys(ROUND.system_fields, ""),
    "division": "closed",
    "status": "Available cloud",
    "system_name": "Great System",
    "number_of_nodes": 2,
    "accelerators_per_node": "4",
    "accelerator_model_name": "X",
    "accelerator_memory_capacity": "80 GB",
    "host_processors_per_node": "2",
    "host_processor_core_count": "64",
    "host_memory_capacity": "1.5 TiB",
}
RUNS = "Acme/results/Sys_1/llama2_70b_lora"


def checkout(folder: Path) -> Path:
    """A checkout of official results with one system, and reference points beside it."""
    for seed in range(10):
        write(folder / f"results/{RUNS}/result_{seed}.txt", text(lora_lines(seed)))
    write(folder / "results/Acme/systems/Sys_1.json", json.dumps(DESCRIPTION).encode())
    write(folder / "results/README.md", b"")
    point = {
        "Benchmark": "llama2_70b_lora",
        "Creator": "Acme",
        "BS": 8,
        "Hyperparams": {"lora_r": 16},
        "samples to converge": [3072] * 20,
    }
    write(folder / "rcps/rcps_llama2_70b_lora.json", json.dumps({"ref_8": point}).encode())
    return folder


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def imported(folder: Path) -> list[Imported]:
    return import_training(
        folder / "results", folder / "rcps", "mlperf-training-5.1", folder / "out", lambda *_: None
    )
