"""portal/static/significance.js decides as rules/significance.py does: golden cases that both
recompute, and many random ones.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import in_chromium
from playwright.sync_api import Browser, Page

from portal.rendering import STATIC
from rules.significance import (
    Estimate,
    Runs,
    Verdict,
    compare_estimates,
    estimate_mean,
    estimate_score,
    holm,
    verdicts,
)

GOLDEN = Path(__file__).parent / "golden" / "significance.json"
"""Families of comparisons. Each has the runs of both sides, what Python makes of them, and what is
said of the whole family. Null stands for infinity.
"""


def _runs(given: dict[str, Any]) -> Runs:
    known = {key: tuple(map(_number, given[key])) for key in ("seconds", "samples")}
    return Runs(**{**given, **known})


def _number(value: float | None) -> float:
    return math.inf if value is None else value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _estimate(given: dict[str, Any]) -> Estimate | None:
    """Of a mean where the case gives times alone, else of a score."""
    return estimate_mean(given["times"]) if "times" in given else estimate_score(_runs(given))


def _told(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "value": estimate.value,
        "variance": estimate.variance,
        "freedom": estimate.freedom,
        "runs": [_finite(one) for one in estimate.runs],
    }


def solve(family: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Python says of pairs of runs, as golden cases hold it."""
    sides = [(_estimate(pair["a"]), _estimate(pair["b"])) for pair in family]
    found = [compare_estimates(a, b) for a, b in sides]
    raised = iter(holm([one.p_ratio for one in found if one]))
    return [
        {
            "a": _told(a),
            "b": _told(b),
            "compared": {
                "ratio": one.ratio,
                "low": one.interval.low,
                "high": one.interval.high,
                "pRatio": one.p_ratio,
                "pRanks": one.p_ranks,
                "pHolm": next(raised),
            }
            if one
            else None,
            "verdict": said.value,
        }
        for (a, b), one, said in zip(sides, found, verdicts(found), strict=True)
    ]


def random_family(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One to five pairs: few runs and many, ties, lost runs, scaling, a score's and means."""
    means = bool(rng.integers(2))
    base = _random_runs(rng, means, 1.0)
    return [
        {"a": _random_runs(rng, means, float(np.exp(0.3 * rng.normal()))), "b": base}
        for _ in range(rng.integers(1, 6))
    ]


def _random_runs(rng: np.random.Generator, means: bool, slowness: float) -> dict[str, Any]:
    n = int(rng.choice([4, 5, 5, 6, 8, 10]))
    spread, coarse = rng.choice([0.0, 0.002, 0.03, 0.2]), bool(rng.integers(2))
    drawn = slowness * np.exp(spread * rng.normal(size=n))
    times = [float(one) for one in (np.ceil(drawn * 9) / 9 if coarse else drawn)]
    if means:
        return {"times": times}
    lost = rng.integers(n) if rng.random() < 0.2 else None
    return {
        "seconds": [None if at == lost else one for at, one in enumerate(times)],
        "samples": [None if at == lost else 100 * one for at, one in enumerate(times)],
        "drop": 1,
        "tolerated": 1,
        "reference": 110.0 if rng.random() < 0.3 else None,
        "stretch": n - 1 if rng.random() < 0.2 else None,
    }


def _golden() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(GOLDEN.read_text("utf-8"))
    return found


def _same(one: Any, other: Any, rel: float) -> bool:
    """Equal, numbers nearly."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k], rel) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other, [rel] * len(one)))
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=rel, abs_tol=1e-300)
    return bool(one == other)


@pytest.mark.parametrize("case", _golden(), ids=lambda case: case["about"])
def test_python_says_what_the_golden_cases_hold(case: dict[str, Any]) -> None:
    assert _same(solve(case["pairs"]), case["said"], 1e-9)


def test_golden_cases_hold_every_verdict() -> None:
    said = {one["verdict"] for case in _golden() for one in case["said"]}
    assert said == {"A faster", "B faster", "cannot tell", "too few runs"}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    found = browser.new_page()
    found.add_script_tag(path=STATIC / "significance.js")
    yield found
    found.close()


_SOLVE = """families => families.map(family => {
  const known = one => one && { ...one, runs: one.runs.map(r => r === null ? Infinity : r) };
  const found = family.map(p => levelfieldSignificance.compare(known(p.a), known(p.b)));
  return levelfieldSignificance.verdicts(found).map((said, at) => ({
    compared: found[at] && { ...found[at], pHolm: said.p },
    verdict: said.verdict,
  }));
})"""


def _in_browser(page: Page, families: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = page.evaluate(_SOLVE, families)
    return found


def _judged(family: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("compared", "verdict")} for one in family]


@in_chromium
def test_the_script_says_what_the_golden_cases_hold(page: Page) -> None:
    said = [case["said"] for case in _golden()]
    for ours, theirs in zip(_in_browser(page, said), said, strict=True):
        assert _same(_judged(theirs), ours, 1e-9)


@in_chromium
def test_the_script_decides_many_random_cases_alike(page: Page) -> None:
    rng = np.random.default_rng(11)
    families = [solve(random_family(rng)) for _ in range(600)]
    for ours, theirs in zip(_in_browser(page, families), families, strict=True):
        assert _same(_judged(theirs), ours, 1e-9)
    said = [one["verdict"] for family in families for one in family]
    shares = [said.count(verdict) for verdict in Verdict]
    assert min(shares) > 200, shares
