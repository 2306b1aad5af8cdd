"""ROUND rules: what may be submitted to a round at all."""

from collections.abc import Iterator

from harness.records import METRIC_OF, Mode, RunStatus, Scenario
from rules.case import Problem, ResultCase, RunCase, SubmissionCase
from rules.registry import rule
from rules.submission import Entry


@rule("ROUND-1", on="submission")
def belongs_to_the_round(case: SubmissionCase) -> Iterator[Problem]:
    """The submission, its workloads, scenarios and divisions belong to the round.

    The submission was packed for this round and holds at least one result. Each result's workload
    is one of the round's and is installed where the check runs; workload and round both offer its
    scenario; the round has its division.
    """
    if case.submission.round != case.round.name:
        yield Problem(
            "packed for another round; pack the runs again for this one",
            "manifest.json",
            expected=case.round.name,
            found=case.submission.round,
        )
    if not case.submission.entries:
        yield Problem("the submission holds no result; pack at least one run", "manifest.json")
    for entry in case.submission.entries:
        yield from _foreign(case, entry)


def _foreign(case: SubmissionCase, entry: Entry) -> Iterator[Problem]:
    result, file = entry.result, f"{entry.path}/result.json"
    known = case.references.get(result.workload)
    if result.workload not in case.round.workloads or known is None:
        yield Problem(
            "not a workload of this round",
            file,
            expected=", ".join(case.round.workloads),
            found=result.workload,
        )
        return
    offered = [s for s in known.card.scenarios if s == Scenario.TRAIN or s in case.round.inference]
    if result.scenario not in offered:
        yield Problem(
            "not a scenario of this workload in this round",
            file,
            expected=", ".join(offered),
            found=result.scenario,
        )
    if result.division not in case.round.divisions:
        yield Problem(
            "not a division of this round",
            file,
            expected=", ".join(case.round.divisions),
            found=result.division,
        )


@rule("ROUND-2", on="result")
def runs_belong_to_the_result(case: ResultCase) -> Iterator[Problem]:
    """A result lists exactly its runs, and they are runs of what it claims.

    The folders beside ``result.json`` are those that it lists, in the order in which the runs
    started. Each run has the result's workload, scenario and division and a mode of that
    scenario, no run counts twice, and the metric is the scenario's.
    """
    result = case.entry.result
    started = sorted(case.entry.runs, key=lambda evidence: evidence.run.started_ms)
    folders = tuple(evidence.path.rpartition("/")[2] for evidence in started)
    if result.runs != folders:
        yield Problem(
            "the runs listed are not the runs present, in the order of their starts",
            case.file,
            expected=", ".join(folders),
            found=", ".join(result.runs),
        )
    if len({evidence.run.id for evidence in started}) != len(started):
        yield Problem("the same run counts twice; submit each run once", case.file)
    if result.metric != METRIC_OF[result.scenario]:
        yield Problem(
            "not the metric of this scenario",
            case.file,
            expected=METRIC_OF[result.scenario],
            found=result.metric,
        )
    for evidence in started:
        run = evidence.run
        for name in ("workload", "scenario", "division"):
            claimed, ran = getattr(result, name), getattr(run, name)
            if claimed != ran:
                yield Problem(
                    f"the run's {name} is not the result's",
                    evidence.file("run.json"),
                    expected=claimed,
                    found=ran,
                )
        if (run.mode == Mode.TRAINING) != (run.scenario == Scenario.TRAIN):
            yield Problem(
                f"mode {run.mode} is not one of scenario {run.scenario}", evidence.file("run.json")
            )


@rule("ROUND-3", on="run")
def run_ended(case: RunCase) -> Iterator[Problem]:
    """Every run ended.

    A run that was killed is not evidence. A training run that failed counts as one that missed
    the target, which is a warning; an inference run that failed is refused.
    """
    run = case.evidence.run
    if run.status == RunStatus.INCOMPLETE:
        yield case.record_problem("the run never ended; leave it out, and run again")
    elif not case.finished or (not case.trains and run.status != RunStatus.COMPLETE):
        yield case.record_problem(
            f"the run {run.status}: {run.error or 'no reason given'}",
            severity="warning" if case.trains else "error",
        )


@rule("ROUND-4", on="run", when=lambda case: case.closed)
def reference_implementation(case: RunCase) -> Iterator[Problem]:
    """In the closed division, the workload is the installed reference, byte for byte.

    The digest over the workload's folder (card, code, weights) that the run recorded equals the
    digest of the folder that is installed where the check runs.
    """
    run = case.evidence.run
    if run.workload_sha256 != case.reference.digest:
        harness = case.submission.system.harness
        made_with = harness.version + (f" at commit {harness.commit}" if harness.commit else "")
        yield case.record_problem(
            f"the workload differs from the installed one; install Levelfield {made_with}, which "
            "made the run, and check again, or submit to the open division",
            expected=case.reference.digest,
            found=run.workload_sha256,
        )
