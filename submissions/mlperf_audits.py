"""The audits (MLPerf: compliance tests) of a published result of MLPerf Inference."""

import re
from collections.abc import Iterator

from rules.mlperf.inference import value_of
from rules.mlperf.inference_run import Check, Run
from rules.mlperf.loadgen import parse_detail
from submissions.mlperf_tree import Place, Tree

_CHECK_PASS = re.compile(r"check pass: (\w+)")
_VERDICTS = ("verify_accuracy.txt", "verify_performance.txt")


def audit_checks(tree: Tree, place: Place, run: Run) -> Iterator[Check]:
    """One check for each audit that the round asks of the model, named as MLPerf names it."""
    for test in run.model.audits:
        folder = f"{place.inside('compliance')}/{test}"
        said = _recorded(tree, folder)
        if said is None:
            why = f"{folder} holds no verdict"
            yield Check(name=test, recorded=None, recomputed=False, why=why)
        elif test == "TEST06":
            why = "the published files hold no tokens"
            yield Check(name=test, recorded=said, recomputed=None, why=why)
        else:
            yield _speed(tree, folder, test, run, recorded=said)


def _recorded(tree: Tree, folder: str) -> bool | None:
    """What the texts of an audit say, all of them; none if there is no text."""
    verdicts: list[bool] = []
    for name in _VERDICTS:
        text = (tree.read(f"{folder}/{name}") or b"").decode("latin-1")
        passes = _CHECK_PASS.findall(text)
        if passes:
            # The first token is skipped where it has no time of its own, as in offline.
            verdicts.append("True" in passes and set(passes) <= {"True", "Skipped"})
        elif text:
            verdicts.append("TEST PASS" in text and "FAIL" not in text)
    return all(verdicts) if verdicts else None


def _speed(tree: Tree, folder: str, test: str, run: Run, *, recorded: bool) -> Check:
    """TEST01 is as fast as the result within the tolerance, TEST04 no faster than that."""
    data = tree.read(f"{folder}/performance/run_1/mlperf_log_detail.txt")
    audited = Run(parse_detail(data or b""), run.scenario, run.terms, run.model)
    speed, reference = value_of(audited), value_of(run)
    if speed is None or not reference:
        return Check(name=test, recorded=recorded, recomputed=None, why="a log without a speed")
    ratio, tolerance = speed / reference, run.terms.audit_tolerance
    passed = ratio <= 1 + tolerance and (test == "TEST04" or ratio >= 1 - tolerance)
    why = f"{speed:g} beside {reference:g}: {100 * (ratio - 1):+.1f} %"
    return Check(name=test, recorded=recorded, recomputed=passed, why=why)
