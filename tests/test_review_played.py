import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from review_rounds import ROUND, Play

from rules.rule import Report, check
from submissions.bundle import Bundle
from submissions.keys import Keyring, load_private
from submissions.log_entry import LogEntry
from submissions.round_folder import RoundFolder
from submissions.round_log import RoundLog


def check_but_for_the_toy(*words: Any, **options: Any) -> Report:
    """The toy is a workload of no round, and nothing else is wrong with it."""
    report = check(*words, **options)
    found = tuple(one for one in report.findings if one.rule != "ROUND-1")
    return report.model_copy(update={"findings": found})


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.setattr("rules.rule.check", check_but_for_the_toy)
    monkeypatch.chdir(tmp_path)
    return Play(tmp_path)


def states(play: Play) -> dict[str, tuple[str, str]]:
    told = json.loads(play.run(["review", "status", "--json"]).text)
    return {one["bundle"]: (one["state"], one["level"]) for one in told["bundles"]}


def objection_of(play: Play, bundle: Bundle) -> str:
    said = play.does(
        f"review object {bundle.id} --rule SCORE-1 --at runs/1/events.log:1-2 --json", "lab",
        "--text", "the score is not of this log", *play.log,
    )  # fmt: skip
    envelope: str = json.loads(said)["envelope"]
    return envelope


def test_three_organisations_play_a_review_through(play: Play) -> None:
    first = play.pack("first")
    assert "git add" in play.does(f"submit {first.root} --round practice", "acme")
    play.does(f"log append {ROUND}", "keeper")
    play.does(f"review assign {first.id} --reviewer lab", "chair", *play.log)
    objection = objection_of(play, first)
    play.does(f"review second {first.id} --on {objection[:8]}", "uni", *play.log)
    play.does(
        f"review respond {first.id} --on {objection[:8]}", "acme", "--text", "so it is", *play.log
    )
    play.does(f"review concede {first.id} --on {objection[:8]}", "acme", *play.log)
    assert states(play) == {first.id: ("objected", "L1")}

    second = play.pack("second")
    play.does(f"submit {second.root} --round practice", "acme", *play.log)
    play.does(f"review amend {first.id} --with {second.id}", "acme", *play.log)
    assert states(play)[second.id] == ("objected", "L1")
    play.does(f"review drop {second.id} --on {objection[:8]}", "lab", *play.log)

    play.does(f"review replicate {second.id} --step request", "uni", *play.log)
    replica = play.replica(Bundle.open(play.held(second)))
    play.does(f"review replicate {second.id} --replica {replica.root}", "lab", *play.log)
    play.does(f"countersign {play.held(second)} --keyring {ROUND}/keyring.json", "lab")
    play.does(f"log append {ROUND}", "keeper")
    play.does(f"review done {second.id}", "lab", *play.log)
    early = play.says(f"review publish {second.id}", "chair", *play.log)
    assert early.code == 1
    assert "1 of 2 reviews by other organisations are to be done" in early.text
    play.does(f"review done {second.id}", "uni", *play.log)
    play.does(f"review publish {second.id}", "chair", *play.log)
    assert states(play) == {first.id: ("amended", "L1"), second.id: ("published", "L3")}
    told = play.run(["review", "show", second.id]).text
    assert "| the score is not of this log" in told
    assert "results/toy/offline/run_1/events.log:1-2" in told


def test_a_waiver_shows_wherever_the_bundle_is_judged(play: Play, submitted: Bundle) -> None:
    objection = objection_of(play, submitted)
    on = f"{submitted.id} --on {objection[:8]}"
    waive = f"review waive {on} --rule SCORE-1 --effect noted --text small"
    refused = play.says(waive, "chair", *play.log)
    assert "a waiver needs votes" in refused.text
    play.does(f"review vote {on} --for waive", "uni", *play.log)
    play.does(waive, "chair", *play.log)
    line = "waived SCORE-1 (entry 3): small; effect: noted; votes: uni: waive"
    assert line in play.run(["review", "show", submitted.id]).text
    assert line in play.run(["check", str(ROUND)]).text
    assert line in play.run(["check", str(play.held(submitted))]).text
    told = json.loads(play.run(["check", str(ROUND), "--json"]).text)
    assert told["bundles"][0]["waivers"][0]["votes"] == ["uni: waive"]
    bundle = json.loads(play.run(["check", str(play.held(submitted)), "--json"]).text)
    assert bundle["waivers"] == told["bundles"][0]["waivers"]


@pytest.fixture
def submitted(play: Play) -> Bundle:
    bundle = play.pack("first")
    play.does(f"submit {bundle.root} --round practice", "acme", *play.log)
    return bundle


def test_a_removed_objection_leaves_nothing_to_tell(play: Play, submitted: Bundle) -> None:
    objection = objection_of(play, submitted)
    (ROUND / f"events/{objection}.dsse.json").unlink()
    told = play.run(["review", "status"])
    assert told.code == 1
    assert "cannot be told: entry 1 is missing" in told.text
    assert states(play) == {submitted.id: ("cannot be told", "L0")}


def test_a_rewritten_log_is_refused(play: Play, submitted: Bundle) -> None:
    objection = objection_of(play, submitted)
    tile = next((ROUND / "log").glob("tile/entries/000.p/*"))
    tile.write_bytes(tile.read_bytes().replace(b'"lab"', b'"uni"'))
    told = play.run(["review", "status"])
    assert (told.code, "copy the log again" in told.text) == (1, True), told.text
    assert objection


def test_a_replayed_bundle_is_refused(play: Play, submitted: Bundle) -> None:
    again = play.says(f"submit {submitted.root} --round practice", "acme")
    assert again.code == 1
    assert f"replayed: bundle {submitted.id} was submitted already (entry 0)" in again.text


def test_a_self_review_is_refused_and_leaves_nothing(play: Play) -> None:
    own = play.pack("own", "both")
    play.does(f"submit {own.root} --round practice", "both", *play.log)
    before = sorted(Path(ROUND).rglob("*"))
    done = play.says(f"review done {own.id}", "both", *play.log)
    assert done.code == 1
    assert f"refused: self-review: both is the submitter of bundle {own.id}" in done.text
    assert sorted(Path(ROUND).rglob("*")) == before


def test_an_unsigned_bundle_and_anothers_are_not_taken(play: Play) -> None:
    bundle = play.pack("first")
    other = play.says(f"submit {bundle.root} --round practice", "both")
    assert "the bundle of acme, and the key is of both" in other.text
    shutil.rmtree(bundle.root / "attestations")
    assert "unsigned" in play.says(f"submit {bundle.root} --round practice", "acme").text
    assert not (ROUND / "acme").exists()


def test_a_bundle_of_another_round_is_refused(play: Play) -> None:
    from submissions.pack import pack

    play.pack("first")
    other = pack([play.folder / "runs-first"], "acme", "2026.1", play.folder / "other")
    assert play.says(f"submit {other.root} --round practice", "acme").text.startswith(
        f"{other.root}: packed for round 2026.1, and this is practice"
    )


def test_a_citation_of_a_changed_file_is_refused(play: Play, submitted: Bundle) -> None:
    log = next(play.held(submitted).rglob("events.log"))
    log.write_bytes(log.read_bytes().replace(b"1", b"2", 1))
    cited = play.says(
        f"review object {submitted.id} --at {log.parent.name}/events.log:1 --text x", "lab"
    )
    assert (cited.code, "changed since it was packed" in cited.text) == (1, True)


def test_what_is_handed_in_is_checked_before_it_is_logged(play: Play, submitted: Bundle) -> None:
    play.does(f"review done {submitted.id}", "uni")
    stray = ROUND / "acme" / ("z" * 20)
    shutil.copytree(play.held(submitted), stray)
    told = play.run(["review", "pending"])
    assert told.code == 1
    assert "put it where it belongs" in told.text
    assert "1 statement may be appended" in told.text


def test_another_keyring_than_the_logged_one_leaves_nothing_to_tell(
    play: Play, submitted: Bundle
) -> None:
    signatures = b"signatures"
    envelope = RoundFolder(ROUND).write_envelope(signatures)
    entry = LogEntry(
        envelope=envelope, subject=None, predicate_type="keyring", actor="chair", kind="keyring"
    )
    RoundLog.open(RoundFolder(ROUND)).append([entry], load_private(play.key("keeper")))
    assert states(play) == {submitted.id: ("cannot be told", "L0")}
    (ROUND / "keyring.dsse.json").write_bytes(signatures)
    assert states(play) == {submitted.id: ("submitted", "L1")}


def test_hostile_files_in_a_rounds_folder_are_refused_one_by_one(
    play: Play, submitted: Bundle
) -> None:
    play.does(f"review done {submitted.id}", "uni")
    (ROUND / "events" / ("0" * 64 + ".dsse.json")).write_text("{}")
    (ROUND / "events" / ("1" * 64 + ".dsse.json")).symlink_to("/etc/passwd")
    (ROUND / "uni").symlink_to("acme")
    told = play.run(["review", "pending"])
    assert told.code == 1
    for reason in ("differs from its name", "symbolic link", "1 statement may be appended"):
        assert reason in told.text


def test_an_objection_outlives_the_lines_that_it_cites(play: Play, submitted: Bundle) -> None:
    objection_of(play, submitted)
    for log in play.held(submitted).rglob("events.log"):
        log.unlink()
    assert states(play) == {submitted.id: ("objected", "L1")}


def test_a_statement_without_its_bundle_is_not_logged(play: Play) -> None:
    bundle = play.pack("first")
    (envelope,) = bundle.root.glob("attestations/*.dsse.json")
    RoundFolder(ROUND).write_envelope(envelope.read_bytes())
    told = play.run(["review", "pending"])
    assert (told.code, f"bundle {bundle.id} does not lie in" in told.text) == (1, True)


@pytest.mark.parametrize(("ends", "state"), [(2, "objected"), (1, "submitted")])
def test_a_key_counts_as_it_did_at_its_place_in_the_log(
    play: Play, submitted: Bundle, ends: int, state: str
) -> None:
    objection_of(play, submitted)
    path = ROUND / "keyring.json"
    keyring = Keyring.read(path)
    revoked = {"to_index": ends, "status": "revoked", "reason": "lost"}
    keys = [
        entry.model_copy(update=revoked) if entry.organisation == "lab" else entry
        for entry in keyring.keys
    ]
    path.write_text(keyring.model_copy(update={"keys": tuple(keys)}).to_json())
    assert states(play) == {submitted.id: (state, "L1")}
    told = play.run(["review", "show", submitted.id]).text
    assert ("signed by an unknown key" in told) == (state == "submitted")
    late = play.says(f"review done {submitted.id}", "lab")
    assert (late.code, "no longer valid" in late.text) == (1, True)


def test_a_file_laid_into_anothers_bundle_is_refused(play: Play, submitted: Bundle) -> None:
    (play.held(submitted) / "junk.txt").write_text("")
    told = play.run(["review", "pending"])
    assert (told.code, "junk.txt: additional" in told.text) == (1, True)
