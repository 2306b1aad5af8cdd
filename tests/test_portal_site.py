"""The whole site: links, escaping, determinism, and the swap at the end."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from portal_example import HOSTILE, example

from harness.errors import LevelfieldError
from portal.site import MARKER, publish
from portal.verify_page import ALONE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(example(), tmp_path_factory.mktemp("portal") / "site").parent


class Page(HTMLParser):
    """What a page links to, what can be linked to in it, and what structure it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)


def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_link_and_anchor_resolves(site: Path) -> None:
    all_pages = pages(site)
    followed = 0
    for path, page in all_pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert link == "https://example.org/price"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path}: {link}"
            if parts.fragment:
                assert parts.fragment in all_pages[target].ids, f"{path}: {link}"
            followed += 1
    assert followed > 100


def test_every_page_has_one_heading_unique_ids_and_no_inline_script(site: Path) -> None:
    for path, page in pages(site).items():
        assert page.tags.count("h1") == 1, path
        assert len(page.ids) == len(set(page.ids)), path
        assert not [name for name, _ in page.attributes if name.startswith("on")], path
        text = path.read_text("utf-8")
        if path.name == ALONE:
            continue  # one script, which its policy allows by its digest
        assert "default-src 'none'; script-src 'self'" in text
        assert re.findall(r"<script(?![^>]*(?:src=|application/json))", text) == [], path


def test_hostile_text_is_shown_and_never_markup(site: Path) -> None:
    text = "".join(path.read_text("utf-8") for path in site.rglob("*.html"))
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&#34;=1+1") > 5
    assert 'href="javascript:' not in text
    assert not any(HOSTILE[:8] in path.name for path in site.rglob("*"))


def test_the_score_leads_to_the_line_that_ends_the_run(site: Path) -> None:
    page = next(path for path in site.glob("x/*train/index.html") if "Rank 2" in path.read_text())
    link = next(link for link in Page(page).links if link.startswith("../../x/") and "#L" in link)
    log = (page.parent / urlsplit(link).path).resolve().with_name("events.log")
    lines = log.read_text("latin-1").split("\n")
    assert '"key": "run_start"' in lines[int(link.partition("#L")[2]) - 1]


def test_raw_files_are_the_bundles_bytes(site: Path) -> None:
    one = example()[0]
    path = one.bundle.submission.entries[0].runs[0].file("events.log")
    published = site / f"x/{one.bundle.id}-image_classification-train/runs/1/events.log"
    assert published.read_bytes() == one.bundle.read(path)


def test_same_entries_same_bytes(site: Path, tmp_path: Path) -> None:
    again = publish(list(reversed(example())), tmp_path / "again").parent
    ours, theirs = ({p.relative_to(s): p for p in s.rglob("*")} for s in (site, again))
    assert ours.keys() == theirs.keys()
    for name, path in ours.items():
        assert path.is_dir() or path.read_bytes() == theirs[name].read_bytes(), name


def test_a_bundle_given_twice_is_shown_once(tmp_path: Path) -> None:
    index = publish([example()[0], example()[0]], tmp_path / "site")
    assert len([*index.parent.glob("x/*train")]) == 1


def test_replaces_a_site(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(example(), out)
    publish(example()[:1], out)
    assert len([*out.glob("x/*train")]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_refuses_what_is_not_a_site(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "precious"
    precious = out / "thesis.txt" if kind == "folder" else out
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("years of work")
    with pytest.raises(LevelfieldError, match="not a Levelfield site; choose another folder"):
        publish(example(), out)
    assert precious.read_text() == "years of work"


def test_a_failure_keeps_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "site"
    publish(example()[:1], out)
    before = (out / "index.html").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("portal.site.WRITERS", (full,))
    with pytest.raises(LevelfieldError, match="No space left on device; free space"):
        publish(example(), out)
    assert (out / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_failed_swap_puts_the_old_site_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = publish(example()[:1], tmp_path / "site").parent
    before, rename = (out / "index.html").read_bytes(), Path.rename

    def refuse(source: Path, target: Path) -> Path:
        if source.name == "new":
            raise OSError(1, "Operation not permitted")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(LevelfieldError, match="Operation not permitted"):
        publish(example(), out)
    assert (out / "index.html").read_bytes() == before


def test_no_entries_make_an_empty_site(tmp_path: Path) -> None:
    index = publish([], tmp_path / "new" / "site")
    assert "No results have been published yet." in index.read_text("utf-8")
    assert (index.parent / MARKER).is_file()
