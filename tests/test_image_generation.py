"""Image generation: data, engraved digits, the score of images, training, the reference system."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.card import Scale, WorkloadCard, read_card, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.data_set import DataSet, fingerprint
from workloads.image_generation import data, scoring
from workloads.image_generation.engraving import engraved
from workloads.image_generation.model import FlowTransformer, fresh_model
from workloads.image_generation.training import FlowEvaluation, FlowRecipe, velocity_errors
from workloads.image_generation.workload import WEIGHTS, ReferenceSut, workload
from workloads.training import ReferenceTraining

CARD = read_card(WEIGHTS.with_name("card.toml"))
STANDARD = read_card(WEIGHTS.with_name("card.toml"), Scale.STANDARD)
FACTS, INFERENCE = CARD.training, CARD.inference
FP32, BF16 = Arithmetic(), Arithmetic("bf16")


def small(card: WorkloadCard, **shape: Number) -> WorkloadCard:
    """``card`` with a network that is fast to train, and no checksum."""
    sizes = {"width": 32, "heads": 2, "layers": 1, **shape}
    return card.model_copy(update={"shape": card.shape | sizes, "data_sha256": ""})


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


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


# ---- engraved digits


def engravings(images: Any, side: int = 64) -> Any:
    return engraved(images, side, np.random.Generator(np.random.PCG64(5)), lambda *_: None)


def test_engravings_are_pinned() -> None:
    made = engravings(arrays()["train.images"][:300])
    assert (made.shape, made.dtype) == ((300, 64, 64), np.uint8)
    assert fingerprint({"made": made})[:12] == "b0c9d819730a"


def test_an_engraving_looks_like_its_digit() -> None:
    digits = arrays()["train.images"][:200]
    made = scoring.cells(engravings(digits))
    flat = digits.reshape(200, 64).astype(float)
    correlations = np.corrcoef(flat, made)[:200, 200:]
    assert np.diag(correlations).min() > 0.7
    assert (correlations.argmax(1) == np.arange(200)).mean() > 0.6  # of 200 digits


def test_parts_of_the_larger_scale_come_from_different_digits() -> None:
    facts = STANDARD.training.model_copy(update={"train_samples": 950, "eval_samples": 20})
    few = STANDARD.inference.model_copy(update={"samples": 10})
    card = small(STANDARD, side=16).model_copy(update={"training": facts, "inference": few})
    made = data.make(card, lambda *_: None)
    assert made["train.images"].shape == (950, 16, 16)
    assert made["train.labels"].tolist()[901:] == arrays()["train.labels"].tolist()[:49]
    assert made["eval.labels"].tolist() == arrays()["eval.labels"].tolist()[:20]
    assert made["eval.noise"].shape == (20, 16, 16)


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


# ---- training


def session_of(seed: int, arithmetic: Arithmetic = FP32, **changes: Number) -> ReferenceTraining:
    card = small(CARD)
    hyperparameters = settle_hyperparameters(FACTS, changes, bounded=True)
    made = workload(card, None)
    made.prepare(lambda *_: None)
    session = made.training(hyperparameters, seed, arithmetic)
    session.load()
    return session


def loss_of(session: ReferenceTraining) -> float:
    evaluation = FlowEvaluation(small(CARD), FP32)
    evaluation.load()
    return evaluation.evaluate(session.model)["velocity_loss"]


def test_a_seed_gives_the_same_training_and_another_seed_another() -> None:
    first, again, other = session_of(3), session_of(3), session_of(4)
    losses = [(one.train(640), loss_of(one)) for one in (first, again, other)]
    assert losses[0] == losses[1]
    assert losses[0][0] != losses[2][0]


@pytest.mark.parametrize("arithmetic", [FP32, BF16], ids=["fp32", "bf16"])
def test_a_short_training_lowers_the_loss(arithmetic: Arithmetic) -> None:
    session = session_of(1, arithmetic, opt_learning_rate_warmup_samples=0)
    before = loss_of(session)
    session.train(4096)
    assert before == pytest.approx(1.7, abs=0.1)  # no velocity: the noise's variance and the ink's
    assert loss_of(session) < 0.9


def test_the_error_is_nothing_for_the_true_velocity() -> None:
    images, noise = torch.rand(4, 8, 8), torch.randn(4, 8, 8)
    time = torch.tensor([0.0, 0.25, 0.5, 1.0])

    class Truth(torch.nn.Module):
        def forward(self, x: torch.Tensor, time: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            moment = time[:, None, None]
            torch.testing.assert_close(x, (1 - moment) * images + moment * noise)
            return noise - images

    assert velocity_errors(Truth(), images, noise, time, torch.zeros(4).long()).max() == 0


def test_the_class_is_withheld_from_the_share_on_the_card() -> None:
    seen: list[torch.Tensor] = []

    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor, _: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
            seen.append(label)
            return x

    DataSet(CARD, data.make).prepare(lambda *_: None)
    recipe = FlowRecipe(CARD, settle_hyperparameters(FACTS, {}, bounded=True))
    chosen = torch.arange(recipe.load(torch.device("cpu"))).repeat(10)
    recipe.loss(Spy(), chosen, torch.Generator().manual_seed(0))
    withheld = seen[0] == 10
    assert withheld.float().mean() == pytest.approx(0.1, abs=0.02)
    labels = torch.from_numpy(arrays()["train.labels"]).long().repeat(10)
    assert (seen[0] == labels)[~withheld].all()


def test_training_never_reads_the_evaluation_half(monkeypatch: pytest.MonkeyPatch) -> None:
    read = DataSet.part

    def guarded(self: DataSet, name: str) -> dict[str, Any]:
        assert name == "train"
        return read(self, name)

    monkeypatch.setattr(DataSet, "part", guarded)
    session_of(0).train(64)


def test_evaluation_is_the_mean_over_all_images_and_leaves_the_model_training() -> None:
    model = session_of(2).model
    parts = {k.removeprefix("eval."): torch.tensor(v) for k, v in arrays().items() if "eval" in k}
    time = (parts["moments"] + 0.5) / 8
    noise = parts["noise"] / data.NOISE_UNIT
    with torch.no_grad():
        here = torch.lerp(parts["images"] / 8 - 1, noise, time[:, None, None])
        velocity = model(here, time, parts["labels"].long())
        expected = ((velocity - (noise - parts["images"] / 8 + 1)) ** 2).mean()
    evaluation = FlowEvaluation(small(CARD), FP32)
    evaluation.load()
    assert evaluation.evaluate(model)["velocity_loss"] == pytest.approx(float(expected), rel=1e-5)
    assert model.training


@pytest.mark.parametrize(
    ("name", "value"),
    [("label_dropout", 0.2), ("opt_base_learning_rate", 0.1), ("global_batch_size", 8)],
)
def test_hyperparameters_outside_the_bounds_are_refused(name: str, value: Number) -> None:
    with pytest.raises(UsageError, match=name):
        settle_hyperparameters(FACTS, {name: value}, bounded=True)


@pytest.mark.parametrize(("name", "value"), [("label_dropout", -1), ("global_batch_size", 1)])
def test_values_that_nothing_can_train_with_are_refused(name: str, value: Number) -> None:
    hyperparameters = settle_hyperparameters(FACTS, {}, bounded=True) | {name: value}
    with pytest.raises(LevelfieldError, match=name):
        workload(CARD, None).training(hyperparameters, 0, FP32)


# ---- model


@pytest.mark.parametrize("card", [CARD, STANDARD], ids=["mini", "standard"])
def test_the_network_is_as_large_as_the_card_says(card: WorkloadCard) -> None:
    with torch.device("meta"):
        model = FlowTransformer(card.shape)
        side = int(card.shape["side"])
        velocity = model(torch.empty(2, side, side), torch.empty(2), torch.zeros(2).long())
    assert velocity.shape == (2, side, side)
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in card.model


def test_new_weights_come_from_the_generator_alone() -> None:
    states = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        states.append(fresh_model(CARD.shape, torch.Generator().manual_seed(5)).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_patches_go_back_to_where_they_came_from() -> None:
    model = FlowTransformer(CARD.shape | {"layers": 0, "patch": 4, "width": 16})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.inward.weight.copy_(torch.eye(16))
        model.outward.weight.copy_(torch.eye(16))
        x = torch.arange(64.0).view(1, 8, 8)
        y = model(x, torch.zeros(1), torch.zeros(1).long())
    for rows in (slice(0, 4), slice(4, 8)):  # within a patch, values are centred and scaled
        for columns in (slice(0, 4), slice(4, 8)):
            patch, seen = x[0, rows, columns], y[0, rows, columns]
            expected = (patch - patch.mean()) / patch.std(correction=0)
            torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


# ---- inference


def inputs_of(indices: Any) -> Any:
    made = workload(CARD, None)
    made.prepare(lambda *_: None)
    library = made.library()
    library.load(range(library.total_samples))
    return library.get(np.asarray(indices))


def test_the_shipped_weights_have_the_quality_on_the_card() -> None:
    sut = ReferenceSut(workload(CARD, None).library())
    images = [sut.predict(inputs_of(np.arange(i, i + 50))) for i in range(0, 500, 50)]
    quality = data.quality(CARD, answers_of(np.concatenate(images)))
    # Another CPU's sums round a few pixels to the next level.
    assert quality == pytest.approx(INFERENCE.reference_quality, abs=0.003)


def test_an_image_does_not_depend_on_its_batch() -> None:
    sut = ReferenceSut(workload(CARD, None).library())
    together = sut.predict(inputs_of(np.arange(8)))
    alone = [sut.predict(inputs_of([i]))[0] for i in range(8)]
    assert (together == alone).mean() > 0.999


def test_noise_and_class_make_the_image() -> None:
    sut = ReferenceSut(workload(CARD, None).library())
    inputs = inputs_of([0, 10, 0, 1])
    inputs["noise"][3] = inputs["noise"][0]
    one, other_noise, again, other_class = sut.predict(inputs)
    assert one.tolist() == again.tolist()
    assert one.tolist() != other_noise.tolist()
    assert one.tolist() != other_class.tolist()


def test_bf16_draws_nearly_the_same_images() -> None:
    inputs = inputs_of(np.arange(16))
    library = workload(CARD, None).library()
    images = [ReferenceSut(library, p).predict(inputs).astype(int) for p in ("fp32", "bf16")]
    assert 0 < np.abs(images[0] - images[1]).mean() < 0.3


def test_other_precisions_are_refused() -> None:
    with pytest.raises(UsageError, match="int8"):
        ReferenceSut(workload(CARD, None).library(), "int8")


# ---- card and page


def test_the_page_states_the_figures_of_the_card() -> None:
    page = WEIGHTS.with_name("README.md").read_text("utf-8")
    assert f"Velocity loss {FACTS.target.value:g}" in page
    assert f"{FACTS.limit:,} samples" in page
    assert f"Every {FACTS.evaluate_every:,} samples" in page
    assert f"score {INFERENCE.reference_quality:.4f}" in page
    assert CARD.model.rpartition(", ")[2] in page
    assert STANDARD.model.rpartition(", ")[2] in page
