"""The chain, its sequences and prompts, the optimum, and the quality of generated tokens.

No torch here: the rules recompute quality from answers with this file and the chain's alone.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.markov import Chain, draw_chain

_CHAIN, _TRAIN, _EVAL, _PROMPTS = range(4)
"""Each is drawn from a stream of its own, so that none depends on the size of another."""

_CHAIN_SIZES = ("vocabulary", "classes", "successors")
_DRAW_BITS = 32


def chain_of(card: WorkloadCard) -> Chain:
    """The card's Markov chain."""
    return _chain(_seed(card), *(int(card.shape[name]) for name in _CHAIN_SIZES))


@cache
def _chain(seed: int, symbols: int, classes: int, successors: int) -> Chain:
    return draw_chain(symbols, classes, successors, _random(seed, _CHAIN))


def make(card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """Sequences (samples, context + 1) to train on and to evaluate with, and what `prompts` gives.

    A sequence is one token longer than the model's context: each token but the first is predicted
    from those before it.
    """
    return make_from(chain_of(card), card, report)


def make_from(chain: Chain, card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """As `make`, from any chain."""
    length = int(card.shape["context"]) + 1
    wanted = {
        "train": (_TRAIN, card.training.train_samples),
        "eval": (_EVAL, card.training.eval_samples),
    }
    arrays: dict[str, NDArray[Any]] = {}
    for done, (part, (stream, count)) in enumerate(wanted.items()):
        report(f"{part} sequences", done, len(wanted))
        drawn = chain.sample(count, length, _random(_seed(card), stream))
        arrays[f"{part}.tokens"] = drawn.astype(_token_type(card), order="C")
    report("sequences", len(wanted), len(wanted))
    asked = prompts_from(chain, card)
    return arrays | {f"inference.{name}": array for name, array in asked.items()}


def prompts(card: WorkloadCard) -> dict[str, NDArray[Any]]:
    """The inference samples: ``prompt`` (samples, prompt) and ``draws`` (samples, new tokens).

    A draw is a uniform whole number below 2**32, which decides a generated token: the token whose
    share of the interval from 0 to 1, in the order of token ids, contains draw / 2**32.
    """
    return prompts_from(chain_of(card), card)


def prompts_from(chain: Chain, card: WorkloadCard) -> dict[str, NDArray[Any]]:
    """As `prompts`, from any chain."""
    count, random = card.inference.samples, _random(_seed(card), _PROMPTS)
    following = int(card.shape["new_tokens"])
    draws = random.integers(0, 2**_DRAW_BITS, (count, following), dtype=np.uint32)
    prompt = chain.sample(count, int(card.shape["prompt"]), random)
    return {"prompt": prompt.astype(_token_type(card)), "draws": draws}


def optimum(card: WorkloadCard) -> float:
    """The least log-perplexity in expectation, in nats: the chain's entropy rate, exactly.

    Sequences begin in the stationary distribution, and what a prediction of a chain of order 2
    is scored for has at least two tokens before it, so none can do better on average than the
    conditional entropy.
    """
    return chain_of(card).entropy_rate()


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Share of generated tokens, 0 to 1, that the true chain would have generated in their place.

    In their place: from the same draw, after the tokens that the answer itself begins with. Only
    a model that has every probability right gets 1; one that always takes the likeliest token, or
    sees a distribution that differs by a share d of its mass, loses about d.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every sample once and
    nothing else, and each answer is a list of the card's number of tokens.
    """
    return agreement(chain_of(card), card, answers)


def agreement(chain: Chain, card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """As `quality`, under any chain."""
    count, length = card.inference.samples, int(card.shape["new_tokens"])
    for sample, answer in answers.items():
        _require_tokens(sample, answer, count, length, int(card.shape["vocabulary"]))
    missing = count - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {count} samples are missing; run accuracy mode again"
        )
    asked = prompts_from(chain, card)
    given = np.array([answers[sample] for sample in range(count)], dtype=np.int64)
    before = np.concatenate([asked["prompt"][:, -2:].astype(np.int64), given[:, :-1]], axis=1)
    # The chain's probabilities are multiples of 1/256, so the top byte of a draw decides.
    top = asked["draws"] >> (_DRAW_BITS - 8)
    right = chain.table[chain.context(before[:, :-1], before[:, 1:]), top] == given
    return float(right.mean())


def _require_tokens(
    sample: object, answer: object, count: int, length: int, vocabulary: int
) -> None:
    # Bounds before text: the text of a huge integer would raise, or fill a page.
    if type(sample) is not int or not 0 <= sample < count:
        raise LevelfieldError(
            f"answers: a sample outside 0 to {count - 1}; run accuracy mode again"
        )
    if type(answer) is not list or len(answer) != length:
        raise LevelfieldError(
            f"answers: sample {sample}: not a list of {length} tokens; answer with just so many"
        )
    if not all(type(token) is int and 0 <= token < vocabulary for token in answer):
        raise LevelfieldError(
            f"answers: sample {sample}: something that is no token; "
            f"answer with whole numbers from 0 to {vocabulary - 1}"
        )


def _random(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, stream]))


def _seed(card: WorkloadCard) -> int:
    assert card.data_seed is not None  # generated at every scale that has this chain
    return card.data_seed


def _token_type(card: WorkloadCard) -> type[np.integer[Any]]:
    return np.uint8 if card.shape["vocabulary"] <= 256 else np.uint16
