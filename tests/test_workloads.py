"""What holds for every workload: its card, its folder, its points, and that nothing leaks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.card import Scale, WorkloadCard, settle_hyperparameters
from harness.records import Scenario
from harness.workload import Arithmetic
from rules.round import read_round, round_names
from workloads.catalogue import (
    benchmark_names,
    load_card,
    load_points,
    load_workload,
    workload_names,
)
from workloads.data_set import DataSet

ROOT = Path(__file__).parent.parent / "workloads"
FP32 = Arithmetic()
COMMON = {
    "global_batch_size",
    "opt_base_learning_rate",
    "opt_learning_rate_warmup_samples",
    "opt_learning_rate_decay_samples",
    "opt_end_learning_rate",
}


def test_the_suite_is_of_seven() -> None:
    assert workload_names() == [
        "graph_classification",
        "image_classification",
        "image_generation",
        "language_model",
        "lora_finetuning",
        "object_detection",
        "recommendation",
    ]


@pytest.mark.parametrize("name", workload_names())
def test_a_folder_is_whole_and_its_page_shows_how_to_run_it(name: str) -> None:
    files = {path.name for path in (ROOT / name).iterdir()}
    wanted = {"card.toml", "data.py", "workload.py", "README.md", "weights.safetensors"}
    assert wanted <= files
    page = (ROOT / name / "README.md").read_text("utf-8")
    assert f"levelfield run {name} --scenario train" in page


def test_all_weights_together_are_small() -> None:
    assert sum(path.stat().st_size for path in ROOT.glob("*/*.safetensors")) < 30e6


@pytest.mark.parametrize("name", benchmark_names())
def test_a_card_has_what_its_scenarios_need(name: str) -> None:
    card = load_card(name)
    facts, scenarios = card.inference, card.inference.scenarios
    assert card.training.hyperparameters.keys() >= COMMON
    assert len(set(scenarios)) == len(scenarios)
    assert len(scenarios) >= 2 if card.scale == Scale.MINI else True
    assert (facts.latency_bound_s is not None) == (Scenario.SERVER in scenarios)
    assert (facts.ttft_bound_s is not None) == (Scenario.INTERACTIVE in scenarios)
    assert (facts.tpot_bound_s is not None) == (Scenario.INTERACTIVE in scenarios)
    assert 0 < card.training.evaluate_every < card.training.limit
    for spec in card.training.hyperparameters.values():
        assert spec.allows(spec.default), spec.help
    target = card.training.target
    if target.optimum is not None:
        better = target.optimum > target.value
        assert better == target.higher_is_better


@pytest.mark.parametrize("name", benchmark_names())
def test_a_measured_scale_says_on_what_and_has_a_checksum(name: str) -> None:
    card = load_card(name)
    assert bool(card.measured) == (card.scale == Scale.MINI)
    assert card.data_sha256 or not card.measured


def test_only_measured_workloads_are_ranked() -> None:
    ranked = [terms for terms in map(read_round, round_names()) if terms.rankable]
    assert ranked
    for terms in ranked:
        for name in terms.workloads:
            assert load_card(name).measured
            assert load_points(name)
            assert load_card(name).data_seed in (None, terms.data_seed)


@pytest.mark.parametrize("name", workload_names())
def test_reference_points_are_measured_with_the_card(name: str) -> None:
    card, points = load_card(name), load_points(name)
    default = card.training.hyperparameters["global_batch_size"].default
    assert len(points) == 3
    for point in points:
        assert point.version == card.version
        settle_hyperparameters(card.training, point.hyperparameters, bounded=True)
        assert point.hyperparameters["global_batch_size"] == point.global_batch_size
        wanted = 20 if point.global_batch_size == default else 10
        assert len(point.samples_to_converge) == len(set(point.seeds)) >= wanted
        assert len(point.converged) >= 0.95 * len(point.seeds)
        step = point.global_batch_size
        assert all(samples > 0 and samples % step == 0 for samples in point.converged)
    assert default in {point.global_batch_size for point in points}


# ---- leaks


def reachable(thing: object) -> Iterator[torch.Tensor]:
    """Every tensor that ``thing`` holds, through attributes and containers; arrays as tensors."""
    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | str | bytes | int | float):
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            yield one.detach()
        elif isinstance(one, np.ndarray):
            yield torch.from_numpy(np.array(one))
        elif isinstance(one, dict):
            waiting += list(one.values())
        elif isinstance(one, list | tuple | set):
            waiting += list(one)
        else:
            waiting += list(getattr(one, "__dict__", {}).values())


def given_to_all(card: WorkloadCard) -> list[torch.Tensor]:
    """Arrays of the data set outside the evaluation part, such as a graph without labels."""
    folder = DataSet(card, lambda *_: {}).folder
    paths = [path for path in folder.glob("*.npy") if not path.name.startswith("eval.")]
    return [torch.from_numpy(np.load(path)) for path in paths]


def equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers, of whatever type."""
    return one.shape == other.shape and bool((one == other).all())


@pytest.mark.parametrize("name", workload_names())
def test_a_training_never_holds_the_evaluation_part(name: str) -> None:
    card, workload = load_card(name), load_workload(name)
    workload.prepare(lambda *_: None)
    evaluation = workload.evaluation(FP32)
    evaluation.load()
    session = workload.training(settle_hyperparameters(card.training, {}, bounded=True), 0, FP32)
    session.load()
    session.train(2)
    held_out = [
        tensor
        for tensor in reachable(evaluation)
        if tensor.numel() >= 50 and not any(equal(tensor, known) for known in given_to_all(card))
    ]
    assert held_out
    addresses = {tensor.untyped_storage().data_ptr() for tensor in held_out}
    for tensor in reachable(session):
        assert tensor.untyped_storage().data_ptr() not in addresses
        assert not any(equal(tensor, other) and len(other.unique()) > 1 for other in held_out)
