"""Brings the tables of docs/mlperf.md up to date: python docs/mlperf.py DIR, with the folder that
levelfield import mlperf-training made.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rules.mlperf.log import OfficialResult
from rules.mlperf.strict import STRICT_RULES, check
from rules.rule import Finding
from submissions.mlperf_imported import find_imported

PAGE = Path(__file__).with_name("mlperf.md")


def tables(findings: Sequence[Finding], directories: int, logs: int) -> dict[str, list[str]]:
    """The page's tables by name, as lines of Markdown."""
    by_rule = {number: [one for one in findings if one.rule == number] for number in STRICT_RULES}
    return {
        "found": _found(by_rule, directories, logs),
        "schedule": _by_directory(by_rule["MLPERF-11"], "first that is elsewhere"),
        "factors": _by_directory(by_rule["MLPERF-23"], "what differs"),
        "copies": _copies(by_rule["MLPERF-21"]),
    }


def _found(by_rule: Mapping[str, list[Finding]], directories: int, logs: int) -> list[str]:
    rows = [
        f"Of {directories} directories with {logs} logs:",
        "",
        "| rule | kind | places | findings | the first of them |",
        "|---|---|---|---|---|",
    ]
    for number, found in by_rule.items():
        for severity in ("error", "warning"):
            alike = [one for one in found if one.severity == severity]
            if alike:
                places = len({_place(one.file) for one in alike})
                rows.append(
                    f"| [{number}](../RULES.md#{number}) | {severity} | {places} | {len(alike)} | "
                    f"{_told(alike[0])} |"
                )
    silent = [number for number, found in by_rule.items() if not found]
    return [*rows, "", f"Nothing is found by {', '.join(silent)}."]


def _told(one: Finding) -> str:
    where = one.file if one.line is None else f"{one.file}:{one.line}"
    return f"`{where}`: {one.message}; expected {one.expected}, found {one.found}"


def _place(file: str) -> str:
    """Submitter, system and, but of a description, benchmark that a file in a bundle belongs to."""
    submitter, system, *inside = file.split("/")
    return " ".join([submitter, system, *(inside[1:2] if inside[0] == "results" else ())])


def _by_directory(found: Sequence[Finding], what: str) -> list[str]:
    rows = [f"| directory | logs | kind | {what} | expected | found |", "|---|---|---|---|---|---|"]
    for place, group in groupby(found, lambda one: _place(one.file)):
        first, *others = group
        rows.append(
            f"| {place} | {1 + len(others)} | {first.severity} | {first.message} | "
            f"{first.expected} | {first.found} |"
        )
    return rows


def _copies(found: Sequence[Finding]) -> list[str]:
    rows = ["| directory | logs | all their events stand also in |", "|---|---|---|"]
    for place, group in groupby(found, lambda one: _place(one.file)):
        first, *others = group
        other = _place(first.message.removeprefix("all its events are those of "))
        rows.append(f"| {place} | {1 + len(others)} | {other} |")
    return rows


def main(imported: Path) -> None:
    """Read, check, and write the tables between their marks."""
    found = find_imported(imported)
    if found is None:
        raise SystemExit(f"{imported}: no imported round; name the folder of an import")
    sizes: list[int] = []

    def results() -> Iterator[OfficialResult]:
        for own in found.results():
            sizes.extend(len(result.runs) for result in own)
            yield from own

    findings = check(results(), found.terms, found.points)
    text = PAGE.read_text("utf-8")
    for name, rows in tables(findings, len(sizes), sum(sizes)).items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        text = "".join([before, begin, "\n".join(rows), "\n", end, rest.partition(end)[2]])
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
