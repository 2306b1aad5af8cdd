"""Image generation without torch: the data, and the score of anybody's images."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LevelfieldError
from workloads.catalogue import load_card
from workloads.data_set import fingerprint
from workloads.image_generation import data, scoring

CARD = load_card("image_generation")
FACTS, INFERENCE = CARD.training, CARD.inference


@cache
def arrays() -> dict[str, Any]:
    return data.make(CARD, lambda *_: None)


# ---- data


def test_the_data_are_those_of_the_card() -> None:
    assert fingerprint(arrays()) == CARD.data_sha256
    assert arrays()["train.images"].shape == (FACTS.train_samples, 8, 8)
    assert arrays()["eval.images"].shape == (FACTS.eval_samples, 8, 8)
    assert arrays()["prompt.labels"].shape == (INFERENCE.samples,)
    seen = {image.tobytes() for image in arrays()["train.images"]}
    assert not any(image.tobytes() in seen for image in arrays()["eval.images"])


def test_noise_is_standard_normal_and_no_draw_is_used_twice() -> None:
    noise = np.concatenate([arrays()["eval.noise"], arrays()["prompt.noise"]]) / data.NOISE_UNIT
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert len({one.tobytes() for one in noise}) == len(noise)


def test_every_class_is_evaluated_at_every_time_and_asked_for_as_often() -> None:
    pairs = zip(arrays()["eval.labels"].tolist(), arrays()["eval.moments"].tolist(), strict=True)
    assert len(set(pairs)) == CARD.shape["classes"] * CARD.shape["moments"]
    assert set(np.bincount(arrays()["prompt.labels"])) == {INFERENCE.samples // 10}


def test_another_seed_draws_other_noise() -> None:
    other = data.make(CARD.model_copy(update={"data_seed": 2}), lambda *_: None)
    assert (other["prompt.noise"] != arrays()["prompt.noise"]).mean() > 0.99
    assert (other["train.images"] == arrays()["train.images"]).all()


def test_without_a_seed_nothing_is_made() -> None:
    with pytest.raises(LevelfieldError, match="no data_seed"):
        data.make(CARD.model_copy(update={"data_seed": None}), lambda *_: None)


# ---- score


def answers_of(images: Any) -> dict[int, list[int]]:
    return dict(enumerate(np.asarray(images).reshape(len(images), -1).tolist()))


def drawn_from(part: str) -> Any:
    """A real image of the class that each prompt asks for, no image twice."""
    images, labels = arrays()[f"{part}.images"], arrays()[f"{part}.labels"]
    of_class = [images[labels == digit] for digit in range(10)]
    return np.stack([of_class[i % 10][i // 10] for i in range(INFERENCE.samples)])


def test_unseen_handwriting_scores_higher_than_the_reference() -> None:
    assert data.quality(CARD, answers_of(drawn_from("eval"))) > INFERENCE.reference_quality


def test_stored_training_images_score_nothing() -> None:
    assert data.quality(CARD, answers_of(drawn_from("train"))) == 0


@cache
def cheats() -> dict[str, Any]:
    """Systems that never look at the noise that they are given, or at the class."""
    images, labels = arrays()["train.images"], arrays()["train.labels"]
    random = np.random.Generator(np.random.PCG64(3))
    means = np.stack([images[labels == digit].mean(0).round() for digit in range(10)])
    jitter = random.integers(-2, 3, (INFERENCE.samples, 8, 8))
    stored = drawn_from("train")
    unseen = drawn_from("eval")
    return {
        "the mean of the class": means[np.arange(INFERENCE.samples) % 10],
        "one image of the class": unseen[np.arange(INFERENCE.samples) % 10],
        "a class too far": np.roll(unseen, 1, axis=0),
        "a training image, disturbed": (stored + jitter).clip(0, 16),
        "the mean of two training images": (stored + np.roll(stored, 10, axis=0) + 1) // 2,
        "noise": random.integers(0, 17, (INFERENCE.samples, 8, 8)),
        "nothing": np.zeros((INFERENCE.samples, 8, 8)),
    }


@pytest.mark.parametrize("name", cheats())
def test_what_does_not_generate_scores_below_every_floor(name: str) -> None:
    images = cheats()[name].astype(int)
    assert data.quality(CARD, answers_of(images)) < 0.9 * INFERENCE.reference_quality


def test_coverage_is_what_a_search_image_by_image_finds() -> None:
    random = np.random.Generator(np.random.PCG64(0))
    real = random.integers(0, 50, (60, 64)).astype(float), random.integers(0, 3, 60)
    made = random.integers(0, 50, (20, 64)).astype(float), random.integers(0, 2, 20)
    covered = 0
    for image, label in zip(*real, strict=True):
        kin = sorted(((other - image) ** 2).sum() for other in real[0][real[1] == label])
        reach = kin[scoring.REACH]  # kin[0] is the image itself
        near = [((one - image) ** 2).sum() <= reach for one in made[0][made[1] == label]]
        covered += any(near)
    assert 0 < covered < 60
    assert scoring._covered(real, made) == covered / 60


def test_only_the_cells_of_an_image_count() -> None:
    image = np.arange(16 * 16).reshape(1, 16, 16) % 7
    assert scoring.cells(image)[0, 9] == image[0, 2:4, 2:4].sum()


@given(
    st.one_of(
        st.integers(),
        st.text(),
        st.none(),
        st.lists(st.integers(0, 16), max_size=63),
        st.lists(st.one_of(st.booleans(), st.floats(), st.none(), st.lists(st.none())), min_size=1),
        st.dictionaries(st.integers(), st.integers()),
    )
)
def test_what_is_no_image_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer"):
        scoring.checked_answers({3: answer}, 500, 64, 16)


@pytest.mark.parametrize("level", [-1, 17, 10**400, 10**5000], ids=range(4))
def test_a_level_out_of_range_is_refused(level: int) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer holds a value out of range"):
        scoring.checked_answers({3: [0] * 63 + [level]}, 500, 64, 16)


@pytest.mark.parametrize("level", [True, 1.0, "1", None, [1]])
def test_a_level_of_another_type_is_refused(level: Any) -> None:
    with pytest.raises(LevelfieldError, match="the answer holds a value of type"):
        scoring.checked_answers({3: [0] * 63 + [level]}, 500, 64, 16)


@pytest.mark.parametrize("sample", [-1, 500, 10**5000, True, "0", 0.0], ids=range(6))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 499"):
        data.quality(CARD, {sample: [0] * 64})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="499 of 500 samples are missing"):
        data.quality(CARD, {0: [0] * 64})
