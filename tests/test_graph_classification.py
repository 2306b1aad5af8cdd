"""Graph classification: generator, bounds, scorer, network, training, shipped weights."""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.data_set import DataSet, fingerprint
from workloads.graph_classification import data
from workloads.graph_classification.bounds import Oracle
from workloads.graph_classification.model import RelationalAttention, fresh_model
from workloads.graph_classification.training import Graph, new_model
from workloads.graph_classification.workload import WEIGHTS, ReferenceSut, shipped_model, workload
from workloads.training import ReferenceTraining

CARD = load_card("graph_classification")
DEFAULTS = settle_hyperparameters(CARD.training, {}, bounded=True)
PAGE = WEIGHTS.with_name("README.md").read_text("utf-8")


def quiet(what: str, done: int, total: int) -> None:
    pass


def shrunk(card: WorkloadCard = CARD, **shape: Number) -> WorkloadCard:
    """``card`` with a graph of 1,200 nodes that are easy to tell apart."""
    small = {"nodes": 1200, "classes": 4, "neighbours": 8, "features": 16, "flip": 19661}
    small |= {"width": 32, "fan_out_near": 4, "fan_out_far": 2}
    training = card.training.model_copy(update={"train_samples": 900, "eval_samples": 300})
    inference = card.inference.model_copy(update={"samples": 300})
    return card.model_copy(
        update={
            "data_sha256": "",
            "shape": card.shape | small | shape,
            "training": training,
            "inference": inference,
        }
    )


SMALL = shrunk()


@pytest.fixture(scope="module", autouse=True)
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Both graphs, in a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        workload(CARD, None).prepare(quiet)
        workload(SMALL, None).prepare(quiet)
        yield


# ---- data


def test_the_graph_is_the_one_on_the_card() -> None:
    assert fingerprint(data.make(CARD, quiet)) == CARD.data_sha256


def test_the_small_graph_is_pinned() -> None:
    arrays = data.make(SMALL, quiet)
    assert fingerprint(arrays).startswith("96e7a72ce0ac")
    assert arrays["graph.features"].dtype == np.int8
    assert set(np.unique(arrays["graph.features"]).tolist()) == {-1, 1}
    assert arrays["graph.neighbours"].shape == (2, 1200, 8)
    assert (len(arrays["train.labels"]), len(arrays["eval.labels"])) == (900, 300)


def test_another_seed_makes_another_graph_and_none_makes_none() -> None:
    other = data.make(SMALL.model_copy(update={"data_seed": 2}), quiet)
    assert (other["graph.features"] != data.make(SMALL, quiet)["graph.features"]).any()
    with pytest.raises(LevelfieldError, match="no data_seed"):
        data.make(SMALL.model_copy(update={"data_seed": None}), quiet)


def test_the_parts_hold_the_labels_of_their_own_nodes() -> None:
    _, labels = data.truth(CARD)
    arrays = data.make(CARD, quiet)
    assert arrays["train.labels"].tolist() == labels[: CARD.training.train_samples].tolist()
    assert arrays["eval.labels"].tolist() == labels[data.evaluation_nodes(CARD)].tolist()
    assert data.evaluation_nodes(CARD)[0] >= CARD.training.train_samples


def test_features_and_neighbours_come_as_often_as_the_card_says() -> None:
    prototypes, labels = data.truth(CARD)
    arrays = data.make(CARD, quiet)
    flipped = arrays["graph.features"] != prototypes[labels] * 2 - 1
    assert flipped.mean() == pytest.approx(CARD.shape["flip"] / 65536, abs=0.002)
    kin = CARD.shape["kin"] / 65536
    for relation, lists in enumerate(arrays["graph.neighbours"]):
        led_to = labels[lists] == (labels ^ relation)[:, None]
        assert led_to.mean() == pytest.approx(kin + (1 - kin) / 16, abs=0.003)


# ---- what is known exactly


def joint(labels: NDArray[Any], card: WorkloadCard) -> float:
    """Log probability of lists and features of the graph on ``card``, had it ``labels``."""
    shape = data.Shape.of(card)
    arrays, (prototypes, _) = data.make(card, quiet), data.truth(card)
    flip, kin = shape.flip / 65536, shape.kin / 65536
    flipped = (arrays["graph.features"] != prototypes[labels] * 2 - 1).sum()
    total = flipped * np.log(flip) + (labels.size * shape.features - flipped) * np.log(1 - flip)
    counts = np.bincount(labels, minlength=shape.classes)
    for relation, lists in enumerate(arrays["graph.neighbours"]):
        led_to = labels[lists] == (labels ^ relation)[:, None]
        chances = kin * led_to + (1 - kin) / shape.classes
        total += np.log(chances / counts[labels[lists]]).sum()
    return float(total)


def test_the_bound_is_the_best_label_given_all_others_by_brute_force() -> None:
    card = shrunk(nodes=60, neighbours=3, features=3, flip=26214)
    card = card.model_copy(
        update={"training": card.training.model_copy(update={"eval_samples": 60})}
    )
    _, labels = data.truth(card)
    right = 0
    for node in range(60):
        chances = [
            joint(np.where(np.arange(60) == node, label, labels), card) for label in range(4)
        ]
        right += int(np.argmax(chances)) == labels[node]
    assert Oracle(card).all_other_labels() == right / 60
    assert right < 60  # or the comparison would show little


def test_features_alone_are_judged_by_their_distance_from_the_prototypes() -> None:
    arrays, (prototypes, labels) = data.make(SMALL, quiet), data.truth(SMALL)
    signs, nodes = arrays["graph.features"], data.evaluation_nodes(SMALL)
    distance = (signs[nodes, None] != prototypes * 2 - 1).sum(2)
    nearest = distance == distance.min(1, keepdims=True)
    share = nearest[np.arange(300), labels[nodes]] / nearest.sum(1)
    assert Oracle(SMALL).features_alone() == pytest.approx(share.mean())


def test_the_page_states_what_is_known() -> None:
    oracle = Oracle(CARD)
    assert f"| features of the node alone | {oracle.features_alone():.4f} |" in PAGE
    assert f"| and of its neighbours | {oracle.hops(1):.4f} |" in PAGE
    assert f"| and of their neighbours | {oracle.hops(2):.4f} |" in PAGE
    assert f"| the label of every other node | {oracle.all_other_labels():.4f} |" in PAGE


# ---- scorer


def right_answers() -> dict[int, Any]:
    return dict(enumerate(DataSet(SMALL, data.make).part("eval")["labels"].tolist()))


def test_quality_counts_right_answers() -> None:
    right = right_answers()
    assert data.quality(SMALL, right) == 1.0
    assert data.quality(SMALL, right | {7: (right[7] + 1) % 4}) == 299 / 300


@given(st.one_of(st.booleans(), st.text(), st.floats(), st.none(), st.lists(st.integers())))
def test_an_answer_of_another_type_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer is of type"):
        data.quality(SMALL, {3: answer})


@pytest.mark.parametrize("answer", [-1, 4, 10**400, 10**5000], ids=range(4))
def test_an_answer_out_of_range_is_refused(answer: int) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: the answer is out of range"):
        data.quality(SMALL, {3: answer})


@pytest.mark.parametrize("sample", [-1, 300, 10**5000, True, "0", 0.0], ids=range(6))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 299"):
        data.quality(SMALL, {sample: 1})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="299 of 300 samples are missing"):
        data.quality(SMALL, {0: 1})


# ---- network


def test_attention_is_the_formula_of_the_paper() -> None:
    generator = torch.Generator().manual_seed(3)
    layer = RelationalAttention(relations=2, heads=3, width_in=5, width=12)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    own = torch.randn(4, 5, generator=generator)
    neighbours = torch.randn(2, 4, 6, 5, generator=generator)
    expected = layer.own(own).view(4, 3, 4)
    for relation in range(2):
        projected = torch.einsum("nfi,hid->nhfd", neighbours[relation], layer.projection[relation])
        to_self = torch.einsum("ni,hid->nhd", own, layer.projection[relation])
        scores = (projected * layer.source[relation][:, None]).sum(3)
        scores = scores + (to_self * layer.target[relation]).sum(2)[:, :, None]
        shares = torch.nn.functional.leaky_relu(scores, 0.2).softmax(2)
        expected = expected + (shares[..., None] * projected).sum(2)
    torch.testing.assert_close(layer(own, neighbours), expected.flatten(1))


def test_the_network_is_as_large_as_the_card_says() -> None:
    parameters = sum(p.numel() for p in new_model(CARD).parameters())
    assert f"{parameters:,} parameters" in CARD.model
    assert f"{parameters:,} parameters" in PAGE


def test_new_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = fresh_model(new_model(SMALL), torch.Generator().manual_seed(5)).state_dict()
    torch.manual_seed(2)
    two = fresh_model(new_model(SMALL), torch.Generator().manual_seed(5)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


# ---- training


def session(
    seed: int = 0, arithmetic: Arithmetic | None = None, **changes: Number
) -> ReferenceTraining:
    made = workload(SMALL, None).training(
        DEFAULTS | changes, seed, arithmetic or Arithmetic(precision="fp32")
    )
    made.load()
    return made


def test_a_seed_gives_the_same_training_and_another_seed_another() -> None:
    evaluation = workload(SMALL, None).evaluation(Arithmetic())
    evaluation.load()

    def course(seed: int) -> list[float]:
        made = session(seed)
        return [made.train(256), made.train(1), evaluation.evaluate(made.model)["accuracy"]]

    first = course(2**53 - 1)
    assert course(2**53 - 1) == first
    assert course(1) != first


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_lowers_the_loss(precision: Any) -> None:
    made = session(arithmetic=Arithmetic(precision=precision), opt_learning_rate_warmup_samples=0)
    first = made.train(900)
    made.train(3600)
    assert made.train(900) < 0.8 * first


def test_training_never_reads_the_evaluation_part(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    part = DataSet.part

    def noted(self: DataSet, name: str) -> dict[str, NDArray[Any]]:
        read.append(name)
        return part(self, name)

    monkeypatch.setattr(DataSet, "part", noted)
    made = session()
    made.train(128)
    assert set(read) == {"graph", "train"}
    sizes = {len(t) for t in tensors_of(made) if t.dtype == torch.int64 and t.ndim == 1}
    assert SMALL.training.train_samples in sizes
    assert SMALL.training.eval_samples not in sizes


def tensors_of(root: object) -> list[torch.Tensor]:
    """Every tensor with an axis that ``root`` leads to, save through modules and types."""
    seen: dict[int, object] = {}
    queue = [root]
    while queue:
        thing = queue.pop()
        if id(thing) in seen or isinstance(thing, type | type(gc)) or callable(thing):
            continue
        seen[id(thing)] = thing
        queue += gc.get_referents(thing)
    return [t for t in seen.values() if isinstance(t, torch.Tensor) and t.ndim]


def test_a_sample_holds_listed_neighbours_each_once() -> None:
    lists = torch.arange(2 * 5 * 8, dtype=torch.int32).view(2, 5, 8)
    graph = Graph(torch.zeros(80, 1, dtype=torch.int8), lists)
    nodes = torch.tensor([4, 0, 4] * 50)
    sampled = graph.sampled(nodes, 6, torch.Generator().manual_seed(0))
    assert sampled.shape == (2, 150, 6)
    for relation in range(2):
        for node, found in zip(nodes.tolist(), sampled[relation].tolist(), strict=True):
            assert len(set(found)) == 6
            assert set(found) <= set(lists[relation, node].tolist())
    assert len(set(sampled[0].flatten().tolist())) == 16  # every place of both lists


def test_a_value_that_nothing_can_train_with_is_refused() -> None:
    with pytest.raises(LevelfieldError, match="global_batch_size"):
        session(global_batch_size=1)


# ---- inference


@pytest.fixture(scope="module")
def sut() -> ReferenceSut:
    return ReferenceSut(workload(CARD, None).library())


def test_the_shipped_weights_have_the_quality_on_the_card(sut: ReferenceSut) -> None:
    library = workload(CARD, None).library()
    library.load(range(library.total_samples))
    batches = np.split(np.arange(library.total_samples), library.total_samples // sut.max_batch)
    logits = np.concatenate([sut.logits(library.get(batch)) for batch in batches])
    answers = dict(enumerate(logits.argmax(1).tolist()))
    best = np.sort(logits, axis=1)
    ties = int((best[:, -1] - best[:, -2] < 1e-4).sum())  # that another CPU might turn
    assert ties <= 2
    reference = CARD.inference.reference_quality
    assert data.quality(CARD, answers) == pytest.approx(reference, abs=ties / len(answers))
    assert f"answer {round(reference * len(answers)):,} of them rightly" in PAGE


def test_evaluation_layer_by_layer_is_what_two_hops_of_each_node_give() -> None:
    evaluation = workload(CARD, None).evaluation(Arithmetic())
    evaluation.load()
    found = evaluation.evaluate(shipped_model(CARD))
    reference = CARD.inference.reference_quality
    assert found == {"accuracy": pytest.approx(reference, abs=2 / CARD.training.eval_samples)}


def test_an_answer_does_not_depend_on_its_batch(sut: ReferenceSut) -> None:
    nodes = data.evaluation_nodes(CARD)[:16]
    together = sut.predict(nodes)
    assert [sut.predict(nodes[i : i + 1])[0] for i in range(16)] == together.tolist()


def test_bf16_answers_nearly_as_fp32_does(sut: ReferenceSut) -> None:
    library = workload(CARD, None).library()
    library.load(range(100))
    nodes = library.get(np.arange(100))
    halves = ReferenceSut(library, "bf16").predict(nodes)
    assert (halves == sut.predict(nodes)).mean() > 0.95
    with pytest.raises(UsageError, match="int8"):
        ReferenceSut(library, "int8")


# ---- card, page and the larger scale


def test_the_page_states_the_figures_of_the_card() -> None:
    facts = CARD.training
    assert f"Accuracy {facts.target.value} on the held-out nodes" in PAGE
    assert f"Every {facts.evaluate_every:,} samples" in PAGE
    assert f"{facts.limit:,} samples" in PAGE
    assert facts.target.value * facts.eval_samples == round(facts.target.value * facts.eval_samples)


def test_the_standard_scale_builds_its_model_and_trains_when_shrunken() -> None:
    card = load_card("graph_classification.standard")
    with torch.device("meta"):
        parameters = sum(p.numel() for p in new_model(card).parameters())
    assert f"{parameters:,} parameters" in card.model
    assert card.shape["nodes"] >= card.training.train_samples + card.training.eval_samples
    small = workload(shrunk(card), None)
    small.prepare(quiet)
    made = small.training(settle_hyperparameters(card.training, {}, bounded=True), 0, Arithmetic())
    made.load()
    made.train(1)
    assert made.samples == card.training.hyperparameters["global_batch_size"].default
