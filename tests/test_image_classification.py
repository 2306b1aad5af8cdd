"""Image classification: data and scorer, training, query sample library, shipped weights."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from harness.card import ReferenceConvergencePoint, settle_hyperparameters
from harness.errors import LevelfieldError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.image_classification import data, training
from workloads.image_classification.model import DigitNet, fresh_model
from workloads.image_classification.workload import WEIGHTS, ReferenceSut, workload
from workloads.library import Library

CARD = load_card("image_classification")
WORKLOAD = workload(CARD, None)
FACTS = CARD.training
FP32 = Arithmetic()
DEFAULTS = settle_hyperparameters(FACTS, {}, bounded=True)


def changed(**changes: Number) -> dict[str, Number]:
    return DEFAULTS | changes


# ---- data


def test_halves_have_the_sizes_of_the_card_and_share_nothing() -> None:
    digits = data.load_digits()
    assert digits.train_images.shape == (FACTS.train_samples, 8, 8)
    assert digits.eval_images.shape == (FACTS.eval_samples, 8, 8)
    assert FACTS.eval_samples == CARD.inference.samples
    seen = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in seen for image in digits.eval_images)


def test_the_hold_out_takes_half_of_each_class_whatever_follows() -> None:
    labels = np.array([0, 1] * 10, dtype=np.uint8)
    mask = data.hold_out(labels)
    assert np.bincount(labels[mask]).tolist() == [5, 5]
    assert np.flatnonzero(mask[::2]).tolist() == [0, 2, 4, 5, 9]  # pins the shuffle


def test_changed_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import datasets

    bunch = datasets.load_digits()
    bunch.images[0, 0, 0] += 1
    monkeypatch.setattr(datasets, "load_digits", lambda: bunch)
    with pytest.raises(LevelfieldError, match="checksum"):
        data.checked(CARD)


# ---- scorer


def test_quality_counts_right_answers() -> None:
    right = dict(enumerate(data.labels()))
    assert data.quality(CARD, right) == 1.0
    assert data.quality(CARD, right | {7: (right[7] + 1) % 10}) == 895 / 896


@given(st.one_of(st.booleans(), st.text(), st.floats(), st.none(), st.lists(st.integers())))
def test_an_answer_of_another_type_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer is of type"):
        data.quality(CARD, dict(enumerate(data.labels())) | {3: answer})


@pytest.mark.parametrize("answer", [-1, 10, 10**400, 10**5000], ids=range(4))
def test_an_answer_out_of_range_is_refused(answer: int) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer is out of range"):
        data.quality(CARD, {3: answer})


@pytest.mark.parametrize("sample", [-1, 896, 10**5000, True, "0", 0.0], ids=range(6))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 895"):
        data.quality(CARD, {sample: 1})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="895 of 896 samples are missing"):
        data.quality(CARD, {0: 1})


# ---- card


def test_the_target_is_on_the_grid_of_accuracies() -> None:
    right = round(FACTS.target.value * FACTS.eval_samples)
    assert FACTS.target.value == right / FACTS.eval_samples
    assert FACTS.target.met(right / FACTS.eval_samples)


def test_the_page_states_the_figures_of_the_card() -> None:
    page = WEIGHTS.with_name("README.md").read_text("utf-8")
    right = round(CARD.inference.reference_quality * FACTS.eval_samples)
    assert f"Accuracy {round(FACTS.target.value * FACTS.eval_samples)}/{FACTS.eval_samples}" in page
    assert f"the shipped weights answer {right} of them rightly" in page
    assert f"{FACTS.limit:,} samples" in page


def test_reference_points_are_measured_with_the_card() -> None:
    points = TypeAdapter(tuple[ReferenceConvergencePoint, ...]).validate_python(
        json.loads(WEIGHTS.with_name("rcp.json").read_text()), strict=False
    )
    assert FACTS.hyperparameters["global_batch_size"].default in {
        p.global_batch_size for p in points
    }
    for point in points:
        settle_hyperparameters(FACTS, point.hyperparameters, bounded=True)
        assert point.hyperparameters["global_batch_size"] == point.global_batch_size
        assert len(point.samples_to_converge) == len(set(point.seeds)) >= 20
        reached = [samples for samples in point.samples_to_converge if samples is not None]
        assert len(reached) >= 0.95 * len(point.seeds)
        assert all(samples % point.global_batch_size == 0 for samples in reached)


# ---- training


def losses(seed: int) -> list[float]:
    session = WORKLOAD.training(changed(global_batch_size=16), seed, FP32)
    evaluation = WORKLOAD.evaluation(FP32)
    session.load()
    evaluation.load()
    first = [session.train(16), session.train(33)]
    return [*first, evaluation.evaluate(session.model)["accuracy"]]


def test_a_seed_gives_the_same_training_and_another_seed_another() -> None:
    first = losses(2**53 - 1)
    assert losses(2**53 - 1) == first
    assert losses(1) != first


def test_nothing_is_read_before_load(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read: Callable[[], data.Digits] = data.load_digits
    monkeypatch.setattr(training, "load_digits", lambda: (calls.append(1), read())[1])
    session = WORKLOAD.training(DEFAULTS, 0, FP32)
    assert calls == []
    session.load()
    assert calls == [1]


def test_a_shift_moves_the_image_and_keeps_what_stays_inside() -> None:
    recipe = training.DigitRecipe(DEFAULTS)
    recipe.load(torch.device("cpu"))
    chosen = torch.zeros(64, dtype=torch.int64)
    shifted = recipe._shifted(chosen, torch.Generator().manual_seed(0))[:, 0]
    margins = recipe._images[0]
    windows = {margins[y : y + 8, x : x + 8].numpy().tobytes() for y in range(3) for x in range(3)}
    assert {image.numpy().tobytes() for image in shifted} == windows


# ---- model


def test_the_network_is_as_large_as_the_card_says() -> None:
    parameters = sum(p.numel() for p in DigitNet().parameters())
    assert f"{round(parameters, -3):,} parameters" in CARD.model


def test_new_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = fresh_model(torch.Generator().manual_seed(5)).state_dict()
    torch.manual_seed(2)
    two = fresh_model(torch.Generator().manual_seed(5)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


# ---- inference


def test_the_library_gives_what_was_loaded_and_no_more() -> None:
    library = WORKLOAD.library()
    library.load([3, 1])
    inputs = library.get(np.array([1, 3]))
    assert inputs.shape == (2, 1, 8, 8)
    assert (inputs[1, 0] * 16).tolist() == data.load_digits().eval_images[3].tolist()
    library.unload([3])
    with pytest.raises(LevelfieldError, match="sample 3: not loaded"):
        library.get(np.array([1, 3]))


def full_library() -> Library:
    library = WORKLOAD.library()
    library.load(range(library.total_samples))
    return library


def test_the_shipped_weights_have_the_accuracy_on_the_card() -> None:
    library = full_library()
    everything = np.arange(library.total_samples)
    logits = ReferenceSut(library).logits(library.get(everything))
    answers = dict(enumerate(logits.argmax(1).tolist()))
    assert data.quality(CARD, answers) == CARD.inference.reference_quality
    best = np.sort(logits, axis=1)
    assert (best[:, -1] - best[:, -2]).min() > 1e-3  # no tie that another CPU might turn


def test_an_answer_does_not_depend_on_its_batch() -> None:
    library = full_library()
    sut = ReferenceSut(library)
    together = sut.predict(library.get(np.arange(32)))
    alone = [sut.predict(library.get(np.array([i])))[0] for i in range(32)]
    assert together.tolist() == alone
