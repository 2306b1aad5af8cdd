"""TELEMETRY rules: what was sampled beside the runs."""

import itertools
from collections.abc import Iterator

from rules.case import Problem, RunCase
from rules.registry import rule
from rules.scoring import timed_window_ms

_GAP_MS = 2000


@rule("TELEMETRY-1", on="run", when=lambda case: timed_window_ms(case.evidence.log) is not None)
def telemetry_covers_the_run(case: RunCase) -> Iterator[Problem]:
    """Telemetry covers the timed window without a gap of more than 2 s (a warning)."""
    window_ms = timed_window_ms(case.evidence.log)
    file = case.evidence.file("telemetry.jsonl")
    times = sorted(sample.time_ms for sample in case.evidence.telemetry.samples)
    if window_ms is None or not times:
        yield Problem("no telemetry was sampled", file, severity="warning")
        return
    start, stop = window_ms
    inside = [time for time in times if start < time < stop]
    gap = max(after - before for before, after in itertools.pairwise([start, *inside, stop]))
    if gap > _GAP_MS:
        yield Problem(
            "telemetry has a gap within the run",
            file,
            expected=f"at most {_GAP_MS} ms",
            found=f"{gap} ms",
            severity="warning",
        )
