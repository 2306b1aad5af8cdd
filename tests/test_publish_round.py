"""publish of a round's folder: whose keys count, and what is told of its bundles' review."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from review_rounds import ROUND, Play

from portal.listing import Published
from portal.site import Making
from portal.source import Source
from submissions.bundle import Bundle


def _payload(envelope: Path) -> bytes:
    return base64.b64decode(json.loads(envelope.read_bytes())["payload"])


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.chdir(tmp_path)
    return Play(tmp_path)


@pytest.fixture
def submitted(play: Play) -> Bundle:
    bundle = play.pack("first")
    play.does(f"submit {bundle.root} --round practice", "acme", *play.log)
    return bundle


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Published]:
    """What the site is made of; the toy workload itself has no page."""
    found: list[Published] = []

    def publish(sources: Sequence[Source], out: Path, _: Making) -> tuple[Path, list[str]]:
        found.extend(one for source in sources for one in source.read())
        return out / "index.html", []

    monkeypatch.setattr("portal.site.publish_sources", publish)
    return found


def test_a_rounds_bundles_are_shown_as_its_log_says(
    play: Play, submitted: Bundle, shown: list[Published]
) -> None:
    done = play.run(["publish", str(ROUND), "--keyring", "none.json", "--out", "site"])
    assert done.code == 0, done.text
    (one,) = shown
    assert one.bundle.id == submitted.id
    assert one.standing is not None
    assert (one.standing.state, one.level) == ("submitted", "L1")


def test_a_bundle_that_lies_in_a_rounds_folder_does_not_bring_its_own_keys(
    play: Play, submitted: Bundle, shown: list[Published]
) -> None:
    held = str(play.held(submitted))
    assert play.run(["publish", held, "--keyring", "none.json", "--out", "site"]).code == 0
    (one,) = shown
    assert (one.standing, one.level) == (None, "L0")


def test_with_an_envelope_missing_nothing_can_be_told(
    play: Play, submitted: Bundle, shown: list[Published]
) -> None:
    play.does(f"review done {submitted.id}", "uni", "--text", "read", *play.log)
    last = max((ROUND / "events").iterdir(), key=lambda path: b"review-event" in _payload(path))
    last.unlink()
    assert play.run(["publish", str(ROUND), "--keyring", "none.json", "--out", "site"]).code == 0
    (one,) = shown
    assert one.standing is not None
    assert (one.standing.state, one.standing.level) == ("cannot be told", "L0")


@pytest.mark.usefixtures("submitted")
def test_root_keys_that_the_publisher_trusts_must_have_signed(
    play: Play, shown: list[Published]
) -> None:
    words = ["keys", "new", "--organisation", "other", "--role", "root", "--out", "other"]
    assert play.run(words).code == 0
    added = ["keys", "add", "other.registration.json", "--keyring", "mine.json"]
    assert play.run(added).code == 0
    done = play.run(["publish", str(ROUND), "--keyring", "mine.json", "--out", "site"])
    assert done.code == 1
    assert "root keys" in done.text
    assert shown == []
