"""The relabelled chain, its sequences and prompts, the optimum, and the quality of tokens.

No torch here: the rules recompute quality from answers with this file alone.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.workload import Progress
from workloads.catalogue import load_card
from workloads.language_model import data as base
from workloads.markov import Chain

_NAMES = 0
"""The stream of the card's seed from which the base would draw a chain; the others are used."""


def whole(card: WorkloadCard) -> WorkloadCard:
    """``card`` with what the base's card alone states, its sizes, and with a seed of its own.

    The round's seed is the base's; this workload draws with the next, so the two share nothing.
    """
    shape = load_card("language_model").shape | card.shape
    return card.model_copy(update={"shape": shape, "data_seed": _seed(card)})


def _seed(card: WorkloadCard) -> int:
    assert card.data_seed is not None
    return card.data_seed + 1


def chain_of(card: WorkloadCard) -> Chain:
    """The base's chain with symbols relabelled as the card's seed draws it."""
    return _chain(_seed(card), int(card.shape["relabelled_classes"]))


@cache
def _chain(seed: int, moved: int) -> Chain:
    chain = base.chain_of(load_card("language_model"))
    random = np.random.Generator(np.random.PCG64([seed, _NAMES]))
    return relabelled(chain, new_names(chain, moved, random))


def new_names(chain: Chain, moved: int, random: np.random.Generator) -> NDArray[np.int64]:
    """New names (symbols,) of symbols: those of ``moved`` random classes go round among them.

    Whole classes go, each symbol to the symbol of the next class in its row, so that what follows
    still depends on the class of one symbol and on the next symbol. No symbol of theirs stays.
    """
    keys = random.integers(0, 2**32, chain.classes, dtype=np.uint32)
    chosen = np.argsort(keys, kind="stable")[:moved]
    classes = np.arange(chain.classes)
    classes[chosen] = np.roll(chosen, 1)
    symbols = np.arange(chain.symbols)
    return symbols - symbols % chain.classes + classes[symbols % chain.classes]


def relabelled(chain: Chain, names: NDArray[np.int64]) -> Chain:
    """The chain of the symbols' new ``names`` (symbols,), which keep classes together.

    Its entropy rate is that of ``chain``: what is predicted is the same under other names.
    """
    before = np.repeat(names[: chain.classes], chain.symbols)
    places = chain.context(before, np.tile(names, chain.classes))
    renamed = names[chain.successors]
    rising = np.argsort(renamed, axis=1)
    successors, weights = np.empty_like(chain.successors), np.empty_like(chain.weights)
    successors[places] = np.take_along_axis(renamed, rising, axis=1)
    weights[places] = np.take_along_axis(chain.weights, rising, axis=1)
    return Chain(chain.symbols, chain.classes, successors, weights)


def make(card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """Sequences (samples, context + 1) to train on and to evaluate with, and what `prompts` gives.

    As those of language_model, of this chain.
    """
    return base.make_from(chain_of(card), whole(card), report)


def prompts(card: WorkloadCard) -> dict[str, NDArray[Any]]:
    """The inference samples, as language_model's: ``prompt`` and ``draws``."""
    return base.prompts_from(chain_of(card), whole(card))


def optimum(card: WorkloadCard) -> float:
    """The least log-perplexity in expectation, in nats: the relabelled chain's entropy rate.

    It equals the base chain's: names carry no information.
    """
    return chain_of(card).entropy_rate()


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Share of generated tokens that the relabelled chain would have generated in their place.

    See `workloads.language_model.data.agreement`, with its errors.
    """
    return base.agreement(chain_of(card), whole(card), answers)
