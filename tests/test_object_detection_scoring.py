"""Mean average precision against a plain one and by hand; answers without sense are refused."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.errors import LevelfieldError
from workloads.catalogue import load_card
from workloads.object_detection import data, scoring

CARD = load_card("object_detection")
SIDE, MOST = int(CARD.shape["side"]), int(CARD.shape["detections"])
BOX = [2.0, 2.0, 12.0, 12.0]
KINDS = np.array([[0, 1], [0, -1]], dtype=np.int8)
BOXES = np.array([[BOX, [20, 20, 30, 30]], [BOX, [0, 0, 0, 0]]], dtype=np.int16)
"""Two images: kinds 0 and 1 in the first, kind 0 alone in the second."""


def score(*images: list[list[float]]) -> float:
    found = scoring.detections_of(dict(enumerate(images)), 2, 4, 4, 32)
    return scoring.mean_average_precision(found, KINDS, BOXES, 4)


def test_all_found_is_one_and_nothing_found_is_none() -> None:
    everything = [[0, 0.5, *BOX], [1, 0.5, 20.0, 20.0, 30.0, 30.0]]
    assert score(everything, [[0, 0.5, *BOX]]) == 1.0
    assert score([], []) == 0.0


def test_kinds_count_alike_however_many_objects_they_have() -> None:
    assert score([[0, 0.5, *BOX]], [[0, 0.5, *BOX]]) == 0.5


def test_a_duplicate_is_a_false_positive() -> None:
    # Ranked: right, wrong (the duplicate), right: precision 1 up to recall 1/2, then 2/3.
    expected = (51 + 50 * 2 / 3) / 101 / 2
    assert math.isclose(score([[0, 0.9, *BOX], [0, 0.8, *BOX]], [[0, 0.7, *BOX]]), expected)


def test_another_kind_in_the_right_place_finds_nothing() -> None:
    assert score([[2, 0.9, *BOX]], [[3, 0.9, *BOX]]) == 0.0


def test_an_overlap_of_half_finds_and_a_little_less_does_not() -> None:
    assert score([[0, 0.9, 2.0, 2.0, 7.0, 12.0]], []) > 0.2
    assert score([[0, 0.9, 2.0, 2.0, 6.99, 12.0]], []) == 0.0


def test_scores_that_tie_keep_their_order() -> None:
    wrong = [0, 0.5, 20.0, 2.0, 30.0, 12.0]
    assert score([[0, 0.5, *BOX], wrong], []) > score([wrong, [0, 0.5, *BOX]], [])


def plain_quality(
    answers: dict[int, list[list[float]]], kinds: NDArray[Any], boxes: NDArray[Any]
) -> Fraction:
    """The same, one detection at a time in exact arithmetic."""
    precisions = []
    for kind in range(4):
        truth = [(image, *map(int, boxes[image, o])) for image, o in np.argwhere(kinds == kind)]
        if not truth:
            continue
        found = [(i, d) for i in sorted(answers) for d in answers[i] if d[0] == kind]
        found.sort(key=lambda item: -item[1][1])
        free, hits = dict.fromkeys(range(len(truth)), True), []
        for image, detection in found:
            mine = [o for o in free if truth[o][0] == image and free[o]]
            best = max(mine, key=lambda o: plain_overlap(detection[2:], truth[o][1:]), default=None)
            hit = best is not None and 2 * plain_overlap(detection[2:], truth[best][1:]) >= 1
            if hit and best is not None:
                free[best] = False
            hits.append(hit)
        points = [
            (Fraction(sum(hits[:n]), len(truth)), Fraction(sum(hits[:n]), n))
            for n in range(1, len(hits) + 1)
        ]
        recalls = [Fraction(step, 100) for step in range(101)]
        best_at = [max((p for r, p in points if r >= least), default=0) for least in recalls]
        precisions.append(Fraction(sum(best_at)) / 101)
    return sum(precisions, Fraction(0)) / len(precisions)


def plain_overlap(one: Any, two: Any) -> Fraction:
    (a0, b0, a1, b1), (c0, d0, c1, d1) = (tuple(map(Fraction, box)) for box in (one, two))
    shared = max(Fraction(0), min(a1, c1) - max(a0, c0)) * max(
        Fraction(0), min(b1, d1) - max(b0, d0)
    )
    return shared / ((a1 - a0) * (b1 - b0) + (c1 - c0) * (d1 - d0) - shared)


CORNERS = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 4)] * 2).map(
    lambda box: (float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
)
DETECTIONS = st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.25, 0.5, 1.0]), CORNERS).map(
    lambda found: [found[0], found[1], *found[2]]
)


@given(
    st.lists(st.lists(DETECTIONS, max_size=4), min_size=3, max_size=3),
    st.lists(st.lists(DETECTIONS, min_size=1, max_size=3), min_size=3, max_size=3),
)
def test_the_scorer_equals_a_plain_one(
    answers: list[list[list[float]]], truth: list[list[list[float]]]
) -> None:
    kinds = np.full((3, 3), -1)
    boxes = np.zeros((3, 3, 4))
    for image, objects in enumerate(truth):
        for place, (kind, _, *box) in enumerate(objects):
            kinds[image, place], boxes[image, place] = kind, box
    found = scoring.detections_of(dict(enumerate(answers)), 3, 4, 4, 32)
    expected = plain_quality(dict(enumerate(answers)), kinds, boxes)
    assert math.isclose(
        scoring.mean_average_precision(found, kinds, boxes, 4), expected, abs_tol=1e-12
    )


def refusal(answer: Any) -> str:
    with pytest.raises(LevelfieldError) as caught:
        data.quality(CARD, {3: answer})
    return str(caught.value)


@given(
    st.one_of(
        st.booleans(), st.text(), st.floats(), st.none(), st.dictionaries(st.text(), st.none())
    )
)
def test_an_answer_that_is_no_list_is_refused(answer: Any) -> None:
    assert "sample 3: the answer is of type" in refusal(answer)


@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        (None, "not a list of 6"),
        ([0, 0.5, 1, 1, 2], "not a list of 6"),
        ([4, 0.5, *BOX], "kind is not a whole number"),
        ([-1, 0.5, *BOX], "kind is not a whole number"),
        ([10**5000, 0.5, *BOX], "kind is not a whole number"),
        ([True, 0.5, *BOX], "kind is not a whole number"),
        ([0.0, 0.5, *BOX], "kind is not a whole number"),
        ([0, "0.5", *BOX], "not a number"),
        ([0, 0.5, 1, 1, 2, None], "not a number"),
        ([0, 0.5, 1, 1, [2], 2], "not a number"),
        ([0, math.nan, *BOX], "score is not from 0 to 1"),
        ([0, 10**5000, *BOX], "score is not from 0 to 1"),
        ([0, 0.5, 5, 1, 4, 2], "corners are out of order"),
        ([0, 0.5, -1, 1, 4, 2], "corners are out of order"),
        ([0, 0.5, 1, 1, 4, SIDE + 1], "corners are out of order"),
        ([0, 0.5, 1, 1, math.inf, 2], "corners are out of order"),
        ([0, 0.5, 1, math.nan, 4, 2], "corners are out of order"),
        ([0, 0.5, 1, 1, 4, 10**5000], "corners are out of order"),
    ],
    ids=range(18),
)
def test_a_detection_without_sense_is_refused(detection: Any, reason: str) -> None:
    message = refusal([[0, 0.5, *BOX], detection])
    assert "sample 3, detection 1" in message
    assert reason in message
    assert len(message) < 200


def test_more_detections_than_the_card_allows_are_refused() -> None:
    assert f"give at most {MOST}" in refusal([[0, 0.5, *BOX]] * (MOST + 1))


@pytest.mark.parametrize("sample", [-1, 10**5000, True, "0", 0.0], ids=range(5))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to"):
        data.quality(CARD, {sample: []})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match=f"{CARD.inference.samples - 1} of .* are missing"):
        data.quality(CARD, {0: []})
