"""Official results that break the strict rules, and what the official checker accepts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from official_logs import (
    BATCH,
    Edit,
    Line,
    a_result,
    as_log,
    both,
    changed,
    earlier,
    moved,
    valid_lines,
    without,
)

from harness.events import parse_events
from rules.mlperf.log import OfficialResult, OfficialRun

Results = Callable[[], list[OfficialResult]]


def edited(benchmark: str, *args: Any, **kwargs: Any) -> Results:
    return lambda: [a_result(benchmark, *args, **kwargs)]


def called(benchmark: str, **changes: Any) -> OfficialResult:
    """A directory of retinanet under another name."""
    return replace(a_result("retinanet", **changes), benchmark=benchmark)


def only_the_last_evaluation(lines: list[Line]) -> list[Line]:
    keys = ("epoch_start", "epoch_stop", "eval_start", "eval_accuracy", "eval_stop")
    keep = [[line for line in lines if line["key"] == key][-1] for key in keys]
    return [line for line in lines if line["key"] not in keys or line in keep]


def all_but_the_first_evaluation(lines: list[Line]) -> list[Line]:
    inside = ("block_start", "block_stop", "eval_start", "eval_accuracy", "eval_stop")
    skipped = next(n for n, line in enumerate(lines) if line["key"] == "eval_stop")
    return [line for n, line in enumerate(lines) if n > skipped or line["key"] not in inside]


def counted_a_batch_early(lines: list[Line]) -> list[Line]:
    for line in lines:
        if line["key"] == "eval_accuracy":
            line["metadata"]["samples_count"] -= BATCH["llama31_8b"]
    return lines


def aborted(lines: list[Line]) -> list[Line]:
    edit = changed("run_stop", metadata={"status": "aborted"})
    return edit(changed("eval_accuracy", -1, value=0.3)(lines))


def as_division(value: object) -> Results:
    return edited("retinanet", changed("submission_division", value=value))


RETINANET = edited("retinanet")

BREAKS: dict[str, list[Results]] = {
    "MLPERF-1": [
        edited("retinanet", changed("run_start", event_type="POINT_IN_TIME")),
        lambda: [with_broken_line(a_result("retinanet"))],
    ],
    "MLPERF-2": [
        edited("retinanet", moved("run_start", "run_stop", copied=True)),
        edited("retinanet", moved("run_stop", "eval_start", copied=True)),
        edited("retinanet", without("init_stop")),
    ],
    "MLPERF-3": [
        edited("retinanet", earlier(36_000_000, "run_stop")),
        edited("retinanet", moved("init_stop", "epoch_start")),
    ],
    "MLPERF-4": [
        edited("retinanet", earlier(70_000, "eval_start")),
        edited("retinanet", earlier(2000, "cache_clear", "train_samples")),
    ],
    "MLPERF-5": [edited("retinanet", earlier(36_000_000, "init_start", "init_stop"))],
    "MLPERF-6": [edited("retinanet", earlier(1_800_000, "cache_clear", "init_start"))],
    "MLPERF-7": [
        edited("retinanet", without("epoch_stop")),
        edited("retinanet", without("eval_start")),
        edited("retinanet", moved("eval_accuracy", "run_stop")),
    ],
    "MLPERF-8": [
        edited("retinanet", moved("run_stop", "eval_accuracy")),
        edited("retinanet", moved("run_start", "eval_stop")),
    ],
    "MLPERF-9": [
        edited("retinanet", changed("run_stop", metadata={"status": "aborted"})),
        edited("retinanet", changed("run_stop", metadata={"status": "failed"})),
        edited("retinanet", changed("eval_accuracy", -1, value=0.3)),
        edited("retinanet", changed("eval_accuracy", -1, value=True)),
        edited("llama31_8b", changed("eval_accuracy", -1, value="3.2")),
    ],
    "MLPERF-10": [edited("retinanet", changed("eval_accuracy", 0, value=0.34))],
    "MLPERF-11": [
        edited("retinanet", only_the_last_evaluation),
        edited("llama31_8b", all_but_the_first_evaluation),
        edited("llama31_8b", counted_a_batch_early),
        edited("llama2_70b_lora", changed("global_batch_size", value=16)),
        edited("retinanet", changed("eval_accuracy", 1, metadata={"epoch_num": [2]})),
    ],
    "MLPERF-12": [
        edited("llama31_8b", changed("global_batch_size", value=80)),
        edited("llama31_8b", changed("global_batch_size", value=32.5)),
        edited("llama31_8b", changed("eval_start", metadata={"step": 385})),
    ],
    "MLPERF-13": [
        edited("retinanet", changed("train_samples", value=1)),
        edited("retinanet", changed("eval_samples", value=97)),
        edited("llama31_8b", changed("eval_samples", value=512)),
        edited("llama31_8b", changed("train_samples", value=196608)),
    ],
    "MLPERF-14": [
        as_division("__import__('os').system('id')"),
        as_division("open"),
        edited("retinanet", changed("submission_benchmark", value="rgat")),
        edited("retinanet", changed("submission_org", value="Other")),
    ],
    "MLPERF-15": [
        edited("retinanet", moved("global_batch_size", "train_samples", copied=True, value=512)),
        edited("retinanet", moved("opt_weight_decay", "run_stop", copied=True, value=False)),
    ],
    "MLPERF-16": [
        edited("llama2_70b_lora", changed("opt_gradient_clip_norm", value=1.0)),
        edited("llama2_70b_lora", changed("opt_adamw_weight_decay", value=0.0)),
        edited("llama31_405b", changed("opt_learning_rate_warmup_steps", value=7999.5)),
    ],
    "MLPERF-17": [
        edited("retinanet", changed("opt_base_learning_rate", value=99)),
        edited("retinanet", changed("opt_base_learning_rate", value="1e-4")),
    ],
    "MLPERF-18": [
        edited("retinanet", aborted),
        edited("retinanet", without("run_stop")),
    ],
    "MLPERF-19": [
        edited("retinanet", changed("global_batch_size", value=512), only=2),
        edited("retinanet", changed("opt_base_learning_rate", value=1.1e-4), only=0),
    ],
    "MLPERF-20": [
        edited("retinanet", changed("seed", value=5)),
        edited("retinanet", changed("seed", value="5"), only=1),
        lambda: [
            *(a_result("retinanet", changed("seed", value=5), only=0),),
            *(a_result("llama31_8b", changed("seed", value=5), only=9),),
        ],
    ],
    "MLPERF-21": [lambda: [a_result("retinanet"), a_result("retinanet", system="two")]],
    "MLPERF-22": [
        edited("retinanet", description={"division": "closed", "cooling": " "}),
        lambda: [with_description("division", "Closed")],
        lambda: [with_description("accelerators_per_node", None)],
    ],
    "MLPERF-24": [
        edited("retinanet", published_scaling=1.01),
        edited("llama31_8b", published_scaling=0.9),
    ],
    "MLPERF-25": [lambda: [called("resnet")]],
    "MLPERF-26": [
        edited("retinanet", without("train_samples")),
        edited("llama31_8b", changed("opt_adamw_beta_1", value=0.8)),
        lambda: [a_result("retinanet", runs=a_result("retinanet").runs[1:])],
    ],
}


def with_broken_line(result: OfficialResult) -> OfficialResult:
    run = result.runs[0]
    data = as_log(valid_lines("retinanet")) + b'\n:::MLLOG {"key": "run_stop"'
    return a_result("retinanet", runs=(OfficialRun(run.name, run.file, parse_events(data), 1),))


def with_description(name: str, value: object) -> OfficialResult:
    result = a_result("retinanet")
    return a_result("retinanet", description={**result.description, name: value})


ATTACKS: dict[str, tuple[str, Edit, set[str]]] = {
    "a second run_start 1 s before run_stop": (
        "retinanet",
        moved("run_start", "run_stop", copied=True),
        {"MLPERF-2"},
    ),
    "an early run_stop": (
        "retinanet",
        moved("run_stop", "eval_start", copied=True),
        {"MLPERF-2", "MLPERF-9"},
    ),
    "run_stop before run_start": (
        "retinanet",
        earlier(36_000_000, "run_stop"),
        {"MLPERF-3", "MLPERF-4", "MLPERF-8"},
    ),
    "aborted with the target met": (
        "retinanet",
        changed("run_stop", metadata={"status": "aborted"}),
        {"MLPERF-9", "MLPERF-18"},
    ),
    "the target met only after run_stop": (
        "retinanet",
        moved("run_stop", "eval_accuracy"),
        {"MLPERF-8", "MLPERF-9"},
    ),
    "only the last evaluation": ("retinanet", only_the_last_evaluation, {"MLPERF-11"}),
    "ten hours between init_stop and run_start": (
        "retinanet",
        earlier(36_000_000, "cache_clear", "init_start", "init_stop"),
        {"MLPERF-5", "MLPERF-6"},
    ),
    "a forged batch size, epochs": (
        "retinanet",
        both(
            changed("global_batch_size", value=1024),
            changed("train_samples", value=4572),
        ),
        {"MLPERF-13"},
    ),
    "a forged batch size, samples": (
        "llama31_8b",
        changed("global_batch_size", value=80),
        {"MLPERF-11", "MLPERF-12"},
    ),
    "a learning rate of 99": (
        "retinanet",
        changed("opt_base_learning_rate", value=99),
        {"MLPERF-17"},
    ),
    "a data set of one": (
        "retinanet",
        both(changed("train_samples", value=1), changed("eval_samples", value=1)),
        {"MLPERF-13"},
    ),
    "any event type": (
        "retinanet",
        changed("run_stop", event_type="ANYTHING"),
        {"MLPERF-1"},
    ),
    "an evaluation left out": ("llama31_8b", all_but_the_first_evaluation, {"MLPERF-11"}),
    "code in a division name": (
        "retinanet",
        changed("submission_division", value="__import__('os').abort()"),
        {"MLPERF-14"},
    ),
}
"""What the official checker accepts, all but the last: benchmark, edit, strict rules."""
