"""The import of MLPerf Inference's published results: read, judged, compared, reported."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command
from loadgen_logs import OFFLINE, ROUND, SERVER, detail, write_tree

from harness.errors import LevelfieldError, UsageError
from submissions.mlperf_inference import InferenceResult, read_results
from submissions.mlperf_report import disagreements, remarks, result_rows
from submissions.mlperf_tables import compare_checker, compare_published

PUBLISHED = Path(__file__).parents[2] / "shared/mlperf/inference"
PLACE = "closed/acme/results/box/stable-diffusion-xl"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "results")


def read(tree: Path) -> dict[str, InferenceResult]:
    return {result.scenario: result for result in read_results(tree, ROUND)}


def test_what_is_whole_is_valid_and_has_no_findings(tree: Path) -> None:
    for result in read(tree).values():
        assert (result.agrees, result.findings, result.skipped) == (True, (), "")
        assert {check.name for check in result.checks if check.recomputed is not True} == set()
        assert (result.submitter, result.system, result.weights) == ("acme", "box", "fp8")
        assert result.accuracy == {"fid_score": 23.905, "clip_score": 31.737}


@pytest.mark.parametrize(
    ("file", "data", "finding"),
    [
        ("results/{}/accuracy/mlperf_log_detail.txt", detail(SERVER), "mode PerformanceOnly"),
        ("results/{}/accuracy/mlperf_log_detail.txt", None, "is not there"),
        ("results/{}/accuracy/accuracy.txt", b"'gen_num': 100", "of 100 answers"),
        ("results/{}/performance/run_1/mlperf_log_summary.txt", None, "is not there"),
        ("results/{}/performance/run_1/mlperf_log_summary.txt", b"Result is : INVALID", "INVALID"),
        (
            "results/{}/performance/run_1/mlperf_log_summary.txt",
            b"Result is : VALID\nMin queries satisfied : NO\n",
            "result_min_queries_met",
        ),
        (
            "results/{}/performance/run_1/mlperf_log_summary.txt",
            b"Result is : VALID\nCompleted samples per second : 99.00\n",
            "result_completed_samples_per_sec",
        ),
        ("measurements/{}/user.conf", b"*.*.target_qps = 9\n", "target_qps 9, the log 16.5"),
        ("systems/box.json", b"[]", "no JSON object"),
    ],
)
def test_a_stricter_reading_finds(tree: Path, file: str, data: bytes | None, finding: str) -> None:
    path = tree / "closed/acme" / file.format("box/stable-diffusion-xl/Server")
    path.unlink() if data is None else path.write_bytes(data)
    result = read(tree)["Server"]
    assert any(finding in one for one in result.findings), result.findings


def test_a_conf_is_read_from_the_general_to_the_particular(tree: Path) -> None:
    conf = tree / "closed/acme/measurements/box/stable-diffusion-xl/Server/user.conf"
    conf.write_text("stable-diffusion-xl.Server.target_qps = 16.5\n*.*.target_qps = 1 # any\n")
    assert read(tree)["Server"].findings == ()


@pytest.mark.parametrize(
    ("file", "data", "name", "recomputed"),
    [
        ("results/{}/accuracy/accuracy.txt", b"'FID_SCORE': 24.1 'CLIP_SCORE': 31.7", "accuracy",
         False),
        ("results/{}/accuracy/accuracy.txt", b"", "accuracy", None),
        ("compliance/{}/TEST01/verify_performance.txt", None, "TEST01", False),
        ("compliance/{}/TEST01/performance/run_1/mlperf_log_detail.txt",
         detail(SERVER, result_completed_samples_per_sec=14.0), "TEST01", False),
        ("compliance/{}/TEST04/performance/run_1/mlperf_log_detail.txt",
         detail(SERVER, result_completed_samples_per_sec=14.0), "TEST04", True),
        ("compliance/{}/TEST04/performance/run_1/mlperf_log_detail.txt",
         detail(SERVER, result_completed_samples_per_sec=18.0), "TEST04", False),
        ("compliance/{}/TEST04/performance/run_1/mlperf_log_detail.txt", None, "TEST04", None),
    ],
)  # fmt: skip
def test_accuracy_and_audits_are_judged(
    tree: Path, file: str, data: bytes | None, name: str, recomputed: bool | None
) -> None:
    path = tree / "closed/acme" / file.format("box/stable-diffusion-xl/Server")
    path.unlink() if data is None else path.write_bytes(data)
    check = read(tree)["Server"].check(name)
    assert check is not None
    assert check.recomputed is recomputed, check.why


def test_an_audit_that_failed_says_so(tree: Path) -> None:
    audits = tree / "closed/acme/compliance/box/stable-diffusion-xl/Server"
    (audits / "TEST04/verify_performance.txt").write_text("TEST FAIL\n")
    result = read(tree)["Server"]
    assert not result.agrees
    assert len(disagreements([result], [])) == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("stable-diffusion-xl", "resnet", "has no model resnet"),
        ("Server", "MultiStream", "scenario MultiStream"),
        ("run_1", "run_2", "mlperf_log_detail.txt is not there"),
        ("closed", "open", "terms of its own"),
    ],
)
def test_what_cannot_be_judged_says_why(tree: Path, old: str, new: str, why: str) -> None:
    for path in sorted(tree.rglob(old), reverse=True):
        path.rename(path.with_name(new))
    skipped = [one.skipped for one in read_results(tree, ROUND)]
    assert any(why in one for one in skipped), skipped


def test_links_and_odd_names_are_refused(tree: Path, tmp_path: Path) -> None:
    log = tree / PLACE / "Server/performance/run_1/mlperf_log_detail.txt"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(log.read_bytes())
    log.unlink()
    log.symlink_to(elsewhere)
    with pytest.raises(LevelfieldError):
        read_results(tree, ROUND)
    log.unlink()
    (tree / PLACE / "Server/performance").rename(tmp_path / "moved")
    (tree / PLACE / "Server/performance").symlink_to(tmp_path / "moved")
    with pytest.raises(LevelfieldError, match="a symbolic link"):
        read_results(tree, ROUND)
    (tree / PLACE / "Server/performance").unlink()
    (tree / PLACE / "a b").mkdir()
    with pytest.raises(LevelfieldError, match="characters other than"):
        read_results(tree, ROUND)


def test_a_folder_without_results_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the folder"):
        read_results(tmp_path, ROUND)


def row(scenario: str, **columns: object) -> dict[str, object]:
    facts = {"Offline": (10.0, "Samples/s"), "Server": (16.2044, "Queries/s")}
    value, unit = facts[scenario]
    return {
        "Location": f"{PLACE}/{scenario}",
        "Performance_Result": value,
        "Performance_Units": unit,
        "Accuracy": "CLIP_SCORE: 31.737  FID_SCORE: 23.905",
        "weight_data_types": "fp8",
        "errors": 0,
        **columns,
    }


@pytest.mark.parametrize(
    ("columns", "outcome", "why"),
    [
        ({}, "equal", ""),
        ({"Accuracy": "1"}, "equal", "names no accuracy"),
        ({"Performance_Result": 16.2045}, "different", "the log 16.2044"),
        ({"Performance_Result": "many"}, "different", "None"),
        ({"Performance_Units": "Samples/s"}, "different", "Queries/s"),
        ({"Accuracy": "FID_SCORE: 23.9"}, "different", "fid_score 23.9"),
        ({"weight_data_types": "fp16"}, "different", "'fp8'"),
        ({"errors": 2}, "different", "2 errors"),
        ({"System": "A box "}, "equal", ""),
        ({"System": "Another"}, "different", "its description 'A box'"),
        ({"Location": "open/acme"}, "not compared", "no such folder"),
    ],
)
def test_a_row_is_compared_field_by_field(
    tree: Path, tmp_path: Path, columns: dict[str, object], outcome: str, why: str
) -> None:
    table = tmp_path / "table.json"
    table.write_text(json.dumps([row("Server", **columns)]))
    (found,) = compare_published(table, read_results(tree, ROUND))
    assert (found.outcome, why in found.why) == (outcome, True), found.why


def test_a_published_row_of_an_invalid_log_is_different(tree: Path, tmp_path: Path) -> None:
    log = tree / PLACE / "Offline/performance/run_1/mlperf_log_detail.txt"
    log.write_bytes(detail(OFFLINE, generated_samples_per_query=4000, result_samples_per_second=4))
    table = tmp_path / "table.json"
    table.write_text(json.dumps([row("Offline", Performance_Result=4)]))
    results = read_results(tree, ROUND)
    (found,) = compare_published(table, results)
    assert found.outcome == "different"
    assert "the log is not valid" in found.why
    assert any("NOT valid" in cells for cells in result_rows(results))
    assert any("min_queries" in said for said in remarks(results, [found]))


@pytest.mark.parametrize(
    ("read_table", "data"),
    [(compare_published, b"{"), (compare_published, b"[1]"), (compare_checker, b"\xff\xfe")],
)
def test_a_table_that_is_none_is_a_mistake(
    tmp_path: Path, read_table: Callable[[Path, list[InferenceResult]], object], data: bytes
) -> None:
    (tmp_path / "table").write_bytes(data)
    for path in (tmp_path / "table", tmp_path / "missing"):
        with pytest.raises(UsageError, match="name"):
            read_table(path, [])


def test_the_command_leaves_a_report_and_nothing_else(
    levelfield: Command, tree: Path, tmp_path: Path
) -> None:
    before = sorted(tree.rglob("*"))
    words = ["import", "mlperf-inference", str(tree), "--out", "imported"]
    done = levelfield(*words, "--json")
    assert done.code == 0, done.err
    assert [one["agrees"] for one in done.json["results"]] == [True, True]
    assert json.loads((tmp_path / "imported/report.json").read_text()) == done.json
    assert sorted(tree.rglob("*")) == before
    assert levelfield(*words).code == 1
    told = levelfield(*words[:-1], "again")
    assert "2 results, 0 disagreements" in told.out
    log = tree / PLACE / "Server/performance/run_1/mlperf_log_detail.txt"
    log.write_bytes(detail(SERVER, result_overlatency_query_count=5000))
    doctored = levelfield(*words[:-1], "doctored")
    assert doctored.code == 1
    assert "early_stopping" in doctored.out


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no official results beside the repository")
def test_every_published_row_that_can_be_compared_is_reproduced(tmp_path: Path) -> None:
    with tarfile.open(PUBLISHED / "inference_v5.1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    results = read_results(tmp_path, ROUND)
    assert len(results) == 24
    assert all(result.agrees and not result.skipped for result in results)
    refused = [check for result in results for check in result.checks if check.recomputed is False]
    assert refused == []
    for rows in (
        compare_published(PUBLISHED / "published_table.json", results),
        compare_checker(PUBLISHED / "checker_summary.csv", results),
    ):
        outcomes = [one.outcome for one in rows]
        assert outcomes.count("equal") == 24
        assert {one.location.split("/")[0] for one in rows if one.outcome != "equal"} == {"open"}
    undecided = {
        check.name for result in results for check in result.checks if check.recomputed is None
    }
    assert undecided == {"early_stopping", "TEST06"}
    found = {result.location: result.findings for result in results if result.findings}
    assert len(found) == 5
