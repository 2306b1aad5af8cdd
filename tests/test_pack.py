import errno
from dataclasses import replace
from pathlib import Path

import pytest
from run_folders import subject, write_inference_run, write_runs, write_training_run
from searches import searched

from harness.errors import LevelfieldError, UsageError
from harness.records import Division, Metric, Mode, Run, RunStatus, Scenario
from rules.round import read_round
from rules.scoring import score, time_to_train
from submissions.bundle import Bundle
from submissions.pack import pack
from workloads.catalogue import load_points


def refusal(out: Path, *runs: Path, error: type[LevelfieldError] = LevelfieldError) -> str:
    """The reason why ``runs`` are not packed; nothing may be left beside them."""
    before = sorted(out.parent.iterdir())
    with pytest.raises(error) as raised:
        pack(runs, "acme", "practice", out)
    assert sorted(out.parent.iterdir()) == before
    return str(raised.value)


def test_what_is_packed_opens_as_the_same_submission(tmp_path: Path) -> None:
    packed = pack(write_runs(tmp_path / "runs"), "acme", "practice", tmp_path / "b")
    opened = Bundle.open(tmp_path / "b")
    assert opened.manifest == packed.manifest
    assert packed.root == tmp_path / "b"
    assert [entry.result for entry in opened.submission.entries] == [
        entry.result for entry in packed.submission.entries
    ]


def test_a_claim_is_the_score_of_its_runs(tmp_path: Path) -> None:
    bundle = pack(write_runs(tmp_path / "runs"), "acme", "practice", tmp_path / "b")
    for entry in bundle.submission.entries:
        points = load_points(entry.result.workload)
        scored = score(entry.result.scenario, entry.runs, read_round("practice"), points)
        assert entry.result.value == scored
    offline, train = bundle.submission.entries
    assert (offline.result.metric, train.result.metric) == (
        Metric.THROUGHPUT,
        Metric.TIME_TO_TRAIN,
    )


def test_runs_are_ordered_by_their_start_and_renamed(tmp_path: Path) -> None:
    for seed in (3, 1, 12):
        write_training_run(tmp_path / f"seed_{seed}", seed)
    folders = [tmp_path / f"seed_{seed}" for seed in (3, 1, 12)]
    (entry,) = pack(folders, "acme", "practice", tmp_path / "b").submission.entries
    assert entry.result.runs == ("run_1", "run_2", "run_3")
    assert [evidence.run.seeds["run"] for evidence in entry.runs] == [1, 3, 12]


def test_the_files_of_a_run_are_copied_as_they_are(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    (tmp_path / "r/notes.txt").write_text("not part of a run")
    bundle = pack([tmp_path / "r"], "acme", "practice", tmp_path / "b")
    copied = {p.name: p.read_bytes() for p in (bundle.root / "results/toy/train/run_1").iterdir()}
    assert copied == {
        name: (tmp_path / "r" / name).read_bytes()
        for name in ("run.json", "events.log", "telemetry.jsonl")
    }
    system = (tmp_path / "r/system.json").read_bytes()
    assert (bundle.root / "system.json").read_bytes() == system


def test_two_bundles_of_the_same_runs_differ(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    first = pack([tmp_path / "r"], "acme", "practice", tmp_path / "a")
    second = pack([tmp_path / "r"], "acme", "practice", tmp_path / "b")
    assert first.id != second.id


def test_an_aborted_run_may_be_packed(tmp_path: Path) -> None:
    run = write_training_run(tmp_path / "r", 1, [0.1] * 5)
    assert run.status is RunStatus.ABORTED
    (entry,) = pack([tmp_path / "r"], "acme", "practice", tmp_path / "b").submission.entries
    assert entry.result.value is None


def test_a_failed_training_run_counts_as_lost(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_training_run(tmp_path / f"out/run_{seed}", seed)
    failed = write_training_run(tmp_path / "out/run_3", 3, [0.1])  # no second quality to give
    assert failed.status is RunStatus.FAILED
    (entry,) = pack([tmp_path / "out"], "acme", "practice", tmp_path / "b").submission.entries
    assert entry.result.runs == ("run_1", "run_2", "run_3")
    assert entry.result.value == max(time_to_train(run) for run in entry.runs[:2])


def test_a_failed_inference_run_is_refused_with_its_reason(tmp_path: Path) -> None:
    run = write_inference_run(tmp_path / "r", Scenario.OFFLINE, Mode.PERFORMANCE)
    failed = run.model_copy(update={"status": RunStatus.FAILED, "error": "IndexError: no"})
    (tmp_path / "r/run.json").write_text(failed.to_json())
    assert "r: failed: IndexError" in refusal(tmp_path / "b", tmp_path / "r")


def test_a_killed_run_is_refused(tmp_path: Path) -> None:
    run = write_training_run(tmp_path / "r", 1)
    killed = run.model_copy(update={"status": RunStatus.INCOMPLETE})
    (tmp_path / "r/run.json").write_text(killed.to_json())
    assert "r: incomplete" in refusal(tmp_path / "b", tmp_path / "r")


def test_a_folder_among_the_runs_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "out/run_1", 1)
    (tmp_path / "out/run_2").mkdir()
    assert "run_2: holds no run.json" in refusal(tmp_path / "b", tmp_path / "out")


def test_runs_of_two_systems_are_refused_by_field(tmp_path: Path) -> None:
    system = subject().system
    more = system.model_copy(update={"memory_bytes": system.memory_bytes + 1})
    write_training_run(tmp_path / "r1", 1)
    write_training_run(tmp_path / "r2", 2, subject=replace(subject(), system=more))
    reason = refusal(tmp_path / "b", tmp_path / "r1", tmp_path / "r2")
    assert f"r2: another system than {tmp_path}/r1: memory_bytes differs" in reason


def test_a_system_deep_difference_is_named(tmp_path: Path) -> None:
    system = subject().system
    software = system.software.model_copy(update={"kernel": "other"})
    other = system.model_copy(update={"software": software})
    write_training_run(tmp_path / "r1", 1)
    write_training_run(tmp_path / "r2", 2, subject=replace(subject(), system=other))
    assert "software.kernel differs" in refusal(tmp_path / "b", tmp_path / "r1", tmp_path / "r2")


def test_a_system_that_was_exchanged_after_the_run_is_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    other = subject().system.model_copy(update={"memory_bytes": 1})
    (tmp_path / "r/system.json").write_text(other.to_json())
    assert "not the system that run.json names" in refusal(tmp_path / "b", tmp_path / "r")


def test_two_divisions_in_one_result_are_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r1", 1)
    write_training_run(tmp_path / "r2", 2, subject=replace(subject(), division=Division.OPEN))
    reason = refusal(tmp_path / "b", tmp_path / "r1", tmp_path / "r2")
    assert "r2: open division" in reason


def test_a_run_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "out/r", 1)
    assert "the same run as" in refusal(tmp_path / "b", tmp_path / "out/r", tmp_path / "out")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    write_inference_run(tmp_path / "r", Scenario.OFFLINE, Mode.PERFORMANCE)
    (tmp_path / "r/queries.npy").unlink()
    assert "r/queries.npy: cannot be read" in refusal(tmp_path / "b", tmp_path / "r")


def test_a_file_that_cannot_be_read_is_named_where_it_lies(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    (tmp_path / "r/telemetry.jsonl").write_text("{}\n")
    assert f"{tmp_path}/r/telemetry.jsonl:1: " in refusal(tmp_path / "b", tmp_path / "r")


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    (tmp_path / "b").symlink_to("nowhere")
    assert "b: exists already" in refusal(tmp_path / "b", tmp_path / "r")


@pytest.mark.parametrize("name", ["none", "empty"])
def test_no_runs_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert f"{name}: " in refusal(tmp_path / "b", tmp_path / name, error=UsageError)
    assert "no runs" in refusal(tmp_path / "b", error=UsageError)


@pytest.mark.parametrize(
    ("submitter", "round_name"), [("Acme Inc.", "practice"), ("acme", "practise")]
)
def test_a_bad_name_is_refused_before_anything_is_read(
    tmp_path: Path, submitter: str, round_name: str
) -> None:
    with pytest.raises(UsageError, match=r"^(organisation 'Acme|practise)"):
        pack([tmp_path / "none"], submitter, round_name, tmp_path / "b")


def test_a_full_disk_leaves_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_training_run(tmp_path / "r", 1)
    write_bytes = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "telemetry.jsonl":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "b: cannot be written: No space left" in refusal(tmp_path / "b", tmp_path / "r")


def test_a_commands_output_is_packed(tmp_path: Path) -> None:
    run = write_training_run(tmp_path / "r", 1)
    own = Run.model_validate({**dict(run), "command": ("python", "train.py")})
    (tmp_path / "r/run.json").write_text(own.to_json())
    assert "output.txt: cannot be read" in refusal(tmp_path / "b", tmp_path / "r")
    (tmp_path / "r/output.txt").write_text("epoch 1\n")
    bundle = pack([tmp_path / "r"], "acme", "practice", tmp_path / "b")
    assert bundle.read("results/toy/train/run_1/output.txt") == b"epoch 1\n"


def test_the_search_beside_its_runs_goes_along(tmp_path: Path) -> None:
    folders = write_runs(tmp_path / "runs")
    text = searched(Scenario.OFFLINE).to_json()
    for folder in folders:
        (folder / "search.json").write_text(text)
    write_inference_run(folders[1] / "probes/probe_1", Scenario.OFFLINE, Mode.PERFORMANCE)
    bundle = pack(folders, "acme", "practice", tmp_path / "b")
    assert bundle.read("results/toy/offline/search.json") == text.encode()
    offline, train = bundle.submission.entries
    assert offline.search == searched(Scenario.OFFLINE)
    assert len(offline.runs) == 2
    assert train.search is None


def test_two_searches_for_one_result_are_refused(tmp_path: Path) -> None:
    for name, mode in (("a", Mode.PERFORMANCE), ("b", Mode.ACCURACY)):
        write_inference_run(tmp_path / name / "run_1", Scenario.OFFLINE, mode)
        (tmp_path / name / "search.json").write_text(searched(Scenario.OFFLINE).to_json())
    reason = refusal(tmp_path / "x", tmp_path / "a", tmp_path / "b")
    assert "a/search.json and" in reason
    assert "two searches for one result" in reason


def test_a_search_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    write_training_run(tmp_path / "out/run_1", 1)
    (tmp_path / "out/search.json").write_text("{}")
    assert "out/search.json: " in refusal(tmp_path / "b", tmp_path / "out")
