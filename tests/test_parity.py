"""The same latencies through MLCommons' LoadGen and through ours; the statistics of arrivals."""

import json
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare, kstest

from harness.metrics import (
    early_stopping_estimate,
    least_queries,
    percentile,
    query_latencies,
    server_valid,
    shown_within,
)
from harness.queries import QueryLog, new_log
from harness.scenarios import sample_order
from harness.schedule import arrivals

SAMPLES = 64


@dataclass(frozen=True)
class Official:
    """What LoadGen wrote: its summary, and each query as it logged it."""

    summary: dict[str, Any]
    log: QueryLog

    @property
    def latencies(self) -> NDArray[np.int64]:
        return query_latencies(self.log)


class Slow:
    """Answers in a thread of its own, each query after some time that varies from it to it."""

    def __init__(self, lg: Any, scale_s: float) -> None:
        self._lg = lg
        self._scale_s = scale_s
        self._queue: queue.SimpleQueue[Sequence[Any] | None] = queue.SimpleQueue()
        self._random = random.Random(1)
        self.issue = self._queue.put
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while (samples := self._queue.get()) is not None:
            until = time.perf_counter() + self._random.expovariate(1) * self._scale_s
            while time.perf_counter() < until:
                pass
            response = self._lg.QuerySampleResponse
            self._lg.QuerySamplesComplete([response(sample.id, 0, 0) for sample in samples])

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()


def read(folder: Path) -> Official:
    details = (folder / "mlperf_log_detail.txt").read_text("utf-8").splitlines()
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in details]
    summary = {entry["key"]: entry["value"] for entry in entries}
    # The trace as a whole is not always valid JSON; each of its lines that matters is.
    trace = (folder / "mlperf_log_trace.json").read_text("utf-8").splitlines()
    begun = [line for line in trace if line.startswith('{"name":"Sample",') and '"ph":"b"' in line]
    events = [json.loads(line.removesuffix(",")) for line in begun]
    events.sort(key=lambda event: event["args"]["sample_seq"])
    log = new_log(len(events))
    log["query"] = [event["args"]["query_seq"] for event in events]
    log["sample"] = [event["args"]["sample_idx"] for event in events]
    log["scheduled"] = [round((event["ts"] - events[0]["ts"]) * 1000) for event in events]
    log["completed"] = log["scheduled"] + [event["args"]["complete_ns"] for event in events]
    return Official(summary, log)


Drive = Callable[..., Official]


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    """Runs LoadGen with settings by name, and with a trace of every query."""
    lg = pytest.importorskip("mlperf_loadgen", reason="mlcommons-loadgen is not installed")

    def drive(scenario: str, queries: int, scale_s: float = 1e-5, **named: Any) -> Official:
        settings = lg.TestSettings()
        settings.scenario = getattr(lg.TestScenario, scenario)
        settings.mode = lg.TestMode.PerformanceOnly
        settings.min_query_count = queries
        settings.max_query_count = queries
        settings.min_duration_ms = 0
        settings.schedule_rng_seed = 7
        for name, value in named.items():
            setattr(settings, name, value)
        logs = lg.LogSettings()
        logs.log_output.outdir = str(tmp_path)
        logs.enable_trace = True
        slow = Slow(lg, scale_s)
        sut = lg.ConstructSUT(slow.issue, lambda: None)
        library = lg.ConstructQSL(SAMPLES, SAMPLES, lambda _: None, lambda _: None)
        lg.StartTestWithLogSettings(sut, library, settings, logs, str(tmp_path / "no_audit"))
        slow.stop()
        return read(tmp_path)

    return drive


def serve(drive: Drive, queries: int, bound_ns: int) -> Official:
    return drive(
        "Server",
        queries,
        server_target_qps=5000.0,
        server_target_latency_ns=bound_ns,
        server_target_latency_percentile=0.99,
    )


@pytest.mark.parametrize("queries", [64, 661, 662, 2000, 5003])
def test_single_stream_estimates_are_loadgens(drive: Drive, queries: int) -> None:
    official = drive("SingleStream", queries)
    assert len(official.latencies) == queries
    for p, key in ((0.9, "early_stopping_latency_ss"), (0.99, "early_stopping_latency_ms")):
        if queries >= least_queries(p):
            assert early_stopping_estimate(official.latencies, p) == official.summary[key]


def test_too_few_queries_are_as_many_as_loadgens(drive: Drive) -> None:
    official = drive("SingleStream", 63)
    assert official.summary["early_stopping_met"] is False
    assert early_stopping_estimate(official.latencies, 0.9) is None


@pytest.mark.parametrize("queries", [662, 1500])
def test_multi_stream_estimate_is_loadgens(drive: Drive, queries: int) -> None:
    official = drive("MultiStream", queries)
    estimate = official.summary["early_stopping_latency_ms"]
    assert len(official.log) == 8 * queries
    assert early_stopping_estimate(official.latencies, 0.99) == estimate


@pytest.mark.parametrize(
    ("scenario", "key"),
    [
        ("SingleStream", "result_{:.2f}_percentile_latency_ns"),
        ("MultiStream", "result_{:.2f}_percentile_per_query_latency_ns"),
    ],
)
def test_percentiles_are_loadgens(drive: Drive, scenario: str, key: str) -> None:
    official = drive(scenario, 1237)
    for percent in (50, 90, 95, 97, 99, 99.9):
        ours = percentile(official.latencies, percent / 100)
        assert ours == official.summary[key.format(percent)], percent


@pytest.mark.parametrize(
    ("queries", "bound_ns"),
    [(400, 10**10), (500, 10**10), (1500, 1), *((1500, us * 1000) for us in (90, 150, 400))],
)
def test_a_server_run_is_as_valid_as_for_loadgen(drive: Drive, queries: int, bound_ns: int) -> None:
    official = serve(drive, queries, bound_ns)
    times, summary = official.latencies, official.summary
    over = int(np.count_nonzero(times > bound_ns))
    assert over == summary["result_overlatency_query_count"]
    within = percentile(times, 0.99) <= bound_ns
    assert within == summary["result_perf_constraints_met"]
    assert shown_within(over, len(times), 0.99) == summary["early_stopping_met"]
    assert server_valid(times, bound_ns, 0.99) == (summary["result_validity"] == "VALID")


def test_certain_verdicts(drive: Drive) -> None:
    assert serve(drive, 500, 10**10).summary["result_validity"] == "VALID"
    assert serve(drive, 400, 10**10).summary["result_validity"] == "INVALID"
    assert serve(drive, 1500, 1).summary["result_validity"] == "INVALID"


def test_arrivals_are_distributed_as_loadgens(drive: Drive) -> None:
    official = serve(drive, 3000, 10**10)
    assert (
        kstest(np.diff(official.log["scheduled"]), np.diff(arrivals(7, 5000, 3000))).pvalue > 0.01
    )


@pytest.mark.parametrize("rate", [1.0, 1000.0, 250_000.0])
def test_arrivals_come_at_the_rate(rate: float) -> None:
    due = arrivals(11, rate, 400_001)
    assert due[0] == 0
    mean_s = due[-1] / 1e9 / 400_000
    assert abs(mean_s * rate - 1) < 3 / np.sqrt(400_000)  # the standard deviation is 1 / sqrt(n)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_gaps_are_exponential(seed: int) -> None:
    gaps = np.diff(arrivals(seed, 1000.0, 100_001)) * 1e-6
    assert kstest(gaps, "expon").pvalue > 0.01


def test_gaps_have_no_memory() -> None:
    gaps = np.diff(arrivals(5, 1000.0, 100_001))
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 3 / np.sqrt(100_000)


def test_seeds_are_independent() -> None:
    gaps = [np.diff(arrivals(seed, 1000.0, 50_001)) for seed in range(6)]
    correlations = np.corrcoef(gaps)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(50_000)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_samples_are_drawn_uniformly(seed: int) -> None:
    counts = np.bincount(sample_order(seed, 200_000, 1000), minlength=1000)
    assert len(counts) == 1000
    assert chisquare(counts).pvalue > 0.01
