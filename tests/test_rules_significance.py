"""rules/significance.py: exact numbers, coverage by simulation, ranks that are ties."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rules.ranking import tied_ranks
from rules.significance import (
    Comparison,
    Interval,
    Runs,
    Verdict,
    compare,
    compare_means,
    holm,
    interval,
    mann_whitney,
    mean_interval,
    verdicts,
)

LOST = math.inf
FIVE = (10.0, 11.0, 12.0, 13.0, 14.0)


def runs(*seconds: float, reference: float | None = None, pace: float = 100.0) -> Runs:
    """Runs of ``pace`` samples a second."""
    samples = tuple(pace * one for one in seconds)
    return Runs(seconds, samples, drop=1, tolerated=1, reference=reference)


def faster(one: Runs, factor: float) -> Runs:
    """The same luck at another speed."""
    return Runs(tuple(s / factor for s in one.seconds), one.samples, 1, 1, one.reference)


# --- the exact test -------------------------------------------------------------------------------


def by_enumeration(a: list[int], b: list[int]) -> float:
    """Every choice of places for ``a``, counted one by one."""
    both = sorted([*a, *b])
    ranks = [both.index(v) * 2 + both.count(v) + 1 for v in [*a, *b]]
    centre = len(a) * sum(ranks) / len(ranks)
    found = abs(sum(ranks[: len(a)]) - centre)
    away = [abs(sum(chosen) - centre) for chosen in combinations(ranks, len(a))]
    return sum(one >= found - 1e-9 for one in away) / len(away)


small = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@given(small, small)
def test_mann_whitney_counts_every_way_ties_included(a: list[int], b: list[int]) -> None:
    assert mann_whitney(a, b) == pytest.approx(by_enumeration(a, b), rel=1e-12)
    assert mann_whitney(a, b) == mann_whitney(b, a)


def test_mann_whitney_is_scipys_where_nothing_ties() -> None:
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(3)
    for n, m in ((3, 3), (5, 5), (10, 10), (5, 10)):
        a, b = rng.normal(0, 1, n), rng.normal(0.7, 1, m)
        expected = mannwhitneyu(a, b, method="exact").pvalue
        assert mann_whitney(list(a), list(b)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "least"), [(3, 0.1), (4, 2 / 70), (5, 2 / 252), (10, 2 / 184_756)])
def test_the_least_p_that_n_runs_can_reach(n: int, least: float) -> None:
    """Three runs against three cannot tell anything at 5 %."""
    assert mann_whitney(range(n), range(n, 2 * n)) == pytest.approx(least, rel=1e-12)


def test_a_lost_run_is_the_slowest_and_ties_with_others_that_are_lost() -> None:
    assert mann_whitney([1, 2, LOST], [3, 4, LOST]) == mann_whitney([1, 2, 9], [3, 4, 9])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    raised = holm(p)
    assert all(after >= before for before, after in zip(p, raised, strict=True))
    assert [p[i] for i in sorted(range(len(p)), key=lambda i: (raised[i], p[i]))] == sorted(p)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])


# --- intervals ------------------------------------------------------------------------------------


def test_three_runs_have_no_interval_and_tell_nothing() -> None:
    three = runs(1.0, 1.1, 1.2)
    assert interval(three) is None
    assert compare(three, faster(three, 100)) is None


def test_an_interval_holds_its_score_and_is_the_same_each_time() -> None:
    found = interval(runs(*FIVE))
    assert found is not None
    assert 10 <= found.low < 12 < found.high <= 14
    assert interval(runs(*FIVE)) == found


def test_a_lost_run_leaves_the_upper_end_open() -> None:
    one = interval(runs(10.0, 11.0, 12.0, 13.0, LOST))
    assert one is not None
    assert one.low < 12.0 < one.high == LOST
    assert interval(runs(10.0, 11.0, 12.0, LOST, LOST)) is None


def test_of_equal_runs_the_interval_is_a_point() -> None:
    assert interval(runs(*[7.0] * 5)) == Interval(7.0, 7.0)


def test_scaling_to_the_reference_takes_luck_out_of_the_interval() -> None:
    """Below the reference's mean a scaled time is time per sample x reference: no luck is left."""
    plain, scaled = interval(runs(*FIVE)), interval(runs(*FIVE, reference=2000.0))
    assert plain is not None
    assert scaled is not None
    assert runs(*FIVE, reference=2000.0).score == pytest.approx(20.0)
    assert scaled == Interval(pytest.approx(20.0), pytest.approx(20.0))
    slow = runs(*FIVE, reference=900.0)
    assert slow.score == runs(*FIVE).score == 12.0


def test_the_interval_of_a_mean_is_students() -> None:
    assert mean_interval([1.0]) is None
    found = mean_interval([1.0, 2.0, 3.0])
    assert found is not None
    assert found.high - 2 == pytest.approx(2 - found.low) == pytest.approx(4.302653 / math.sqrt(3))


Draws = NDArray[np.float64]


def smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> Draws:
    """Run times that spread by 5 %."""
    drawn: Draws = np.exp(rng.normal(0, 0.05, shape))
    return drawn


def coarse(rng: np.random.Generator, shape: tuple[int, ...]) -> Draws:
    """The same, ended at evaluations that are 11 % apart, as in LoRA fine-tuning."""
    drawn: Draws = np.ceil(smooth(rng, shape) * 9) / 9 * np.exp(rng.normal(0, 0.003, shape))
    return drawn


Draw = Callable[[np.random.Generator, tuple[int, ...]], Draws]


@pytest.mark.parametrize("draw", [smooth, coarse])
@pytest.mark.parametrize("n", [5, 10])
def test_intervals_cover_what_they_say_nearly(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(n)
    truth = np.sort(draw(rng, (40_000, n)), axis=1)[:, 1:-1].mean()
    found = [interval(runs(*row)) for row in draw(rng, (300, n))]
    assert np.mean([one.low <= truth <= one.high for one in found if one]) >= 0.91


# --- comparisons ----------------------------------------------------------------------------------


def of(one: Comparison | None) -> Comparison:
    assert one is not None
    return one


def test_a_ratio_and_its_inverse() -> None:
    a, b = runs(*FIVE), runs(9.0, 10.5, 12.5, 15.0, 15.5)
    there, back = of(compare(a, b)), of(compare(b, a))
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.interval.low == pytest.approx(1 / back.interval.high)
    assert (there.p_ratio, there.p_ranks) == (pytest.approx(back.p_ratio), back.p_ranks)
    assert there.interval.low < there.ratio < there.interval.high


def test_p_is_below_5_percent_if_and_only_if_the_interval_leaves_1_out() -> None:
    for factor in np.linspace(1.0, 1.6, 25):
        one = of(compare(runs(*FIVE), faster(runs(*FIVE), factor)))
        assert (one.p_ratio < 0.05) == (one.interval.low > 1)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.0, Verdict.CANNOT_TELL),
        (1.1, Verdict.CANNOT_TELL),
        (2.0, Verdict.B_FASTER),
        (0.5, Verdict.A_FASTER),
    ],
)
def test_verdicts(factor: float, verdict: Verdict) -> None:
    found = compare(runs(*FIVE), faster(runs(*FIVE), factor))
    assert verdicts([found]) == [verdict]


def test_more_comparisons_ask_for_more() -> None:
    alone = of(compare(runs(*FIVE), faster(runs(*FIVE), 1.41)))
    assert verdicts([alone]) == [Verdict.B_FASTER]
    same = compare(runs(*FIVE), runs(*FIVE))
    among = verdicts([alone, *[same] * 19, None])
    assert set(among[:-1]) == {Verdict.CANNOT_TELL}
    assert among[-1] == Verdict.TOO_FEW


def test_a_lost_run_is_the_slowest_of_the_order_however_fast_the_others_are() -> None:
    """Of five it leaves nothing to tell (p 0.15); of ten, nine that are faster outweigh it."""
    lossy = runs(10.0, 11.0, 12.0, 13.0, LOST)
    assert verdicts([compare(faster(lossy, 9.0), runs(*FIVE))]) == [Verdict.CANNOT_TELL]
    assert verdicts([compare(lossy, faster(runs(*FIVE), 9.0))]) == [Verdict.B_FASTER]
    ten = runs(*FIVE, *FIVE)
    of_ten = faster(runs(*FIVE, *FIVE[:4], LOST), 9.0)
    assert verdicts([compare(of_ten, ten)]) == [Verdict.A_FASTER]


def test_runs_without_any_spread_are_told_apart_by_any_difference() -> None:
    same = runs(*[7.0] * 5)
    assert of(compare(same, same)).p_ratio == 1.0
    assert verdicts([compare(same, faster(same, 1.001))]) == [Verdict.B_FASTER]


@pytest.mark.parametrize("draw", [smooth, coarse])
def test_equals_are_seldom_told_apart_on_a_board(draw: Draw) -> None:
    """Six equal results: fifteen pairs, and a false verdict on few boards."""
    rng = np.random.default_rng(8)
    boards = [[runs(*row) for row in draw(rng, (6, 5))] for _ in range(60)]
    wrong = 0
    for board in boards:
        said = verdicts([compare(a, b) for a, b in combinations(board, 2)])
        wrong += any(one in (Verdict.A_FASTER, Verdict.B_FASTER) for one in said)
    assert wrong <= 6


def test_means_are_compared_by_welchs_test_of_their_logarithms() -> None:
    from scipy.stats import ttest_ind

    a, b = (1.0, 1.1, 1.05, 1.2, 1.0), (1.3, 1.2, 1.25, 1.4, 1.35, 1.28)
    found = of(compare_means(a, b))
    assert found.ratio == pytest.approx(np.mean(a) / np.mean(b))
    logs = ttest_ind(np.log(a), np.log(b), equal_var=False)
    assert found.p_ratio == pytest.approx(
        logs.pvalue, rel=0.1
    )  # of the mean's logarithm, not quite
    assert found.p_ranks == mann_whitney(a, b)
    assert found.interval.low < found.ratio < found.interval.high < 1
    assert compare_means(a[:4], b) is None
    assert compare_means((0.0, *a), b) is None


# --- ranks ----------------------------------------------------------------------------------------


def ranks(*board: Runs) -> list[int]:
    return tied_ranks([one.score for one in board], board)


def test_results_that_cannot_be_told_apart_share_a_rank() -> None:
    a = runs(10.0, 10.1, 10.2, 10.3, 10.4)
    assert ranks(a, faster(a, 0.999), faster(a, 0.5), faster(a, 0.499)) == [1, 1, 3, 3]


def test_a_chain_of_neighbours_is_cut_where_the_first_is_told_from_the_last() -> None:
    a = runs(10.0, 10.1, 10.2, 10.3, 10.4)
    assert ranks(a, faster(a, 0.987)) == [1, 1]
    assert ranks(faster(a, 0.987), faster(a, 0.974)) == [1, 1]
    assert ranks(a, faster(a, 0.987), faster(a, 0.96)) == [1, 1, 2]


def test_a_wide_spread_buys_no_better_rank() -> None:
    a = runs(10.0, 10.1, 10.2, 10.3, 10.4)
    wide = runs(8.0, 9.0, 13.0, 15.0, 19.0)
    assert verdicts([compare(a, wide)]) == [Verdict.CANNOT_TELL]
    assert ranks(a, faster(a, 0.9), wide) == [1, 2, 2]


def test_too_few_runs_are_ranked_by_score_alone() -> None:
    assert tied_ranks([1.0, 1.0, 2.0, 3.0], [None] * 4) == [1, 1, 3, 4]
    assert ranks(runs(1.0, 1.1, 1.2), runs(1.0, 1.1, 1.3), runs(1.0, 1.2, 1.3)) == [1, 1, 3]
    assert tied_ranks([], []) == []
