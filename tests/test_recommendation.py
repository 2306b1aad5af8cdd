"""Recommendation: network, training, slices, shipped weights, inference."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_clicks import SMALL, quiet, smaller

from harness.card import settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.records import Number, Scenario
from harness.workload import Arithmetic
from workloads.catalogue import load_card, load_workload
from workloads.data_set import DataSet
from workloads.recommendation import data
from workloads.recommendation.model import CrossLayer, Dlrm, fresh_model
from workloads.recommendation.optimizer import RowWiseAdagrad
from workloads.recommendation.training import ClickEvaluation
from workloads.recommendation.workload import WEIGHTS, Recommendation, ReferenceSut, shipped_model

CARD = load_card("recommendation")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The mini data set and a small one, made once, in a cache of the tests' own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        data.data_set(CARD).prepare(quiet)  # refuses data that have not the card's checksum
        data.data_set(SMALL).prepare(quiet)
        yield folder


def hyperparameters(**changes: Number) -> dict[str, Number]:
    return settle_hyperparameters(CARD.training, {}, bounded=True) | changes


# ---- model and optimiser


def test_a_cross_layer_multiplies_its_inputs() -> None:
    layer = CrossLayer(3, 2)
    x0, x = torch.randn(5, 3), torch.randn(5, 3)
    matrix = layer.up.weight @ layer.down.weight
    assert torch.allclose(layer(x0, x), x0 * (x @ matrix.T + layer.up.bias) + x, atol=1e-6)


def test_the_network_is_as_large_as_the_card_says() -> None:
    model = Dlrm(CARD)
    parameters = sum(p.numel() for p in model.parameters())
    assert f"{round(parameters, -3):,} parameters" in CARD.model
    assert f"{model.table.num_embeddings:,} rows of {CARD.shape['embedding_width']}" in CARD.model


@pytest.mark.parametrize("scale", ["standard", "full"])
def test_larger_networks_have_the_rows_on_their_cards(scale: str) -> None:
    card = load_card(f"recommendation.{scale}")
    with torch.device("meta"):
        model = Dlrm(card)
    assert f"{model.table.num_embeddings:,} rows of {card.shape['embedding_width']}" in card.model
    logits = model(
        torch.zeros(4, len(data.sizes(card, "table")), dtype=torch.int32, device="meta"),
        torch.zeros(4, int(card.shape["dense"]), device="meta"),
    )
    assert logits.shape == (4,)
    assert card.scenarios == (Scenario.TRAIN,)


def test_tables_do_not_share_rows() -> None:
    model = Dlrm(SMALL)
    last = torch.tensor([[rows - 1 for rows in data.sizes(SMALL, "table")]])
    rows = torch.cat([last + model.starts, model.starts[None]]).flatten()
    assert len(rows.unique()) == 16
    assert rows.max() == model.table.num_embeddings - 1


def test_new_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = fresh_model(SMALL, torch.Generator().manual_seed(5)).state_dict()
    torch.manual_seed(2)
    two = fresh_model(SMALL, torch.Generator().manual_seed(5)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_adagrad_takes_torchs_steps_on_dense_gradients() -> None:
    ours, theirs = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    one = RowWiseAdagrad([ours], 1e-8, 10)
    two = torch.optim.Adagrad([theirs], eps=1e-8)
    for _ in range(3):
        for weight, optimizer in ((ours, one), (theirs, two)):
            optimizer.param_groups[0]["lr"] = 0.1
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
    assert torch.allclose(ours, theirs)


def test_a_row_is_divided_by_the_root_of_its_mean_squares_and_others_rest() -> None:
    table = torch.nn.Embedding(3, 2, sparse=True)
    before = table.weight.detach().clone()
    optimizer = RowWiseAdagrad(table.parameters(), 0.0, 10)
    optimizer.param_groups[0]["lr"] = 0.1
    (table(torch.tensor([1, 1])) * torch.tensor([3.0, 4.0])).sum().backward()
    optimizer.step()
    root = math.sqrt((6**2 + 8**2) / 2)
    change = before - table.weight.detach()
    expected = torch.tensor([[0, 0], [6 / root, 8 / root], [0, 0]])
    assert torch.allclose(change, expected, atol=1e-6)


# ---- training


def losses(seed: int, arithmetic: Arithmetic | None = None) -> list[float]:
    session = Recommendation(SMALL, None).training(
        hyperparameters(global_batch_size=512), seed, arithmetic or Arithmetic()
    )
    session.load()
    return [session.train(512), session.train(8192), session.train(8192)]


def test_a_seed_gives_the_same_training_and_the_loss_falls() -> None:
    first = losses(2**53 - 1)
    assert losses(2**53 - 1) == first
    assert losses(1) != first
    assert first[2] < first[1] < first[0]


def test_training_works_in_bf16() -> None:
    found = losses(0, Arithmetic(precision="bf16"))
    assert found[2] < found[0]


def test_training_never_asks_for_the_evaluation_part(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []
    read = DataSet.part

    def part(self: DataSet, name: str) -> dict[str, NDArray[Any]]:
        parts.append(name)
        return read(self, name)

    monkeypatch.setattr(DataSet, "part", part)
    workload = Recommendation(SMALL, None)
    session = workload.training(hyperparameters(), 0, Arithmetic())
    assert parts == []
    session.load()
    session.train(2048)
    assert parts == ["train"]
    evaluation = workload.evaluation(Arithmetic())
    evaluation.load()
    evaluation.evaluate(session.model)
    assert set(parts[1:]) == {"eval"}


@pytest.mark.parametrize(
    ("name", "value"), [("global_batch_size", 2.5), ("opt_base_learning_rate", math.nan)]
)
def test_values_that_nothing_can_train_with_are_refused(name: str, value: Number) -> None:
    with pytest.raises(LevelfieldError, match=name):
        Recommendation(SMALL, None).training(hyperparameters(**{name: value}), 0, Arithmetic())


def test_standard_trains_and_evaluates_with_a_smaller_shape() -> None:
    card = smaller(load_card("recommendation.standard"))
    card = smaller(card, shape=card.shape | {"embedding_width": 8, "top_1": 32, "top_2": 16})
    workload = Recommendation(card, None)
    workload.prepare(quiet)
    changes = {"global_batch_size": 1024}
    settled = settle_hyperparameters(card.training, changes, bounded=False)
    session = workload.training(settled, 0, Arithmetic())
    session.load()
    session.train(8192)
    evaluation = workload.evaluation(Arithmetic())
    evaluation.load()
    assert 0.55 < evaluation.evaluate(session.model)["auc"] < 1


# ---- slices


def evaluated(model: Dlrm) -> dict[str, float]:
    evaluation = ClickEvaluation(CARD, data.data_set(CARD))
    evaluation.load()
    return evaluation.evaluate(model)


def below(found: dict[str, float]) -> set[str]:
    """The floors that ``found`` falls below."""
    return {name for name, floor in CARD.training.floors.items() if found[name] < floor}


def test_the_shipped_weights_reach_target_and_floors() -> None:
    found = evaluated(shipped_model())
    assert CARD.training.target.met(found["auc"])
    assert set(CARD.training.floors) == set(data.SLICES)
    assert below(found) == set()


def spoilt(*tables: int) -> Dlrm:
    """The shipped network, but all rare ids of ``tables`` have one row in common."""
    model, sizes = shipped_model(), data.sizes(CARD, "table")
    with torch.no_grad():
        for table in tables:
            start = int(model.starts[table])
            rare = model.table.weight[start + sizes[table] // 64 : start + sizes[table]]
            rare.copy_(rare.mean(0).expand_as(rare))
    return model


def test_a_model_without_rows_for_rare_ids_falls_below_the_floors() -> None:
    rare_items_gone = below(evaluated(spoilt(1)))
    assert "auc_tail" in rare_items_gone
    assert "auc_head" not in rare_items_gone  # which the head alone would not show
    found = evaluated(spoilt(0, 1))
    assert not CARD.training.target.met(found["auc"])
    assert {"auc_tail", "auc_cold_users"} <= below(found)


# ---- inference


def test_the_shipped_weights_have_the_quality_on_the_card() -> None:
    library = load_workload("recommendation").library()
    library.load(range(library.total_samples))
    sut = ReferenceSut(library)
    found: dict[int, Any] = {}
    for chosen in np.array_split(np.arange(library.total_samples), 64):
        found |= dict(zip(chosen.tolist(), sut.predict(library.get(chosen)).tolist(), strict=True))
    quality = data.quality(CARD, found)
    assert quality == pytest.approx(CARD.inference.reference_quality, abs=1e-6)
    rounded = {sample: np.round(row, 1).tolist() for sample, row in found.items()}
    assert data.quality(CARD, rounded) < quality


def test_a_score_hardly_depends_on_its_batch_or_on_bf16() -> None:
    library = load_workload("recommendation").library()
    library.load(range(32))
    sut, coarse = ReferenceSut(library), ReferenceSut(library, "bf16")
    together = sut.predict(library.get(np.arange(32)))
    alone = np.concatenate([sut.predict(library.get(np.array([i]))) for i in range(32)])
    assert np.allclose(together, alone, atol=1e-4)
    rough = coarse.predict(library.get(np.arange(32)))
    assert np.corrcoef(together.ravel(), rough.ravel())[0, 1] > 0.999


def test_another_precision_is_refused() -> None:
    library = load_workload("recommendation").library()
    with pytest.raises(UsageError, match="int8"):
        ReferenceSut(library, "int8")


# ---- page


def test_the_page_states_the_figures_of_the_card() -> None:
    page = WEIGHTS.with_name("README.md").read_text("utf-8")
    facts = CARD.training
    assert f"AUC {facts.target.value}" in page
    assert f"{facts.target.optimum:.4f}" in page
    assert f"{facts.limit:,} rows" in page
    assert f"{CARD.inference.reference_quality:.4f}" in page
    for name, floor in facts.floors.items():
        assert f"`{name}` {floor}" in page
