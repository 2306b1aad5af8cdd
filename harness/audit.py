"""Which runs settle the doubts about a performance run, after MLPerf's compliance tests."""

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.inference import Task
from harness.records import Audit, Mode, Run, RunStatus


def find_performance_run(folder: Path) -> tuple[Path, Run]:
    """The performance run in ``folder``, which is one or holds one; `LevelfieldError` if not."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name one that levelfield run wrote")
    places = [folder] if (folder / "run.json").exists() else sorted(folder.iterdir())
    found = [(place, run) for place in places if (run := _read_run(place / "run.json"))]
    for place, run in found:
        if run.mode == Mode.PERFORMANCE and run.status == RunStatus.COMPLETE:
            return place, run
    raise LevelfieldError(
        f"{folder}: holds no complete performance run; audits belong to one, measure it first"
    )


def _read_run(path: Path) -> Run | None:
    if not path.is_file():
        return None
    try:
        return Run.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise LevelfieldError(f"{path}: not a run record: {error}; measure again") from error


def audit_tasks(run: Run, draw: Callable[[], int]) -> list[Task]:
    """A task for each audit that applies to the performance ``run``.

    ``draw`` gives new seeds; the system learns of none of them. Where a workload's cost depends on
    its input, repeating one sample would tell nothing; none of ours does so far.
    """
    if run.settings is None:
        raise LevelfieldError(f"run {run.id}: has no settings; measure it again")
    audits = [Audit.SAMPLED_ANSWERS, Audit.REPEATED_SAMPLE, Audit.OTHER_SEEDS]
    if run.settings.ttft_bound_ns is not None:
        audits.append(Audit.TOKENS)
    tasks = []
    for audit in audits:
        seeds = dict(run.seeds)
        if audit == Audit.OTHER_SEEDS:
            seeds = {name: draw() for name in seeds}
        seeds["audit"] = draw()
        tasks.append(Task(run.scenario, Mode.AUDIT, run.settings, seeds, audit, run.id))
    return tasks
