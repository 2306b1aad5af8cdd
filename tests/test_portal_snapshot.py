"""The short name of a site's data."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from portal_example import example, finding

from portal.boards import make_boards
from portal.content import Content
from portal.data_files import write_data
from portal.listing import Published, list_results
from portal.snapshot import snapshot


def content(entries: list[Published]) -> Content:
    return Content(tuple(make_boards(list_results(entries))))


@pytest.fixture(scope="module")
def entries() -> list[Published]:
    return example()


def test_the_same_results_have_the_same_name_in_any_order(entries: list[Published]) -> None:
    name = snapshot(content(entries))
    assert name == snapshot(content(list(reversed(entries))))


def test_a_result_more_changes_it(entries: list[Published]) -> None:
    assert snapshot(content(entries)) != snapshot(content(entries[1:]))


def test_a_finding_or_a_signature_more_changes_it(entries: list[Published]) -> None:
    one, *others = entries
    report = one.report.model_copy(update={"findings": (finding(),)})
    refused = replace(one, report=report)
    unsigned = replace(one, verification=None)
    names = {snapshot(content([version, *others])) for version in (one, refused, unsigned)}
    assert len(names) == 3


def test_it_is_the_name_that_the_data_give_themselves(
    entries: list[Published], tmp_path: Path
) -> None:
    shown = content(entries)
    write_data(tmp_path, shown)
    data = json.loads((tmp_path / "data/results.json").read_text("utf-8"))
    assert data["snapshot"] == snapshot(shown)


def test_no_results_have_a_name_too() -> None:
    assert int(snapshot(Content(())), 16) >= 0
