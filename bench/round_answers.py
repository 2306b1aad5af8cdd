"""Right answers to every sample of a workload's inference, without a model that finds them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from harness.answers import Answer, answers_text
from harness.card import WorkloadCard
from workloads.catalogue import load_card, load_scorer
from workloads.data_set import DataSet
from workloads.graph_classification import data as graphs
from workloads.image_classification import data as digits
from workloads.image_generation import data as images
from workloads.language_model import data as language
from workloads.lora_finetuning import data as lora
from workloads.markov import Chain
from workloads.object_detection import data as scenes
from workloads.recommendation import data as clicks


@dataclass(frozen=True)
class Answers:
    """The answers of one workload, by sample."""

    lines: tuple[str, ...]
    """As ``answers.jsonl`` holds them."""
    quality: float
    tokens: int
    """How many an answer has; 0 where none are generated."""


@cache
def answers_of(name: str) -> Answers:
    """What a system that errs nowhere, or hardly, answers to the samples of the workload ``name``.

    The first call makes the workload's data set, if it is not there yet.
    """
    found = _FINDERS[name](load_card(name))
    return Answers(
        lines=tuple(answers_text([Answer(sample=n, answer=one)]) for n, one in enumerate(found)),
        quality=load_scorer(name)(dict(enumerate(found))),
        tokens=len(found[0]) if name in _GENERATING else 0,
    )


def _digits(card: WorkloadCard) -> list[Any]:
    return list(digits.right_answers(card))


def _graphs(card: WorkloadCard) -> list[Any]:
    stored = DataSet(card, graphs.make)
    stored.prepare(lambda *_: None)
    labels: list[Any] = stored.part("eval")["labels"].tolist()
    return labels


def _images(card: WorkloadCard) -> list[Any]:
    """Unseen handwriting of the digits that are asked for, each as often as any of its kind."""
    made = images.make(card, lambda *_: None)
    unseen, labels = made["eval.images"], made["eval.labels"]
    places = {digit: np.flatnonzero(labels == digit).tolist() for digit in np.unique(labels)}
    turns = dict.fromkeys(places, 0)
    found = []
    for digit in made["prompt.labels"].tolist():
        place = places[digit][turns[digit] % len(places[digit])]
        turns[digit] += 1
        found.append(unseen[place].reshape(-1).tolist())
    return found


def _continued(chain: Chain, card: WorkloadCard) -> list[Any]:
    """What the true chain goes on with after each prompt."""
    asked = language.prompts_from(chain, card)
    drawn = asked["draws"] >> 24  # the chain's probabilities are multiples of 1/256
    before, last = asked["prompt"][:, -2], asked["prompt"][:, -1]
    found = np.empty(drawn.shape, np.int64)
    for step in range(drawn.shape[1]):
        before, last = last, chain.table[chain.context(before, last), drawn[:, step]]
        found[:, step] = last
    return [tokens.tolist() for tokens in found]


def _scenes(card: WorkloadCard) -> list[Any]:
    stored = DataSet(card, scenes.make)
    stored.prepare(lambda *_: None)
    truth = stored.part("eval")
    return [
        [[kind, 1.0, *map(float, box)] for kind, box in zip(kinds, boxes, strict=True) if kind >= 0]
        for kinds, boxes in zip(truth["kinds"].tolist(), truth["boxes"].tolist(), strict=True)
    ]


def _clicks(card: WorkloadCard) -> list[Any]:
    stored = clicks.data_set(card)
    stored.prepare(lambda *_: None)
    scores: list[Any] = stored.part("lists")["labels"].astype(np.float64).tolist()
    return scores


_GENERATING = ("language_model", "lora_finetuning")
_FINDERS: dict[str, Callable[[WorkloadCard], list[Any]]] = {
    "graph_classification": _graphs,
    "image_classification": _digits,
    "image_generation": _images,
    "language_model": lambda card: _continued(language.chain_of(card), card),
    "lora_finetuning": lambda card: _continued(lora.chain_of(card), lora.whole(card)),
    "object_detection": _scenes,
    "recommendation": _clicks,
}
