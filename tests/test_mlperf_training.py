import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from official_results import (
    DESCRIPTION,
    POINTS,
    RUNS,
    checkout,
    imported,
    lora_lines,
    needs_archive,
    oracle,
    text,
    unpack,
    write,
)

from harness.errors import LevelfieldError, UsageError
from harness.records import RunStatus
from rules.mlperf.official import official_reading
from submissions.bundle import Bundle
from submissions.mlperf_imported import find_imported
from submissions.mlperf_records import memory_bytes, slug
from submissions.mlperf_training import import_training


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return checkout(tmp_path)


def test_a_bundle_is_made_of_each_system(official: Path) -> None:
    (one,) = imported(official)
    assert (one.folder, one.logs, one.skipped) == ("Acme/Sys_1", 10, ())
    bundle = Bundle.open(official / "out/Acme/Sys_1")
    assert bundle.id == one.bundle_id
    origin = bundle.submission.origin
    assert origin is not None
    assert (origin.submitter, origin.statement) == ("Acme", "imported, unverified by us")
    assert bundle.submission.submitter == "acme"
    (entry,) = bundle.submission.entries
    assert entry.result.value == one.results["llama2_70b_lora"] == pytest.approx(6.0)
    log = bundle.read("results/llama2_70b_lora/train/result_3/events.log")
    assert log == (official / f"results/{RUNS}/result_3.txt").read_bytes()


def test_records_say_what_the_files_say(official: Path) -> None:
    lost = text(lora_lines(7)[:-1])
    write(official / f"results/{RUNS}/result_2.txt", lost)
    imported(official)
    submission = Bundle.open(official / "out/Acme/Sys_1").submission
    system, runs = submission.system, [one.run for one in submission.entries[0].runs]
    assert system.declared is not None
    assert (system.name, system.declared.availability) == ("Great System", "available")
    assert len(system.accelerators) == 8
    assert system.accelerators[0].memory_bytes == 80_000_000_000
    assert system.processor.cores == 128
    assert (runs[1].seeds, runs[1].samples, runs[1].quality) == ({"run": 1}, 3072, 0.92)
    assert runs[1].hyperparameters["lora_rank"] == 16
    assert [run.status for run in runs[1:3]] == [RunStatus.COMPLETE, RunStatus.FAILED]


def test_it_is_read_back_as_official_results(official: Path) -> None:
    write(official / f"results/{RUNS}/scaling.json", b'{"scaling_factor": 1.25}')
    imported(official)
    for place in ("out", "out/Acme/Sys_1"):
        found = find_imported(official / place)
        assert found is not None
        ((result,),) = found.results()
        assert (result.submitter, result.system, result.published_scaling) == (
            "Acme",
            "Sys_1",
            1.25,
        )
        assert result.description == DESCRIPTION
        assert [run.name for run in result.runs] == [f"result_{i}.txt" for i in range(10)]
        assert result.runs[0].file.startswith("Acme/Sys_1/results/llama2_70b_lora/train/result_0/")
        verdict = official_reading(result, found.terms, found.points[result.benchmark])
        assert verdict.rejected == ()
        assert verdict.score_with_published_scaling == pytest.approx(0.125)


def test_nothing_is_written_where_the_results_lie(official: Path) -> None:
    def state() -> dict[str, Any]:
        paths = sorted((official / "results").rglob("*"))
        return {str(p): p.read_bytes() if p.is_file() else p.stat().st_mtime_ns for p in paths}

    before = state()
    imported(official)
    assert state() == before
    with pytest.raises(LevelfieldError, match="lies in the results"):
        import_training(
            official / "results",
            official / "rcps",
            "mlperf-training-5.1",
            official / "results/out",
            lambda *_: None,
        )
    assert state() == before


def test_an_unknown_benchmark_is_skipped_and_told(official: Path) -> None:
    write(official / "results/Acme/results/Sys_1/resnet/result_0.txt", b"")
    assert imported(official)[0].skipped == ("resnet",)


def link(folder: Path) -> None:
    (folder / f"results/{RUNS}/result_9.txt").unlink()
    (folder / f"results/{RUNS}/result_9.txt").symlink_to("/etc/hostname")


def linked_folder(folder: Path) -> None:
    (folder / "results/Acme").rename(folder / "elsewhere")
    (folder / "results/Acme").symlink_to(folder / "elsewhere")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / f"results/{RUNS}/result_10.txt")


def put(path: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: write(folder / path, data)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (link, "a symbolic link"),
        (linked_folder, "a symbolic link"),
        (pipe, "not a plain file"),
        (put("results/Acme/results/a b/x/result_0.txt", b""), "characters other than"),
        (put(f"results/{RUNS}/.hidden", b""), "begins with a dot"),
        (put("results/Acme/systems/Sys_1.json", b"[" * 9999), "not JSON"),
        (put("results/Acme/systems/Sys_1.json", b"[]"), "not a JSON object"),
        (put("results/Acme/systems/Sys_1.json", b" " * (2**20 + 1)), "larger than"),
        (put("results/Acme/results/other/flux1/result_0.txt", b""), r"systems/other\.json"),
        (put(f"results/{RUNS}/scaling.json", b'{"scaling_factor": NaN}'), "not above 0"),
        (put(f"results/{RUNS}/scaling.json", b'{"scaling_factor": "2"}'), "no number"),
        (put("rcps/rcps_flux1.json", b'{"a": {"BS": 1}}'), "not a reference convergence point"),
        (put("rcps/rcps_flux1.json", b'{"a": 1}'), "not a reference convergence point"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    official: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(official)
    with pytest.raises(LevelfieldError, match=reason):
        imported(official)
    assert {path.name for path in official.iterdir()} <= {"results", "rcps", "elsewhere"}


@pytest.mark.parametrize("data", [b"", b"\0" * 999, b":::MLLOG {" * 50, b":::MLLOG [" * 9999])
def test_any_log_is_imported_and_judged(official: Path, data: bytes) -> None:
    write(official / f"results/{RUNS}/result_0.txt", data)
    imported(official)
    found = find_imported(official / "out")
    assert found is not None
    ((result,),) = found.results()
    verdict = official_reading(result, found.terms, found.points[result.benchmark])
    assert not verdict.files["result_0.txt"].compliant


def test_what_is_no_checkout_is_a_usage_error(official: Path) -> None:
    for place in ("nowhere", "rcps"):
        with pytest.raises(UsageError):
            import_training(
                official / place,
                official / "rcps",
                "mlperf-training-5.1",
                official / "out",
                lambda *_: None,
            )


def test_a_changed_log_is_refused(official: Path) -> None:
    imported(official)
    log = official / "out/Acme/Sys_1/results/llama2_70b_lora/train/result_0/events.log"
    log.write_bytes(log.read_bytes().replace(b"3072", b"3071"))
    found = find_imported(official / "out")
    assert found is not None
    with pytest.raises(LevelfieldError, match="SHA-256 differs"):
        list(found.results())


@pytest.mark.parametrize(
    ("text", "value"),
    [("2.3 TB", 2.3e12), ("189471 MiB", 189471 * 2**20), ("80 GB", 8e10), ("", 0), ("many", 0)],
)
def test_amounts_of_memory(text: str, value: float) -> None:
    assert memory_bytes(text) == value


def test_identifiers() -> None:
    assert slug("1xC885A_M8-8xH200") == "1xc885a_m8-8xh200"
    assert slug("_É (x)") == "x-"
    assert slug("…") == "unnamed"


@needs_archive
def test_published_results_come_through_unchanged(tmp_path: Path) -> None:
    unpack(tmp_path / "results", "AMD", "Cisco")
    found = import_training(
        tmp_path / "results", POINTS, "mlperf-training-5.1", tmp_path / "out", lambda *_: None
    )
    expected = {key: one for key, one in oracle().items() if key[0] in ("AMD", "Cisco")}
    assert sum(len(one.results) for one in found) == len(expected)
    round_ = find_imported(tmp_path / "out")
    assert round_ is not None
    for own in round_.results():
        for result in own:
            told = expected.pop((result.submitter, result.system, result.benchmark))
            verdict = official_reading(result, round_.terms, round_.points[result.benchmark])
            assert verdict.score_with_published_scaling == told["score_with_published_scaling"]
            assert verdict.dropped == told["dropped"]
            files = told["files"].items()
            assert {name: one.bytes for name, one in verdict.files.items()} == {
                name: one["bytes"] for name, one in files
            }
    assert expected == {}


def test_a_bundle_apart_from_its_round_says_what_is_missing(official: Path, tmp_path: Path) -> None:
    imported(official)
    apart = tmp_path / "a/b/apart"
    shutil.copytree(official / "out/Acme/Sys_1", apart)
    with pytest.raises(LevelfieldError, match="apart from its round's points"):
        find_imported(apart)
