"""Answers that name a class, which may come from anybody: checked, then scored."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import LevelfieldError


def share_right(answers: Mapping[int, Any], right: Sequence[int], classes: int) -> float:
    """Share of samples whose answer is the class that ``right`` has at their index, 0 to 1.

    `LevelfieldError` unless ``answers`` holds every sample once and nothing else, and each answer
    is a whole number below ``classes``.
    """
    samples = len(right)
    for sample, answer in answers.items():
        _require_class(sample, samples, answer, classes)
    missing = samples - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {samples} samples are missing; run accuracy mode again"
        )
    found = [bool(answers[sample] == label) for sample, label in enumerate(right)]
    return found.count(True) / samples


def _require_class(sample: object, samples: int, answer: object, classes: int) -> None:
    # Bounds before text: the text of a huge integer would raise, or fill a page.
    if type(sample) is not int or not 0 <= sample < samples:
        raise LevelfieldError(
            f"answers: a sample outside 0 to {samples - 1}; run accuracy mode again"
        )
    if type(answer) is not int:
        raise LevelfieldError(
            f"answers: sample {sample}: the answer is of type {type(answer).__name__}; "
            f"answer with a whole number from 0 to {classes - 1}"
        )
    if not 0 <= answer < classes:
        raise LevelfieldError(
            f"answers: sample {sample}: the answer is out of range; "
            f"answer with a whole number from 0 to {classes - 1}"
        )
