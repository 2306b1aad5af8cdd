"""publish of bundles on the disk: several processes, kept pages, one round, previews, serving."""

import importlib
import os
import shutil
import signal
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from bad_bundles import repack
from conftest import LEVELFIELD

from harness.errors import LevelfieldError
from portal import site as building
from portal.kept import forget
from portal.site import Making, publish_sources
from portal.source import Neighbours, OnDisk
from submissions.bundle import fingerprint
from submissions.keys import Keyring

BENCH = Path(__file__).parent.parent / "bench"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight results on the disk, of two rounds, with a keyring beside them."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(BENCH)
        bench = importlib.import_module("make_round")
        wanted = bench.Arguments(results=8, out=folder / "round", seed=2, jobs=1)
        assert list(bench.make_round(wanted))[-1] == 8
    return folder / "round"


@pytest.fixture
def sources(made: Path) -> list[OnDisk]:
    paths = sorted((made / "bundles").iterdir())
    assert len(paths) > 1
    keyring = Keyring.read(made / "keyring.json")
    return [OnDisk(path, keyring, Neighbours(tuple(paths))) for path in paths]


def content(site: Path) -> dict[str, bytes]:
    found = (path for path in sorted(site.rglob("*")) if path.is_file())
    return {str(path.relative_to(site)): path.read_bytes() for path in found}


def published(sources: list[OnDisk], out: Path, **making: object) -> dict[str, bytes]:
    publish_sources(sources, out, Making(**making))  # type: ignore[arg-type]
    return content(out)


def test_two_processes_and_kept_pages_make_the_same_site(
    sources: list[OnDisk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = published(sources, tmp_path / "alone")
    assert len(alone) > 100
    assert published(sources, tmp_path / "two", jobs=2, cache=tmp_path / "cache") == alone

    def again(*_: object) -> None:
        raise AssertionError("pages of an unchanged bundle were made again")

    monkeypatch.setattr(building, "_write_results", again)
    assert published(sources, tmp_path / "kept", cache=tmp_path / "cache") == alone
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_a_page_that_was_edited_on_the_site_is_made_again(
    sources: list[OnDisk], tmp_path: Path
) -> None:
    """Pages of the site are links to those that are kept: what is done to one is done to both."""
    cache = tmp_path / "cache"
    good = published(sources, tmp_path / "site", cache=cache)
    page = next((tmp_path / "site").glob("x/*/runs/1/index.html"))
    assert page.stat().st_nlink == 2
    with page.open("a") as text:
        text.write("faster than all others")
    assert published(sources, tmp_path / "site", cache=cache) == good
    assert published(sources, tmp_path / "other", cache=cache) == good


def test_without_links_pages_are_copied(
    sources: list[OnDisk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = published(sources, tmp_path / "linked", cache=tmp_path / "cache")

    def no_links(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert published(sources, tmp_path / "copied", cache=tmp_path / "cache") == good


def test_a_bundle_in_two_folders_is_one(sources: list[OnDisk], tmp_path: Path) -> None:
    good = published(sources, tmp_path / "once", cache=tmp_path / "cache")
    again = Path(shutil.copytree(sources[0].path, tmp_path / "again"))
    both = [*sources, replace(sources[0], path=again)]
    for name in ("twice", "twice-kept"):
        assert published(both, tmp_path / name, cache=tmp_path / "cache") == good


def test_what_decides_a_page_decides_whether_it_is_kept(
    sources: list[OnDisk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sources[0]
    assert first.key() == replace(first).key()
    assert replace(first, trusted=Keyring()).key() != first.key()
    assert sources[1].key() != first.key()
    before = first.key()
    monkeypatch.setattr("portal.source.code_digest", lambda: "of other code")
    assert first.key() != before
    (tmp_path / "old").mkdir()
    os.utime(tmp_path / "old", (0, 0))
    (tmp_path / "new").mkdir()
    forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_changed_bundle_is_not_taken_from_the_cache(
    sources: list[OnDisk], tmp_path: Path
) -> None:
    published(sources, tmp_path / "first", cache=tmp_path / "cache")
    log = next(sources[0].path.rglob("events.log"))
    before = log.read_bytes()
    log.write_bytes(before + b"\n")
    try:
        with pytest.raises(LevelfieldError, match=r"events\.log: its size differs|SHA-256"):
            published(sources, tmp_path / "second", cache=tmp_path / "cache")
    finally:
        log.write_bytes(before)
    assert not (tmp_path / "second").exists()


def test_a_bundle_that_borrowed_nothing_is_known_by_its_bytes(
    sources: list[OnDisk], tmp_path: Path
) -> None:
    found = fingerprint(sources[0].path)
    assert not found.may_borrow
    assert len(found.attestations) == 1
    root = Path(shutil.copytree(sources[0].path, tmp_path / "borrowing"))
    record = next(root.rglob("run.json"))
    loan = b'"borrowed_from": {"bundle": "aaaaaaaaaaaaaaaaaaaa", "workload": "language_model"}'
    changed = record.read_bytes().replace(b'"borrowed_from": null', loan)
    repack(root, {str(record.relative_to(root)): changed})
    assert fingerprint(root).may_borrow
    borrowing = replace(sources[0], path=root, neighbours=Neighbours((root,)))
    assert len(borrowing.key()) == 64


def test_a_preview_says_so_on_every_page_and_does_not_spoil_the_kept_ones(
    sources: list[OnDisk], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    preview = published(sources[:1], tmp_path / "preview", cache=cache, private=True)
    pages = {name: data for name, data in preview.items() if name.endswith("index.html")}
    assert len(pages) > 10
    for name, data in pages.items():
        assert b"Private preview." in data, name
        assert b'<meta name="robots" content="noindex, nofollow">' in data, name
    public = published(sources[:1], tmp_path / "public", cache=cache)
    assert not [name for name, data in public.items() if b"Private preview." in data]


def test_of_one_round_only(sources: list[OnDisk], tmp_path: Path) -> None:
    rounds = {source.read()[0].bundle.submission.round for source in sources}
    for name in rounds:
        found = published(sources, tmp_path / name, round_name=name, cache=tmp_path / "cache")
        boards = {path.split("/")[1] for path in found if path.startswith("r/")}
        assert boards == {name}
    with pytest.raises(LevelfieldError, match="--round 1999: no bundle is of it"):
        published(sources, tmp_path / "none", round_name="1999")


def test_the_site_is_served_to_this_machine(made: Path, tmp_path: Path) -> None:
    bundle = next((made / "bundles").iterdir())
    words = ["publish", str(bundle), "--out", str(tmp_path / "site"), "--serve", "--port", "0"]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with subprocess.Popen(
        [str(LEVELFIELD), *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        # Whoever starts the tests in the background has it ignored, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline().startswith("1 bundle in ")
            address = serving.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address) as answer:
                assert b"Levelfield" in answer.read()
            serving.send_signal(signal.SIGINT)
            assert serving.wait(timeout=30) == 0
        finally:
            serving.kill()
