import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import write_signed_bundle
from searches import searched

from harness.errors import LevelfieldError
from harness.records import Mode, Result, Scenario
from rules.round import read_round
from rules.rule import check
from submissions import bundle as module
from submissions import container
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.keys import Keyring
from submissions.layout import RUN_FILES
from submissions.manifest import Manifest, describe
from submissions.statement import claims_of

TRAIN = "results/toy/train"
OFFLINE = "results/toy/offline"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_signed_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    """A copy of the good bundle, to be spoilt."""
    return Path(shutil.copytree(good, tmp_path / "bundle"))


def repack(root: Path, files: dict[str, bytes | None]) -> None:
    """Write ``files`` (none: remove) and a manifest that agrees with them."""
    for path, data in files.items():
        if data is None:
            (root / path).unlink()
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
    shutil.rmtree(root / "attestations", ignore_errors=True)
    (root / "manifest.json").unlink()
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    paths = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    lines = tuple(describe(path, (root / path).read_bytes()) for path in paths)
    manifest = Manifest(round="practice", nonce="0" * 32, submitter="acme", files=lines)
    (root / "manifest.json").write_bytes(manifest.to_bytes())


def test_a_good_bundle_becomes_a_submission(good: Path) -> None:
    bundle = Bundle.open(good)
    submission = bundle.submission
    assert [entry.path for entry in submission.entries] == [OFFLINE, TRAIN]
    assert len(submission.entries[1].runs) == 5
    accuracy = submission.entries[0].of_mode(Mode.ACCURACY)[0]
    assert accuracy.answers is not None
    assert len(accuracy.answers) == 8
    assert (submission.submitter, submission.round) == ("acme", "practice")
    assert bundle.id == submission.bundle_id
    assert len(bundle.attestations) == 1


def test_digests_are_those_of_the_bytes_on_disk(good: Path) -> None:
    bundle = Bundle.open(good)
    on_disk = hashlib.sha256((good / "manifest.json").read_bytes()).hexdigest()
    assert bundle.manifest_sha256 == bundle.submission.manifest_sha256 == on_disk
    system = hashlib.sha256((good / "system.json").read_bytes()).hexdigest()
    assert bundle.submission.system_sha256 == system
    assert all(e.run.system_sha256 == system for x in bundle.submission.entries for e in x.runs)


def test_a_link_to_a_bundle_opens_it(good: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(good)
    assert Bundle.open(tmp_path / "link").id == Bundle.open(good).id


def judged(root: Path) -> str:
    """The refusal of a bundle by reading or by verification."""
    with pytest.raises(LevelfieldError) as refusal:
        verify(Bundle.open(root), Keyring.read(root.parent / "keyring.json"))
    return str(refusal.value)


def spoilt(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Change one byte at the start, in the middle and at the end of every file, in turn."""
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        data = path.read_bytes()
        for at in sorted({0, len(data) // 2, len(data) - 1} & set(range(len(data)))):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            yield path, f"{path.relative_to(root)}@{at}", judged(root)
        path.write_bytes(data)


def test_any_file_with_a_changed_byte_is_refused_by_name(root: Path, good: Path) -> None:
    shutil.copy(good.parent / "keyring.json", root.parent)
    count = 0
    for path, change, reason in spoilt(root):
        name = str(path.relative_to(root))
        if name != "manifest.json":
            assert reason.startswith(f"{name}: its SHA-256 differs"), change
        assert "; " in reason, change
        count += 1
    assert count > 60
    verify(Bundle.open(root), Keyring.read(root.parent / "keyring.json"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_of_the_manifest_or_the_attestation_is_refused(
    good: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("x") / "bundle"
    shutil.copytree(good, root)
    shutil.copy(good.parent / "keyring.json", root.parent)
    path = data.draw(
        st.sampled_from([root / "manifest.json", *sorted((root / "attestations").iterdir())])
    )
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert judged(root)


def test_every_missing_file_is_refused_by_name(root: Path) -> None:
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = str(path.relative_to(root))
        if name.startswith("attestations"):
            continue  # its absence is found by verification: unsigned
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(LevelfieldError, match=r"missing|no manifest") as refusal:
            Bundle.open(root)
        assert name in str(refusal.value)
        path.write_bytes(data)


@pytest.mark.parametrize(
    "name", ["notes.txt", f"{TRAIN}/run_1/queries.npy", "attestations/x.json", "results/x/y"]
)
def test_an_additional_file_is_refused_by_name(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"")
    with pytest.raises(LevelfieldError, match=f"^{name}: additional"):
        Bundle.open(root)


@pytest.mark.parametrize("name", ["more", "results/more", f"{TRAIN}/run_1/more"])
def test_an_additional_folder_is_refused_by_name(root: Path, name: str) -> None:
    (root / name).mkdir()
    with pytest.raises(LevelfieldError, match=f"^{name}: additional folder"):
        Bundle.open(root)


def test_a_file_behind_a_link_is_refused_though_its_bytes_are_right(root: Path) -> None:
    shutil.move(root / "system.json", root.parent / "system.json")
    (root / "system.json").symlink_to(root.parent / "system.json")
    with pytest.raises(LevelfieldError, match=r"^system\.json: a symbolic link"):
        Bundle.open(root)


def test_a_file_that_grew_or_shrank_is_refused_by_name(root: Path) -> None:
    path = root / f"{TRAIN}/run_2/events.log"
    data = path.read_bytes()
    for changed in (data + b"\n", data[:-1], b""):
        path.write_bytes(changed)
        with pytest.raises(LevelfieldError, match=rf"^{TRAIN}/run_2/events.log: its size differs"):
            Bundle.open(root)


def test_a_file_is_read_once_and_checked_again_when_asked_for(root: Path) -> None:
    bundle = Bundle.open(root)
    path = f"{TRAIN}/run_1/run.json"
    assert bundle.read(path) == (root / path).read_bytes()
    (root / path).write_bytes(bundle.read(path).replace(b"complete", b"completE"))
    with pytest.raises(LevelfieldError, match="SHA-256 differs"):
        bundle.read(path)
    with pytest.raises(LevelfieldError, match="not in the bundle"):
        bundle.read("manifest.json")


def test_the_bytes_that_are_hashed_are_the_bytes_that_are_parsed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read_plain = container.read_plain

    def counting(folder: Path, path: str, size: int) -> bytes:
        reads.append(path)
        return read_plain(folder, path, size)

    monkeypatch.setattr(container, "read_plain", counting)
    Bundle.open(root)
    assert sorted(reads) == sorted(str(p.relative_to(root)) for p in root.rglob("*.*"))


def change_result(change: Callable[[Result], Result]) -> Callable[[Path], dict[str, bytes | None]]:
    def changed(root: Path) -> dict[str, bytes | None]:
        path = f"{TRAIN}/result.json"
        result = Result.model_validate_json((root / path).read_bytes())
        return {path: change(result).to_json().encode()}

    return changed


def claims(*runs: str) -> Callable[[Path], dict[str, bytes | None]]:
    return change_result(lambda result: result.model_copy(update={"runs": runs}))


def moved(source: str, target: str) -> Callable[[Path], dict[str, bytes | None]]:
    def files(root: Path) -> dict[str, bytes | None]:
        found = [p for p in root.rglob("*") if str(p.relative_to(root)).startswith(source)]
        names = {str(p.relative_to(root)): p.read_bytes() for p in found if p.is_file()}
        there = {target + name.removeprefix(source): data for name, data in names.items()}
        return {**there, **dict.fromkeys(names)}

    return files


def search(
    scenario: Scenario, old: str = "", new: str = ""
) -> Callable[[Path], dict[str, bytes | None]]:
    text = searched(scenario).to_json()
    assert old in text
    return lambda _: {f"{OFFLINE}/search.json": text.replace(old, new, 1).encode()}


RUNS = tuple(f"run_{n}" for n in range(1, 6))
INCONSISTENT: dict[str, tuple[Callable[[Path], dict[str, bytes | None]], str]] = {
    "claimed, not there": (claims(*RUNS, "run_6"), "claims the run run_6, which is missing"),
    "there, not claimed": (claims(*RUNS[:4]), "does not claim the run run_5"),
    "claimed twice": (claims(*RUNS, "run_5"), "claims a run twice"),
    "no system": (lambda _: {"system.json": None}, "system.json: not in the manifest"),
    "no result": (lambda _: {f"{TRAIN}/result.json": None}, f"{TRAIN}/result.json: not in"),
    "no record": (lambda _: {f"{TRAIN}/run_1/run.json": None}, f"{TRAIN}/run_1/run.json: missing"),
    "no log": (lambda _: {f"{TRAIN}/run_1/events.log": None}, "run_1/events.log: missing"),
    "no queries": (lambda _: {f"{OFFLINE}/run_1/queries.npy": None}, "queries.npy: missing"),
    "no answers": (lambda _: {f"{OFFLINE}/run_2/answers.jsonl": None}, "answers.jsonl: missing"),
    "odd file": (lambda _: {f"{TRAIN}/run_1/queries.npy": b""}, "training run has no such file"),
    "result of another": (moved(TRAIN, "results/toy/single_stream"), "than its folder"),
    "run moved away": (moved(f"{OFFLINE}/run_1", f"{TRAIN}/run_6"), "run_1, which is missing"),
    "not JSON": (lambda _: {"system.json": b"{"}, "system.json: not JSON"),
    "not a log": (lambda _: {f"{OFFLINE}/run_1/queries.npy": b"PK"}, "queries.npy: not a"),
    "bad telemetry": (lambda _: {f"{TRAIN}/run_1/telemetry.jsonl": b"{}\n1e999"}, "jsonl:2"),
    "search of another": (search(Scenario.SERVER), "search.json: speaks of another scenario"),
    "search altered": (search(Scenario.OFFLINE, "10.0", "12.0"), "search.json: .*not the rate"),
    "search spoilt": (search(Scenario.OFFLINE, '"queries": 7', '"queries": -7'), "0.queries"),
    "run hidden as the search": (
        lambda r: moved(f"{TRAIN}/run_5", f"{TRAIN}/search.json")(r) | claims(*RUNS[:4])(r),
        "does not claim the run search.json",
    ),
    "bad answer": (lambda _: {f"{OFFLINE}/run_2/answers.jsonl": b"{}"}, "answers.jsonl:1"),
}


@pytest.mark.parametrize(("spoil", "reason"), INCONSISTENT.values(), ids=INCONSISTENT)
def test_an_inconsistent_bundle_is_refused_though_its_digests_match(
    root: Path, spoil: Callable[[Path], dict[str, bytes | None]], reason: str
) -> None:
    repack(root, spoil(root))
    with pytest.raises(LevelfieldError, match=reason):
        Bundle.open(root)


def test_a_search_is_read_with_its_result(root: Path) -> None:
    repack(root, search(Scenario.OFFLINE)(root))
    found = [entry.search for entry in Bundle.open(root).submission.entries]
    assert found == [searched(Scenario.OFFLINE), None]


def test_repacking_alone_spoils_nothing(root: Path) -> None:
    repack(root, {})
    assert Bundle.open(root).submission.entries


def test_a_run_of_another_scenario_is_refused(root: Path) -> None:
    names = [f"{OFFLINE}/run_1/{n}" for n in RUN_FILES if (root / f"{OFFLINE}/run_1/{n}").exists()]
    data = {name: (root / name).read_bytes() for name in names}
    stray = {name.replace(f"{OFFLINE}/run_1", f"{TRAIN}/run_6"): d for name, d in data.items()}
    repack(root, {**stray, **claims(*RUNS, "run_6")(root)})
    with pytest.raises(LevelfieldError, match=r"run_6/run\.json: speaks of another"):
        Bundle.open(root)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match="not a bundle"):
        Bundle.open(tmp_path)


def test_an_attestation_larger_than_its_limit_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ATTESTATION_BYTES", 10)
    with pytest.raises(LevelfieldError, match="larger than 10 bytes"):
        Bundle.open(root)


def test_without_logs_it_is_hashed_and_vouched_for_but_not_judged(root: Path, good: Path) -> None:
    opened = Bundle.open(root, logs=False)
    assert verify(opened, Keyring.read(good.parent / "keyring.json")).level == "L1"
    assert claims_of(opened.submission) == claims_of(Bundle.open(root).submission)
    with pytest.raises(ValueError, match="opened without its logs"):
        check(opened.submission, read_round("practice"))
    log = root / "results/toy/train/run_1/events.log"
    log.write_bytes(log.read_bytes() + b"\n")
    with pytest.raises(LevelfieldError, match="train/run_1/events"):
        Bundle.open(root, logs=False)
