"""Brings the tables of docs/mlperf.md up to date: python docs/mlperf.py RESULTS RCPS, with folders
as MLCommons publishes them: <submitter>/results/… and rcps_<benchmark>.json.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.events import parse_events
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.strict import STRICT_RULES, check
from rules.mlperf.terms import read_official_round
from rules.rule import Finding

PAGE = Path(__file__).with_name("mlperf.md")
ROUND = "mlperf-training-5.1"


def read_results(root: Path) -> Iterator[OfficialResult]:
    """Every benchmark directory below ``root``."""
    for folder in sorted(root.glob("*/results/*/*")):
        submitter, _, system, benchmark = folder.relative_to(root).parts
        scaling = folder / "scaling.json"
        yield OfficialResult(
            submitter=submitter,
            system=system,
            benchmark=benchmark,
            path=str(folder.relative_to(root)),
            runs=tuple(_run(root, path) for path in sorted(folder.glob("result_*.txt"), key=_at)),
            published_scaling=_json(scaling)["scaling_factor"] if scaling.exists() else None,
            description=_json(root / submitter / "systems" / f"{system}.json"),
        )


def _at(path: Path) -> int:
    return int(re.sub(r"\D", "", path.stem))


def _run(root: Path, path: Path) -> OfficialRun:
    data = path.read_bytes()
    return OfficialRun(path.name, str(path.relative_to(root)), parse_events(data), len(data))


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8", errors="replace"))


def read_points(folder: Path) -> dict[str, dict[int, list[float]]]:
    """The reference convergence points by benchmark and batch size."""
    return {
        path.stem.removeprefix("rcps_"): {
            one["BS"]: next(one[name] for name in one if name.endswith("to converge"))
            for one in _json(path).values()
        }
        for path in folder.glob("rcps_*.json")
    }


def tables(results: Iterable[OfficialResult], findings: Iterable[Finding]) -> dict[str, list[str]]:
    """The page's tables by name, as lines of Markdown."""
    by_rule = {number: [one for one in findings if one.rule == number] for number in STRICT_RULES}
    runs = sum(len(result.runs) for result in results)
    return {
        "found": _found(by_rule, len([*results]), runs),
        "schedule": _by_directory(by_rule["MLPERF-11"], "first that is elsewhere"),
        "factors": _by_directory(by_rule["MLPERF-23"], "what differs"),
        "copies": _copies(by_rule["MLPERF-21"]),
    }


def _found(by_rule: Mapping[str, list[Finding]], directories: int, runs: int) -> list[str]:
    rows = [
        f"Of {directories} directories with {runs} logs:",
        "",
        "| rule | kind | places | findings | the first of them |",
        "|---|---|---|---|---|",
    ]
    for number, found in by_rule.items():
        for severity in ("error", "warning"):
            alike = [one for one in found if one.severity == severity]
            if alike:
                places = len({_directory(one) for one in alike})
                rows.append(
                    f"| [{number}](../RULES.md#{number}) | {severity} | {places} | {len(alike)} | "
                    f"{_told(alike[0])} |"
                )
    silent = [number for number, found in by_rule.items() if not found]
    return [*rows, "", f"Nothing is found by {', '.join(silent)}."]


def _told(one: Finding) -> str:
    where = one.file if one.line is None else f"{one.file}:{one.line}"
    return f"`{where}`: {one.message}; expected {one.expected}, found {one.found}"


def _directory(one: Finding) -> str:
    """The place of a finding: its benchmark directory, or the file of a description."""
    return one.file.rpartition("/")[0] if "/results/" in one.file else one.file


def _by_directory(found: list[Finding], what: str) -> list[str]:
    rows = [f"| directory | logs | kind | {what} | expected | found |", "|---|---|---|---|---|---|"]
    for directory, group in groupby(found, _directory):
        first, *others = group
        submitter, _, system, benchmark = directory.split("/")
        rows.append(
            f"| {submitter} {system} {benchmark} | {1 + len(others)} | {first.severity} | "
            f"{first.message} | {first.expected} | {first.found} |"
        )
    return rows


def _copies(found: list[Finding]) -> list[str]:
    rows = ["| directory | logs | all their events stand also in |", "|---|---|---|"]
    for directory, group in groupby(found, _directory):
        first, *others = group
        other = first.message.removeprefix("all its events are those of ").rpartition("/")[0]
        rows.append(f"| `{directory}` | {1 + len(others)} | `{other}` |")
    return rows


def main(results: Path, points: Path) -> None:
    """Read, check, and write the tables between their marks."""
    read = [*read_results(results)]
    findings = check(read, read_official_round(ROUND), read_points(points))
    text = PAGE.read_text("utf-8")
    for name, rows in tables(read, findings).items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        text = "".join([before, begin, "\n".join(rows), "\n", end, rest.partition(end)[2]])
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
