"""A signed log of many entries in the browser: proved whole, with its keyring and witnesses."""

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import Any, cast

import pytest
import test_review_played
from bad_bundles import files_of, zip_bytes
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from review_rounds import ROUND, Play
from test_keyring import entry as root_entry
from test_keyring import ring, signed
from verify_site import REPORT

from portal.content import Content
from portal.listing import Published
from portal.log_copy import copy_log
from portal.proof import keyring_of, proof_address
from portal.replay_file import write_replays
from portal.round_review import RoundReview
from portal.verify_page import write_verify
from submissions.attestation import appraise
from submissions.bundle import Bundle
from submissions.keyring import admit
from submissions.keys import add_to_keyring, generate, load_private
from submissions.log_entry import LogEntry
from submissions.manifest import canonical
from submissions.review.event import REVIEW_EVENT, ReviewEvent
from submissions.round_folder import RoundFolder
from submissions.round_log import RoundLog
from submissions.statement import Subject, seal_statement
from submissions.witness import Memory, witness

pytestmark = needs_chromium
VERIFY = """async ({files, proof, log, extra}) => {
  const lv = levelfield, blobs = new Map(), texts = {};
  const blob = (name, data) => new File([lv.bytes.ofBase64(data, name)], name);
  for (const path of Object.keys(files)) { blobs.set(path, blob(path, files[path])); }
  lv.trust.load = async () => { lv.logs.practice = log; };
  try {
    let trust = await lv.trust.fromProof(proof, "");
    const given = Object.entries(extra).map(([name, data]) => blob(name, data));
    if (given.length) { trust = await lv.trust.fromFiles(given, trust); }
    const found = await lv.verify(lv.source.folder(blobs), trust, (n, s, t) => { texts[n] = t; });
    return [found.step === undefined ? null : found.step, found.states[11], texts[11],
      found.reason || ""];
  } catch (error) { return [-1, "failed", "", error.message]; }
}"""


@dataclass(frozen=True)
class Played:
    """A review that was played through: its folder, its bundles, and what the site has of it."""

    play: Play
    root: Path
    review: RoundReview
    site: Path

    def bundle(self, number: int) -> Bundle:
        """The amended one is 0, the published one 1."""
        name = list(self.review.statuses)[number]
        return Bundle.open(self.root / "acme" / name)

    def proof(self, number: int) -> dict[str, Any]:
        text = (self.site / proof_address(self.bundle(number).id)).read_text()
        return cast(dict[str, Any], json.loads(text.partition(" = ")[2].removesuffix(";\n")))

    def log(self) -> dict[str, Any]:
        text = (self.site / "verify/logs/practice.js").read_text()
        whole = json.loads(json.loads(text.partition(" = ")[2].removesuffix(";\n")))
        return cast(dict[str, Any], whole)

    def archive(self) -> bytes:
        return (self.site / "practice.zip").read_bytes()


def _say(play: Play, root: Path, event: ReviewEvent, subject: Subject) -> None:
    """Log an event without asking whether it may be logged."""
    data = seal_statement(subject, REVIEW_EVENT, event, load_private(play.key(event.by)))
    folder = RoundFolder(root)
    entry = LogEntry(
        envelope=folder.write_envelope(data),
        subject=subject.name,
        predicate_type=REVIEW_EVENT,
        actor=event.by,
        kind="statement",
    )
    RoundLog.open(folder).append([entry], load_private(play.key("keeper")))


def _misquote(play: Play, root: Path) -> None:
    """Objections to both bundles which cite lines that are not there, or not so."""
    held = RoundReview.of(root)
    (cited,) = [
        one.content.at[0]
        for one in held.logged
        if isinstance(one.content, ReviewEvent) and one.content.at
    ]
    for case in held.replay.cases.values():
        manifest = (root / "acme" / case.bundle / "manifest.json").read_bytes()
        subject = Subject.of(hashlib.sha256(manifest).hexdigest())
        for changes in (
            {"lines_sha256": "0" * 64},
            {"last": 2**31},
            {"file": "none.json"},
            {"sha256": "0" * 64},
        ):
            wrong = cited.model_copy(update=changes)
            event = ReviewEvent(type="objection", by="uni", target=case.bundle, text="no",
                                at=(wrong,))  # fmt: skip
            _say(play, root, event, subject)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rules.rule.check", test_review_played.check_but_for_the_toy)
        patch.chdir(folder)
        play, root = Play(folder), folder / ROUND
        test_review_played.test_three_organisations_play_a_review_through(play)
        _misquote(play, root)
        eye = generate(folder / "keys/eye", "eye")
        add_to_keyring(root / "keyring.json", "eye", eye, ["witness"])
        log = RoundLog.open(RoundFolder(root))
        witness(log, log.keyring(), Memory(folder / "seen"), load_private(play.key("eye")), 10**9)
    review = RoundReview.of(root)
    return Played(play, root, review, _site(folder / "site", review))


def _site(site: Path, review: RoundReview) -> Path:
    """What a site has of the round, without its pages."""
    bundles = [Bundle.open(path) for path in review.bundle_folders()]
    held = [
        Published(
            bundle,
            REPORT,
            appraise(bundle, review.keyring, review.entries),
            standing=review.statuses[bundle.id],
        )
        for bundle in bundles
    ]
    listings = [SimpleNamespace(published=one, entry=SimpleNamespace(runs=())) for one in held]
    content = SimpleNamespace(listings=listings, published=held, reviews=(review,))
    (site / "verify").mkdir(parents=True)
    write_verify(site, cast(Content, content))
    copy_log(review, site / "log", site / "practice.zip")
    return site


@pytest.fixture(scope="module")
def page(browser: Browser, played: Played) -> Iterator[Page]:
    page = browser.new_page()
    page.goto((played.site / "verify.html").as_uri())
    yield page
    page.close()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _verified(page: Page, played: Played, number: int = 1, **more: Any) -> list[Any]:
    """At which step it failed, the state and text of step 11, and the reason."""
    bundle = played.bundle(number)
    files = {path: _encoded(data) for path, data in files_of(bundle.root).items()}
    asked = {"proof": played.proof(number), "log": json.dumps(played.log()), "extra": {}, **more}
    if isinstance(asked["log"], dict):
        asked["log"] = json.dumps(asked["log"])
    return cast(list[Any], page.evaluate(VERIFY, {"files": files, **asked}))


def test_what_the_log_comes_to_is_told(page: Page, played: Played) -> None:
    step, state, text, reason = _verified(page, played)
    assert (step, state, reason) == (None, "done", "")
    assert f"all {len(played.review.logged)} entries of the log" in text
    assert ": published: accepted, and published by entry" in text
    assert "Level L3. Reviewed by lab, uni. Countersigned by lab." in text
    assert "names no root keys" in text
    assert "Witnessed by eye (2001-09-09 01:46 UTC)." in text


def test_lines_that_are_cited_are_looked_up_in_the_bundle_itself(
    page: Page, played: Played
) -> None:
    for number in (0, 1):
        status = list(played.review.statuses.values())[number]
        assert len([one for one in status.ignored if "cite it again" in one.reason]) == 4
        log = played.log()
        for one in played.review.logged:
            if one.bundle == status.bundle:
                log["doubted"].pop(str(one.index), None)
        found = _opened(page, played, log, number)
        assert found == status.model_dump(mode="json")


def test_the_site_cannot_doubt_away_an_objection(page: Page, played: Played) -> None:
    log = played.log()
    (cited,) = [
        one.index
        for one in played.review.logged
        if isinstance(one.content, ReviewEvent) and one.content.at
    ]
    log["doubted"][str(cited)] = "not of the bundle"
    status = next(iter(played.review.statuses.values()))
    assert _opened(page, played, log, 0) == status.model_dump(mode="json")
    # Of the bundle that is amended only this site's word is there, and that is told.
    text = _verified(page, played, 1, log=log)[2]
    assert (
        "could not be looked up, as the files are not here: 5, of which this site says of 5" in text
    )


def _opened(page: Page, played: Played, log: dict[str, Any], number: int) -> Any:
    """The status that the browser finds with the bundle at hand."""
    bundle = played.bundle(number)
    return page.evaluate(
        """async ({log, files, id}) => {
          const lv = levelfield, held = lv.round.fromScript(log, "the log"), data = new Map();
          for (const path of Object.keys(files)) { data.set(path, lv.bytes.ofBase64(files[path])); }
          const manifest = lv.content.checkManifest(data.get("manifest.json"));
          const whole = await lv.review.open(held, await lv.keys.readKeyring(held.keyring, "k"), {
            digest: await lv.bytes.sha256(data.get("manifest.json")),
            files: new Map(manifest.files.map(one => [one.path, one])),
            source: { read: async path => data.get(path) },
          });
          return lv.replay.replayed(whole.logged).status(id);
        }""",
        {
            "log": json.dumps(log),
            "id": bundle.id,
            "files": {path: _encoded(data) for path, data in files_of(bundle.root).items()},
        },
    )


def _swap(log: dict[str, Any]) -> None:
    entries = log["entries"]
    entries[2], entries[3] = entries[3], entries[2]


def _envelope(log: dict[str, Any], index: int, change: Callable[[bytes], bytes]) -> None:
    entry = log["entries"][index]
    entry["envelope"] = _encoded(change(base64.b64decode(entry["envelope"])))


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an entry removed": (lambda log: log["entries"].pop(1), "entries, and its checkpoint is of"),
    "one added": (
        lambda log: log["entries"].append(log["entries"][0]),
        "entries, and its checkpoint is of",
    ),
    "one in place of another": (
        lambda log: log["entries"].__setitem__(3, log["entries"][2]),
        "its entries are not those that its checkpoint was signed for",
    ),
    "two swapped": (_swap, "its entries are not those that its checkpoint was signed for"),
    "an entry changed": (
        lambda log: log["entries"][2]["entry"].update(actor="uni"),
        "its entries are not those that its checkpoint was signed for",
    ),
    "an envelope removed": (
        lambda log: log["entries"][2].update(envelope=None),
        "entry 2 is missing: events/[0-9a-f]{64}.dsse.json: not here as it was",
    ),
    "an envelope changed": (
        lambda log: _envelope(log, 2, lambda data: data.replace(b'"keyid"', b'"keyid" ')),
        "entry 2 is missing",
    ),
    "an envelope for another": (
        lambda log: log["entries"][2].update(envelope=log["entries"][3]["envelope"]),
        "entry 2 is missing",
    ),
    "no base64": (lambda log: log["entries"][2].update(envelope="#"), "entry 2 is not base64"),
    "a checkpoint of nobody": (
        lambda log: log.update(checkpoint=log["checkpoint"].replace("/p\n", "/q\n")),
        "signed by no key that the keyring gives the role log or root",
    ),
    "another keyring": (
        lambda log: log.update(keyring=_encoded(keyring_of([]).encode())),
        "not the keys with which this bundle was verified",
    ),
    "another round": (lambda log: log.update(round="other"), "was never handed in"),
    "a field more": (lambda log: log.update(more=1), "more: not a field of it"),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
def test_a_log_that_was_tampered_with_turns_red(
    page: Page, played: Played, spoil: Callable[[dict[str, Any]], object], reason: str
) -> None:
    log = played.log()
    spoil(log)
    step, state, _, found = _verified(page, played, log=log)
    assert (step, state) == (11, "failed")
    assert re.search(reason, found), found


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ({"level": "L4"}, 'its level: "L3"; this site says "L4"'),
        ({"reviewed_by": ["inst", "lab"]}, 'its reviewed by: .* this site says ."inst","lab"'),
        ({"waivers": [{"rule": "LOG-1"}]}, "its waivers: "),
        ({"open_objections": 1}, "its open objections: 0; this site says 1"),
        ({"king": "acme"}, 'its king: nothing; this site says "acme"'),
    ],
)
def test_a_status_that_the_site_made_up_turns_red(
    page: Page, played: Played, claim: dict[str, Any], reason: str
) -> None:
    proof = played.proof(1)
    proof["status"] |= claim
    step, state, _, found = _verified(page, played, proof=proof)
    assert (step, state) == (11, "failed")
    assert re.search(reason, found), found


def test_a_rounds_zip_is_enough_without_any_site(page: Page, played: Played) -> None:
    nobody = {"keyring": keyring_of([]), "log": None, "standing": None}
    extra = {"practice.zip": _encoded(played.archive())}
    step, state, text, reason = _verified(page, played, 0, proof=nobody, extra=extra)
    assert (step, state, reason) == (None, "done", "")
    assert ": amended: bundle " in text
    assert f"all {len(played.review.logged)} entries of the log" in text
    assert "Entries that count for nothing: 4." in text
    assert "Witnessed by eye" in text


@pytest.mark.parametrize(
    ("organisations", "step", "reason"),
    [
        (["acme", "lab"], 9, "signed by no key that the keyring gives the role log or root"),
        (["acme", "keeper"], 3, "signed by an unknown key"),
        (["acme", "lab", "chair"], 9, "no root keys have signed it"),
        (["acme", "lab", "uni", "keeper"], None, ""),
    ],
)
def test_keys_of_the_readers_own_count_alone_for_a_rounds_zip(
    page: Page, played: Played, organisations: list[str], step: int | None, reason: str
) -> None:
    own = [one for one in played.review.keyring.keys if one.organisation in organisations]
    extra = {
        "practice.zip": _encoded(played.archive()),
        "own.json": _encoded(keyring_of(own).encode()),
    }
    found = _verified(page, played, 1, extra=extra)
    assert found[0] == step
    assert reason in found[3]
    if step is None:
        assert "The keys of your keyring counted" in found[2]
        assert "could not be looked up, as the files are not here: 5." in found[2]


@pytest.mark.parametrize(
    ("change", "step", "reason"),
    [
        ({"round.json": None}, -1, "holds no round.json"),
        ({"log/checkpoint": None}, -1, "holds no log/checkpoint"),
        ({"keyring.json": b"{}"}, 3, "unknown key"),
        ({"round.json": b"{"}, -1, "round.json: not JSON"),
        ({"log/tile/entries/000.p/*": b"\0\3abc"}, -1, "entry 0: not JSON"),
        ({"log/tile/entries/000.p/*": b"\xff\xff{}"}, -1, "entry 0: schema: missing"),
        ({"events/*": b"{}"}, 9, "entry 0 is missing"),
        ({"events/*": None}, 9, "entry 0 is missing"),
    ],
)
def test_a_spoilt_zip_of_a_round_is_refused_by_name(
    page: Page, played: Played, change: dict[str, bytes | None], step: int | None, reason: str
) -> None:
    ((pattern, data),) = change.items()
    files = zip_files(played.archive())
    for path in [path for path in files if PurePath(path).match(f"practice/{pattern}")]:
        files = {p: d for p, d in files.items() if p != path} | ({path: data} if data else {})
    extra = {"practice.zip": _encoded(zip_bytes(files, pack=True))}
    found = _verified(page, played, 1, extra=extra)
    assert found[0] == step, found
    assert reason in (found[3] or found[2])


def zip_files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        return {name: held.read(name) for name in held.namelist()}


def test_a_bad_cosignature_turns_red(page: Page, played: Played) -> None:
    log = played.log()
    *lines, last = log["checkpoint"].splitlines()
    dash, name, packed = last.split(" ")
    data = bytearray(base64.b64decode(packed))
    data[-1] ^= 1
    log["checkpoint"] = "\n".join([*lines, f"{dash} {name} {_encoded(bytes(data))}", ""])
    assert "bad cosignature: eye did not witness this" in _verified(page, played, log=log)[3]
    log["checkpoint"] = "\n".join([*lines, ""])
    assert "No witness has cosigned it." in _verified(page, played, log=log)[2]


ROOTS = """async ({keyring, signatures, anchors}) => {
  const lv = levelfield, data = lv.bytes.ofBase64(keyring, "k");
  const held = {keyring: data, signatures: signatures && lv.bytes.ofBase64(signatures, "s")};
  try {
    const keys = await lv.keys.readKeyring(data, "k");
    const own = await lv.keys.readKeyring(lv.bytes.ofText(anchors), "own");
    return await lv.vouched.roots(held, keys, own);
  } catch (error) { return error.message; }
}"""


@pytest.mark.parametrize(
    ("by", "anchors", "told"),
    [
        ((2, 4), (), "Its keyring is signed by 2 of its own 3 root keys."),
        ((2,), (), "its root keys: 1 of 3 signed it, 2 are needed"),
        ((2, 3), (2, 7), "your trusted root keys: 1 of 2 signed it, 2 are needed"),
        ((2, 3), (2, 3, 7), "Its keyring is signed by 2 of the 3 root keys that you trust."),
        ((), (), "no root keys have signed it"),
    ],
)
def test_root_keys_are_looked_at(
    page: Page, by: tuple[int, ...], anchors: tuple[int, ...], told: str
) -> None:
    asked = {
        "keyring": _encoded(canonical(ring())),
        "signatures": _encoded(signed(ring(), *by)) if by else None,
        "anchors": keyring_of([root_entry(n, f"root{n}", "root") for n in anchors]),
    }
    assert told in page.evaluate(ROOTS, asked)


def test_signatures_of_another_keyring_are_not_its_own(page: Page) -> None:
    changed = canonical(admit(ring(), root_entry(9, "new"), 3))
    asked = {
        "keyring": _encoded(changed),
        "signatures": _encoded(signed(ring(), 2, 3)),
        "anchors": keyring_of([]),
    }
    assert "changed after its root keys signed it" in page.evaluate(ROOTS, asked)


def test_the_same_log_gives_the_same_script(played: Played, tmp_path: Path) -> None:
    assert write_replays(tmp_path, [played.review]) == {"practice": ""}
    script = "verify/logs/practice.js"
    assert (tmp_path / script).read_bytes() == (played.site / script).read_bytes()


@pytest.mark.parametrize(
    ("bound", "reason"),
    [("MAX_ENTRIES", r"The log has \d+ entries"), ("MAX_BYTES", "The log is too large")],
)
def test_a_log_beyond_the_bounds_is_not_laid_out_and_that_is_told(
    page: Page,
    played: Played,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    reason: str,
) -> None:
    monkeypatch.setattr(f"portal.replay_file.{bound}", 3)
    why = write_replays(tmp_path, [played.review])["practice"]
    assert re.match(reason, why)
    assert list(tmp_path.iterdir()) == []
    proof = {**played.proof(1), "replay": None, "unreplayed": why}
    step, state, text, _ = _verified(page, played, proof=proof)
    assert (step, state) == (None, "skipped")
    assert why in text
    assert "the log’s replay said: published: accepted" in text
    assert "levelfield review status" in text


def test_no_script_is_read_beyond_the_bounds(page: Page, played: Played) -> None:
    found = page.evaluate(
        """log => {
          const whole = JSON.parse(log), entry = Object.assign(whole.entries[0], {envelope: null});
          whole.entries = Array(20001).fill(entry);
          return [JSON.stringify(whole), "x".repeat(67108865)].map(text => {
            try { levelfield.round.fromScript(text, "the log"); return ""; }
            catch (error) { return error.message; }
          });
        }""",
        json.dumps(played.log()),
    )
    assert "20001 entries; a browser replays 20000 at most; the command line" in found[0]
    assert "one larger than 67108864 bytes; the command line replays it" in found[1]


def test_without_a_log_the_step_says_where_one_is(page: Page, played: Played) -> None:
    nobody = {**played.proof(1), "log": None, "standing": None, "status": None, "replay": None}
    step, state, text, _ = _verified(page, played, proof=nobody)
    assert (step, state) == (None, "skipped")
    assert "No round’s log is here to replay; the zip of one can be given beside keys" in text
