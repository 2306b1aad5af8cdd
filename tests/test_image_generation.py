"""Image generation: engraved digits, training, the reference system."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

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


def small_standard() -> WorkloadCard:
    """Scale standard with few images of 16x16 pixels and a small network."""
    facts = STANDARD.training.model_copy(update={"train_samples": 950, "eval_samples": 20})
    few = STANDARD.inference.model_copy(update={"samples": 10})
    return small(STANDARD, side=16).model_copy(update={"training": facts, "inference": few})


def test_parts_of_the_larger_scale_come_from_different_digits() -> None:
    made = data.make(small_standard(), lambda *_: None)
    assert made["train.images"].shape == (950, 16, 16)
    assert made["train.labels"].tolist()[901:] == arrays()["train.labels"].tolist()[:49]
    assert made["eval.labels"].tolist() == arrays()["eval.labels"].tolist()[:20]
    assert made["eval.noise"].shape == (20, 16, 16)


def test_the_larger_scale_trains() -> None:
    card = small_standard()
    made = workload(card, None)
    made.prepare(lambda *_: None)
    rates = {"opt_base_learning_rate": 0.002, "opt_learning_rate_warmup_samples": 0}
    hyperparameters = settle_hyperparameters(card.training, rates, bounded=True)
    session, evaluation = made.training(hyperparameters, 0, FP32), made.evaluation(FP32)
    session.load()
    evaluation.load()
    before = evaluation.evaluate(session.model)["velocity_loss"]
    session.train(5120)
    assert evaluation.evaluate(session.model)["velocity_loss"] < 0.9 * before


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
    workload(CARD, None).prepare(lambda *_: None)
    library = workload(CARD, None).library()
    library.load(range(library.total_samples))
    return library.get(np.asarray(indices))


def test_the_shipped_weights_have_the_quality_on_the_card() -> None:
    sut = ReferenceSut(workload(CARD, None).library())
    images = sut.predict(inputs_of(np.arange(INFERENCE.samples)))
    quality = data.quality(CARD, dict(enumerate(images.tolist())))
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
