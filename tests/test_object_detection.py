"""Object detection: card, network, training, no leak, shipped weights."""

import gc
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scenes import CARD, SMALL, SMALL_STANDARD, STANDARD, quiet

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.data_set import DataSet
from workloads.object_detection import data, model, scoring, training
from workloads.object_detection.workload import WEIGHTS, ObjectDetection, ReferenceSut, workload
from workloads.training import ReferenceTraining

FACTS = CARD.training
SIDE, MOST = int(CARD.shape["side"]), int(CARD.shape["detections"])
DEFAULTS = settle_hyperparameters(FACTS, {}, bounded=True)
FP32 = Arithmetic()


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "scenes"))
        for card in (CARD, SMALL, SMALL_STANDARD):
            workload(card, None).prepare(quiet)
        yield


# ---- card


def test_the_page_states_the_figures_of_the_card() -> None:
    page = WEIGHTS.with_name("README.md").read_text("utf-8")
    assert f"{FACTS.target.value} " in page
    assert f"{CARD.inference.reference_quality:.4f}" in page
    assert f"{FACTS.limit:,} samples" in page
    assert f"{FACTS.train_samples:,} scenes to train on, {FACTS.eval_samples:,} held out" in page


@pytest.mark.parametrize("card", [CARD, STANDARD], ids=lambda card: str(card.name))
def test_the_network_is_as_large_as_the_card_says(card: WorkloadCard) -> None:
    with torch.device("meta"):
        network = model.new_model(card.shape)
        heat, box = network(torch.empty(1, 1, int(card.shape["side"]), int(card.shape["side"])))
    cells = int(card.shape["side"]) // model.STRIDE
    assert (heat.shape, box.shape) == ((1, 4, cells, cells), (1, 4, cells, cells))
    parameters = sum(p.numel() for p in network.parameters())
    assert f"{round(parameters, -3):,} parameters" in card.model


# ---- model


def test_new_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = model.fresh_model(SMALL.shape, torch.Generator().manual_seed(5)).state_dict()
    torch.manual_seed(2)
    two = model.fresh_model(SMALL.shape, torch.Generator().manual_seed(5)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_the_loss_asks_for_is_decoded_to_the_truth() -> None:
    part = DataSet(CARD, data.make).part("eval")
    boxes, kinds = torch.tensor(part["boxes"]).float() / 4, torch.tensor(part["kinds"]).long()
    cells = SIDE // model.STRIDE
    heat = training.heat_target(boxes, kinds, cells)
    box = torch.zeros(len(boxes), 4, cells, cells)
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    for image, place in (kinds >= 0).nonzero().tolist():
        x, y = centre[image, place].int().tolist()
        offset = centre[image, place] - centre[image, place].floor()
        size = boxes[image, place, 2:] - boxes[image, place, :2]
        box[image, :, y, x] = torch.cat([offset, size])
    assert training.box_error(box, boxes, kinds).item() == 0.0
    found = model.decoded((torch.logit(heat, eps=1e-6), box), MOST).double().numpy()
    reached = scoring.mean_average_precision(found, part["kinds"], part["boxes"], 4)
    assert reached > 0.99  # centres of a kind in neighbouring cells hide each other


def test_the_target_is_one_at_centres_alone_and_fades() -> None:
    boxes = torch.tensor([[[1.0, 1.0, 6.0, 4.0], [0.0, 0.0, 0.0, 0.0]]])
    heat = training.heat_target(boxes, torch.tensor([[2, -1]]), 8)[0]
    assert (heat == 1).nonzero().tolist() == [[2, 2, 3]]
    assert heat[2, 2, 4] > heat[2, 3, 3] > heat[2, 4, 3]  # wider than tall
    assert heat[[0, 1, 3]].sum() == 0


def test_the_focal_loss_equals_its_formula() -> None:
    heat, target = torch.tensor([0.3, -1.0]), torch.tensor([1.0, 0.5])
    p, q = (1 / (1 + math.exp(-x)) for x in heat.tolist())
    expected = -((1 - p) ** 2 * math.log(p)) - 0.5**4 * q**2 * math.log(1 - q)
    assert math.isclose(training.centre_loss(heat, target).item(), expected, rel_tol=1e-6)


def test_a_neighbour_that_scores_less_is_no_detection_and_boxes_end_at_the_edge() -> None:
    heat = torch.full((1, 4, 4, 4), -9.0)
    heat[0, 1, 0, 0], heat[0, 1, 0, 1] = 3.0, 2.0
    box = torch.full((1, 4, 4, 4), 2.0)
    best, second = model.decoded((heat, box), 2)[0]
    assert best.tolist() == pytest.approx([1, 1 / (1 + math.exp(-3)), 4, 4, 12, 12])
    assert second[1] < 0.01
    box[:] = 99.0
    assert model.decoded((heat, box), 1)[0, 0, 2:].tolist() == [16.0, 16.0, 16.0, 16.0]


# ---- training


def session(
    seed: int = 0, arithmetic: Arithmetic = FP32, card: WorkloadCard = SMALL, **changes: Number
) -> ReferenceTraining:
    changed = DEFAULTS | {"global_batch_size": 16, "opt_learning_rate_warmup_samples": 0} | changes
    return workload(card, None).training(changed, seed, arithmetic)


def losses(seed: int) -> list[float]:
    trained = session(seed)
    trained.load()
    return [trained.train(96) for _ in range(4)]


def test_a_seed_gives_the_same_training_and_the_loss_falls() -> None:
    first = losses(2**53 - 1)
    assert losses(2**53 - 1) == first
    assert losses(1) != first
    assert first[3] < first[1] < first[0]


@pytest.mark.parametrize("card", [SMALL, SMALL_STANDARD], ids=lambda card: str(card.name))
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_and_an_evaluation(card: WorkloadCard, precision: Any) -> None:
    arithmetic = Arithmetic(precision=precision)
    trained = session(0, arithmetic, card)
    trained.load()
    assert math.isfinite(trained.train(16))
    evaluation = workload(card, None).evaluation(arithmetic)
    evaluation.load()
    found = evaluation.evaluate(trained.model)
    assert 0 <= found[card.training.target.metric] <= 1


def test_training_and_inference_have_one_scorer() -> None:
    assert FACTS.target.metric == CARD.inference.metric
    evaluation = workload(CARD, None).evaluation(FP32)
    evaluation.load()
    found = evaluation.evaluate(ReferenceSut(workload(CARD, None).library())._model)
    assert found[FACTS.target.metric] == pytest.approx(CARD.inference.reference_quality, abs=1e-4)


def test_training_never_reads_the_evaluation_part(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[..., dict[str, NDArray[Any]]] = DataSet.part
    asked: list[str] = []
    monkeypatch.setattr(
        DataSet, "part", lambda self, name: (asked.append(name), read(self, name))[1]
    )
    trained = session()
    assert asked == []
    trained.load()
    trained.train(32)
    assert asked == ["train"]
    images = read(DataSet(SMALL, data.make), "eval")["images"]
    seen, waiting = set(), [trained]
    while waiting:
        thing: Any = waiting.pop()
        if id(thing) in seen or isinstance(thing, type):
            continue
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor) and thing.shape[1:] == images.shape[1:]:
            assert len(thing) != len(images)
        if not callable(thing) or isinstance(thing, torch.nn.Module):
            waiting += gc.get_referents(thing)


@pytest.mark.parametrize(
    ("name", "value"),
    [("global_batch_size", 1), ("opt_base_learning_rate", math.nan), ("box_loss_weight", -0.1)],
)
def test_values_that_nothing_can_train_with_are_refused(name: str, value: Number) -> None:
    with pytest.raises(LevelfieldError, match=name):
        session(**{name: value})


def test_fixed_hyperparameters_stay_in_the_closed_division() -> None:
    with pytest.raises(UsageError, match="fixed at"):
        settle_hyperparameters(FACTS, {"box_loss_weight": 0.2}, bounded=True)


# ---- inference


@pytest.fixture(scope="module")
def reference() -> tuple[ObjectDetection, ReferenceSut, Any]:
    made = workload(CARD, None)
    library = made.library()
    library.load(range(library.total_samples))
    return made, ReferenceSut(library), library


def test_the_shipped_weights_have_the_quality_on_the_card(
    reference: tuple[ObjectDetection, ReferenceSut, Any],
) -> None:
    _, sut, library = reference
    everything = np.arange(library.total_samples)
    found = [sut.predict(library.get(some)) for some in np.split(everything, 16)]
    answers = dict(enumerate(answer for batch in found for answer in batch))
    quality = data.quality(CARD, answers)
    assert quality == pytest.approx(CARD.inference.reference_quality, abs=1e-4)
    assert quality > FACTS.target.value


def test_an_answer_does_not_depend_on_its_batch(
    reference: tuple[ObjectDetection, ReferenceSut, Any],
) -> None:
    _, sut, library = reference
    together = sut.predict(library.get(np.arange(8)))
    alone = [sut.predict(library.get(np.array([sample])))[0] for sample in range(8)]
    # The order of faint detections may turn; of the clear ones neither order nor place does.
    for one, other in zip(together, alone, strict=True):
        clear = [detection for detection in one if detection[1] > 0.5]
        assert np.array(other[: len(clear)]) == pytest.approx(np.array(clear), abs=1e-3)


def test_bf16_answers_hold_the_quality(
    reference: tuple[ObjectDetection, ReferenceSut, Any],
) -> None:
    _, _, library = reference
    sut = ReferenceSut(library, "bf16")
    everything = np.arange(library.total_samples)
    found = [sut.predict(library.get(some)) for some in np.split(everything, 16)]
    answers = dict(enumerate(answer for batch in found for answer in batch))
    assert data.quality(CARD, answers) > 0.99 * CARD.inference.reference_quality


def test_another_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="choose fp32 or bf16"):
        ReferenceSut(workload(CARD, None).library(), "int8")


def test_the_weights_are_small() -> None:
    assert Path(WEIGHTS).stat().st_size < 4e6
