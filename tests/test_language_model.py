"""Language model: chain and scorer, training and evaluation, generation, every scale's card."""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import benchmark_names, load_card, load_scorer, load_workload
from workloads.data_set import DataSet
from workloads.language_model import data
from workloads.language_model.training import mean_loss
from workloads.language_model.workload import WEIGHTS, LanguageModel, shipped_model
from workloads.llama import Llama, shape_of
from workloads.markov import GRAIN

CARD = load_card("language_model")
STANDARD = load_card("language_model.standard")
PAGE = WEIGHTS.with_name("README.md").read_text("utf-8")
SMALL = {"context": 16, "width": 32, "hidden": 32, "prompt": 4, "new_tokens": 4}


def small(card: WorkloadCard = CARD, **shape: Number) -> WorkloadCard:
    """A card that takes milliseconds."""
    training = card.training.model_copy(update={"train_samples": 256, "eval_samples": 48})
    inference = card.inference.model_copy(update={"samples": 8, "performance_samples": 8})
    changes = {"shape": card.shape | SMALL | shape, "training": training, "inference": inference}
    return card.model_copy(update={"data_sha256": "", **changes})


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LanguageModel:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = LanguageModel(small())
    model.prepare(lambda *_: None)
    return model


def changed(card: WorkloadCard = CARD, **changes: Number) -> dict[str, Number]:
    return settle_hyperparameters(card.training, {}, bounded=True) | changes


# ---- data


def test_the_data_are_those_of_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = DataSet(CARD, data.make)
    assert made.prepare(lambda *_: None) == CARD.data_sha256
    facts, length = CARD.training, CARD.shape["context"] + 1
    assert made.part("train")["tokens"].shape == (facts.train_samples, length)
    assert made.part("eval")["tokens"].shape == (facts.eval_samples, length)
    seen = {row.tobytes() for row in made.part("train")["tokens"]}
    assert not any(row.tobytes() in seen for row in made.part("eval")["tokens"])


def chances(card: WorkloadCard) -> np.ndarray:
    """The chain's probabilities (symbols, symbols, symbols): of c after a and b."""
    chain = data.chain_of(card)
    table = np.zeros((chain.symbols,) * 3)
    for first in range(chain.symbols):
        for second in range(chain.symbols):
            context = first % chain.classes * chain.symbols + second
            for symbol, weight in zip(
                chain.successors[context], chain.weights[context], strict=True
            ):
                table[first, second, symbol] = weight / GRAIN
    return table


def test_the_optimum_is_that_of_the_chain_of_pairs() -> None:
    table = chances(CARD)
    pairs = np.full((32, 32), 1 / 32**2)
    for _ in range(300):
        pairs = np.einsum("ab,abc->bc", pairs, table)
    surprise = -np.log(table, out=np.zeros_like(table), where=table > 0)
    assert math.isclose((pairs[:, :, None] * table * surprise).sum(), data.optimum(CARD))


@pytest.mark.parametrize("card", [CARD, STANDARD], ids=["mini", "standard"])
def test_the_card_states_the_optimum(card: WorkloadCard) -> None:
    stated = card.training.target.optimum
    assert stated is not None
    assert math.isclose(stated, data.optimum(card), abs_tol=1e-12)
    assert math.isclose(card.training.target.value, stated + 0.10, abs_tol=1e-3)


def test_the_chain_itself_scores_its_optimum_on_the_evaluation_set() -> None:
    """So the evaluation set is neither easier nor harder than the chain by more than chance."""
    tokens = data.chain_of(CARD).sample(192, 65, data._random(1, data._EVAL)).astype(np.int64)
    probable = chances(CARD)[tokens[:, :-2], tokens[:, 1:-1], tokens[:, 2:]]
    score = -np.log(probable).mean()
    assert abs(score - data.optimum(CARD)) < 0.01
    assert f"the chain itself scores {score:.4f}" in PAGE


# ---- scorer

IDEAL_CARD = small()


def ideal(card: WorkloadCard) -> dict[int, Any]:
    """What a model with the chain's own probabilities would generate."""
    asked, table = data.prompts(card), chances(card)
    answers: dict[int, Any] = {}
    for sample, (prompt, draws) in enumerate(
        zip(asked["prompt"].tolist(), asked["draws"].tolist(), strict=True)
    ):
        tokens = list(prompt)
        for draw in draws:
            ends = np.cumsum(table[tokens[-2], tokens[-1]])
            tokens.append(int((ends <= draw / 2**32).sum()))
        answers[sample] = tokens[len(prompt) :]
    return answers


IDEAL = ideal(IDEAL_CARD)


def test_the_chain_itself_gets_1() -> None:
    assert data.quality(IDEAL_CARD, IDEAL) == 1.0


def test_a_wrong_token_costs_itself_alone() -> None:
    # The last token: what follows another one is judged after it.
    wrong = [*IDEAL[3][:3], (IDEAL[3][3] + 1) % 32]
    assert data.quality(IDEAL_CARD, IDEAL | {3: wrong}) == 31 / 32


def test_always_the_likeliest_token_is_not_what_was_asked() -> None:
    table, answers = chances(CARD), {}
    for sample, prompt in enumerate(data.prompts(CARD)["prompt"].tolist()):
        tokens = list(prompt)
        for _ in range(32):
            tokens.append(int(table[tokens[-2], tokens[-1]].argmax()))
        answers[sample] = tokens[32:]
    assert data.quality(CARD, answers) < 0.4
    assert data.quality(CARD, dict.fromkeys(range(512), [5] * 32)) < 0.11


hostile = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=2),
)


@given(hostile)
def test_whatever_is_answered_is_a_quality_or_refused(answer: Any) -> None:
    # As a list of four it is judged token by token, else as a whole.
    for answers in (IDEAL | {3: answer}, IDEAL | {3: [*IDEAL[3][:3], answer]}):
        with suppress(LevelfieldError):
            assert 0 <= data.quality(IDEAL_CARD, answers) <= 1


@pytest.mark.parametrize(
    "answer", [[1, 2, 3], [1, 2, 3, 32], [1, 2, 3, -1], [1, 2, 3, True], [1, 2, 3, 10**5000],
               [1.0, 2, 3, 4], "1234", (1, 2, 3, 4), None], ids=range(9)
)  # fmt: skip
def test_an_answer_that_is_no_list_of_tokens_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: "):
        data.quality(IDEAL_CARD, IDEAL | {3: answer})


@pytest.mark.parametrize("sample", [-1, 8, 10**5000, True, "0", 0.0], ids=range(6))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 7"):
        data.quality(IDEAL_CARD, {sample: [1, 2, 3, 4]})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="7 of 8 samples are missing"):
        data.quality(IDEAL_CARD, {0: [1, 2, 3, 4]})


# ---- training


def losses(model: LanguageModel, seed: int, arithmetic: Arithmetic) -> list[float]:
    session = model.training(changed(opt_learning_rate_warmup_samples=64), seed, arithmetic)
    evaluation = model.evaluation(arithmetic)
    session.load()
    evaluation.load()
    blocks = [session.train(512) for _ in range(3)]
    return [*blocks, evaluation.evaluate(session.model)["log_perplexity"]]


def test_training_lowers_the_loss_and_a_seed_repeats_it(tiny: LanguageModel) -> None:
    first = losses(tiny, 2**53 - 1, Arithmetic())
    assert first[0] > first[1] > first[2]
    assert first[3] < math.log(32) - 0.1
    assert losses(tiny, 2**53 - 1, Arithmetic()) == first
    assert losses(tiny, 1, Arithmetic()) != first


def test_bf16_trains_as_well(tiny: LanguageModel) -> None:
    single, half = (losses(tiny, 0, Arithmetic(p)) for p in ("fp32", "bf16"))
    assert half != single
    assert math.isclose(half[3], single[3], rel_tol=0.05)


def test_the_first_prediction_does_not_count() -> None:
    model = Llama(shape_of(small().shape)).eval()
    sequences = torch.randint(0, 32, (4, 17), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = mean_loss(model, sequences, unscored=1)
        logs = model(sequences[:, :-1]).log_softmax(-1)
    by_hand = [-logs[s, t, sequences[s, t + 1]] for s in range(4) for t in range(1, 16)]
    assert math.isclose(float(found), sum(map(float, by_hand)) / 60, rel_tol=1e-5)


def test_an_evaluation_in_parts_is_the_whole_and_leaves_the_model_as_it_was(
    tiny: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tiny.training(changed(), 0, Arithmetic())
    evaluation = tiny.evaluation(Arithmetic())
    evaluation.load()
    before = {name: value.clone() for name, value in session.model.state_dict().items()}
    whole = evaluation.evaluate(session.model)["log_perplexity"]
    monkeypatch.setattr(evaluation, "_together", 7)
    assert math.isclose(evaluation.evaluate(session.model)["log_perplexity"], whole, rel_tol=1e-6)
    assert session.model.training
    assert all(torch.equal(before[n], v) for n, v in session.model.state_dict().items())


def test_the_training_never_holds_the_evaluation_part(
    tiny: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    part = DataSet.part

    def noted(self: DataSet, name: str) -> Mapping[str, Any]:
        read.append(name)
        return part(self, name)

    monkeypatch.setattr(DataSet, "part", noted)
    session = tiny.training(changed(), 0, Arithmetic())
    assert read == []
    session.load()
    session.train(64)
    assert read == ["train"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("opt_base_learning_rate", math.nan), ("opt_adamw_epsilon", -1), ("global_batch_size", 0.5)],
)
def test_values_that_nothing_can_train_with_are_refused(name: str, value: Number) -> None:
    with pytest.raises(LevelfieldError, match=name):
        LanguageModel(CARD).training(changed(**{name: value}), 0, Arithmetic())


# ---- inference


def test_the_shipped_weights_have_the_quality_on_the_card() -> None:
    from harness.clock import SystemClock
    from harness.tracker import Tracker
    from workloads.language_model.workload import ReferenceSut

    library = LanguageModel(CARD).library()
    library.load(range(512))
    books = Tracker(SystemClock(), keep=lambda _: True)
    ReferenceSut(library).issue(books.enter(np.arange(512)))
    assert books.wait(10**11)
    assert data.quality(CARD, books.answers) == CARD.inference.reference_quality
    assert load_scorer("language_model")(books.answers) == CARD.inference.reference_quality


def test_the_shipped_weights_come_near_the_optimum() -> None:
    tokens = data.chain_of(CARD).sample(192, 65, data._random(1, data._EVAL)).astype(np.int64)
    with torch.inference_mode():
        found = float(mean_loss(shipped_model(), torch.from_numpy(tokens), 1))
    assert 0 < found - data.optimum(CARD) < 0.02
    assert f"{found:.4f} nats" in PAGE


# ---- cards and page


@pytest.mark.parametrize("name", [n for n in benchmark_names() if n.startswith("language_model")])
def test_the_model_is_as_large_as_the_card_says(name: str) -> None:
    card = load_card(name)
    with torch.device("meta"):
        model = Llama(shape_of(card.shape))
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in card.model


def test_the_standard_code_runs_with_a_shrunken_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shape = {"vocabulary": 300, "layers": 2, "heads": 3, "kv_heads": 1, "width": 24}
    model = LanguageModel(small(STANDARD, **shape))
    model.prepare(lambda *_: None)
    session = model.training(changed(STANDARD), 0, Arithmetic())
    session.load()
    assert math.isclose(session.train(64), math.log(300), rel_tol=0.05)


def test_the_page_states_the_figures_of_the_card() -> None:
    facts = CARD.training
    for figure in (
        f"{facts.target.value} nats",
        f"{facts.target.optimum:.6f}",
        f"{facts.limit:,} sequences",
        f"every {facts.evaluate_every:,}",
        f"{CARD.inference.reference_quality:.4f}",
        f"{STANDARD.training.target.optimum:.6f}",
    ):
        assert figure in PAGE, figure


def test_a_folder_belongs_to_scale_full_alone() -> None:
    assert isinstance(load_workload("language_model"), LanguageModel)
    assert STANDARD.inference.scenarios == ()
