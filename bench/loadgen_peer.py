"""The peer's side of ``bench/loadgen.py``: the same trials through MLCommons' LoadGen."""

import json
import queue
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlperf_loadgen as lg

Values = dict[str, float]

_SAMPLES = 1024


def complete(samples: Sequence[Any]) -> None:
    """Answer ``samples`` with nothing, as LoadGen's reference systems do."""
    lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0) for sample in samples])


def settings(scenario: str, queries: int, seconds: float = 0.0) -> Any:
    """LoadGen's settings of a performance run."""
    wanted = lg.TestSettings()
    wanted.scenario = getattr(lg.TestScenario, scenario)
    wanted.mode = lg.TestMode.PerformanceOnly
    wanted.min_query_count = queries
    wanted.min_duration_ms = int(seconds * 1000)
    wanted.qsl_rng_seed, wanted.sample_index_rng_seed, wanted.schedule_rng_seed = 1, 2, 3
    wanted.single_stream_expected_latency_ns = 1_000_000
    wanted.offline_expected_qps = 1.0
    return wanted


def server_settings(rate: float, queries: int, seconds: float) -> Any:
    """The same for a server run of ``rate`` queries a second."""
    wanted = settings("Server", queries, seconds)
    wanted.server_target_qps = rate
    wanted.server_target_latency_ns = 10_000_000
    return wanted


def summary(wanted: Any, issue: Callable[[Any], None]) -> dict[str, Any]:
    """Run LoadGen; its detailed log's values by key."""
    system = lg.ConstructSUT(issue, lambda: None)
    library = lg.ConstructQSL(_SAMPLES, _SAMPLES, lambda _: None, lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        logs = lg.LogSettings()
        logs.log_output.outdir = folder
        logs.enable_trace = False
        lg.StartTestWithLogSettings(system, library, wanted, logs, f"{folder}/no_audit.config")
        text = Path(folder, "mlperf_log_detail.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith(":::MLLOG ")]
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines]
    return {entry["key"]: entry["value"] for entry in entries}


def single_stream(inline: bool, queries: int) -> Values:
    """The 90th percentile of latency, as its log has it."""
    wanted = settings("SingleStream", queries)
    if inline:
        return _p90(summary(wanted, complete))
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def answer() -> None:
        while (samples := waiting.get()) is not None:
            complete(samples)

    thread = threading.Thread(target=answer)
    thread.start()
    found = summary(wanted, waiting.put)
    waiting.put(None)
    thread.join()
    return _p90(found)


def _p90(found: dict[str, Any]) -> Values:
    return {"p90_s": found["result_90.00_percentile_latency_ns"] / 1e9}


def offline(samples: int) -> Values:
    """Samples a second, as its log has it."""
    found = summary(settings("Offline", samples), complete)
    return {"rate": found["result_samples_per_second"]}


def saturation(rate: float, queries: int) -> Values:
    """Completed queries a second when more are due than can be issued."""
    found = summary(server_settings(rate, queries, queries / rate), complete)
    return {"rate": found["result_completed_samples_per_sec"]}


def server(rate: float, seconds: float) -> Values:
    """Latency from the scheduled time of a system that answers at once, and its cores."""
    before = time.process_time()
    found = summary(server_settings(rate, 100, seconds), complete)
    values = {
        "p50_s": found["result_50.00_percentile_latency_ns"] / 1e9,
        "p99_s": found["result_99.00_percentile_latency_ns"] / 1e9,
    }
    return values | {"cores": (time.process_time() - before) / seconds}


def memory(queries: int) -> Values:
    """Peak resident bytes of a server run of ``queries``."""
    summary(server_settings(1e6, queries, 0.0), complete)
    return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0}
