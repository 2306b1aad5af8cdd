"""Labels of charts: short, never markup, never on one another."""

from portal.labels import beside, short


def test_a_name_is_short_and_never_markup() -> None:
    assert short("<b>bold</b>") == "&lt;b&gt;bold&lt;/b&gt;"
    assert short("a" * 29) == "a" * 28 + "…"
    assert short("a" * 28) == "a" * 28


def test_labels_stay_within_the_chart_and_off_one_another() -> None:
    assert beside([0.0, 1.0], [0.0, 1.0], ["a", "b"]) == ["top right", "top left"]
    assert beside([0.0, 0.01, 1.0], [1.0, 1.0, 0.0], ["one", "two", "c"])[1] == ""
    assert beside([0.0, 0.01, 1.0], [1.0, 0.5, 0.0], ["one", "two", "c"])[1] == "top right"


def test_a_long_label_from_the_right_is_in_the_way_of_one_from_the_left() -> None:
    across = [0.0, 0.45, 0.55, 1.0]
    assert beside(across, [0, 1, 1, 0], ["a", "left", "a long name here", "b"])[2] == ""
    assert beside(across, [0, 1, 1, 0], ["a", "", "b", "c"])[2] == "top left"


def test_marks_at_one_point_have_one_label() -> None:
    assert beside([2.0, 2.0], [3.0, 3.0], ["a", "b"]) == ["top right", ""]
    assert beside([], [], []) == []
