"""Logs of MLPerf's load generator as it writes them, small; and a tree of published results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rules.mlperf.inference_run import Run
from rules.mlperf.inference_terms import read_inference_round
from rules.mlperf.loadgen import parse_detail

ROUND = read_inference_round("mlperf-inference-5.1")
SECOND = 1_000_000_000
SHARED = {
    "effective_test_mode": "PerformanceOnly",
    **{f"effective_{name}": seed for name, seed in ROUND.seeds.items()},
    "effective_min_duration_ms": 600_000,
    "effective_max_duration_ms": 0,
    "result_validity": "VALID",
    "result_min_duration_met": True,
    "result_min_queries_met": True,
    "early_stopping_met": True,
    "num_errors": 0,
}
OFFLINE = {
    **SHARED,
    "effective_scenario": "Offline",
    "effective_min_query_count": 1,
    "effective_min_sample_count": 6000,
    "generated_query_count": 1,
    "generated_samples_per_query": 10_000,
    "result_query_count": 1,
    "result_samples_per_second": 10.0,
    "result_min_latency_ns": 900 * SECOND,
    "result_max_latency_ns": 1000 * SECOND,
}
SERVER = {
    **SHARED,
    "effective_scenario": "Server",
    "effective_target_qps": 16.5,
    "effective_target_latency_ns": 20 * SECOND,
    "effective_min_query_count": 100,
    "generated_query_count": 9997,
    "generated_samples_per_query": 1,
    "generated_query_duration": 600_035_703_410,
    "result_perf_constraints_met": True,
    "result_query_count": 9997,
    "result_overlatency_query_count": 0,
    "result_scheduled_samples_per_sec": 16.6595,
    "result_completed_samples_per_sec": 16.2044,
    "result_min_latency_ns": 6_861_142_555,
    "result_max_latency_ns": 18_656_990_527,
    "result_99.00_percentile_latency_ns": 18_010_059_342,
    "result_99.90_percentile_latency_ns": 18_533_803_943,
}
TOKENS = {
    **SERVER,
    "effective_target_qps": 83.5,
    "effective_target_latency_ns": 0,
    "requested_use_token_latencies": True,
    "requested_server_ttft_latency": 2 * SECOND,
    "requested_server_tpot_latency": SECOND // 5,
    "generated_query_count": 73_728,
    "generated_query_duration": 878_749_382_839,
    "result_query_count": 73_728,
    "result_overlatency_query_count": 73_728,
    "result_scheduled_samples_per_sec": 83.9006,
    "result_completed_samples_per_sec": 81.6768,
    "result_completed_tokens_per_second": 24_593.8,
    "result_min_latency_ns": 980_187_992,
    "result_max_latency_ns": 165_057_127_340,
    "result_first_token_99.00_percentile_latency_ns": 1_914_647_645,
    "result_first_token_99.90_percentile_latency_ns": 1_962_562_764,
    "result_first_token_max_latency_ns": 1_980_000_000,
    "result_time_per_output_token_99.00_percentile_ns": 193_380_124,
    "result_time_per_output_token_99.90_percentile_ns": 195_861_040,
    "result_time_to_output_token_max": 199_049_084,
}
ACCURACY = {
    "effective_test_mode": "AccuracyOnly",
    "generated_query_count": 1,
    "generated_samples_per_query": 5000,
}
SUMMARY = """\
================================================
Scenario : {scenario}
{rate}
Result is : VALID
  Min duration satisfied : Yes
  Min queries satisfied : Yes
  Early stopping satisfied: Yes
"""
RATES = {
    "Offline": "Samples per second: 10",
    "Server": "Completed samples per second    : 16.20",
}


def line(key: str, value: Any, *, error: bool = False) -> str:
    """One line of a detail log."""
    metadata = {"is_error": error, "is_warning": False, "file": "results.cc", "line_no": 1}
    return ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 0.5,
                                     "metadata": metadata})  # fmt: skip


def detail(facts: Mapping[str, Any], **changes: Any) -> bytes:
    """A detail log with ``facts``; dots and keys that are no names go through ``facts``."""
    return "\n".join(line(key, value) for key, value in {**facts, **changes}.items()).encode()


def a_run(
    facts: Mapping[str, Any], scenario: str, model: str = "stable-diffusion-xl", **changes: Any
) -> Run:
    """The run of a log with ``facts``."""
    known = ROUND.model(model)
    assert known is not None
    return Run(parse_detail(detail(facts, **changes)), scenario, ROUND, known[0])


def write_tree(root: Path) -> Path:
    """Two results of one submitter, in the published layout, without fault."""
    base = root / "closed/acme"
    for scenario, facts in (("Offline", OFFLINE), ("Server", SERVER)):
        place = f"box/stable-diffusion-xl/{scenario}"
        results, audits = base / "results" / place, base / "compliance" / place
        _write(results / "performance/run_1/mlperf_log_detail.txt", detail(facts))
        summary = SUMMARY.format(scenario=scenario, rate=RATES[scenario])
        _write(results / "performance/run_1/mlperf_log_summary.txt", summary.encode())
        _write(results / "accuracy/mlperf_log_detail.txt", detail(ACCURACY))
        accuracy = b"Accuracy Results: {'FID_SCORE': '23.905', 'CLIP_SCORE': '31.737'}\n"
        _write(results / "accuracy/accuracy.txt", accuracy)
        for test in ("TEST01", "TEST04"):
            _write(audits / test / "verify_performance.txt", b"TEST PASS\n")
            _write(audits / test / "performance/run_1/mlperf_log_detail.txt", detail(facts))
        measured = base / "measurements" / place
        _write(measured / "box.json", b'{"weight_data_types": "fp8"}')
        _write(measured / "user.conf", b"# ours\n*.Server.target_qps = 16.5\n")
    _write(base / "systems/box.json", b'{"system_name": "A box"}')
    return root


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
