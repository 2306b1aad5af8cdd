"""Questions that the SQLite file answers, as examples: each is run by a test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """A question and the SQL that answers it."""

    name: str
    question: str
    sql: str


QUERIES = (
    Query(
        "fastest_training",
        "Which systems train fastest, in seconds?",
        "select round, workload, division, system, value\n"
        "from leaderboard\n"
        "where scenario = 'train' and status <> 'practice' and place <= 3\n"
        "order by round, workload, division, place",
    ),
    Query(
        "least_energy",
        "Which systems take the least energy for the same work?",
        "select workload, scenario, system, energy_j, work, energy_boundary\n"
        "from results\n"
        "where errors = 0 and energy_j is not null\n"
        "order by workload, scenario, energy_boundary, energy_j",
    ),
    Query(
        "spread_of_runs",
        "How far apart are the runs of one training?",
        "select results.system, count(*) as runs, min(runs.value) as least, "
        "max(runs.value) as most\n"
        "from runs join results on results.id = runs.result\n"
        "where runs.mode = 'training' and runs.value is not null\n"
        "group by results.id\n"
        "order by most / least desc",
    ),
    Query(
        "why_refused",
        "Why are results refused?",
        "select rule, count(*) as results, min(message) as message\n"
        "from refusals\n"
        "group by rule\n"
        "order by results desc, rule",
    ),
)
