"""Prints docs/workloads.md from the cards and their reference points: redirect its output there."""

from statistics import median

from harness.card import ReferenceConvergencePoint, WorkloadCard
from workloads.catalogue import benchmark_names, load_card, load_points

HEAD = """\
# Workloads

Seven reference workloads, each at up to three scales. *mini* takes two processor cores and a
training of 20 to 60 seconds; *standard* one data-centre accelerator and 5 to 60 minutes; *full* is
the model and the data set of MLPerf's own workload, which you bring. A target stands beside the
optimum where the data's generator tells it exactly: the distance between the two is what is left
to learn. A scale whose target nobody has measured may be run and is not ranked.

```console
levelfield run language_model --scenario train
levelfield run language_model --scale standard --scenario train
levelfield rcp language_model --batch-size 64 --runs 20
```

This page is printed by `docs/suite.py` from the cards and the reference points.
"""


def render() -> str:
    """The page."""
    cards = [load_card(name) for name in benchmark_names()]
    return "\n".join([HEAD, *_targets(cards), "", *_points(cards), "", *_serving(cards), ""])


def _targets(cards: list[WorkloadCard]) -> list[str]:
    rows = [
        "## Training",
        "",
        "| workload | scale | model | data | target | optimum | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        target = card.training.target
        sign = "≥" if target.higher_is_better else "≤"
        optimum = "not known exactly" if target.optimum is None else f"{target.optimum:.6g}"
        rows.append(
            f"| [{card.workload}](../workloads/{card.workload}/README.md) | {card.scale} | "
            f"{card.model} | {card.data} | {target.metric} {sign} {target.value:.6g} | "
            f"{optimum} | {card.measured or 'not yet'} |"
        )
    return rows


def _points(cards: list[WorkloadCard]) -> list[str]:
    rows = [
        "## Reference convergence points",
        "",
        "How many samples the reference needed, over so many seeds, each run on one core. Seconds",
        "are of processor time, with data and evaluation: the median of the runs, on a machine",
        "that was busy with other work.",
        "",
        "| workload | batch size | tuned | converged | samples | mean | seconds | date |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        rows += [_point(card, point) for point in load_points(card.name)]
    return rows


def _point(card: WorkloadCard, point: ReferenceConvergencePoint) -> str:
    known, found = card.training.hyperparameters, point.converged
    tuned = ", ".join(
        f"{name} {value:g}"
        for name, value in point.hyperparameters.items()
        if name != "global_batch_size" and value != known[name].default
    )
    reach = (
        f"{min(found):,} to {max(found):,} | {sum(found) / len(found):,.0f}" if found else "— | —"
    )
    seconds = f"{median(point.seconds):.1f}" if point.seconds else "—"
    return (
        f"| {card.name} | {point.global_batch_size} | {tuned or '—'} | {len(found)} of "
        f"{len(point.seeds)} | {reach} | {seconds} | {point.date} |"
    )


def _serving(cards: list[WorkloadCard]) -> list[str]:
    rows = [
        "## Inference",
        "",
        "| workload | scale | samples | quality of the shipped weights | scenarios | bound |",
        "|---|---|---|---|---|---|",
    ]
    for card in cards:
        facts = card.inference
        bounds = [
            f"{word} {1e3 * bound:g} ms"
            for word, bound in (
                ("latency", facts.latency_bound_s),
                ("first token", facts.ttft_bound_s),
                ("token", facts.tpot_bound_s),
            )
            if bound is not None
        ]
        quality = f"{facts.reference_quality:.6g}" if facts.reference_quality else "—"
        rows.append(
            f"| {card.workload} | {card.scale} | {facts.samples:,} | {facts.metric} "
            f"{quality} | {', '.join(facts.scenarios) or '—'} | "
            f"{', '.join(bounds) or '—'} |"
        )
    return rows


if __name__ == "__main__":
    print(render(), end="")
