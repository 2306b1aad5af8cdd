import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from official_results import ROUND, RUNS, checkout, imported, lora_lines, text, write

from harness.cli import cli
from harness.errors import LevelfieldError
from rules.mlperf.official import official_reading
from submissions.mlperf_check import official_rows, remarks
from submissions.mlperf_imported import find_imported
from submissions.mlperf_training import import_training


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if isinstance(done.exception, LevelfieldError):
        return done.exception.exit_code, str(done.exception)
    return done.exit_code, done.output


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return checkout(tmp_path)


@pytest.fixture
def results(official: Path) -> Path:
    words = ("import", "mlperf-training", official / "results", "--rcps", official / "rcps")
    code, told = run(*words, "--out", official / "out")
    assert (code, "1 bundle, imported, unverified by us: 1 result of 10 logs" in told) == (0, True)
    return official


def test_the_official_reading_for_machines(results: Path) -> None:
    for place in ("out", "out/Acme/Sys_1"):
        code, told = run("check", results / place, "--reading", "official", "--json")
        (record,) = json.loads(told)["results"]
        assert code == 0
        assert (record["submitter"], record["n_files"], record["rcp_pass"]) == ("Acme", 10, True)
        assert record["files"]["result_4.txt"]["seeds"] == ["4"]


def test_the_official_reading_for_people(results: Path) -> None:
    code, told = run("check", results / "out", "--reading", "official")
    assert code == 0
    assert "unverified by us" in told
    assert "accepted" in told
    assert "1 result, 0 rejected" in told


def test_a_directory_that_is_rejected_ends_with_1(official: Path) -> None:
    for seed in (1, 2):
        write(official / f"results/{RUNS}/result_{seed}.txt", text(lora_lines(seed)[:-1]))
    imported(official)
    code, told = run("check", official / "out", "--reading", "official")
    assert code == 1
    assert "2 files do not comply" in told
    assert "result_1.txt and 1 more: error: Required EXACTLY_ONE occurrence of 'run_stop'" in told


def test_without_a_reading_it_is_the_strict_one(results: Path) -> None:
    code, told = run("check", results / "out", "--json")
    found = json.loads(told)
    assert found["round"] == "mlperf-training-5.1"
    assert code == (0 if found["ok"] else 1)
    assert any(one["rule"].startswith("MLPERF-") for one in found["findings"])
    assert all(one["file"].startswith("Acme/Sys_1/") for one in found["findings"] if one["line"])


def test_what_is_not_imported_has_no_readings(tmp_path: Path) -> None:
    code, told = run("check", tmp_path, "--reading", "official")
    assert (code, "not imported" in told) == (2, True)


def test_import_for_machines(official: Path) -> None:
    words = ("import", "mlperf-training", official / "results", "--rcps", official / "rcps")
    code, told = run(*words, "--out", official / "out", "--json")
    (one,) = json.loads(told)["bundles"]
    assert (code, one["bundle"], one["logs"]) == (0, "Acme/Sys_1", 10)


def test_import_needs_a_new_folder(results: Path) -> None:
    with pytest.raises(LevelfieldError, match="exists already"):
        import_training(
            results / "results", results / "rcps", ROUND.name, results / "out", lambda *_: None
        )


def test_rows_and_remarks_of_a_result_without_a_score(results: Path) -> None:
    round_ = find_imported(results / "out")
    assert round_ is not None
    ((result,),) = round_.results()
    verdict = official_reading(replace(result, runs=()), ROUND, {})
    (row,) = official_rows([verdict])
    assert row[5] == "–"
    assert "0 files, where 10 are expected" in row[-1]
    assert remarks([verdict]) == []
