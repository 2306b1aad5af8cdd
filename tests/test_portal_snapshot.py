"""The short name of a site's data."""

from dataclasses import replace

import pytest
from portal_example import example, finding

from portal.boards import make_boards
from portal.content import Content
from portal.listing import Published, list_results
from portal.snapshot import DIGITS, snapshot


def content(entries: list[Published]) -> Content:
    return Content(tuple(make_boards(list_results(entries))))


@pytest.fixture(scope="module")
def entries() -> list[Published]:
    return example()


def test_the_same_results_have_the_same_name_in_any_order(entries: list[Published]) -> None:
    name = snapshot(content(entries))
    assert name == snapshot(content(list(reversed(entries))))
    assert len(name) == DIGITS
    assert int(name, 16) >= 0


def test_a_result_more_changes_it(entries: list[Published]) -> None:
    assert snapshot(content(entries)) != snapshot(content(entries[1:]))


def test_a_finding_or_a_signature_more_changes_it(entries: list[Published]) -> None:
    one, *others = entries
    report = one.report.model_copy(update={"findings": (finding(),)})
    refused = replace(one, report=report)
    unsigned = replace(one, verification=None)
    names = {snapshot(content([version, *others])) for version in (one, refused, unsigned)}
    assert len(names) == 3


def test_no_results_have_a_name_too() -> None:
    assert len(snapshot(Content(()))) == DIGITS
