"""submissions/replication.py, submissions/repetition.py and ``levelfield replicate``"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from run_folders import subject, write_inference_run, write_training_run
from toy import MS, toy_card

from harness.cli import cli
from harness.errors import LevelfieldError, UsageError
from harness.records import Mode, Scenario
from rules.replication import Replicated
from rules.round import read_round
from submissions import replication as module
from submissions.bundle import Bundle
from submissions.manifest import Manifest, describe
from submissions.pack import pack
from submissions.repetition import (
    difference_rows,
    find_differences,
    find_entry,
    own_system,
    repeated_run,
    settings_of,
)
from submissions.replication import (
    Replication,
    check_record,
    in_words,
    judge,
    read_replication,
    write_replication,
)
from workloads.catalogue import load_card

OFFLINE, TRAIN = "toy/offline", "toy/train"


def offline_runs(folder: Path, performance: int) -> list[Path]:
    """A performance and an accuracy run, then further performance runs."""
    modes = [Mode.PERFORMANCE, Mode.ACCURACY, *[Mode.PERFORMANCE] * (performance - 1)]
    for number, mode in enumerate(modes):
        write_inference_run(folder / f"run_{number}", Scenario.OFFLINE, mode)
    return [folder / f"run_{number}" for number in range(len(modes))]


def original_of(folder: Path) -> Bundle:
    return pack(offline_runs(folder / "a", 1), "acme", "practice", folder / "original")


def replicated(folder: Path, original: Bundle) -> tuple[Bundle, Replication]:
    runs = offline_runs(folder / "b", 3)
    return write_replication(
        runs[:2], runs[2:], original, OFFLINE, "beta", folder / "replica", despite_differences=False
    )


def rewritten(bundle: Bundle, changes: dict[str, bytes]) -> Bundle:
    """The bundle with other files, listed as if they had been there from the start."""
    for path, data in changes.items():
        (bundle.root / path).write_bytes(data)
    kept = [file for file in bundle.manifest.files if file.path not in changes]
    files = sorted([*kept, *(describe(p, d) for p, d in changes.items())], key=lambda f: f.path)
    manifest: Manifest = bundle.manifest.model_copy(update={"files": tuple(files)})
    (bundle.root / "manifest.json").write_bytes(manifest.to_bytes())
    return Bundle.open(bundle.root)


def test_a_replication_is_a_bundle_that_says_what_came_out(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    bundle, record = replicated(tmp_path, original)
    assert (record.verdict, record.original) == (Replicated.EQUAL, original.id)
    assert read_replication(bundle) == record
    assert [len(entry.runs) for entry in bundle.submission.entries] == [2]
    assert {
        file.path.split("/")[1] for file in bundle.manifest.files if "further" in file.path
    } == {
        "run_1",
        "run_2",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "original", "replica"]


def test_what_it_says_is_computed_again_and_not_believed(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    bundle, record = replicated(tmp_path, original)
    assert check_record(original, bundle).found == record.found
    lie = record.model_copy(update={"verdict": Replicated.DIFFERENT})
    forged = rewritten(bundle, {"replication.json": lie.to_json().encode()})
    with pytest.raises(LevelfieldError, match=r"says different, but the runs say equal"):
        check_record(original, forged)


def test_it_is_of_one_bundle_only(tmp_path: Path) -> None:
    bundle, _ = replicated(tmp_path, original_of(tmp_path))
    other = original_of(tmp_path / "other")
    with pytest.raises(LevelfieldError, match=f"not of {other.id}"):
        check_record(other, bundle)
    with pytest.raises(LevelfieldError, match="no replication"):
        check_record(other, other)


def test_nobody_replicates_themselves(tmp_path: Path) -> None:
    original, runs = original_of(tmp_path), offline_runs(tmp_path / "b", 1)
    with pytest.raises(LevelfieldError, match="the original's own submitter"):
        write_replication(
            runs, [], original, OFFLINE, "acme", tmp_path / "replica", despite_differences=False
        )
    assert not (tmp_path / "replica").exists()


def test_the_originals_own_runs_and_runs_given_twice_are_refused(tmp_path: Path) -> None:
    original, runs = original_of(tmp_path), offline_runs(tmp_path / "b", 1)
    for given, further, reason in (
        ([tmp_path / "a/run_0", tmp_path / "a/run_1"], [], "the original's own"),
        (runs, [runs[0]], "given twice"),
    ):
        with pytest.raises(LevelfieldError, match=reason):
            write_replication(
                given, further, original, OFFLINE, "beta", tmp_path / "r", despite_differences=False
            )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "original"]


def test_runs_of_another_configuration_or_workload_are_refused(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    bundle, _ = replicated(tmp_path, original)
    path = "further/run_1/run.json"
    run = json.loads(bundle.read(path))
    for change, reason in (({"precision": "int8"}, "precision is another"),
                           ({"system_sha256": "0" * 64}, "made on another system")):  # fmt: skip
        other = rewritten(bundle, {path: json.dumps({**run, **change}).encode()})
        with pytest.raises(LevelfieldError, match=f"{path[:13]}.*{reason}"):
            judge(original, other, OFFLINE)
    changed = {}
    for number in (1, 2):
        name = f"results/toy/offline/run_{number}/run.json"
        changed[name] = json.dumps(
            {**json.loads(bundle.read(name)), "workload_sha256": "1" * 64}
        ).encode()
    other = rewritten(bundle, {path: json.dumps(run).encode(), **changed})
    with pytest.raises(LevelfieldError, match="another version of the workload"):
        judge(original, other, OFFLINE)
    despite = judge(original, other, OFFLINE, despite_differences=True)
    assert (despite.despite_differences, despite.differences[0].what) == (True, "workload")


def test_a_training_is_compared_by_convergence_and_here_by_speed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "load_card", lambda _: toy_card())
    for seed in range(1, 11):
        write_training_run(tmp_path / f"{(seed - 1) // 5}" / f"run_{seed}", seed)
    original = pack([tmp_path / "0"], "acme", "practice", tmp_path / "original")
    folders = sorted((tmp_path / "1").iterdir())
    _, record = write_replication(
        folders, [], original, TRAIN, "beta", tmp_path / "replica", despite_differences=False
    )
    samples, speed = record.found
    assert samples.ratio == speed.ratio == 1
    assert (samples.verdict, speed.verdict) == (Replicated.CANNOT_TELL, Replicated.EQUAL)
    assert "runs of each would tell" in in_words(samples)
    again = pack([tmp_path / "0"], "beta", "practice", tmp_path / "again")
    with pytest.raises(LevelfieldError, match="the original's own"):
        judge(original, again, TRAIN)


def test_a_seed_of_the_originals_is_not_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "load_card", lambda _: toy_card())
    for folder in ("0", "1"):
        for seed in range(1, 4):
            write_training_run(tmp_path / folder / f"run_{seed}", seed)
    original = pack([tmp_path / "0"], "acme", "practice", tmp_path / "original")
    replica = pack([tmp_path / "1"], "beta", "practice", tmp_path / "replica")
    with pytest.raises(LevelfieldError, match="its seed is one of the original's"):
        judge(original, replica, TRAIN)


def test_what_cannot_be_repeated_is_said(tmp_path: Path) -> None:
    entry = find_entry(original_of(tmp_path), OFFLINE)
    own = replace(entry.runs[0], run=entry.runs[0].run.model_copy(update={"command": ("x",)}))
    with pytest.raises(LevelfieldError, match="own program, which a bundle does not hold"):
        repeated_run(replace(entry, runs=(own,)))
    with pytest.raises(LevelfieldError, match="holds no performance run"):
        repeated_run(replace(entry, runs=entry.runs[1:]))
    with pytest.raises(UsageError, match="known: toy/offline"):
        find_entry(original_of(tmp_path / "2"), "toy/server")


def test_nothing_that_a_bundle_names_is_imported(tmp_path: Path) -> None:
    run = repeated_run(find_entry(original_of(tmp_path), OFFLINE))
    card, hostile = load_card("image_classification"), run.model_copy(update={"sut": "os:system"})
    with pytest.raises(LevelfieldError, match=r"nothing that a bundle names is imported"):
        own_system(hostile, card, None)
    assert own_system(hostile, card, "os:system") == "os:system"
    engine = card.engines["eager"]
    assert own_system(run.model_copy(update={"sut": engine}), card, None) == engine


def test_settings_are_the_rounds_with_the_originals_rate(tmp_path: Path) -> None:
    run = repeated_run(find_entry(original_of(tmp_path), OFFLINE))
    assert run.settings
    terms = read_round("practice")
    asked = run.settings.model_copy(update={"min_duration_ns": 10**18, "target_rate": 100.0})
    update = {"workload": "image_classification", "scenario": Scenario.SERVER}
    server = run.model_copy(update={**update, "settings": asked})
    settings = settings_of(server, terms)
    assert (settings.min_duration_ns, settings.target_rate) == (3000 * MS, 100.0)
    endless = server.model_copy(
        update={"settings": asked.model_copy(update={"target_rate": 1e300})}
    )
    with pytest.raises(LevelfieldError, match="nothing could answer"):
        settings_of(endless, terms)


def test_differences_are_named_and_safe_to_print(tmp_path: Path) -> None:
    original = original_of(tmp_path).submission
    run, here = original.entries[0].runs[0].run, original.system
    assert find_differences(here, run, here, run.workload_sha256) == ()
    processor = here.processor.model_copy(update={"model": "fast\x1b[2J" + "x" * 500})
    other = here.model_copy(update={"processor": processor})
    workload, model = difference_rows(find_differences(other, run, here, "f" * 64))
    assert (workload[0], model[0]) == ("workload", "processor.model")
    assert model[1].startswith("fast?[2J")
    assert len(model[1]) == 200


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["replicate", *map(str, words)])


def test_the_command_judges_a_replication_that_there_is(tmp_path: Path) -> None:
    original = original_of(tmp_path)
    bundle, record = replicated(tmp_path, original)
    said = invoke(original.root, "--judge", bundle.root)
    assert (said.exit_code, f"({original.submission.submitter}): equal" in said.output) == (0, True)
    told = json.loads(invoke(original.root, "--judge", bundle.root, "--json").output)
    assert (told["verdict"], told["original"]) == ("equal", record.original)


def test_the_command_runs_nothing_that_it_cannot_repeat(tmp_path: Path) -> None:
    write_training_run(tmp_path / "run", 1, subject=replace(subject(), workload="gone"))
    original = pack([tmp_path / "run"], "acme", "practice", tmp_path / "original")
    assert isinstance(invoke(original.root).exception, UsageError)
    found = invoke(original.root, "--result", "gone/train", "--submitter", "beta").exception
    assert "gone: no such workload" in str(found)
