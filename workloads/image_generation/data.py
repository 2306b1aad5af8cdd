"""Digits, noise and prompts at every scale, as arrays that are the same on every machine.

No torch here: the rules recompute quality from answers with this file and `scoring` alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.data_set import fingerprint
from workloads.image_classification.data import load_digits
from workloads.image_generation.engraving import engraved
from workloads.image_generation.scoring import checked_answers, score

NOISE_UNIT = 4096
"""Noise is kept in whole 4096ths of its standard deviation: no rounding differs by machine."""

Array = NDArray[Any]


def make(card: WorkloadCard, report: Progress) -> dict[str, Array]:
    """Both halves of the digits, the noise of evaluation, and the prompts of inference.

    ``train.images`` and ``eval.images`` (n, side, side) are grey levels, 0 to the shape's
    ``levels``. ``eval.noise`` has the shape of ``eval.images``; ``eval.moments`` (n,) says at
    which of the fixed times each image is evaluated. A prompt is a class and the noise to begin
    with. Images 8 pixels wide are scikit-learn's own; larger ones are engravings of them.
    """
    generator, shape = _generator(card), card.shape
    digits, side, facts = load_digits(), int(shape["side"]), card.training
    arrays: dict[str, Array] = {
        "train.images": digits.train_images,
        "train.labels": digits.train_labels,
        "eval.images": digits.eval_images,
        "eval.labels": digits.eval_labels,
    }
    if side > digits.train_images.shape[1]:
        for part, count in (("train", facts.train_samples), ("eval", facts.eval_samples)):
            images, labels = arrays[f"{part}.images"], arrays[f"{part}.labels"]
            source = np.arange(count) % len(images)
            arrays[f"{part}.images"] = engraved(images[source], side, generator, report)
            arrays[f"{part}.labels"] = labels[source]
    prompts = card.inference.samples
    moments = np.arange(facts.eval_samples) % int(shape["moments"])
    arrays["eval.moments"] = moments.astype(np.uint8)
    arrays["eval.noise"] = _noise(generator, facts.eval_samples, side)
    arrays["prompt.labels"] = (np.arange(prompts) % int(shape["classes"])).astype(np.uint8)
    arrays["prompt.noise"] = _noise(generator, prompts, side)
    return arrays


def _generator(card: WorkloadCard) -> np.random.Generator:
    if card.data_seed is None:
        raise LevelfieldError(f"{card.name}: no data_seed; give one on the card")
    return np.random.Generator(np.random.PCG64(card.data_seed))


def _noise(generator: np.random.Generator, count: int, side: int) -> NDArray[np.int16]:
    drawn = np.rint(generator.standard_normal((count, side, side)) * NOISE_UNIT)
    return drawn.clip(-8 * NOISE_UNIT + 1, 8 * NOISE_UNIT - 1).astype(np.int16)


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """How good and how varied generated images are, 0 to 1; see `scoring.score`.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every sample once and
    nothing else, and each answer is an image: a list of side x side whole numbers, 0 to levels,
    row by row. The real images are made anew, so that nothing needs to be prepared.
    """
    side, samples = int(card.shape["side"]), card.inference.samples
    images = checked_answers(answers, samples, side * side, int(card.shape["levels"]))
    real = make(card, lambda *_: None)
    if card.data_sha256 and fingerprint(real) != card.data_sha256:
        raise LevelfieldError(
            f"{card.name}: the data are not the card's; check NumPy's and scikit-learn's versions"
        )
    return score(
        images.reshape(samples, side, side),
        real["prompt.labels"],
        (real["train.images"], real["train.labels"]),
        (real["eval.images"], real["eval.labels"]),
    )
