"""SCORE rules: the published number."""

from collections.abc import Iterator

from harness.records import Mode
from rules.case import Problem, ResultCase
from rules.registry import rule
from rules.scoring import score


@rule("SCORE-1", on="result")
def score_is_recomputed(case: ResultCase) -> Iterator[Problem]:
    """The score, computed again from the logs, equals the claim exactly.

    Training: the Olympic mean of the seconds from run_start to run_stop; a run that missed the
    target counts as the slowest; of more runs than the round asks for, the stretch with the median
    mean counts (TRAIN-1); in the closed division it is multiplied by the reference's mean of
    samples to converge over the result's, where the result's is less. single_stream and
    multi_stream: the early-stopping estimate of the percentile of a query's latency. server: the
    target rate. interactive: tokens per second, the n - 1 samples that followed the first, by the
    time to the last completion, times the mean tokens of a sample; both if the bounds are held.
    offline: samples per second. Runs that give no score may only claim none, and a result without a
    score is refused.
    """
    claimed = case.entry.result.value
    computed = score(case.scenario, case.entry.runs, case.round, case.reference.points)
    if claimed != computed:
        yield Problem(
            "the claim is not what the logs give; pack the runs again",
            case.file,
            expected=repr(computed),
            found=repr(claimed),
        )
    elif computed is None:
        yield Problem("the runs give no score; see the other findings, and run again", case.file)


@rule("SCORE-2", on="result", when=lambda case: case.entry.search is not None)
def search_found_the_result(case: ResultCase) -> Iterator[Problem]:
    """A search that comes with a result is the one that found it.

    It is of the result's scenario, and the rate (multi_stream: the samples a query) that it found
    is what the performance run was asked for.
    """
    search = case.entry.search
    if search is None:
        return
    file = f"{case.entry.path}/search.json"
    if search.scenario != case.scenario:
        yield Problem("the search is of another scenario; pack its own runs", file)
    for evidence in case.entry.of_mode(Mode.PERFORMANCE):
        asked = getattr(evidence.run.settings, search.what, None)
        if asked != search.found:
            yield Problem(
                f"the search found another {search.what} than the run was asked for; pack the run "
                "that it confirmed",
                file,
                expected=str(asked),
                found=str(search.found),
            )
