"""Clicks of the workload recommendation: generator, teacher, optimum, AUC and scorer."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_clicks import SMALL, quiet, smaller

from harness.errors import LevelfieldError
from workloads.catalogue import load_card
from workloads.data_set import fingerprint
from workloads.recommendation import data

CARD = load_card("recommendation")


@pytest.fixture(scope="module")
def mini() -> dict[str, NDArray[Any]]:
    """The arrays of the mini card."""
    return data.make(CARD, quiet)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own with small clicks."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        data.data_set(SMALL).prepare(quiet)
        yield folder


# ---- data


def test_the_generator_is_pinned_by_the_card(mini: dict[str, NDArray[Any]]) -> None:
    assert fingerprint(mini) == CARD.data_sha256


def test_parts_have_the_sizes_of_the_card(mini: dict[str, NDArray[Any]]) -> None:
    ids = mini["train.ids"]
    assert ids.shape == (CARD.training.train_samples, 8)
    assert mini["eval.labels"].shape == (CARD.training.eval_samples,)
    assert mini["lists.dense"].shape == (CARD.inference.samples, 64, 8)
    assert (ids.max(0) < data.sizes(CARD, "table")).all()
    assert (ids.min(0) == 0).all()


def test_another_seed_makes_other_clicks_and_parts_share_nothing() -> None:
    made = data.make(SMALL, quiet)
    other = data.make(smaller(CARD, data_seed=2), quiet)
    assert not np.array_equal(made["train.ids"], other["train.ids"])
    assert not np.array_equal(made["train.dense"][:4096], made["eval.dense"])


def test_candidates_of_a_list_share_the_users_side() -> None:
    ids = data.make(SMALL, quiet)["lists.ids"]
    assert (ids[:, :, 0::2] == ids[:, :1, 0::2]).all()
    assert not (ids[:, :, 1] == ids[:, :1, 1]).all()


@given(st.integers(0, 26), st.integers(0, 2**64 - 1))
def test_ids_stay_within_their_table(power: int, draw: int) -> None:
    assert 0 <= data.staircase(np.array([draw], dtype=np.uint64), 2**power)[0] < 2**power


def test_octaves_of_ids_are_equally_frequent() -> None:
    ids = data.staircase(np.random.PCG64(3).random_raw(90_000), 256)
    octaves = np.bincount(np.ceil(np.log2(ids + 1)).astype(int))
    assert octaves.shape == (9,)
    assert np.abs(octaves - 10_000).max() < 500  # five standard deviations


def test_the_teacher_sums_biases_and_products_of_pairs() -> None:
    teacher = data.Teacher(SMALL)
    ids, dense = np.array([[5, 7, 1, 2, 3, 0, 1, 2]], dtype=np.int32), np.full((1, 8), 9, np.int8)
    vectors = [v[i].astype(int) for v, i in zip(teacher._vectors, ids[0], strict=False)]
    vectors.append(dense[0].astype(int) @ teacher._vectors[-1].astype(int) >> 7)
    pairs = sum(int(a @ b) for i, a in enumerate(vectors) for b in vectors[:i])
    biases = [int(b[i]) for b, i in zip(teacher._biases, ids[0], strict=False)]
    bias = sum(biases) + biases[0] + biases[1]  # users and items count double
    bias += int(dense[0].astype(int) @ teacher._biases[-1].astype(int) >> 7)
    odds = (-(5 << 14) + bias * 412 + (pairs * 15 >> 4)) / 65536
    assert teacher.chances(ids, dense)[0] / 65536 == pytest.approx(
        1 / (1 + math.exp(-odds)), abs=1 / 256
    )


def test_the_optimum_is_the_teachers_auc_and_what_its_probabilities_promise() -> None:
    assert CARD.training.target.optimum == data.optimum(CARD)
    rows = data._clicks(CARD, data.Teacher(CARD), "eval", quiet)
    p = np.sort(rows["chances"]) / 65536
    # The expected share of pairs in order, from the probabilities alone, without labels.
    before = np.cumsum(1 - p) - (1 - p)
    promised = (p * before).sum() / ((p * before).sum() + ((1 - p) * (np.cumsum(p) - p)).sum())
    assert promised == pytest.approx(CARD.training.target.optimum, abs=0.006)  # three deviations


def test_slices_are_of_frequent_and_rare_items_and_of_users_hardly_seen(
    mini: dict[str, NDArray[Any]],
) -> None:
    slices, ids = mini["eval.slices"], mini["eval.ids"]
    assert ((slices & data.HEAD) != 0).tolist() == (ids[:, 1] < 256).tolist()
    assert ((slices & data.TAIL) != 0).tolist() == (ids[:, 1] >= 4096).tolist()
    seen = np.bincount(mini["train.ids"][:, 0], minlength=65536)[ids[:, 0]]
    assert ((slices & data.COLD) != 0).tolist() == (seen <= 8).tolist()


# ---- scorer


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.booleans()), min_size=1).filter(
        lambda rows: len({label for _, label in rows}) == 2
    )
)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    yes = [score for score, label in rows if label]
    no = [score for score, label in rows if not label]
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    scores, labels = map(np.array, zip(*rows, strict=True))
    assert data.auc(scores, labels) == pytest.approx(wins / len(yes) / len(no))


def test_auc_without_sense_is_nan() -> None:
    assert math.isnan(data.auc(np.array([0.1, 0.2]), np.array([1, 1])))
    for bad in ([math.nan, 0.0], [0.0, math.nan]):
        assert math.isnan(data.auc(np.array(bad), np.array([0, 1])))


def answers() -> dict[int, Any]:
    labels = data.data_set(SMALL).part("lists")["labels"]
    return dict(enumerate(labels.astype(float).tolist()))


def test_quality_is_the_auc_over_all_candidates() -> None:
    assert data.quality(SMALL, answers()) == 1.0
    worst = {sample: [-score for score in row] for sample, row in answers().items()}
    assert data.quality(SMALL, worst) == 0.0


@pytest.mark.parametrize(
    "answer",
    [None, "x" * 64, 1.0, [0.5] * 63, [0.5] * 65, [0] * 64, [True] * 64, [[0.5]] * 64, {}]
    + [[0.5] * 63 + [bad] for bad in (math.nan, math.inf, -math.inf, 10**400, "0.5", None)],
    ids=range(15),
)
def test_an_answer_that_is_no_list_of_scores_is_refused(answer: Any) -> None:
    with pytest.raises(LevelfieldError, match=r"sample 3: .*; answer with a list of 64"):
        data.quality(SMALL, answers() | {3: answer})


@pytest.mark.parametrize("sample", [-1, 8, 10**5000, True, "0", 0.0], ids=range(6))
def test_an_unknown_sample_is_refused(sample: Any) -> None:
    with pytest.raises(LevelfieldError, match="a sample outside 0 to 7"):
        data.quality(SMALL, {sample: [0.5] * 64})


def test_missing_samples_are_refused() -> None:
    with pytest.raises(LevelfieldError, match="7 of 8 samples are missing"):
        data.quality(SMALL, {0: [0.5] * 64})
