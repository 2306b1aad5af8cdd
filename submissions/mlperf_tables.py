"""Published tables of MLPerf Inference beside what the logs say: every row that can be compared."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness.errors import UsageError
from harness.records import Record
from submissions.mlperf_inference import InferenceResult

_NUMBER = re.compile(r"([A-Za-z0-9_]{1,40}): ([0-9]{1,20}(?:\.[0-9]{1,30})?)")
_LARGEST = 64 * 2**20


class TableRow(Record):
    """One row of a table."""

    table: str
    location: str
    outcome: Literal["equal", "different", "not compared"]
    why: str
    """What differs, or why the row cannot be compared, whole or in part."""


def compare_published(path: Path, results: Sequence[InferenceResult]) -> list[TableRow]:
    """The published table, a JSON list of rows; `UsageError` if it cannot be read as one."""
    try:
        rows = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}; name the published table") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: not a list of rows; name the published table")
    names = {"value": "Performance_Result", "unit": "Performance_Units", "system": "System"}
    return list(_compared("published table", rows, names, results))


def compare_checker(path: Path, results: Sequence[InferenceResult]) -> list[TableRow]:
    """The official checker's summary, a CSV file; `UsageError` if it cannot be read as one."""
    try:
        rows = list(csv.DictReader(io.StringIO(_read(path).decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: not a CSV file: {error}; name the checker's summary") from error
    names = {"value": "Result", "unit": "Units", "system": "SystemName"}
    return list(_compared("checker's summary", rows, names, results))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; name a table") from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path}: larger than {_LARGEST} bytes; name a table")
    return data


def _compared(
    table: str,
    rows: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
    results: Sequence[InferenceResult],
) -> Iterator[TableRow]:
    by_location = {result.location: result for result in results}
    for row in rows:
        location = str(row.get("Location", "")).removesuffix("/performance/run_1")[:300]
        result = by_location.get(location)
        if result is None or result.skipped:
            why = result.skipped if result else "no such folder among the results"
            yield TableRow(table=table, location=location, outcome="not compared", why=why)
            continue
        wrong = list(_differences(row, names, result))
        why = "; ".join(wrong) or "; ".join(_left_out(row, result))
        outcome: Literal["equal", "different"] = "different" if wrong else "equal"
        yield TableRow(table=table, location=location, outcome=outcome, why=why[:500])


def _differences(
    row: Mapping[str, Any], names: Mapping[str, str], result: InferenceResult
) -> Iterator[str]:
    """In what a row is not what the logs say; a column that the row lacks says nothing."""
    given = _float(row.get(names["value"]))
    if given != result.value:
        yield f"{names['value']} {given}, the log {result.value}"
    unit = row.get(names["unit"])
    if unit != result.unit:
        yield f"{names['unit']} {unit!a}, the log's is {result.unit!a}"
    for name, number in _accuracies(row).items():
        if result.accuracy.get(name) != number:
            yield f"{name} {number:g}, accuracy.txt {result.accuracy.get(name)}"
    system = row.get(names["system"])
    if system and result.system_name and str(system).strip() != result.system_name.strip():
        yield f"system {system!a}, its description {result.system_name!a}"
    weights = row.get("weight_data_types")
    if weights and result.weights and weights != result.weights:
        yield f"weights {weights!a}, the measurements {result.weights!a}"
    errors, check = _float(row.get("errors")), result.check("errors")
    if errors is not None and check and (errors == 0) != check.recomputed:
        yield f"{errors:g} errors, the log: {check.why}"
    valid = result.check("valid")
    if valid and valid.recomputed is False:
        yield f"the row is published, and the log is not valid: {valid.why}"


def _left_out(row: Mapping[str, Any], result: InferenceResult) -> Iterator[str]:
    """What of an equal row could not be compared."""
    if not _accuracies(row):
        yield "the row names no accuracy"
    if result.weights is None:
        yield "no measurements name the weights"


def _accuracies(row: Mapping[str, Any]) -> dict[str, float]:
    """``ROUGE1: 44.4 gsm8k_accuracy: 73.2`` as numbers by the names of ``accuracy.txt``."""
    text = str(row.get("Accuracy", ""))[:1000]
    return {
        name.lower().removesuffix("_accuracy"): float(number)
        for name, number in _NUMBER.findall(text)
    }


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
