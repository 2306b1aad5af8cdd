"""Reads MLPerf Inference's published results and judges each again from its own logs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.records import Record
from rules.mlperf.inference import judge, unit_of, value_of
from rules.mlperf.inference_run import SCENARIOS, Check, Run
from rules.mlperf.inference_terms import InferenceRound, ModelTerms
from rules.mlperf.loadgen import LoadgenLog, parse_detail, parse_summary
from submissions.mlperf_audits import audit_checks
from submissions.mlperf_tree import Place, Tree

DETAIL, SUMMARY = "mlperf_log_detail.txt", "mlperf_log_summary.txt"
_ACCURACY = re.compile(r"'([A-Za-z0-9_]{1,40})': '?([0-9]{1,20}(?:\.[0-9]{1,30})?)'?")
_SUMMARY_FLAGS = {
    "Min duration satisfied": "result_min_duration_met",
    "Min queries satisfied": "result_min_queries_met",
    "Early stopping satisfied": "early_stopping_met",
    "Performance constraints satisfied": "result_perf_constraints_met",
}
_SUMMARY_NUMBERS = {
    "Samples per second": "result_samples_per_second",
    "Tokens per second": "result_tokens_per_second",
    "Completed samples per second": "result_completed_samples_per_sec",
    "Completed tokens per second": "result_completed_tokens_per_second",
}


class InferenceResult(Record):
    """One published result, judged from its logs."""

    submitter: str
    division: str
    system: str
    model: str
    scenario: str
    location: str
    value: float | None = None
    """The number that the round publishes, from the log."""
    unit: str | None = None
    checks: tuple[Check, ...] = ()
    accuracy: dict[str, float] = Field(default_factory=dict)
    """Names in lower case."""
    weights: str | None = None
    """Data types of the weights, from the measurements."""
    system_name: str | None = None
    """From the system's description."""
    findings: tuple[str, ...] = ()
    """What a stricter reading of the files finds."""
    skipped: str = ""
    """Why it cannot be judged; empty if it is."""

    @property
    def agrees(self) -> bool:
        """Whether no verdict of ours contradicts a recorded one."""
        return all(check.agrees for check in self.checks)

    def check(self, name: str) -> Check | None:
        """The check ``name``, if it was made."""
        return next((check for check in self.checks if check.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with what follows from the fields."""
        return {**self.model_dump(mode="json"), "agrees": self.agrees}


def read_results(root: Path, terms: InferenceRound) -> list[InferenceResult]:
    """Judge every published result under ``root`` by the round ``terms``.

    `UsageError` if there is none, `LevelfieldError` for a link or what is no plain file.
    """
    tree = Tree(root)
    return [_result(tree, place, terms) for place in tree.places()]


def _result(tree: Tree, place: Place, terms: InferenceRound) -> InferenceResult:
    blank = InferenceResult(
        submitter=place.submitter,
        division=place.division,
        system=place.system,
        model=place.model,
        scenario=place.scenario,
        location=place.location,
    )
    known = terms.model(place.model)
    performance = f"{place.location}/performance/run_1"
    detail = tree.read(f"{performance}/{DETAIL}")
    if place.division == "open":
        return _skipped(blank, "the open division has terms of its own")
    if place.scenario not in SCENARIOS:
        return _skipped(blank, f"scenario {place.scenario} is not one of {', '.join(SCENARIOS)}")
    if known is None:
        return _skipped(blank, f"round {terms.name} has no model {place.model}")
    if detail is None:
        return _skipped(blank, f"{performance}/{DETAIL} is not there")
    model, share = known
    run = Run(parse_detail(detail), place.scenario, terms, model)
    accuracy = _accuracy(tree.read(f"{place.location}/accuracy/accuracy.txt") or b"")
    checks = [
        *judge(run),
        _accuracy_check(accuracy, model, share),
        *audit_checks(tree, place, run),
    ]
    facts = {
        "value": value_of(run),
        "unit": unit_of(place.scenario, model),
        "checks": tuple(checks),
        "accuracy": accuracy,
        "weights": _weights(tree, place),
        "system_name": _text(read_object(tree.read(place.description) or b""), "system_name"),
        "findings": tuple(_findings(tree, place, run, accuracy)),
    }
    return blank.model_copy(update=facts)


def _skipped(blank: InferenceResult, why: str) -> InferenceResult:
    return blank.model_copy(update={"skipped": why})


def _accuracy(data: bytes) -> dict[str, float]:
    """The numbers of ``accuracy.txt`` by name; the file's end is read, where they stand."""
    text = data[-20_000:].decode("latin-1")
    return {name.lower(): float(number) for name, number in _ACCURACY.findall(text)}


def _accuracy_check(accuracy: dict[str, float], model: ModelTerms, share: float) -> Check:
    """Each accuracy that the round asks for, at least the reference's share or within its range."""
    limits = {name: (value * share, float("inf")) for name, value in model.reference.items()}
    limits |= model.ranges
    missing = sorted(limits.keys() - accuracy.keys())
    wrong = [
        f"{name} {accuracy[name]:g}, asked for {low:g} to {high:g}"
        for name, (low, high) in limits.items()
        if name in accuracy and not low <= accuracy[name] <= high
    ]
    if missing:
        return Check(
            name="accuracy", recorded=None, recomputed=None, why=f"no {', '.join(missing)} given"
        )
    return Check(
        name="accuracy",
        recorded=None,
        recomputed=not wrong,
        why="; ".join(wrong) or f"{len(limits)} accuracies as the round asks",
    )


def _weights(tree: Tree, place: Place) -> str | None:
    for path in tree.files(place.inside("measurements"), ".json"):
        if found := _text(read_object(tree.read(path) or b""), "weight_data_types"):
            return found
    return None


def _text(facts: dict[str, Any], name: str) -> str | None:
    found = facts.get(name)
    return found[:200] if isinstance(found, str) else None


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object; an empty one of anything else, so that a broken file only lacks facts."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _findings(tree: Tree, place: Place, run: Run, accuracy: dict[str, float]) -> Iterator[str]:
    yield from _accuracy_run(tree, place, run.model, accuracy)
    summary = tree.read(f"{place.location}/performance/run_1/{SUMMARY}")
    if summary is None:
        yield f"performance/run_1/{SUMMARY} is not there"
    else:
        yield from _summary_differences(parse_summary(summary), run.log)
    yield from _conf_differences(tree, place, run)
    if not read_object(tree.read(place.description) or b""):
        yield f"{place.description} is not there, or is no JSON object"


def _accuracy_run(
    tree: Tree, place: Place, model: ModelTerms, accuracy: dict[str, float]
) -> Iterator[str]:
    """The accuracy log is one of accuracy mode and answers every sample of the data set once."""
    data = tree.read(f"{place.location}/accuracy/{DETAIL}")
    if data is None:
        yield f"accuracy/{DETAIL} is not there"
        return
    log = parse_detail(data)
    mode = log.text("effective_test_mode") or log.text("requested_test_mode")
    if mode != "AccuracyOnly":
        yield f"accuracy/{DETAIL} is a log of mode {mode}, not AccuracyOnly"
    queries = (log.number("generated_query_count"), log.number("generated_samples_per_query"))
    samples = int((queries[0] or 0) * (queries[1] or 0))
    if samples != model.samples:
        yield f"accuracy/{DETAIL} has {samples:,} samples; the data set has {model.samples:,}"
    answered = accuracy.get("gen_num")
    if answered is not None and answered != model.samples:
        yield f"accuracy.txt is of {answered:,.0f} answers; the data set has {model.samples:,}"


def _summary_differences(summary: dict[str, str], log: LoadgenLog) -> Iterator[str]:
    """The summary says what the detail log says, in its own rounding."""
    said = summary.get("Result is")
    if said != log.text("result_validity"):
        yield f"the summary says {said!a}, the detail log {log.text('result_validity')!a}"[:200]
    for name, key in _SUMMARY_FLAGS.items():
        flag = {"Yes": True, "NO": False, "No": False}.get(summary.get(name, ""))
        if name in summary and flag != log.flag(key):
            yield f"the summary's {name} is not the detail log's {key}"
    for name, key in _SUMMARY_NUMBERS.items():
        number, logged = _number(summary.get(name, "")), log.number(key)
        if number is not None and (logged is None or abs(number - logged) > 0.006 + 1e-5 * number):
            yield f"the summary's {name} is {number:g}, the detail log's {key} {logged}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _conf_differences(tree: Tree, place: Place, run: Run) -> Iterator[str]:
    """The run's rate and duration are those of the submitted ``user.conf``."""
    conf = _conf(tree.read(f"{place.inside('measurements')}/user.conf") or b"", place)
    for key, logged in (
        ("target_qps", "effective_target_qps"),
        ("min_duration", "effective_min_duration_ms"),
    ):
        value = run.log.number(logged)
        if key in conf and value is not None and conf[key] != value:
            yield f"user.conf has {key} {conf[key]:g}, the log {value:g}"


def _conf(data: bytes, place: Place) -> dict[str, float]:
    """What a ``user.conf`` sets for the result: ``model.scenario.key = value``, ``*`` for any."""
    lines = [line.partition("#")[0].partition("=") for line in data.decode("latin-1").split("\n")]
    given = {name.strip(): _number(text) for name, _, text in lines}
    interactive = place.scenario == "Interactive"
    family = _family(place.model)
    models = ("*", f"{family}-interactive") if interactive else ("*", family, place.model)
    found: dict[str, float] = {}
    for prefix in (
        f"{model}.{kind}."
        for model in models
        for kind in ("*", "Server" if interactive else place.scenario)
    ):
        found |= {
            name.removeprefix(prefix): number
            for name, number in given.items()
            if name.startswith(prefix) and number is not None
        }
    return found


def _family(model: str) -> str:
    return re.sub(r"-99(\.9)?$", "", model)
