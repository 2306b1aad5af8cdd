"""The official verdict on an imported result, as rows of a table."""

from portal.quantities import for_people
from rules.mlperf.official import DirectoryVerdict


def verdict_rows(verdict: DirectoryVerdict) -> list[tuple[str, str]]:
    """What the official tools say, in the order in which they come to it."""
    refused = sum(not one.compliant for one in verdict.files.values())
    texts = sorted({text for one in verdict.files.values() for text in one.warnings + one.errors})
    rows = [
        ("Verdict", "; ".join(verdict.rejected) or "accepted"),
        ("Logs", f"{verdict.n_files}, of which {refused} do not comply"),
        ("Remarks on the logs", "; ".join(texts)),
        ("Seeds", _seeds(verdict)),
        ("Convergence", verdict.rcp_msg or "not asked"),
        ("Mean point of convergence", _number(verdict.submission_mean)),
        ("Mean of the reference", _number(verdict.rcp_mean)),
        ("Batch size of the reference", _number(verdict.rcp_bs)),
        ("Time of the runs", _minutes(verdict.olympic_unscaled)),
        ("Factor for fast convergence", _number(verdict.scaling_after)),
        ("Factor that was published", _number(verdict.published_scaling)),
        ("Score with the factor", _minutes(verdict.score_with_rcp_scaling)),
        ("Score as published", _minutes(verdict.score_with_published_scaling)),
    ]
    return [(name, said) for name, said in rows if said]


def _seeds(verdict: DirectoryVerdict) -> str:
    if verdict.seed_ok is None:
        return "not asked"
    return "; ".join(verdict.seed_errors) or "each run has its own"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _minutes(value: float | None) -> str:
    """``12.345 min``, as the official tools print scores; below ten minutes in seconds as well."""
    if value is None:
        return ""
    shown, minutes = for_people(value * 60, "s", 4), f"{value:.3f} min"
    return minutes if shown.unit == "min" else f"{minutes} ({shown})"
