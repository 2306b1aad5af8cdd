"""rules/mlperf/inference.py: each condition of validity, computed again from a log."""

from typing import Any

import pytest
from loadgen_logs import OFFLINE, ROUND, SECOND, SERVER, TOKENS, a_run

from harness.errors import UsageError
from rules.mlperf.inference import judge, unit_of, value_of
from rules.mlperf.inference_run import Check, Run
from rules.mlperf.inference_terms import inference_round_names, read_inference_round

BASES = {"Offline": OFFLINE, "Server": SERVER}


def checks(run: Run) -> dict[str, Check]:
    return {check.name: check for check in judge(run)}


def tokens(**changes: Any) -> Run:
    return a_run(TOKENS, "Server", "llama2-70b-99", **changes)


@pytest.mark.parametrize("run", [*(a_run(f, s) for s, f in BASES.items()), tokens()])
def test_a_valid_log_agrees_in_everything(run: Run) -> None:
    found = checks(run)
    assert {name for name, check in found.items() if check.recomputed is not True} == set()
    assert all(check.agrees for check in found.values())
    assert list(found)[-1] == "valid"


@pytest.mark.parametrize(
    ("scenario", "changes", "name"),
    [
        ("Offline", {"result_max_latency_ns": 599 * SECOND}, "min_duration"),
        ("Server", {"generated_query_duration": 599 * SECOND}, "min_duration"),
        ("Offline", {"effective_min_sample_count": 10_001}, "min_queries"),
        ("Server", {"effective_min_query_count": 10_000}, "min_queries"),
        ("Server", {"result_query_count": 9996}, "min_queries"),
        ("Server", {"result_99.00_percentile_latency_ns": 21 * SECOND}, "constraints"),
        ("Server", {"result_overlatency_query_count": 99}, "early_stopping"),
        ("Server", {"result_scheduled_samples_per_sec": 17.0}, "target_rate"),
        ("Server", {"effective_target_qps": 18.0}, "target_rate"),
        ("Server", {"result_completed_samples_per_sec": 16.6}, "completed_rate"),
        ("Offline", {"result_samples_per_second": 10.01}, "samples_per_second"),
        ("Offline", {"num_errors": 1}, "errors"),
        ("Offline", {"effective_test_mode": "AccuracyOnly"}, "settings"),
        ("Offline", {"effective_scenario": "Server"}, "settings"),
        ("Offline", {"effective_min_duration_ms": 60_000}, "settings"),
        ("Offline", {"generated_samples_per_query": 4999}, "settings"),
        ("Server", {"effective_schedule_rng_seed": 1}, "settings"),
        ("Server", {"effective_target_latency_ns": 30 * SECOND}, "settings"),
    ],
)
def test_a_doctored_log_fails_the_check_of_its_kind(
    scenario: str, changes: dict[str, Any], name: str
) -> None:
    found = checks(a_run(BASES[scenario] | changes, scenario))
    assert found[name].recomputed is False, found[name].why
    assert found["valid"].recomputed is False
    assert not found["valid"].agrees


def test_token_latencies_have_bounds_of_their_own() -> None:
    slow = tokens(**{"result_time_per_output_token_99.00_percentile_ns": 201_000_000})
    assert checks(slow)["constraints"].recomputed is False
    lenient = tokens(requested_server_ttft_latency=3 * SECOND)
    assert checks(lenient)["settings"].recomputed is False


def test_early_stopping_is_decided_only_where_percentiles_decide_it() -> None:
    """With p99.9 beyond the bound 74 to 737 queries are: few enough to pass, or too many."""
    between = {
        "result_first_token_99.90_percentile_latency_ns": 2_562_562_764,
        "result_first_token_max_latency_ns": 3_267_024_914,
    }
    found = checks(tokens(**between))
    assert found["early_stopping"].recomputed is None
    assert "74 to 737 of 73728" in found["early_stopping"].why
    assert found["valid"].recomputed is True
    assert "taken from the record: early_stopping" in found["valid"].why
    refused = checks(tokens(**between, early_stopping_met=False))
    assert refused["valid"].recomputed is False
    beyond = {**between, "result_first_token_99.00_percentile_latency_ns": 2_100_000_000}
    assert checks(tokens(**beyond))["early_stopping"].recomputed is False


def test_what_a_log_lacks_is_not_decided() -> None:
    found = checks(a_run({}, "Server"))
    undecided = {name for name, check in found.items() if check.recomputed is None}
    assert {"min_duration", "min_queries", "constraints", "target_rate"} <= undecided
    assert found["valid"].recorded is None
    assert found["valid"].recomputed is False
    assert checks(a_run({}, "Offline"))["samples_per_second"].recomputed is None


def test_what_is_published_of_a_run() -> None:
    server, offline, llama = a_run(SERVER, "Server"), a_run(OFFLINE, "Offline"), tokens()
    assert [value_of(run) for run in (server, offline, llama)] == [16.2044, 10.0, 24_593.8]
    units = [unit_of(run.scenario, run.model) for run in (server, offline, llama)]
    assert units == ["Queries/s", "Samples/s", "Tokens/s"]


def test_a_round_knows_its_models_by_their_folders() -> None:
    assert "mlperf-inference-5.1" in inference_round_names()
    known = ROUND.model("llama2-70b-99.9")
    assert known is not None
    assert (known[0].samples, known[1]) == (24_576, 0.999)
    assert ROUND.model("resnet") is None
    with pytest.raises(UsageError, match=r"did you mean mlperf-inference-5\.1"):
        read_inference_round("mlperf-inference-5.0")
