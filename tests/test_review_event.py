import hashlib
import unicodedata
from typing import Any

import pytest
from review_logs import CITATION, A

from harness.errors import LevelfieldError, UsageError
from submissions.manifest import Manifest, canonical, describe
from submissions.review.citation import cite, mismatch
from submissions.review.event import NOT_PLAIN, ReviewEvent
from submissions.strict_json import read_record

LOG = b"one\ntwo\nthree\n"
FILES = {
    "results/toy/train/run_1/events.log": LOG,
    "results/toy/train/run_2/events.log": b"one\ntwo",
    "system.json": b"{}",
}
MANIFEST = Manifest(
    round="practice",
    nonce="0" * 32,
    submitter="acme",
    files=tuple(describe(path, data) for path, data in sorted(FILES.items())),
)


def event(**fields: Any) -> ReviewEvent:
    return ReviewEvent(**{"type": "objection", "by": "lab", "target": A, "text": "no", **fields})


def test_an_event_reads_as_it_was_written() -> None:
    made = event(rule="TRAIN-3", at=(CITATION,))
    assert read_record(ReviewEvent, canonical(made), "event") == made


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": ""}, "objection needs text"),
        ({"votes": ("0" * 64,)}, "objection has no votes"),
        ({"type": "verdict", "decision": "waive"}, "verdict needs effect"),
        ({"type": "amend"}, "amend needs superseded_by"),
        ({"text": "x" * 16385}, "longer than 16384 bytes"),
        ({"text": "é" * 8193}, "longer than 16384 bytes"),
        ({"text": "\x1b[2Jgone"}, "holds U\\+001B"),
        ({"text": "right \u202e left"}, "holds U\\+202E"),
        ({"target": "../.."}, "target"),
        ({"rule": "train"}, "rule"),
        ({"type": "king"}, "type"),
    ],
)
def test_an_event_that_is_not_of_its_type_is_refused_by_name(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        event(**fields)


def test_lines_of_a_bundle_are_cited_with_their_digests() -> None:
    found = cite("runs/1/events.log:2-3", MANIFEST, FILES.__getitem__)
    assert found.file == "results/toy/train/run_1/events.log"
    assert found.sha256 == hashlib.sha256(LOG).hexdigest()
    assert found.lines_sha256 == hashlib.sha256(b"two\nthree\n").hexdigest()
    assert mismatch(found, MANIFEST, FILES.__getitem__) is None
    last = cite("run_2/events.log:2", MANIFEST, FILES.__getitem__)
    assert last.lines_sha256 == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize(
    ("place", "error", "reason"),
    [
        ("runs/1/events.log", UsageError, "not FILE:FIRST-LAST"),
        ("events.log:1", UsageError, "2 files of the bundle end so"),
        ("../system.json:1", UsageError, "0 files"),
        ("runs/1/events.log:3-4", LevelfieldError, "the file has 3 lines"),
        ("runs/1/events.log:3-2", LevelfieldError, "the file has 3 lines"),
        ("runs/1/events.log:0", LevelfieldError, "the file has 3 lines"),
    ],
)
def test_a_place_that_is_none_is_refused(
    place: str, error: type[LevelfieldError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        cite(place, MANIFEST, FILES.__getitem__)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "another file of that name"),
        ({"file": "results/none"}, "no file of that name"),
        ({"lines_sha256": "0" * 64}, "another digest"),
        ({"last": 9}, "lines that are not there"),
    ],
)
def test_a_citation_that_does_not_match_the_bundle_is_told(
    changes: dict[str, Any], reason: str
) -> None:
    found = cite("runs/1/events.log:2-3", MANIFEST, FILES.__getitem__)
    told = mismatch(found.model_copy(update=changes), MANIFEST, FILES.__getitem__)
    assert reason in str(told)


def test_text_that_could_hide_is_not_plain() -> None:
    """What is assigned, set aside to be drawn as nothing, or no character in any Unicode."""
    hiding = [
        n for n in range(0x110000) if unicodedata.category(chr(n)) in ("Cc", "Cf", "Cs", "Co")
    ]
    hiding = [number for number in hiding if chr(number) not in "\n\t"]
    ignorable = [0x2065, *range(0xFFF0, 0xFFF9), *range(0xE0080, 0xE0100), *range(0xE01F0, 0xE1000)]
    none = [*range(0xFDD0, 0xFDF0), *((p << 16) + n for p in range(17) for n in (0xFFFE, 0xFFFF))]
    let_through = [n for n in [*hiding, *ignorable, *none] if not NOT_PLAIN.search(chr(n))]
    assert [hex(number) for number in let_through] == []
