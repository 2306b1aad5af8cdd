"""Official results with nothing against them, written as the published logs are, and edits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.events import parse_events
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.strict_terms import read_strict_terms
from rules.mlperf.terms import read_official_round

ROUND = read_official_round("mlperf-training-5.1")
STRICT = read_strict_terms(ROUND.name)
START_MS = 1_760_000_000_000

Line = dict[str, Any]
Edit = Callable[[list[Line]], list[Line]]

_LLM = {
    "max_sequence_length": 8192,
    "opt_name": "adamw",
    "opt_adamw_beta_1": 0.9,
    "opt_adamw_beta_2": 0.95,
    "opt_adamw_epsilon": 1e-5,
    "opt_adamw_weight_decay": 0.1,
    "opt_gradient_clip_norm": 1.0,
    "opt_learning_rate_decay_schedule": "cosine with linear warmup",
    "opt_end_learning_rate": 8e-5,
}
BATCH = {"retinanet": 256, "llama31_8b": 32, "llama31_405b": 1152, "llama2_70b_lora": 8}
SETTINGS: dict[str, dict[str, Any]] = {
    "retinanet": {
        "opt_name": "adam",
        "opt_base_learning_rate": 1e-4,
        "opt_weight_decay": 0,
        "opt_learning_rate_warmup_epochs": 1,
        "opt_learning_rate_warmup_factor": 0.001,
    },
    "llama31_8b": _LLM
    | {
        "opt_base_learning_rate": 8e-4,
        "opt_learning_rate_warmup_steps": 128,
        "opt_learning_rate_decay_steps": 1_199_872,
        "max_steps": 1_200_000,
    },
    "llama31_405b": _LLM
    | {
        "opt_base_learning_rate": 8e-5,
        "opt_learning_rate_warmup_steps": 8000.0,
        "opt_learning_rate_decay_steps": 1_192_000,
        "init_checkpoint_step": 0,
    },
    "llama2_70b_lora": {
        "opt_base_learning_rate": 4e-4,
        "opt_learning_rate_training_steps": 1024,
        "opt_gradient_clip_norm": 0.3,
        "opt_adamw_weight_decay": 1e-4,
        "lora_rank": 16,
        "lora_alpha": 32,
    },
}
QUALITY = {"retinanet": (0.2, 0.35), "llama31_8b": (4.0, 3.2), "llama31_405b": (6.0, 5.5)}
"""Before the last evaluation, and at it."""
POINTS = {
    "retinanet": {256: [2.0] * 20},
    "llama31_8b": {32: [12288.0] * 20},
    "llama31_405b": {1152: [276480.0] * 6},
    "llama2_70b_lora": {8: [1536.0] * 20},
}
"""The reference is at least as fast as the valid runs, so that nothing is scaled."""


def positions(benchmark: str, evaluations: int) -> list[int]:
    """Where the schedule places the first evaluations."""
    schedule, size = ROUND.benchmarks[benchmark].schedule, BATCH[benchmark]
    interval = schedule.interval(size) or 1
    return [(schedule.skipped(size) + at + 1) * interval for at in range(evaluations)]


def valid_lines(benchmark: str, number: int = 0, evaluations: int = 3) -> list[Line]:
    """A log with nothing against it; each number has a seed and times of its own."""
    facts, unit = STRICT.benchmarks[benchmark], ROUND.benchmarks[benchmark].unit
    before, last = QUALITY.get(benchmark, (0.95, 0.92))
    line = _Writer(START_MS + number * 10_000_000)
    line("cache_clear", True)
    line("init_start")
    who = {"benchmark": benchmark, "org": "Acme", "division": "closed", "platform": "one"}
    stated = {f"submission_{name}": value for name, value in who.items()} | {"seed": 100 + number}
    stated |= {"global_batch_size": BATCH[benchmark], "gradient_accumulation_steps": 1}
    sizes = {"train_samples": facts.train_samples, "eval_samples": facts.eval_samples}
    for key, value in (stated | SETTINGS[benchmark] | sizes).items():
        line(key, value)
    line("init_stop")
    line("run_start", pause_ms=5)
    begun, name = 0, "epoch" if unit == "epoch_num" else "block"
    for at, place in enumerate(positions(benchmark, evaluations)):
        line(f"{name}_start", **{unit: begun})
        line(f"{name}_stop", pause_ms=60_000, **{unit: place})
        line("eval_start", **{unit: place})
        line("eval_accuracy", last if at == evaluations - 1 else before, 900, **{unit: place})
        line("eval_stop", **{unit: place})
        begun = place
    line("run_stop", status="success", **{unit: begun})
    return line.lines


class _Writer:
    def __init__(self, time_ms: int) -> None:
        self.lines: list[Line] = []
        self._time_ms = time_ms

    def __call__(self, key: str, value: Any = None, pause_ms: int = 20, **metadata: Any) -> None:
        self._time_ms += pause_ms
        kind = {"start": "INTERVAL_START", "stop": "INTERVAL_END"}.get(key.rpartition("_")[2])
        self.lines.append(
            {
                "namespace": "",
                "time_ms": self._time_ms,
                "event_type": kind or "POINT_IN_TIME",
                "key": key,
                "value": value,
                "metadata": {"file": "/workspace/train.py", "lineno": 7, **metadata},
            }
        )


def as_log(lines: Sequence[Line]) -> bytes:
    """The lines as a file, each behind some other output."""
    return "\n".join(f"0: :::MLLOG {json.dumps(line)}" for line in lines).encode()


def a_run(lines: Sequence[Line], folder: str, number: int) -> OfficialRun:
    """The lines as the log ``result_<number>.txt``."""
    data, name = as_log(lines), f"result_{number}.txt"
    return OfficialRun(name, f"{folder}/{name}", parse_events(data), len(data))


def a_result(
    benchmark: str, edit: Edit | None = None, *, only: int | None = None, **changes: Any
) -> OfficialResult:
    """A directory of the round's number of runs, all of them or run ``only`` edited."""
    system = changes.get("system", "one")
    folder, runs = f"Acme/results/{system}/{benchmark}", ROUND.benchmarks[benchmark].runs
    offset = 1000 * list(BATCH).index(benchmark)
    logs = [valid_lines(benchmark, offset + at, 3 + at % 2) for at in range(runs)]
    if edit:
        logs = [edit(log) if only in (None, at) else log for at, log in enumerate(logs)]
    fields = [*ROUND.system_fields, *(names[0] for names in STRICT.required_fields)]
    about = {"division": "closed", "status": "Available cloud", "submitter": "Acme"}
    description = dict.fromkeys(fields, "stated") | about
    found = OfficialResult(
        submitter="Acme",
        system="one",
        benchmark=benchmark,
        path=folder,
        runs=tuple(a_run(log, folder, at) for at, log in enumerate(logs)),
        published_scaling=None,
        description=description,
        description_file="Acme/systems/one.json",
        scaling_file=f"{folder}/scaling.json",
    )
    return replace(found, **changes)


def changed(key: str, at: int = 0, **fields: Any) -> Edit:
    """The ``at``-th line of ``key`` with other fields; ``metadata`` is laid over its own."""

    def edit(lines: list[Line]) -> list[Line]:
        index = [n for n, line in enumerate(lines) if line["key"] == key][at]
        old = lines[index]
        new = old | fields | {"metadata": old["metadata"] | fields.get("metadata", {})}
        return [*lines[:index], new, *lines[index + 1 :]]

    return edit


def moved(key: str, before: str, *, copied: bool = False, **fields: Any) -> Edit:
    """The last line of ``key``, or a copy of it, in front of the last line of ``before``.

    It takes that line's time.
    """

    def edit(lines: list[Line]) -> list[Line]:
        line = [one for one in lines if one["key"] == key][-1]
        rest = lines if copied else [one for one in lines if one is not line]
        place = max(n for n, one in enumerate(rest) if one["key"] == before)
        new = line | {"time_ms": rest[place]["time_ms"]} | fields
        return [*rest[:place], new, *rest[place:]]

    return edit


def without(*keys: str) -> Edit:
    """No line with any of ``keys``."""
    return lambda lines: [line for line in lines if line["key"] not in keys]


def earlier(ms: int, *keys: str) -> Edit:
    """The lines of ``keys``, ``ms`` earlier."""
    return lambda lines: [
        line | {"time_ms": line["time_ms"] - ms * (line["key"] in keys)} for line in lines
    ]


def both(*edits: Edit) -> Edit:
    """One edit after another."""

    def edit(lines: list[Line]) -> list[Line]:
        for one in edits:
            lines = one(lines)
        return lines

    return edit
