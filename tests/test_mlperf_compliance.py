from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from official_results import ROUND, Line, lora_lines, run, text

from rules.mlperf.compliance import Verdict, check_log

Change = Callable[[list[Line]], list[Line]]
Judge = Callable[..., Verdict]


@pytest.fixture
def judged(tmp_path: Path) -> Judge:
    """Our verdict, once the official checker has given the same."""

    def judge(lines: list[Line], step_ms: int = 1000) -> Verdict:
        data = text(lines, step_ms)
        verdict = check_log(run("result_0.txt", data), ROUND)
        (tmp_path / "result_0.txt").write_bytes(data)
        compare(verdict, tmp_path / "result_0.txt")
        return verdict

    return judge


def compare(verdict: Verdict, path: Path) -> None:
    from mlperf_logging.compliance_checker import mlp_compliance

    mlp_compliance.enqueued_configs.clear()
    checker = mlp_compliance.ComplianceChecker("training", "5.1.0", False, False)
    try:
        compliant = checker.check_file(str(path), "training_5.1.0/common.yaml")
    except (FileNotFoundError, TypeError):
        assert not verdict.compliant, "the official checker itself fails on it"
        return
    assert verdict.compliant == compliant
    lasting = [one for one in verdict.errors if one.kind in ("value", "log") or len(one.keys) == 2]
    # A set, since the official checker may tell of two alternatives in both orders.
    assert {words(one.text) for one in lasting} == set(map(words, checker.not_overwritable))
    single = {one.keys[0] for one in verdict.errors if one not in lasting}
    assert single == set(checker.overwritable)
    assert {one.keys[0]: one.text for one in verdict.warnings} == checker.warnings


def words(text: str) -> frozenset[str]:
    """What an official text is about: its words, less the code in it, in any order."""
    return frozenset(text.partition(" : ")[0].split())


def without(key: str) -> Change:
    return lambda lines: [line for line in lines if line[0] != key]


def twice(key: str, value: Any) -> Change:
    return lambda lines: [*lines, (key, value, {})]


def put(key: str, value: Any = None, **metadata: Any) -> Change:
    def change(lines: list[Line]) -> list[Line]:
        return [(k, value, metadata) if k == key else (k, v, m) for k, v, m in lines]

    return change


def first(key: str) -> Change:
    return lambda lines: [
        *(line for line in lines if line[0] == key),
        *(line for line in lines if line[0] != key),
    ]


def test_a_sound_log_is_compliant(judged: Judge) -> None:
    verdict = judged(lora_lines())
    assert verdict.compliant
    assert verdict.errors == verdict.warnings == []


@pytest.mark.parametrize(
    ("change", "kind", "keys"),
    [
        (without("run_stop"), "count", ("run_stop",)),
        (without("cache_clear"), "count", ("cache_clear",)),
        (without("eval_accuracy"), "count", ("eval_accuracy",)),
        (without("block_stop"), "count", ("block_stop", "epoch_stop")),
        (twice("lora_alpha", 33), "count", ("lora_alpha",)),
        (put("lora_rank", 8), "line", ("lora_rank",)),
        (put("eval_accuracy", 0.926, samples_count=1), "value", ("eval_accuracy",)),
        (put("eval_accuracy", "0.9", samples_count=1), "value", ("eval_accuracy",)),
        (put("eval_accuracy", 0.9, epoch_num=1), "line", ("eval_accuracy",)),
        (put("run_stop"), "line", ("run_stop",)),
        (put("block_start", epoch_count=1), "line", ("block_start",)),
        (put("block_start", samples_count=-1), "line", ("block_start",)),
        (put("submission_org", ""), "line", ("submission_org",)),
        (put("submission_division", "../closed"), "line", ("submission_division",)),
        (put("submission_benchmark", "resnet"), "line", ("submission_benchmark",)),
        (put("submission_benchmark", [1]), "line", ("submission_benchmark",)),
        (put("gradient_accumulation_steps", None), None, ()),
        (first("run_start"), "line", ("init_start", "init_stop", "run_start")),
        (first("init_stop"), "line", ("init_start", "init_stop")),
    ],
)
def test_what_is_refused(
    judged: Judge, change: Change, kind: str | None, keys: tuple[str, ...]
) -> None:
    errors = judged(change(lora_lines())).errors
    assert [one.kind for one in errors] == ([kind] * len(errors) if kind else [])
    assert tuple(sorted({key for one in errors for key in one.keys})) == keys


def test_the_benchmarks_check_of_a_key_replaces_the_divisions(judged: Judge) -> None:
    """The division asks for more than nil; llama2_70b_lora for any value."""
    lines = put("gradient_accumulation_steps", 0)(lora_lines())
    assert judged(lines).compliant
    other = put("submission_benchmark", "retinanet")(lines)
    assert ("gradient_accumulation_steps",) in [one.keys for one in judged(other).errors]


@pytest.mark.parametrize("key", ["run_start", "lora_alpha", "submission_org"])
def test_the_same_line_again_is_a_warning(judged: Judge, key: str) -> None:
    lines = lora_lines()
    again = [line for line in lines if line[0] == key]
    verdict = judged([*lines[:-1], *again, lines[-1]])
    assert verdict.compliant
    assert [one.text for one in verdict.warnings] == [
        f"Required EXACTLY_ONE occurrence of '{key}' but found 2"
    ]


def test_only_the_first_line_of_a_submission_key_is_read(judged: Judge) -> None:
    verdict = judged([*lora_lines(), ("submission_org", "", {})])
    (error,) = verdict.errors
    assert (error.kind, error.keys) == ("count", ("submission_org",))


def test_initialisation_has_a_limit_once_the_division_is_known(judged: Judge) -> None:
    lines = lora_lines()
    steps = [key for key, _, _ in lines].index("init_stop") - 1
    assert judged(lines, 1_800_000 // steps - 1).compliant
    late = judged(lines, 1_800_000 // steps + 1)
    assert [one.keys for one in late.errors] == [("init_stop",)]
    unknown = judged([*without("submission_division")(lines), lines[4]])
    assert [one.keys for one in unknown.errors] == [("init_stop",)]


LARGE = {
    "global_batch_size": 2304,
    "max_sequence_length": 8192,
    "opt_name": "adamw",
    "opt_base_learning_rate": 1.6e-4,
    "opt_end_learning_rate": 0,
    "opt_learning_rate_warmup_steps": 4000,
    "opt_learning_rate_decay_steps": 596_000,
    "opt_learning_rate_decay_schedule": "cosine with linear warmup",
    "opt_adamw_beta_1": 0.9,
    "opt_adamw_beta_2": 0.95,
    "opt_adamw_epsilon": 1e-5,
    "opt_adamw_weight_decay": 0.1,
    "opt_gradient_clip_norm": 1,
    "gradient_accumulation_steps": 1,
    "eval_samples": 5760,
    "init_checkpoint_step": 0,
}


def large(**changes: Any) -> list[Line]:
    """A log of llama31_405b."""
    values: dict[str, Any] = {"train_samples": 1, **LARGE, **changes}
    other = [line for line in lora_lines(loss=5.5) if line[0] not in values]
    other = put("submission_benchmark", "llama31_405b")(other)
    return [*other[:6], *((key, value, {}) for key, value in values.items()), *other[6:]]


def test_values_that_depend_on_others(judged: Judge) -> None:
    assert judged(large()).errors == []
    assert judged(large(opt_learning_rate_warmup_steps=7)).errors == []


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"opt_base_learning_rate": 1.7e-4}, ["opt_base_learning_rate"]),
        ({"opt_base_learning_rate": "x"}, ["opt_base_learning_rate"]),
        ({"opt_base_learning_rate": 10**400}, ["opt_base_learning_rate"]),
        ({"opt_learning_rate_decay_steps": 596_001}, ["opt_learning_rate_decay_steps"]),
        (
            {"global_batch_size": 0},
            [
                "opt_base_learning_rate",
                "opt_learning_rate_decay_steps",
                "opt_learning_rate_warmup_steps",
            ],
        ),
    ],
)
def test_values_that_do_not_fit_others(
    judged: Judge, changes: dict[str, Any], keys: list[str]
) -> None:
    errors = judged(large(**changes)).errors
    assert [(one.kind, one.keys[0]) for one in errors] == [("line", key) for key in keys]


def test_what_comes_too_late_is_not_remembered(judged: Judge) -> None:
    lines = large()
    size = next(line for line in lines if line[0] == "global_batch_size")
    moved = [*without("global_batch_size")(lines), size]
    assert {one.keys[0] for one in judged(moved).errors} == {
        "opt_base_learning_rate",
        "opt_learning_rate_decay_steps",
        "opt_learning_rate_warmup_steps",
    }


def test_an_empty_log_and_a_broken_line() -> None:
    for data in (b"", b":::MLLOG {\n"):
        assert not check_log(run("result_0.txt", data), ROUND).compliant
    whole = check_log(run("result_0.txt", text(lora_lines()) + b":::MLLOG {\n"), ROUND)
    assert [one.kind for one in whole.errors] == ["log"]
