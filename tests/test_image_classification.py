"""Image classification at scale mini: data, scorer, training, library, shipped weights."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.card import settle_hyperparameters
from harness.errors import LevelfieldError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.image_classification import data, training
from workloads.image_classification.model import DigitNet, draw_weights
from workloads.image_classification.workload import (
    WEIGHTS,
    ImageClassification,
    ReferenceSut,
    workload,
)
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


def test_the_digits_are_those_of_scikit_learn() -> None:
    from sklearn import datasets

    bunch, digits = datasets.load_digits(), data.load_digits()
    held_out = data.hold_out(bunch.target)
    assert np.array_equal(digits.eval_images, bunch.images[held_out])
    assert np.array_equal(digits.train_labels, bunch.target[~held_out])


def test_the_hold_out_takes_half_of_each_class_whatever_follows() -> None:
    labels = np.array([0, 1] * 10, dtype=np.uint8)
    mask = data.hold_out(labels)
    assert np.bincount(labels[mask]).tolist() == [5, 5]
    assert np.flatnonzero(mask[::2]).tolist() == [0, 2, 4, 5, 9]  # pins the shuffle


def test_changed_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = data.load_digits()
    digits.train_images[0, 0, 0] += 1
    monkeypatch.setattr(data, "load_digits", lambda: digits)
    with pytest.raises(LevelfieldError, match="checksum"):
        data.checked(CARD)


def test_enlarging_is_bilinear() -> None:
    images = np.random.default_rng(0).integers(0, 17, (3, 4, 5), dtype=np.uint8)
    grey = torch.from_numpy(images.astype(np.float32) / 16)[:, None]
    expected = torch.nn.functional.interpolate(grey, scale_factor=2, mode="bilinear")[:, 0]
    assert np.array_equal(data.enlarged(images), expected.numpy())


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


def test_training_never_reads_the_held_out_half(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []
    read = ImageClassification._part

    def noted(self: ImageClassification, part: str) -> training.Part:
        parts.append(part)
        return read(self, part)

    monkeypatch.setattr(ImageClassification, "_part", noted)
    session = WORKLOAD.training(changed(global_batch_size=16), 0, FP32)
    assert parts == []
    session.load()
    session.train(33)
    assert parts == ["train"]


def test_a_few_epochs_lower_the_loss() -> None:
    session = WORKLOAD.training(changed(opt_learning_rate_warmup_samples=0), 0, FP32)
    session.load()
    assert session.train(320) > session.train(320) + 0.1


def test_16_bits_and_a_batch_of_two_train_as_well() -> None:
    session = WORKLOAD.training(changed(global_batch_size=2), 0, Arithmetic("bf16"))
    evaluation = WORKLOAD.evaluation(Arithmetic("bf16"))
    session.load()
    evaluation.load()
    assert 0 < session.train(4) < 20
    assert 0 <= evaluation.evaluate(session.model)["accuracy"] <= 1


def test_a_shift_moves_the_image_and_keeps_what_stays_inside() -> None:
    recipe = training.PictureRecipe(CARD, DEFAULTS, lambda: WORKLOAD._part("train"))
    recipe.load(torch.device("cpu"))
    chosen = torch.zeros(512, dtype=torch.int64)
    shifted = recipe._augmented(chosen, torch.Generator().manual_seed(0))[:, 0]
    margins = recipe._images[0, ..., 0]
    windows = {
        margins[y : y + 16, x : x + 16].numpy().tobytes() for y in range(5) for x in range(5)
    }
    assert {image.numpy().tobytes() for image in shifted} == windows


# ---- model


def test_the_network_is_as_large_as_the_card_says() -> None:
    parameters = sum(p.numel() for p in DigitNet(CARD.shape).parameters())
    assert f"{round(parameters, -3):,} parameters" in CARD.model


def test_new_weights_come_from_the_generator_alone() -> None:
    def drawn(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        model = DigitNet(CARD.shape)
        draw_weights(model, torch.Generator().manual_seed(5))
        return model.state_dict()

    one, two = drawn(1), drawn(2)
    assert all(torch.equal(one[name], two[name]) for name in one)


# ---- inference


def test_the_library_gives_what_was_loaded_and_no_more() -> None:
    library = WORKLOAD.library()
    library.load([3, 1])
    inputs = library.get(np.array([1, 3]))
    assert inputs.shape == (2, 1, 16, 16)
    assert np.array_equal(inputs[1, 0], data.enlarged(data.load_digits().eval_images[3:4])[0])
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
