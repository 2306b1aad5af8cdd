"""An organisation's page: what is wrong with its results comes first."""

from dataclasses import replace
from pathlib import Path

import pytest
from portal_example import HOSTILE, example, finding

from portal.boards import make_boards
from portal.content import Content
from portal.listing import Published, list_results
from portal.organisation_page import what_is_wrong, write_organisations
from portal.slugs import organisation_address


def content(entries: list[Published]) -> Content:
    return Content(tuple(make_boards(list_results(entries))))


@pytest.fixture(scope="module")
def shown() -> Content:
    return content(example())


@pytest.fixture(scope="module")
def site(shown: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    write_organisations(site, shown)
    return site


def page(site: Path, shown: Content, name: str) -> str:
    one = next(each for each in shown.listings if each.organisation == name)
    return (site / organisation_address(one)).read_text("utf-8")


def test_every_organisation_has_a_page_and_stands_in_the_list(site: Path, shown: Content) -> None:
    index = (site / "o/index.html").read_text("utf-8")
    names = {organisation_address(each) for each in shown.listings}
    assert len(names) == 3
    for address in names:
        assert f'href="../{address}"' in index
        assert (site / address).is_file()


def test_findings_stand_before_results_and_lead_to_them(site: Path, shown: Content) -> None:
    text = page(site, shown, "Acme Computing")
    assert text.index("AUDIT-4") < text.index('id="results"')
    refused = next(each for each in shown.listings if each.errors)
    assert f'href="../../{refused.address}#findings"' in text
    assert "2 findings of the check" in text


def test_nothing_wrong_is_said_in_words(tmp_path: Path) -> None:
    shown = content(example()[:1])
    write_organisations(tmp_path, shown)
    assert "The check has no finding against any of them." in page(
        tmp_path, shown, "Acme Computing"
    )


def test_a_finding_against_a_bundle_is_told_once() -> None:
    one = example()[0]
    report = one.report.model_copy(
        update={"findings": (finding("warning", None).model_copy(update={"file": None}),)}
    )
    held = list_results([replace(one, report=report)])
    assert len(held) == 3
    assert len(what_is_wrong(held)) == 1


def test_what_refuses_comes_before_what_is_to_be_known() -> None:
    one = example()[0]
    report = one.report.model_copy(update={"findings": (finding("warning"), finding("error"))})
    found = what_is_wrong(list_results([replace(one, report=report)]))
    assert [each.refuses for each in found] == [True, False]


def test_a_hostile_name_is_text(site: Path, shown: Content) -> None:
    text = page(site, shown, HOSTILE)
    assert HOSTILE not in text
    assert "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text


def test_ranks_say_of_how_many_and_claims_are_named(site: Path, shown: Content) -> None:
    text = page(site, shown, "Acme Computing")
    assert ">1 of 2</a>" in text
    assert text.count("<small>claimed</small>") == 2
    assert text.count(">not ranked</a>") == 2


def test_no_results_have_an_empty_list(tmp_path: Path) -> None:
    write_organisations(tmp_path, Content(()))
    assert "No results have been published yet." in (tmp_path / "o/index.html").read_text("utf-8")


def test_a_rule_leads_to_its_text(site: Path, shown: Content) -> None:
    text = page(site, shown, "Acme Computing")
    assert '<a href="../../rules/index.html#TRAIN-3"><code>TRAIN-3</code></a>' in text
