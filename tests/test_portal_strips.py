"""Dot strips share one scale and say the same in words."""

from portal_example import published, system, training_run

from portal.listing import Listing, list_results
from portal.strips import make_strips


def _listing(*seconds: float) -> Listing:
    runs = [training_run(n, s) for n, s in enumerate(seconds, 1)]
    return list_results([published(system(str(seconds), "acme"), runs, round_name="practice")])[0]


def test_one_scale_for_all_rows() -> None:
    fast, slow = _listing(4.0, 5.0, 6.0), _listing(12.0, 13.0, 14.0)
    strips = make_strips([fast, slow])
    assert strips.scale is not None
    assert [str(end) for end in strips.scale] == ["4.00 s", "14.0 s"]
    assert strips.by_id[fast.id].dots[0].x == 8.0
    assert strips.by_id[slow.id].dots[2].x == 192.0
    assert strips.by_id[fast.id].scored == strips.by_id[fast.id].dots[1].x
    assert [dot.dropped for dot in strips.by_id[fast.id].dots] == [True, False, True]


def test_words() -> None:
    one = _listing(4.0, 5.0, 6.0)
    label = make_strips([one]).by_id[one.id].label
    assert label == "Score 5.00 s; runs: 4.00 s (dropped), 5.00 s, 6.00 s (dropped)"


def test_a_single_value_stands_in_the_middle() -> None:
    one = _listing(4.0, 4.0, 4.0)
    strips = make_strips([one])
    assert strips.scale is None
    assert {dot.x for dot in strips.by_id[one.id].dots} == {100.0}


def test_no_rows_no_scale() -> None:
    assert make_strips([]).scale is None


def test_a_scale_over_decades_is_logarithmic_and_says_so() -> None:
    quick, slow = _listing(1.0, 10.0, 100.0), _listing(100.0, 100.0, 100.0)
    strips = make_strips([quick, slow])
    assert strips.logarithmic
    assert [dot.x for dot in strips.by_id[quick.id].dots] == [8.0, 100.0, 192.0]
    assert not make_strips([slow, _listing(50.0, 60.0, 70.0)]).logarithmic
