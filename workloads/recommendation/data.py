"""Generated clicks from a known teacher, the best AUC that they allow, and the scorer.

No torch here: the rules recompute quality from answers with this file alone.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.data_set import DataSet

Integers = NDArray[np.int32]

HEAD, TAIL, COLD = 1, 2, 4
"""Bits of ``eval.slices``: a frequent item, a rare item, a user with few training rows."""
SLICES = {"auc_head": HEAD, "auc_tail": TAIL, "auc_cold_users": COLD}

_USER, _ITEM = 0, 1  # positions of the two tables that count double, and that slices go by
_LATENT = 4
"""Places of a latent vector, bytes of one 64-bit draw."""
_BIAS_FACTOR, _PAIR_FACTOR, _PAIR_SHIFT = 412, 15, 4
_OFFSET = -(5 << 14)
"""Log-odds in units of 2^-16: factors give biases and pairs 1.5 each (one standard deviation)."""
_STEPS = 256
"""Steps to a unit of log-odds in the table of probabilities."""
_RANGE = 16
"""Log-odds beyond which probabilities no longer change."""
_BLOCK = 1 << 18


def sizes(card: WorkloadCard, name: str) -> list[int]:
    """The sizes ``name_1``, ``name_2``, … of the card's shape, as far as they go."""
    found: list[int] = []
    while f"{name}_{len(found) + 1}" in card.shape:
        found.append(int(card.shape[f"{name}_{len(found) + 1}"]))
    return found


def staircase(raw: NDArray[np.uint64], rows: int) -> Integers:
    """Zipf ids (n,) below ``rows``, a power of two, from 64-bit draws, in integers alone.

    Octaves {0}, {1}, {2, 3}, {4 … 7}, … are equally frequent and ids within one are too: Zipf's
    law with exponent 1, its curve taken in steps.
    """
    octaves = rows.bit_length()
    first = np.array([0, *(1 << k for k in range(octaves - 1))], dtype=np.int32)
    octave = ((raw >> np.uint64(32)) * np.uint64(octaves) >> np.uint64(32)).astype(np.int32)
    low = raw.astype(np.uint32).view(np.int32)
    places = np.maximum(first - 1, 0)[octave]  # an octave has as many ids as its first one says
    return first[octave] + (low & places)


class Teacher:
    """A factorisation machine (Rendle, 2010): the true log-odds of a click, in integers.

    Each id has a bias and a latent vector; dense features make one vector more. The log-odds are
    an offset, all biases, and the inner products of all pairs of vectors; users and items count
    double. Integers make the data the same on every machine.
    """

    def __init__(self, card: WorkloadCard) -> None:
        """Draw every parameter from the card's seed."""
        bits = _bits(card, 0)
        dense = int(card.shape["dense"])
        rows = [*sizes(card, "table"), dense]
        self._vectors = [bits.random_raw(n).view(np.int8).reshape(n, 8)[:, :_LATENT] for n in rows]
        self._biases = [(bits.random_raw(n) >> np.uint64(56)).astype(np.int8) for n in rows]

    def chances(self, ids: Integers, dense: NDArray[np.int8]) -> Integers:
        """Probabilities of a click (n,), out of 65,536, of ids (n, tables), dense (n, features).

        Over pairs, the sum of products is half of the squared sum less the sum of squares.
        """
        features = dense.astype(np.int32)
        total = features @ self._vectors[-1].astype(np.int32) >> 7
        squares = (total * total).sum(1, dtype=np.int32)
        biases = features @ self._biases[-1].astype(np.int32) >> 7
        for table in range(ids.shape[1]):
            weight = 2 if table in (_USER, _ITEM) else 1
            vectors = self._vectors[table][ids[:, table]].astype(np.int32)
            total += vectors
            squares += (vectors * vectors).sum(1, dtype=np.int32)
            biases += self._biases[table][ids[:, table]].astype(np.int32) * weight
        pairs = ((total * total).sum(1, dtype=np.int32) - squares) >> 1
        odds = _OFFSET + biases * _BIAS_FACTOR + (pairs * _PAIR_FACTOR >> _PAIR_SHIFT)
        step = np.clip((odds >> 8) + _RANGE * _STEPS, 0, 2 * _RANGE * _STEPS)
        chances: Integers = _probabilities()[step]
        return chances


def _probabilities() -> Integers:
    """The logistic function from -16 to 16 in steps of 1/256, in whole 65,536ths."""
    odds = np.arange(-_RANGE * _STEPS, _RANGE * _STEPS + 1) / _STEPS
    return np.rint(65536 / (1 + np.exp(-odds))).astype(np.int32)


def _bits(card: WorkloadCard, stream: int) -> np.random.PCG64:
    """Raw draws of the card's seed; streams, 2^127 draws apart, share nothing.

    Raw, because NumPy keeps these the same from version to version, unlike its distributions.
    """
    return np.random.PCG64(card.data_seed).jumped(stream)


def _clicks(
    card: WorkloadCard, teacher: Teacher, name: str, report: Progress
) -> dict[str, NDArray[Any]]:
    """The rows of a part: ids (n, tables), dense (n, features), labels (n,), chances (n,)."""
    length = candidates(card)
    stream, count, tied = {
        "train": (1, card.training.train_samples, 1),
        "eval": (2, card.training.eval_samples, 1),
        "lists": (3, card.inference.samples * length, length),
    }[name]
    bits = _bits(card, stream)
    made: dict[str, NDArray[Any]] = {}
    for start in range(0, count, _BLOCK):
        n = min(_BLOCK, count - start)
        for key, rows in _block(card, teacher, bits, n, tied).items():
            if key not in made:
                made[key] = np.empty((count, *rows.shape[1:]), rows.dtype)
            made[key][start : start + n] = rows
        report(f"making clicks: {name}", start + n, count)
    return made


def _block(
    card: WorkloadCard, teacher: Teacher, bits: np.random.PCG64, n: int, tied: int
) -> dict[str, NDArray[Any]]:
    """``n`` rows; each ``tied`` share the dense features and every other id, the user's first."""
    width = int(card.shape["dense"])
    ids = np.stack([staircase(bits.random_raw(n), rows) for rows in sizes(card, "table")], 1)
    dense = bits.random_raw(n * -(-width // 8)).view(np.int8).reshape(n, -1)[:, :width]
    if tied > 1:
        leaders = np.arange(n) // tied * tied
        ids[:, 0::2] = ids[leaders, 0::2]
        dense = dense[leaders]
    chances = teacher.chances(ids, dense)
    labels = (bits.random_raw(n) >> np.uint64(48)).astype(np.int32) < chances
    return {"ids": ids, "dense": dense, "labels": labels.astype(np.uint8), "chances": chances}


def make(card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """All arrays: rows to train on, rows to evaluate with their slices, lists of candidates."""
    teacher = Teacher(card)
    parts = {name: _clicks(card, teacher, name, report) for name in ("train", "eval", "lists")}
    for arrays in parts.values():
        del arrays["chances"]
    parts["eval"]["slices"] = _slices(card, parts["train"]["ids"], parts["eval"]["ids"])
    lists = parts["lists"]
    parts["lists"] = {
        key: a.reshape(-1, candidates(card), *a.shape[1:]) for key, a in lists.items()
    }
    return {f"{name}.{key}": a for name, arrays in parts.items() for key, a in arrays.items()}


def _slices(card: WorkloadCard, train: Integers, evaluated: Integers) -> NDArray[np.uint8]:
    users, items = sizes(card, "table")[:2]
    seen = np.bincount(train[:, _USER], minlength=users)
    item = evaluated[:, _ITEM]
    slices = np.where(item < items * card.shape["head_share"], HEAD, 0)
    slices |= np.where(item >= items * card.shape["tail_share"], TAIL, 0)
    slices |= np.where(seen[evaluated[:, _USER]] <= card.shape["cold_rows"], COLD, 0)
    return slices.astype(np.uint8)


def candidates(card: WorkloadCard) -> int:
    """Candidates in a list, which is an inference sample; a divisor of 2^18."""
    return int(card.shape["candidates"])


def optimum(card: WorkloadCard) -> float:
    """The AUC that the teacher's own probabilities have on the evaluation rows.

    No score orders clicks before others more often than the true probability does (the lemma of
    Neyman and Pearson), so a model can exceed this only by the luck of a finite set.
    """
    rows = _clicks(card, Teacher(card), "eval", lambda *_: None)
    return auc(rows["chances"], rows["labels"])


def auc(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Area under the ROC curve: how often a click (label 1) scores above a row without, ties half.

    Exact, by counting (Mann and Whitney, 1947). NaN where a score is NaN or a class has no rows.
    """
    clicked = labels.astype(np.bool_)
    yes, no = scores[clicked], np.sort(scores[~clicked])
    if not yes.size or not no.size or np.isnan(yes).any() or np.isnan(no[-1]):
        return math.nan
    yes = np.sort(yes)  # neighbours then search near each other, several times as fast
    below = int(np.searchsorted(no, yes, "left").sum())
    not_above = int(np.searchsorted(no, yes, "right").sum())
    return (below + not_above) / (2 * len(yes) * len(no))


def data_set(card: WorkloadCard) -> DataSet:
    """The generated clicks in the cache."""
    return DataSet(card, make)


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """AUC over all candidates of all lists, 0 to 1.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every list once and
    nothing else, and each answer is a list of as many finite floats as there are candidates.
    """
    samples, length = card.inference.samples, candidates(card)
    for sample, answer in answers.items():
        _require_scores(sample, samples, answer, length)
    missing = samples - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {samples} samples are missing; run accuracy mode again"
        )
    scores = np.array([answers[sample] for sample in range(samples)])
    return auc(scores.reshape(-1), data_set(card).part("lists")["labels"].reshape(-1))


def _require_scores(sample: object, samples: int, answer: object, length: int) -> None:
    # Bounds before text: the text of a huge integer would raise, or fill a page.
    if type(sample) is not int or not 0 <= sample < samples:
        raise LevelfieldError(
            f"answers: a sample outside 0 to {samples - 1}; run accuracy mode again"
        )
    wanted = f"answer with a list of {length} finite floats"
    if type(answer) is not list or len(answer) != length:
        raise LevelfieldError(f"answers: sample {sample}: not a list of {length}; {wanted}")
    if not all(type(score) is float and math.isfinite(score) for score in answer):
        raise LevelfieldError(f"answers: sample {sample}: a score is no finite float; {wanted}")
