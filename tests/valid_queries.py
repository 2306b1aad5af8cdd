"""Query logs and answers of the valid submission's inference runs, exact to the nanosecond."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers import Answer
from harness.card import InferenceFacts
from harness.queries import QueryLog, new_log
from harness.records import Audit, InferenceSettings, Scenario
from harness.scenarios import kept_answers
from harness.schedule import schedule
from harness.visits import Visits
from workloads.image_classification.data import labels

MS = 1_000_000
RATE = 250.0
"""Queries per second of the open loops."""
LATE_NS = 60_000
PERFORMANCE_ROWS = {
    Scenario.SINGLE_STREAM: 400,
    Scenario.MULTI_STREAM: 700 * 8,
    Scenario.OFFLINE: 2048,
}


def accuracy_log(
    scenario: Scenario, settings: InferenceSettings, facts: InferenceFacts
) -> QueryLog:
    """Each sample once, in a closed loop."""
    return _closed_loop(scenario, np.arange(facts.samples), settings.samples_per_query)


def performance_log(
    scenario: Scenario,
    settings: InferenceSettings,
    facts: InferenceFacts,
    seeds: Mapping[str, int],
    audit: Audit | None = None,
) -> QueryLog:
    """Samples and arrivals that the seeds draw, on time."""
    loaded = np.arange(facts.performance_samples)
    due = _due(settings, seeds) if scenario.open_loop else None
    rows = PERFORMANCE_ROWS[scenario] if due is None else len(due)
    samples = Visits(scenario, settings, audit, seeds, loaded).rows(0, rows)
    if due is None:
        return _closed_loop(scenario, samples, settings.samples_per_query)
    return _open_loop(samples, due, generates=scenario == Scenario.INTERACTIVE)


def answers(scenario: Scenario, samples: NDArray[np.int64]) -> tuple[Answer, ...]:
    """The right answers: a label, or in interactive a label and then as many 0 as are counted."""
    right, padding = labels(), _tokens(samples) - 1
    found: list[Any] = [right[sample] for sample in samples.tolist()]
    if scenario == Scenario.INTERACTIVE:
        found = [[first] + [0] * more for first, more in zip(found, padding.tolist(), strict=True)]
    pairs = zip(samples.tolist(), found, strict=True)
    return tuple(Answer(sample=sample, answer=answer) for sample, answer in pairs)


def kept(log: QueryLog, seed: int) -> NDArray[np.int64]:
    """The samples whose answers the audit of answers keeps."""
    samples: NDArray[np.int64] = log["sample"][kept_answers(seed, len(log))].astype(np.int64)
    return samples


def _due(settings: InferenceSettings, seeds: Mapping[str, int]) -> NDArray[np.int64]:
    assert settings.target_rate is not None
    return schedule(
        seeds["schedule"], settings.target_rate, settings.min_duration_ns, settings.min_query_count
    )


def _closed_loop(scenario: Scenario, samples: NDArray[np.int64], size: int) -> QueryLog:
    """A query each 10 ms (multi_stream: 5 ms), half of that and up to 4 ms (2 ms) long."""
    log = new_log(len(samples))
    row = np.arange(len(samples))
    log["sample"] = samples
    if scenario == Scenario.OFFLINE:
        log["completed"] = (row // 256 + 1) * 500 * MS
        return log
    period = 5 * MS if scenario == Scenario.MULTI_STREAM else 10 * MS
    log["query"] = row // size
    log["scheduled"] = log["issued"] = row // size * period
    log["completed"] = log["issued"] + period // 2 + row * 37 % 400 * period // 1000
    return log


def _open_loop(samples: NDArray[np.int64], due: NDArray[np.int64], *, generates: bool) -> QueryLog:
    """5 to 9 ms of latency from the issue, the first token after 2 ms."""
    log = new_log(len(due))
    row = np.arange(len(due))
    log["query"], log["sample"], log["scheduled"] = row, samples, due
    log["issued"] = due + LATE_NS
    log["completed"] = log["issued"] + 5 * MS + row * 37 % 400 * 10_000
    if generates:
        log["first_token"] = log["issued"] + 2 * MS
        log["tokens"] = _tokens(samples)
    return log


def _tokens(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    counted: NDArray[np.int64] = 5 + samples % 3
    return counted
