"""portal/replications.py: what others' replications say, and the level that they give."""

from dataclasses import replace
from pathlib import Path

import pytest
from portal_example import published, system, training_run
from test_replication import OFFLINE, original_of, replicated, rewritten

from portal.listing import Listing, Published, list_results
from portal.replications import Repeated, replications
from portal.trust_strip import trust_items
from rules.replication import Replicated
from rules.rule import Report
from submissions.attestation import Level, Verification
from submissions.bundle import Bundle

RESULT = "image_classification/train"


def shown(bundle: Bundle, level: Level) -> Published:
    report = Report(round="practice", findings=(), passed=(), not_applicable=())
    return Published(
        bundle,
        report,
        Verification(bundle_id=bundle.id, level=level, signed_by=(), steps=()),
    )


def said(*published: Published) -> tuple[Repeated, ...]:
    """What the others say of the first."""
    return replications(published, lambda one: one).get(published[0].bundle.id, ())


def repeated(verdict: Replicated, *, counts: bool = True) -> Repeated:
    return Repeated(RESULT, "beta", "b" * 20, verdict, counts, f"Repeated by beta: {verdict}.")


def listed(level: Level, *by_others: Repeated) -> Listing:
    entry = published(system("a", "acme"), [training_run(n, 8.0 + n) for n in (1, 2, 3)])
    assert entry.verification
    verification = entry.verification.model_copy(update={"level": level})
    return list_results([replace(entry, verification=verification, replications=by_others)])[0]


def test_a_published_replication_is_found_and_judged_again(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    replica, _ = replicated(tmp_path, original)
    (found,) = said(shown(original, "L1"), shown(replica, "L1"))
    assert (found.result, found.by, found.raises) == (OFFLINE, "beta", True)
    assert found.text.startswith(f"Repeated by beta (bundle {replica.id}): equal, within 10%: ")
    assert said(shown(replica, "L1"), shown(original, "L1")) == ()
    (unsigned,) = said(shown(original, "L1"), shown(replica, "L0"))
    assert (unsigned.raises, ", unsigned)" in unsigned.text) == (False, True)


def test_a_replication_that_does_not_hold_says_nothing(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    replica, record = replicated(tmp_path, original)
    lie = record.model_copy(update={"verdict": Replicated.DIFFERENT})
    forged = rewritten(replica, {"replication.json": lie.to_json().encode()})
    assert said(shown(original, "L1"), shown(forged, "L1")) == ()


@pytest.mark.parametrize(
    ("level", "said", "trust"),
    [
        ("L2", (repeated(Replicated.EQUAL),), "L3"),
        ("L2", (), "L2"),
        ("L2", (repeated(Replicated.CANNOT_TELL),), "L2"),
        ("L2", (repeated(Replicated.EQUAL, counts=False),), "L2"),
        ("L2", (replace(repeated(Replicated.EQUAL), result="other/train"),), "L2"),
        ("L1", (repeated(Replicated.EQUAL),), "L1"),
        ("L0", (repeated(Replicated.EQUAL),), "L0"),
    ],
)
def test_a_level_rises_by_one_and_only_by_what_counts(
    level: Level, said: tuple[Repeated, ...], trust: str
) -> None:
    assert listed(level, *said).trust.startswith(f"{trust}: ")


def test_the_trust_strip_shows_every_replication() -> None:
    said = [repeated(verdict) for verdict in Replicated]
    items = trust_items(listed("L2", *said))[3:]
    assert [(item.kind, item.text) for item in items[:-1]] == [
        ("", "Repeated by beta: equal."),
        ("bad", "Repeated by beta: different."),
        ("warn", "Repeated by beta: cannot tell."),
    ]
    assert items[-1].text == "Trust level L3: replicated by another organisation."
