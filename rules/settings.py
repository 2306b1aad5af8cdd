"""INFER rules of what was asked: one system in all runs, the round's settings and its seeds."""

from collections.abc import Iterator

from harness.records import InferenceSettings, Mode, Scenario
from rules.case import Problem, ResultCase, RunCase
from rules.registry import rule

SAME = ("workload_sha256", "sut", "precision")
"""What a result's runs have in common."""
_AT_LEAST = ("min_duration_ns", "min_query_count")


@rule("INFER-14", on="result", when=lambda case: case.scenario != Scenario.TRAIN)
def runs_ask_one_system(case: ResultCase) -> Iterator[Problem]:
    """Performance and accuracy are those of one system under test.

    The runs of both modes name the same system under test, precision and digest of the workload.
    """
    runs = [e for e in case.entry.runs if e.run.mode in (Mode.PERFORMANCE, Mode.ACCURACY)]
    for evidence in runs[1:]:
        for name in SAME:
            expected, found = getattr(runs[0].run, name), getattr(evidence.run, name)
            if expected != found:
                yield Problem(
                    f"{name} is not that of {runs[0].path.rpartition('/')[2]}; measure both modes "
                    "of one system",
                    evidence.file("run.json"),
                    expected=str(expected),
                    found=str(found),
                )


@rule("INFER-15", on="inference")
def settings_are_the_rounds(case: RunCase) -> Iterator[Problem]:
    """A run was asked for what the round and the workload's card say.

    Percentile and bounds are the round's and the card's, and so is the number of samples a query;
    minimum duration and count are no less than the round's. Queries that come by a schedule have a
    target rate; no other scenario has one.
    """
    settings = case.evidence.run.settings
    if settings is None:
        yield case.record_problem("the run has no settings; run again with levelfield run")
        return
    asked = case.round.settings(case.scenario, case.reference.card, settings.target_rate)
    for name in InferenceSettings.model_fields:
        expected, found = getattr(asked, name), getattr(settings, name)
        enough = found >= expected if name in _AT_LEAST else found == expected
        if name != "timeout_ns" and not enough:
            yield case.record_problem(
                f"{name} is not the round's and the card's; run again with this round's --round",
                expected=f"{'>= ' if name in _AT_LEAST else ''}{expected}",
                found=str(found),
            )
    if case.arrives and settings.target_rate is None:
        yield case.record_problem("an open loop has a target rate; give one, or --find-max")


@rule("INFER-16", on="inference", when=lambda case: case.evidence.run.mode == Mode.PERFORMANCE)
def seeds_are_the_rounds(case: RunCase) -> Iterator[Problem]:
    """A performance run used the seeds that the round fixes, where it fixes any.

    Everybody then meets the same samples and the same arrivals, and nobody chooses lucky ones.
    """
    for name, expected in case.round.seeds.items():
        found = case.evidence.run.seeds.get(name)
        if found != expected:
            yield case.record_problem(
                f"the seed {name} is not the round's; run again with this round's --round",
                expected=str(expected),
                found=str(found),
            )
