"""LoRA fine-tuning: relabelled chain and scorer, training, generation, card and page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.card import WorkloadCard, settle_hyperparameters
from harness.clock import SystemClock
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.sut import load_sut
from harness.tracker import Tracker
from harness.workload import Arithmetic
from workloads.catalogue import engine_spec, load_card, load_scorer
from workloads.data_set import DataSet
from workloads.language_model import data as base_data
from workloads.language_model.workload import shipped_model as base_model
from workloads.lora_finetuning import data, model
from workloads.lora_finetuning.workload import WEIGHTS, LoraFinetuning, shipped_model
from workloads.markov import GRAIN, draw_chain

CARD = load_card("lora_finetuning")
BASE_CARD = load_card("language_model")
PAGE = WEIGHTS.with_name("README.md").read_text("utf-8")
FP32 = Arithmetic()


def small(card: WorkloadCard = CARD, samples: int = 8) -> WorkloadCard:
    """A card that takes milliseconds."""
    training = card.training.model_copy(update={"train_samples": 256, "eval_samples": 48})
    inference = card.inference.model_copy(
        update={"samples": samples, "performance_samples": samples}
    )
    changes = {"training": training, "inference": inference}
    return card.model_copy(update={"data_sha256": "", **changes})


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoraFinetuning:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    workload = LoraFinetuning(small())
    workload.prepare(lambda *_: None)
    return workload


def changed(**changes: Number) -> dict[str, Number]:
    return settle_hyperparameters(CARD.training, {}, bounded=True) | changes


# ---- data


def test_the_data_are_those_of_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = DataSet(CARD, data.make)
    assert made.prepare(lambda *_: None) == CARD.data_sha256
    facts = CARD.training
    assert made.part("train")["tokens"].shape == (facts.train_samples, 65)
    assert made.part("eval")["tokens"].shape == (facts.eval_samples, 65)


def names() -> list[int]:
    """Of the symbols, pinned: NumPy draws the same ones everywhere."""
    moved = {2: 7, 7: 15, 13: 2, 15: 13}
    return [moved.get(symbol % 16, symbol % 16) + symbol // 16 * 16 for symbol in range(32)]


def chances(chain: Any) -> np.ndarray:
    """The chain's probabilities (symbols, symbols, symbols): of c after a and b."""
    table = np.zeros((chain.symbols,) * 3)
    every = np.arange(chain.symbols)
    for first in range(chain.symbols):
        contexts = chain.context(np.full_like(every, first), every)
        rows = np.repeat(every[:, None], chain.successors.shape[1], axis=1)
        table[first, rows, chain.successors[contexts]] = chain.weights[contexts] / GRAIN
    return table


def test_eight_symbols_have_new_names_and_nothing_else_has_changed() -> None:
    new = names()
    assert sum(name != symbol for symbol, name in enumerate(new)) == 8
    assert sorted(new) == list(range(32))
    base, ours = chances(base_data.chain_of(BASE_CARD)), chances(data.chain_of(CARD))
    assert np.array_equal(ours[np.ix_(new, new, new)], base)
    assert not np.array_equal(ours, base)


@given(st.integers(0, 2**32), st.sampled_from([(6, 3), (8, 4), (5, 5)]), st.data())
def test_any_chain_under_other_names_is_the_same_chain(
    seed: int, sizes: tuple[int, int], drawn: Any
) -> None:
    random = np.random.Generator(np.random.PCG64(seed))
    chain = draw_chain(*sizes, 2, random)
    moved = drawn.draw(st.integers(2, chain.classes))
    new = data.new_names(chain, moved, random)
    assert (new != np.arange(chain.symbols)).sum() == moved * chain.symbols // chain.classes
    ours = data.relabelled(chain, new)
    assert np.array_equal(chances(ours)[np.ix_(new, new, new)], chances(chain))
    assert (np.diff(ours.successors, axis=1) > 0).all()


def test_the_optimum_is_the_base_chains_and_stands_on_the_card() -> None:
    assert math.isclose(data.optimum(CARD), base_data.optimum(BASE_CARD), rel_tol=1e-12)
    assert math.isclose(data.optimum(CARD), CARD.training.target.optimum or 0, rel_tol=1e-12)
    assert 0.02 < CARD.training.target.value - data.optimum(CARD) < 0.18


# ---- scorer


def ideal(card: WorkloadCard) -> dict[int, Any]:
    """The answers of the relabelled chain itself, by its probabilities."""
    ends = chances(data.chain_of(card)).cumsum(-1)
    answers = {}
    asked = data.prompts(card)
    for sample, (prompt, draws) in enumerate(
        zip(asked["prompt"].tolist(), asked["draws"].tolist(), strict=True)
    ):
        sequence = list(prompt)
        for draw in draws:
            below = ends[sequence[-2], sequence[-1]] <= draw / 2**32
            sequence.append(int(below.sum()))
        answers[sample] = sequence[len(prompt) :]
    return answers


SMALL = small()
IDEAL = ideal(SMALL)


def test_the_relabelled_chain_itself_gets_1_and_a_wrong_token_costs_itself() -> None:
    assert data.quality(SMALL, IDEAL) == 1.0
    wrong = [*IDEAL[3][:31], (IDEAL[3][31] + 1) % 32]
    assert data.quality(SMALL, IDEAL | {3: wrong}) == 255 / 256


def test_the_chain_under_its_old_names_falls_short() -> None:
    old = np.argsort(names())
    answers = {sample: old[answer].tolist() for sample, answer in IDEAL.items()}
    assert data.quality(SMALL, answers) < 0.7


@pytest.mark.parametrize(
    "answer", [[1] * 31, [*[1] * 31, 32], [*[1] * 31, True], [*[1] * 31, 10**5000], "1" * 32, None],
    ids=range(6),
)  # fmt: skip
def test_an_answer_that_is_no_list_of_tokens_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match="sample 3: "):
        data.quality(SMALL, IDEAL | {3: answer})


@pytest.mark.parametrize("sample", [-1, 8, 10**5000, True, "0"], ids=range(5))
def test_unknown_samples_are_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 7"):
        data.quality(SMALL, {sample: IDEAL[0]})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="7 of 8 samples are missing"):
        data.quality(SMALL, {0: IDEAL[0]})


# ---- training


def losses(workload: LoraFinetuning, seed: int, arithmetic: Arithmetic) -> list[float]:
    session = workload.training(changed(opt_learning_rate_warmup_samples=64), seed, arithmetic)
    evaluation = workload.evaluation(arithmetic)
    session.load()
    evaluation.load()
    blocks = [session.train(128) for _ in range(3)]
    return [*blocks, evaluation.evaluate(session.model)["log_perplexity"]]


def test_training_lowers_the_loss_and_a_seed_repeats_it(tiny: LoraFinetuning) -> None:
    first = losses(tiny, 2**53 - 1, FP32)
    assert first[0] > first[1] > first[2]
    assert losses(tiny, 2**53 - 1, FP32) == first
    assert losses(tiny, 1, FP32) != first


def test_the_target_is_far_from_the_base(tiny: LoraFinetuning) -> None:
    session, evaluation = tiny.training(changed(), 0, FP32), tiny.evaluation(FP32)
    evaluation.load()
    begun = evaluation.evaluate(session.model)["log_perplexity"]
    assert begun > CARD.training.target.value + 2


def test_bf16_trains_as_well(tiny: LoraFinetuning) -> None:
    single, half = (losses(tiny, 0, Arithmetic(p)) for p in ("fp32", "bf16"))
    assert half != single
    assert math.isclose(half[3], single[3], rel_tol=0.05)


def test_only_adapters_are_trained(tiny: LoraFinetuning) -> None:
    session = tiny.training(changed(), 0, FP32)
    begun = {name: value.clone() for name, value in session.model.state_dict().items()}
    session.load()
    session.train(128)
    for name, value in session.model.state_dict().items():
        assert torch.equal(value, begun[name]) == (".adapter." not in name), name
    base = base_model().state_dict()
    assert all(torch.equal(base[name], begun[name]) for name in base)


def test_the_training_never_holds_the_evaluation_part(
    tiny: LoraFinetuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    part = DataSet.part

    def noted(self: DataSet, name: str) -> Mapping[str, Any]:
        read.append(name)
        return part(self, name)

    monkeypatch.setattr(DataSet, "part", noted)
    session = tiny.training(changed(), 0, FP32)
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
        LoraFinetuning(CARD).training(changed(**{name: value}), 0, FP32)


# ---- inference


@pytest.mark.parametrize("engine", sorted(CARD.engines))
def test_the_shipped_adapters_have_the_quality_on_the_card(engine: str) -> None:
    library = LoraFinetuning(CARD).library()
    library.load(range(library.total_samples))
    books = Tracker(SystemClock(), keep=lambda _: True)
    sut: Any = load_sut(engine_spec("lora_finetuning", engine), library, "fp32")
    sut.issue(books.enter(np.arange(library.total_samples)))
    assert books.wait(10**11)
    found = load_scorer("lora_finetuning")(books.answers)
    if engine == "eager":
        assert found == CARD.inference.reference_quality
    assert math.isclose(found, CARD.inference.reference_quality, abs_tol=5e-4)


@pytest.mark.parametrize("engine", sorted(CARD.engines))
def test_other_precisions_are_refused(engine: str) -> None:
    with pytest.raises(UsageError, match=f"{engine} does not offer it; choose fp32 or bf16"):
        load_sut(engine_spec("lora_finetuning", engine), LoraFinetuning(CARD).library(), "int8")


def test_the_shipped_adapters_come_near_the_optimum_and_nothing_else_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    workload = LoraFinetuning(CARD.model_copy(update={"data_sha256": "", **FEW}))
    workload.prepare(lambda *_: None)
    evaluation = workload.evaluation(FP32)
    evaluation.load()
    found = evaluation.evaluate(shipped_model())["log_perplexity"]
    assert 0 < found - data.optimum(CARD) < 0.03
    assert f"{found:.4f} nats" in PAGE
    assert WEIGHTS.stat().st_size < 100_000


FEW = {"training": CARD.training.model_copy(update={"train_samples": 1})}
"""Held-out sequences have a stream of their own, whatever else is made."""


# ---- card and page


def test_the_page_states_the_figures_of_the_card() -> None:
    facts = CARD.training
    for figure in (
        f"{facts.target.value} nats",
        f"{facts.target.optimum:.6f}",
        f"{facts.limit:,} sequences",
        f"every {facts.evaluate_every:,}",
        f"{CARD.inference.reference_quality:.4f}",
        f"rank {CARD.shape['rank']}",
        model.BASE_SHA256,
    ):
        assert figure in PAGE, figure
