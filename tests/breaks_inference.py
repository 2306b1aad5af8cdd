"""For each rule of inference and audits, examples that break it: one thing changed."""

from collections.abc import Callable
from dataclasses import replace

from altered import with_entry, with_evidence, with_queries, with_record
from inference_edits import (
    ACCURACY,
    INTERACTIVE,
    MULTI,
    OFFLINE,
    OTHER_SEEDS,
    PERFORMANCE,
    REPEATED,
    SAMPLED,
    SERVER,
    STREAM,
    TOKENS,
    column,
    drop_run,
    three_times_as_fast,
    times_longer,
    with_answers,
    with_settings,
    without_row,
)
from valid import MS, ROUND

from harness.queries import DOUBLED, LOST, NEVER, RAISED
from harness.records import Audit, Mode
from rules.submission import Submission

Break = Callable[[Submission], Submission]

_ALL = slice(None)
_PERFORMANCE_SEEDS = {**ROUND.seeds, "audit": 7}

INFERENCE_BREAKS: dict[str, list[Break]] = {
    "INFER-1": [
        lambda s: with_entry(s, OFFLINE, drop_run(ACCURACY)),
        lambda s: with_entry(s, STREAM, drop_run(PERFORMANCE)),
    ],
    "INFER-2": [
        lambda s: with_queries(s, STREAM, lambda log: log[:0]),
        lambda s: with_queries(s, STREAM, lambda _: None),
        lambda s: with_queries(s, STREAM, column("scheduled", 5, -1)),
        lambda s: with_queries(s, OFFLINE, column("issued", 5, 10**12)),
        lambda s: with_queries(s, STREAM, column("completed", 5, 10**10)),
        lambda s: with_queries(s, STREAM, column("query", 5, 4)),
        lambda s: with_queries(s, OFFLINE, column("query", 5, 1)),
        lambda s: with_queries(s, MULTI, column("query", 7, 1)),
        lambda s: with_queries(s, MULTI, lambda log: log[:-1]),
        lambda s: with_queries(s, MULTI, column("issued", 14, 6 * MS), OTHER_SEEDS),
        lambda s: with_queries(s, MULTI, column("scheduled", 13, 0)),
        lambda s: with_queries(s, MULTI, column("completed", 5, 6 * MS), ACCURACY),
        lambda s: with_queries(s, MULTI, column("completed", 13, 11 * MS)),
        lambda s: with_queries(s, SERVER, column("issued", 5, 0)),
        lambda s: with_queries(s, SERVER, column("scheduled", 5, 0)),
        lambda s: with_queries(s, SERVER, column("scheduled", 0, 1), REPEATED),
    ],
    "INFER-3": [
        lambda s: with_queries(s, STREAM, column("error", 5, RAISED)),
        lambda s: with_queries(s, SERVER, column("error", 5, LOST)),
        lambda s: with_queries(s, MULTI, column("error", 5, DOUBLED), OTHER_SEEDS),
        lambda s: with_queries(s, SERVER, column("error", 5, 999)),
        lambda s: with_queries(s, OFFLINE, column("completed", 5, NEVER), ACCURACY),
    ],
    "INFER-4": [
        lambda s: with_record(s, STREAM, duration_ns=1),
        lambda s: with_record(s, OFFLINE, samples=1_000_000),
        lambda s: with_record(s, OFFLINE, ACCURACY, failed_queries=1),
    ],
    "INFER-5": [
        lambda s: with_queries(s, STREAM, lambda log: log[:300]),
        lambda s: with_queries(s, MULTI, lambda log: log[: 590 * 8], SAMPLED),
        lambda s: with_queries(s, SERVER, lambda log: log[:-1]),
        lambda s: with_queries(s, OFFLINE, three_times_as_fast),
    ],
    "INFER-6": [
        lambda s: with_queries(s, STREAM, lambda log: log[:63]),
        lambda s: with_queries(s, MULTI, lambda log: log[: 661 * 8]),
        lambda s: with_queries(s, SERVER, lambda log: log[:661], REPEATED),
        lambda s: with_queries(s, OFFLINE, lambda log: log[:1023]),
    ],
    "INFER-7": [
        lambda s: with_queries(s, STREAM, column("sample", 5, 10**6)),
        lambda s: with_queries(s, MULTI, column("sample", 5, 10**6)),
        lambda s: with_queries(s, SERVER, column("sample", 5, 10**6), OTHER_SEEDS),
        lambda s: with_queries(s, STREAM, column("sample", _ALL, 11), REPEATED),
        lambda s: with_record(s, OFFLINE, seeds={"order": 1}),
        lambda s: with_record(s, OFFLINE, seeds={}),
        lambda s: with_record(s, STREAM, REPEATED, seeds=ROUND.seeds),
    ],
    "INFER-8": [
        lambda s: with_queries(s, OFFLINE, lambda log: log[:-1], ACCURACY),
        lambda s: with_queries(s, STREAM, column("sample", 5, 4), ACCURACY),
        lambda s: with_evidence(
            s, OFFLINE, lambda e: replace(e, answers=(e.answers or ())[:-1]), ACCURACY
        ),
        lambda s: with_evidence(s, OFFLINE, lambda e: replace(e, answers=None), ACCURACY),
    ],
    "INFER-9": [
        lambda s: with_record(s, OFFLINE, ACCURACY, quality=0.999),
        lambda s: with_answers(s, OFFLINE, lambda a: [0 for _ in a]),
        lambda s: with_answers(s, STREAM, lambda a: [11, *a[1:]]),
    ],
    "INFER-10": [
        lambda s: with_queries(s, SERVER, column("scheduled", 5, 1)),
        lambda s: with_queries(s, SERVER, without_row(100)),
        lambda s: with_queries(s, INTERACTIVE, lambda log: log[:-1]),
        lambda s: with_settings(s, SERVER, target_rate=251.0),
        lambda s: with_settings(s, SERVER, target_rate=1e-300),
        lambda s: with_settings(s, SERVER, OTHER_SEEDS, min_duration_ns=2000 * MS),
        lambda s: with_settings(s, SERVER, target_rate=None),
        lambda s: with_record(s, SERVER, seeds={"order": ROUND.seeds["order"]}),
        lambda s: with_record(s, SERVER, settings=None),
    ],
    "INFER-11": [
        lambda s: with_queries(s, INTERACTIVE, column("tokens", 5, 1)),
        lambda s: with_queries(s, INTERACTIVE, column("first_token", 5, NEVER), TOKENS),
        lambda s: with_queries(s, INTERACTIVE, column("first_token", 5, 10**12)),
        lambda s: with_queries(s, INTERACTIVE, column("first_token", 5, 0)),
    ],
    "INFER-12": [
        lambda s: with_queries(s, SERVER, times_longer(2)),
        lambda s: with_queries(s, SERVER, column("completed", slice(0, 3), 10**11)),
        lambda s: with_settings(s, SERVER, latency_bound_ns=None),
        lambda s: with_record(s, SERVER, settings=None),
        lambda s: with_queries(s, SERVER, column("completed", 5, NEVER)),
        lambda s: with_queries(s, INTERACTIVE, times_longer(5)),
        lambda s: with_queries(s, INTERACTIVE, lambda log: log[:458]),
        lambda s: with_queries(s, INTERACTIVE, column("tokens", 5, 0)),
    ],
    "INFER-13": [
        lambda s: with_queries(s, SERVER, column("scheduled", slice(0, 9), -6 * MS)),
        lambda s: with_queries(s, SERVER, column("issued", slice(0, 9), 10**11), OTHER_SEEDS),
    ],
    "INFER-14": [
        lambda s: with_record(s, STREAM, ACCURACY, precision="fp32"),
        lambda s: with_record(s, SERVER, PERFORMANCE, sut="own.system:Quick"),
        lambda s: with_record(s, OFFLINE, ACCURACY, workload_sha256="0" * 64),
    ],
    "INFER-15": [
        lambda s: with_record(s, STREAM, settings=None),
        lambda s: with_settings(s, STREAM, percentile=0.5),
        lambda s: with_settings(s, STREAM, SAMPLED, min_query_count=63),
        lambda s: with_settings(s, MULTI, samples_per_query=1),
        lambda s: with_settings(s, SERVER, latency_bound_ns=16 * MS),
        lambda s: with_settings(s, SERVER, target_rate=None),
        lambda s: with_settings(s, OFFLINE, target_rate=10.0),
        lambda s: with_settings(s, OFFLINE, ACCURACY, min_duration_ns=2999 * MS),
        lambda s: with_settings(s, INTERACTIVE, tpot_bound_ns=None),
    ],
    "INFER-16": [
        lambda s: with_record(s, STREAM, seeds={**ROUND.seeds, "order": 1}),
        lambda s: with_record(s, SERVER, seeds={**ROUND.seeds, "schedule": 1}),
        lambda s: with_record(s, OFFLINE, seeds={"order": ROUND.seeds["order"]}),
    ],
    "AUDIT-1": [
        lambda s: with_entry(s, STREAM, drop_run(SAMPLED)),
        lambda s: with_entry(s, INTERACTIVE, drop_run(TOKENS)),
        lambda s: with_record(s, SERVER, REPEATED, audit=Audit.OTHER_SEEDS),
    ],
    "AUDIT-2": [
        lambda s: with_record(s, STREAM, SAMPLED, audited_run="0" * 32),
        lambda s: with_record(s, STREAM, REPEATED, audited_run=None),
        lambda s: with_record(s, STREAM, ACCURACY, mode=Mode.AUDIT),
        lambda s: with_record(s, OFFLINE, OTHER_SEEDS, sut="own.system:Honest"),
        lambda s: with_record(s, OFFLINE, OTHER_SEEDS, precision="fp32"),
        lambda s: with_record(s, MULTI, SAMPLED, workload_sha256="0" * 64),
        lambda s: with_settings(s, SERVER, SAMPLED, target_rate=100.0),
    ],
    "AUDIT-3": [
        lambda s: with_answers(s, STREAM, lambda a: [a[0] + 1, *a[1:]], SAMPLED),
        lambda s: with_answers(s, OFFLINE, lambda a: [float(label) for label in a], SAMPLED),
        lambda s: with_evidence(s, SERVER, lambda e: replace(e, answers=None), SAMPLED),
        lambda s: with_evidence(
            s, SERVER, lambda e: replace(e, answers=(e.answers or ())[1:]), SAMPLED
        ),
        lambda s: with_record(s, SERVER, SAMPLED, seeds={**_PERFORMANCE_SEEDS, "audit": 8}),
        lambda s: with_record(s, SERVER, SAMPLED, seeds=ROUND.seeds),
        lambda s: with_evidence(s, MULTI, lambda e: replace(e, answers=None), ACCURACY),
    ],
    "AUDIT-4": [
        lambda s: with_queries(s, STREAM, times_longer(0.8), REPEATED),
        lambda s: with_queries(s, MULTI, times_longer(0.8), REPEATED),
        lambda s: with_queries(s, OFFLINE, three_times_as_fast, REPEATED),
        lambda s: with_queries(s, SERVER, times_longer(0.8), REPEATED),
    ],
    "AUDIT-5": [
        lambda s: with_record(s, STREAM, OTHER_SEEDS, seeds=_PERFORMANCE_SEEDS),
        lambda s: with_record(
            s, SERVER, OTHER_SEEDS, seeds={**ROUND.seeds, "order": 1, "library": 2, "audit": 7}
        ),
        lambda s: with_record(s, OFFLINE, OTHER_SEEDS, seeds={"order": 1}),
    ],
    "AUDIT-6": [
        lambda s: with_queries(s, STREAM, times_longer(1.2), OTHER_SEEDS),
        lambda s: with_queries(s, OFFLINE, three_times_as_fast, SAMPLED),
        lambda s: with_queries(s, SERVER, times_longer(2), OTHER_SEEDS),
        lambda s: with_queries(s, MULTI, lambda log: log[:80]),
    ],
    "AUDIT-7": [
        lambda s: with_answers(s, INTERACTIVE, lambda a: [a[0][:-1], *a[1:]], TOKENS),
        lambda s: with_answers(s, INTERACTIVE, lambda a: [[-1, *a[0][1:]], *a[1:]], TOKENS),
        lambda s: with_answers(s, INTERACTIVE, lambda a: ["text", *a[1:]], TOKENS),
        lambda s: with_queries(s, INTERACTIVE, column("tokens", 5, 500), TOKENS),
        lambda s: with_evidence(s, INTERACTIVE, lambda e: replace(e, answers=None), TOKENS),
    ],
}
