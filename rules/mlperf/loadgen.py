"""Logs of MLPerf's load generator as types: the detail log's lines and the summary's."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MARK = b":::MLLOG "
_SUMMARY_LINE = re.compile(r"\s*([^:]+?)\s*:\s*(.*?)\s*")
_DIGITS = 400
"""The longest number or text of a log that is looked at."""


@dataclass(frozen=True)
class LoadgenLog:
    """One detail log: its facts by key, and what is wrong with it."""

    facts: Mapping[str, Any]
    """The last value of each key."""
    contradictions: tuple[str, ...] = ()
    """Keys of settings and results that are logged with different values."""
    errors: tuple[str, ...] = ()
    """Values of the lines that the load generator itself marks as errors."""
    broken: int = 0
    """Marked lines that cannot be read."""

    def number(self, key: str) -> float | int | None:
        """A finite number, from 0; none of anything else."""
        value = self.facts.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if 0 <= value < 1e300 else None

    def flag(self, key: str) -> bool | None:
        """Truth or falsehood; none of anything else."""
        value = self.facts.get(key)
        return value if isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        """A short text; none of anything else."""
        value = self.facts.get(key)
        return value if isinstance(value, str) and len(value) <= _DIGITS else None


def parse_detail(data: bytes) -> LoadgenLog:
    """Read ``mlperf_log_detail.txt``: text before the last mark of a line is ignored."""
    facts: dict[str, Any] = {}
    contradictions: dict[str, None] = {}
    errors: list[str] = []
    broken = 0
    for raw in data.split(b"\n"):
        at = raw.rfind(MARK)
        if at < 0:
            continue
        line = _line(raw[at + len(MARK) :])
        if line is None:
            broken += 1
            continue
        key, value, is_error = line
        if is_error:
            errors.append(f"{key}: {value}"[:_DIGITS])
        if key in facts and facts[key] != value and _is_stated_once(key):
            contradictions[key] = None
        facts[key] = value
    return LoadgenLog(facts, tuple(contradictions), tuple(errors), broken)


def _line(text: bytes) -> tuple[str, Any, bool] | None:
    try:
        fields = json.loads(text.decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("key"), str):
        return None
    metadata = fields.get("metadata")
    marked = isinstance(metadata, dict) and metadata.get("is_error") is True
    return fields["key"], fields.get("value"), marked


def _is_stated_once(key: str) -> bool:
    """Whether a run has one value of ``key``; messages and the logger's own counts have many."""
    return key.startswith(("effective_", "requested_", "result_", "early_stopping_", "generated_"))


def parse_summary(data: bytes) -> dict[str, str]:
    """Read ``mlperf_log_summary.txt``: the first value of each ``name : value`` line."""
    found: dict[str, str] = {}
    for line in data.decode("latin-1").split("\n"):
        match = _SUMMARY_LINE.fullmatch(line[:_DIGITS])
        if match:
            found.setdefault(match[1], match[2])
    return found
