"""Renders the tables of RULES.md from the rules' docstrings and from the rounds."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import get_args

from harness.errors import LevelfieldError
from harness.records import Scenario
from rules.mlperf.case import STRICT_SCOPES
from rules.mlperf.strict import STRICT_RULES
from rules.registry import Scope
from rules.round import Round, SeedName, read_round, round_names
from rules.rule import RULES, Rule

SCOPES: dict[Scope, str] = {
    "submission": "the submission",
    "result": "each result",
    "run": "each run",
    "train": "each training run",
    "inference": "each inference run",
}
"""What a rule is called with, in words."""

_DEVIATIONS = {"all": "all runs", "trimmed": "the runs that are not dropped"}
_PRUNINGS = {"hull": "the lower convex hull", "walk": "MLPerf's single pass"}


def write(path: Path) -> None:
    """Bring the tables in ``path`` up to date; `LevelfieldError` if it or its marks are missing."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error}; run this in the root of a checkout"
        ) from error
    path.write_text(render(text, str(path)), "utf-8")


def render(text: str, where: str) -> str:
    """``text`` with each marked table made anew."""
    tables = {"rules": rules_table, "rounds": rounds_table, "mlperf": strict_table}
    for name, table in tables.items():
        text = _between(text, name, table, where)
    return text


def _between(text: str, name: str, table: Callable[[], str], where: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise LevelfieldError(
            f"{where}: the marks {begin.strip()} … {end} are missing; restore them"
        )
    return f"{before}{begin}{table()}{end}{after}"


def rules_table() -> str:
    """Every rule in order: number, what it is judged on, text."""
    return _table(RULES.values(), SCOPES)


def strict_table() -> str:
    """Every rule of the strict reading of official results, in the same way."""
    return _table(STRICT_RULES.values(), STRICT_SCOPES)


def _table(rules: Iterable[Rule], on: Mapping[Scope, str]) -> str:
    rows = "".join(_rule_row(one, on[one.on]) for one in rules)
    return f"| number | judged on | rule |\n|---|---|---|\n{rows}"


def _rule_row(one: Rule, on: str) -> str:
    rest = one.text.removeprefix(one.title).strip()
    text = " ".join(f"**{one.title}** {rest}".split()).replace("``", "`").replace("|", "\\|")
    return f'| <a id="{one.number}"></a>{one.number} | {on} | {text} |\n'


def rounds_table() -> str:
    """What each round asks, a column a round."""
    rounds = [read_round(name) for name in round_names()]
    columns = [terms_in_words(terms) for terms in rounds]
    head = " | ".join(["", *(terms.name for terms in rounds)]).strip()
    lines = [f"| {head} |", "|---" * (len(rounds) + 1) + "|"]
    lines += [f"| {' | '.join([name, *(c[name] for c in columns)])} |" for name in columns[0]]
    return "\n".join(lines) + "\n"


def terms_in_words(terms: Round) -> dict[str, str]:
    """What a round asks, by what it is about: the cells of its column."""
    training = terms.training
    asked = {
        "results are ranked": _yes(terms.rankable),
        "workloads": ", ".join(f"`{name}`" for name in terms.workloads),
        "divisions": ", ".join(terms.divisions),
        "system must be declared": _yes(terms.declared_system_required),
        "harness must be clean": _yes(terms.clean_harness_required),
        "every run must be announced": _yes(terms.intents_required),
        "training runs a result": str(training.runs),
        "runs dropped at each end": str(training.drop),
        "runs that may miss the target": str(training.tolerated_non_converging),
    }
    asked |= _convergence_terms(terms)
    for division, limit_s in training.init_limit_s.items():
        asked[f"initialisation, {division}"] = f"at most {limit_s:,} s"
    asked["accuracy of inference"] = f"at least {terms.accuracy_floor:.0%} of the reference's"
    for scenario, facts in terms.inference.items():
        offline = scenario == Scenario.OFFLINE
        unit = "samples" if offline else "queries"
        asked[f"{scenario}: duration"] = f"at least {facts.min_duration_s:g} s"
        asked[f"{scenario}: {unit}"] = f"at least {facts.min_query_count:,}"
        if not offline:
            asked[f"{scenario}: latency percentile"] = f"{facts.percentile:.0%}"
    return asked | _common_terms(terms)


def _convergence_terms(terms: Round) -> dict[str, str]:
    """What a round asks of convergence beside the reference's."""
    asked = terms.convergence
    grid = ", with the evaluation grid's variance" if asked.grid_variance else ""
    granted = (f"{name} {samples:,}" for name, samples in asked.allowance_samples.items())
    return {
        "convergence: significance of the t-test": f"{asked.significance:g}",
        "convergence: reference runs dropped at each end": str(asked.drop),
        "convergence: deviation": f"of {_DEVIATIONS[asked.deviation]}{grid}",
        "convergence: reference points kept": _PRUNINGS[asked.pruning],
        "convergence: limit": asked.limit.replace("_", " "),
        "convergence: samples granted": ", ".join(granted) or "none",
    }


def _common_terms(terms: Round) -> dict[str, str]:
    """What a round asks of inference in every scenario."""
    audits, late_ms = terms.audits, terms.max_lateness_s * 1000
    asked = {"generator is late (99th percentile)": f"from {late_ms:g} ms, a warning"}
    for name in get_args(SeedName):
        asked[f"seed, {name}"] = str(terms.seeds.get(name, "drawn for each run"))
    asked["audits"] = ", ".join(audits.required) or "none required"
    asked["speed of an audit run"] = f"within {audits.tolerance:.0%}"
    asked["sampled answers that are equal"] = f"at least {audits.equal_answers:.0%}"
    asked["difference of equal numbers"] = f"at most {audits.answer_tolerance:.1%}"
    asked["replication: ratio to the original"] = f"within {terms.replication_tolerance:.0%}"
    return asked


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
