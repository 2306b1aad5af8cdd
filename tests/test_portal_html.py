"""Every page is valid HTML, says what it is, and leads nowhere that does not exist."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest
from portal_kinds import kinds, whole_site

from portal.site import publish

HTML = "{http://www.w3.org/1999/xhtml}"
PROVED = "https://example.org/price"
LINKS = ("href", "src")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_site(tmp_path_factory.mktemp("portal"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Element]:
    return {path: parsed(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def parsed(text: str) -> Element:
    """The tree of a page; an error where a browser would have to guess."""
    tree: Element = html5lib.HTMLParser(strict=True).parse(text)
    return tree


@cache
def ids(tree: Element) -> set[str]:
    return {element.attrib["id"] for element in tree.iter() if "id" in element.attrib}


def broken(path: Path, trees: dict[Path, Element]) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for element in trees[path].iter():
        for link in (element.attrib[name] for name in LINKS if name in element.attrib):
            parts = urlsplit(link)
            if parts.scheme:
                if link != PROVED:
                    yield link
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            lost = parts.fragment and target in trees and parts.fragment not in ids(trees[target])
            if not target.is_file() or lost:
                yield link


def test_every_page_is_valid(pages: dict[Path, Element]) -> None:
    assert len(pages) > 100


@pytest.mark.parametrize(
    "text",
    [
        "<!doctype html><title>a</title><p><div></p>",
        "<!doctype html><title>a</title><a href='a' href='b'>c</a>",
        "<!doctype html><title>a</title><table><p></table>",
        "<p>no doctype",
    ],
)
def test_what_is_not_valid_is_found(text: str) -> None:
    with pytest.raises(html5lib.html5parser.ParseError):
        parsed(text)


def test_every_link_leads_somewhere(pages: dict[Path, Element]) -> None:
    for path in pages:
        assert list(broken(path, pages)) == [], path


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(
        "<!doctype html><title>a</title><a href=b>b</a><a href=#c>c</a><a href=#d id=d>d</a>"
    )
    assert list(broken(page, {page: parsed(page.read_text())})) == ["b", "#c"]


def test_every_page_says_what_it_is(pages: dict[Path, Element]) -> None:
    for path, tree in pages.items():
        assert tree.attrib["lang"] == "en", path
        assert len(list(tree.iter(f"{HTML}h1"))) == 1, path
        assert len(list(tree.iter(f"{HTML}main"))) == 1, path
        title = tree.findtext(f".//{HTML}title")
        assert title, path
        assert title.strip() not in ("", "· Levelfield"), path
        description = tree.find(f".//{HTML}meta[@name='description']")
        assert description is not None, path
        assert description.attrib["content"].strip(), path


def test_headings_skip_no_level(pages: dict[Path, Element]) -> None:
    for path, tree in pages.items():
        levels = [
            int(element.tag[-1])
            for element in tree.iter()
            if element.tag in {f"{HTML}h{level}" for level in range(1, 7)}
        ]
        assert levels[0] == 1, path
        assert all(b - a <= 1 for a, b in pairwise(levels)), path


def test_a_page_of_every_kind_is_among_them(site: Path) -> None:
    assert set(kinds(site)) >= {
        "index.html", "r/*", "r/*/*/*/*", "x/*", "x/*/runs/*", "o", "o/*", "s", "s/*", "cite/*",
        "about", "data", "rules", "verify", "compare", "review", "log", "errata",
    }  # fmt: skip


def test_an_empty_site_is_valid_too(tmp_path: Path) -> None:
    site = publish([], tmp_path / "site").parent
    trees = {path: parsed(path.read_text("utf-8")) for path in site.rglob("*.html")}
    for path in trees:
        assert list(broken(path, trees)) == [], path
