"""A system's page: its results over the rounds, and how its bundles describe it."""

from dataclasses import replace
from pathlib import Path

import pytest
from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.listing import list_results
from portal.result_list import newest_first
from portal.slugs import system_address
from portal.system_page import described, write_systems


@pytest.fixture(scope="module")
def shown() -> Content:
    return Content(tuple(make_boards(list_results(example()))))


@pytest.fixture(scope="module")
def site(shown: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    write_systems(site, shown)
    return site


def test_every_system_has_a_page_with_all_its_results(site: Path, shown: Content) -> None:
    for listing in shown.listings:
        text = (site / system_address(listing)).read_text("utf-8")
        assert f'href="../../{listing.address}"' in text
        assert f'href="../{system_address(listing)}"' in (site / "s/index.html").read_text("utf-8")


def test_a_description_in_which_bundles_agree_stands_once(site: Path, shown: Content) -> None:
    laptop = next(each for each in shown.listings if each.system_name == "Laptop 7840U")
    text = (site / system_address(laptop)).read_text("utf-8")
    assert text.count("Example CPU 7840 (x86_64)") == 1
    assert "bundles: <code>" not in text


def test_where_bundles_differ_each_value_has_its_bundles() -> None:
    one, *_, other = [each for each in example() if each.system.name == "Laptop 7840U"]
    changed = other.system.model_copy(update={"memory_bytes": 2**34})
    bundle = replace(other.bundle, submission=replace(other.bundle.submission, system=changed))
    fields = dict(described([one, replace(other, bundle=bundle)]))
    assert fields["Memory"] == (
        ("32.0 GiB", (one.bundle.id,)),
        ("16.0 GiB", (other.bundle.id,)),
    )
    assert len(fields["Processor"]) == 1


def test_rounds_that_rank_come_before_practice(shown: Content) -> None:
    order = [each.rankable for each in newest_first(shown.listings)]
    assert order == sorted(order, reverse=True)
    assert True in order
    assert False in order
