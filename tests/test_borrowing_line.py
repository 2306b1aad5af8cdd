"""Borrowing from bundle to bundle, through their files and the commands."""

import json
from pathlib import Path

import pytest
from altered import saying, with_log, with_record
from breaks_borrowing import BORROWING_BREAKS, LENDER, TUNED, tuned
from conftest import Command
from valid import CARD, POINTS, ROUND, SYSTEM, installed, valid_submission

from harness.events import MARK, Event
from harness.records import Scenario
from rules.rule import check
from rules.submission import RunEvidence, Submission
from submissions import borrowing
from submissions import pack as packing
from submissions.borrowing import borrow, read_borrowed
from submissions.bundle import Bundle


def _line(event: Event) -> str:
    facts = {"key": event.key, "value": event.value, "time_ms": event.time_ms}
    return MARK + json.dumps({**facts, "event_type": event.event_type, "metadata": event.metadata})


def _write_run(folder: Path, evidence: RunEvidence) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(evidence.run.to_json())
    (folder / "system.json").write_text(SYSTEM.to_json())
    (folder / "events.log").write_text("\n".join(map(_line, evidence.log.events)))
    samples = (sample.model_dump_json() for sample in evidence.telemetry.samples)
    (folder / "telemetry.jsonl").write_text("\n".join(samples))


def _packed(folder: Path, submission: Submission, submitter: str) -> Bundle:
    """A bundle of the submission's training runs."""
    for number, evidence in enumerate(submission.entries[0].runs):
        _write_run(folder / f"runs/run_{number}", evidence)
    return packing.pack([folder / "runs"], submitter, "practice", folder / "bundle")


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Bundle, Bundle]:
    """A lender's bundle, and that of a submitter who borrowed from it through a config."""
    monkeypatch.setattr(borrowing, "check", lambda s, _: check(s, ROUND, installed))
    monkeypatch.setattr(packing, "load_points", lambda _: POINTS)
    lender = _packed(tmp_path / "lender", LENDER, "lender")
    borrow(lender, tmp_path / "borrowed.toml")
    taken = read_borrowed(tmp_path / "borrowed.toml", CARD, "practice")
    own = valid_submission()
    for number in range(3):
        facts = {"id": f"{number + 50:032x}", "hyperparameters": taken.hyperparameters}
        source = taken.borrowed_from.borrowed
        own = with_record(own, Scenario.TRAIN, number, **facts, borrowed_from=source)
        for name, value in TUNED.items():
            own = with_log(own, Scenario.TRAIN, saying(name, value), number)
    return lender, _packed(tmp_path / "borrower", own, "acme")


def _broken(bundle: Bundle, *others: Bundle) -> set[str]:
    given = [other.submission for other in others]
    report = check(bundle.submission, ROUND, installed, given)
    return {finding.rule for finding in report.findings} & set(BORROWING_BREAKS)


def test_a_borrowed_set_is_clean_from_file_to_file(bundles: tuple[Bundle, Bundle]) -> None:
    lender, own = bundles
    opened = Bundle.open(own.root)
    assert _broken(opened, Bundle.open(lender.root)) == set()
    assert _broken(opened) == {"TRAIN-17"}
    own_submission = tuned(opened.submission, opt_base_learning_rate=0.2)
    report = check(own_submission, ROUND, installed, [lender.submission])
    assert "TRAIN-18" in {finding.rule for finding in report.findings}


def test_the_commands_show_and_check_it(
    bundles: tuple[Bundle, Bundle], levelfield: Command
) -> None:
    lender, own = bundles
    shown = levelfield("hparams", "show", str(own.root), "--json").json["results"][0]
    assert shown["borrowed_from"] == [{"bundle": lender.id, "workload": CARD.name}]
    alone = levelfield("check", str(own.root), "--json").json["findings"]
    assert "TRAIN-17" in {finding["rule"] for finding in alone}
    beside = levelfield("check", str(own.root), "--with", str(lender.root), "--json")
    said = [f["message"] for f in beside.json["findings"] if f["rule"] == "TRAIN-17"]
    assert not any("not at hand" in message for message in said)
    told = levelfield("hparams", "show", str(own.root))
    assert f"borrowed from bundle {lender.id}" in told.out
    again = levelfield("hparams", "borrow", "--from", str(own.root), "--into", "again.toml")
    assert again.code == 1
    assert lender.id in again.err
