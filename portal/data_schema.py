"""The tables and views of the downloads: each column is described here and nowhere else."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One table of the downloads."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    """Name, SQLite type, meaning."""
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class View:
    """A question that the SQLite file answers by name."""

    name: str
    about: str
    sql: str


STATUSES = {
    "passed": ("", "✓", "check passed"),
    "imported": ("", "✓", "accepted by its own tools"),
    "practice": ("warn", "△", "practice: not rankable"),
    "unscored": ("bad", "✕", "no score"),
    "refused": ("bad", "✕", "refused"),
}
"""What may be said of a result, with the kind, icon and words of its tag on the pages."""

RESULTS = Table(
    "results",
    "A row a published result, refused ones too: see errors and status.",
    (
        ("id", "TEXT", "name of the result, as in its page's address"),
        ("bundle", "TEXT", "id of the bundle, from its manifest's SHA-256"),
        ("manifest_sha256", "TEXT", "SHA-256 of the bundle's manifest.json"),
        ("round", "TEXT", "round that the bundle was submitted to"),
        ("rankable", "INTEGER", "1 if the round ranks; 0 for practice"),
        ("workload", "TEXT", "workload"),
        ("scenario", "TEXT", "train, or one of inference: single_stream, multi_stream, …"),
        ("division", "TEXT", "closed or open"),
        ("submitter", "TEXT", "who submitted the bundle"),
        ("organisation", "TEXT", "who made the system, as declared"),
        ("system", "TEXT", "name of the system"),
        ("sut", "TEXT", "system under test, package.module:Class; null for training"),
        ("precision", "TEXT", "arithmetic that it was asked for, null if for none"),
        ("metric", "TEXT", "what value is"),
        ("value", "REAL", "the score, null if the runs give none"),
        ("low", "REAL", "lower end of value's 95 % interval, null where runs are too few for one"),
        ("high", "REAL", "upper end, null too where it is open because a run missed the target"),
        ("without_luck", "REAL", "training: seconds per sample times the reference's samples"),
        ("unit", "TEXT", "SI unit of value; what 1/s counts, metric says"),
        ("work", "TEXT", "what energy_j and cost are of: one training run, sample or token"),
        ("energy_j", "REAL", "energy of one work within energy_boundary, null if not measured"),
        ("energy_boundary", "TEXT", "the widest measured: package, board, node or wall"),
        ("cost", "REAL", "price of the machine's time for one work, null if it states none"),
        ("currency", "TEXT", "currency of cost"),
        (
            "rank",
            "INTEGER",
            "place on its leaderboard, shared by results that cannot be told "
            "apart, null if it has none",
        ),
        ("errors", "INTEGER", "findings that refuse it"),
        ("warnings", "INTEGER", "findings to know of"),
        ("trust", "TEXT", "trust level"),
        ("page", "TEXT", "its page, from the root of the site"),
        ("status", "TEXT", f"one of {', '.join(STATUSES)}"),
        ("higher_is_better", "INTEGER", "1 if more of value is better, 0 if less is"),
        ("runs", "INTEGER", "runs that the bundle holds of it, accuracy and audits too"),
        ("started_ms", "INTEGER", "wall time of its newest run's start, ms since the Unix epoch"),
        ("accelerator", "TEXT", "models of the accelerators, null if it has none"),
        ("accelerators", "INTEGER", "number of accelerators"),
        ("availability", "TEXT", "available, preview or research, null if not declared"),
    ),
    key=("id",),
    indexes=(("round", "workload", "scenario", "division"), ("organisation",), ("system",)),
)
RUNS = Table(
    "runs",
    "A row a run of a result.",
    (
        ("result", "TEXT", "id of the result"),
        ("number", "INTEGER", "number of the run within the result, from 1"),
        ("run", "TEXT", "the run's own random id"),
        ("mode", "TEXT", "training, performance, accuracy or audit"),
        ("audit", "TEXT", "doubt that an audit run settles, null for other runs"),
        ("status", "TEXT", "how the run ended"),
        ("started_ms", "INTEGER", "wall time of its start, ms since the Unix epoch"),
        ("duration_ns", "INTEGER", "timed window in nanoseconds"),
        ("value", "REAL", "the run's own value in the result's unit, null if it has none"),
        ("dropped", "INTEGER", "1 if the score leaves it out"),
        ("quality", "REAL", "quality that it reached or answered with"),
        ("samples", "INTEGER", "samples trained on or answered"),
        ("mfu", "REAL", "model FLOPs utilisation of the measured peak, null if not known"),
        ("log", "TEXT", "its log's page, from the root of the site"),
    ),
    key=("result", "number"),
    indexes=(("run",),),
)
FINDINGS = Table(
    "findings",
    "A row a finding of the check against a result; one against a whole bundle stands at each.",
    (
        ("result", "TEXT", "id of the result"),
        ("rule", "TEXT", "number of the rule"),
        ("severity", "TEXT", "error or warning"),
        ("message", "TEXT", "what is wrong"),
        ("file", "TEXT", "file in the bundle, null if it is of no file"),
        ("line", "INTEGER", "line in that file, null if it is of no line"),
        ("refuses", "INTEGER", "1 if it refuses the result: an error that nothing sets aside"),
    ),
    indexes=(("result",), ("rule",)),
)
TABLES = (RESULTS, RUNS, FINDINGS)

VIEWS = (
    View(
        "leaderboard",
        "Results that stand, board by board, best first. “place” counts by score alone; “rank” is "
        "that of the site, where results that cannot be told apart share one.",
        "select round, workload, scenario, division, rank() over (partition by round, workload, "
        "scenario, division order by case when higher_is_better then -value else value end) as "
        "place, rank, system, organisation, value, low, high, unit, status, trust, id as result, "
        "page from results where errors = 0 and value is not null "
        "order by round, workload, scenario, division, place, id",
    ),
    View(
        "refusals",
        "What refuses results: a row a finding, with whose result it is.",
        "select findings.result, round, workload, scenario, division, system, organisation, rule, "
        "message, file, line from findings join results on results.id = findings.result "
        "where refuses = 1 order by findings.result, findings.rowid",
    ),
    View(
        "organisations",
        "How many results each organisation has, how many of them stand, and how many rank first.",
        "select organisation, count(*) as results, sum(errors = 0 and value is not null) as "
        "standing, sum(rank is not null and rank = 1) as first from results group by organisation "
        "order by organisation",
    ),
)
