"""What a result took beside its time: energy, money, carbon, and how well arithmetic was used."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.card import WorkloadCard
from harness.price import Grid, Price
from harness.records import HIGHER_IS_BETTER, Mode, Result
from harness.telemetry.energy import Boundary, Energy, energies
from rules.model_flops import model_flops_utilisation
from rules.round import Round, TrainingTerms
from rules.scoring import scored_runs, time_to_train, timed_window_ms
from rules.submission import Entry, RunEvidence, Submission

COVERED = 0.95
"""Share of its window that an energy must cover to be published."""
_MILLION = 1_000_000
_WIDEST = list(Boundary)
"""The widest last."""


@dataclass(frozen=True)
class Work:
    """What was done in the runs that count, the mean over them."""

    seconds: float
    """Of the timed window."""
    samples: float
    """Trained on, or answered."""
    tokens: float
    """Generated; 0 where none are, and in training."""
    training: bool

    def share(self, amount: float) -> "Per":
        """``amount``, of one run, of each thing that was done in it."""
        return Per(
            run=amount if self.training else None,
            sample=amount / self.samples if self.samples else None,
            token=amount / self.tokens if self.tokens else None,
        )


@dataclass(frozen=True)
class Per:
    """Energy (J), money or carbon (kg) of a training run, of a sample, of a generated token."""

    run: float | None
    sample: float | None
    token: float | None

    @property
    def million_samples(self) -> float | None:
        """Of a million samples."""
        return None if self.sample is None else self.sample * _MILLION

    @property
    def million_tokens(self) -> float | None:
        """Of a million tokens."""
        return None if self.token is None else self.token * _MILLION


@dataclass(frozen=True)
class EnergyUse:
    """Energy within one boundary, the mean over the runs that count."""

    boundary: Boundary
    sources: tuple[str, ...]
    """The quantities that it comes from, as ``nvml.energy_j``."""
    joules: float
    uncertainty_j: float
    """The mean of the runs' own: their errors may be of one sign."""
    watts: float
    """Over the timed window."""
    covered: float
    """The least share of a run's window that was covered."""
    per: Per
    performance_per_watt: float | None
    """The result's rate, or one over its time, in 1/s by ``watts``: 1/J."""

    @property
    def basis(self) -> str:
        """What it must have in common with another to be ranked beside it."""
        return self.boundary.value


@dataclass(frozen=True)
class Cost:
    """Money for the machine's time; electricity is not added."""

    currency: str
    per: Per

    @property
    def basis(self) -> str:
        """See `EnergyUse.basis`."""
        return self.currency


@dataclass(frozen=True)
class Carbon:
    """Kilograms of carbon dioxide for the energy within the widest boundary that was measured."""

    boundary: Boundary
    per: Per

    @property
    def basis(self) -> str:
        """See `EnergyUse.basis`."""
        return self.boundary.value


@dataclass(frozen=True)
class Efficiency:
    """Everything about one result that is not its speed."""

    work: Work
    energy: tuple[EnergyUse, ...]
    """The narrowest boundary first; empty where none was measured well enough."""
    left_out: tuple[str, ...]
    """Why an energy that was measured is not told, for people."""
    cost: Cost | None
    carbon: Carbon | None
    mfu: Mapping[str, float]
    """Model FLOPs utilisation by the run's path, as far as it is known."""


def comparable(a: EnergyUse | Cost | Carbon, b: EnergyUse | Cost | Carbon) -> str | None:
    """Why the two may not be ranked together; none if they may."""
    if type(a) is not type(b):
        return "they are not of one kind"
    return None if a.basis == b.basis else f"one is of {a.basis}, the other of {b.basis}"


def efficiency(
    submission: Submission, entry: Entry, terms: Round, card: WorkloadCard | None
) -> Efficiency | None:
    """What ``entry`` took; none of an imported result, and of one without a valid number.

    A training's is the mean over `kept_runs`; inference's is the performance run's. Docs:
    docs/energy.md.
    """
    runs = counted_runs(entry, terms)
    works = [work for run in runs if (work := _work(run)) is not None]
    if submission.origin or entry.result.value is None or not runs or len(works) != len(runs):
        return None
    work = Work(
        seconds=_mean([each.seconds for each in works]),
        samples=_mean([each.samples for each in works]),
        tokens=_mean([each.tokens for each in works]),
        training=works[0].training,
    )
    used, left_out = _energy(runs, work, entry.result)
    declared = submission.system.declared
    return Efficiency(
        work=work,
        energy=used,
        left_out=left_out,
        cost=_cost(declared.price, work) if declared and declared.price else None,
        carbon=_carbon(declared.grid, used, work) if declared and declared.grid else None,
        mfu={
            evidence.path: found
            for evidence in entry.runs
            if evidence.run.mode in (Mode.TRAINING, Mode.PERFORMANCE)
            and (found := model_flops_utilisation(evidence, card)) is not None
        },
    )


def counted_runs(entry: Entry, terms: Round) -> tuple[RunEvidence, ...]:
    """The runs that the result's number is the mean of, or the one that it is of."""
    if entry.of_mode(Mode.TRAINING):
        return kept_runs(entry.runs, terms.training)
    performance = entry.of_mode(Mode.PERFORMANCE)
    return performance if len(performance) == 1 else ()


def kept_runs(runs: Sequence[RunEvidence], terms: TrainingTerms) -> tuple[RunEvidence, ...]:
    """Those whose mean time is the Olympic time (`rules.scoring.olympic_mean`), fastest first.

    Empty where there is none.
    """
    ranked = sorted(scored_runs(runs, terms), key=time_to_train)
    kept = ranked[terms.drop : len(ranked) - terms.drop]
    lost = sum(math.isinf(time_to_train(run)) for run in ranked)
    if lost > terms.tolerated_non_converging or not kept or math.isinf(time_to_train(kept[-1])):
        return ()
    return tuple(kept)


def _work(evidence: RunEvidence) -> Work | None:
    """What one run did; none where its log has no window."""
    window_ms = timed_window_ms(evidence.log)
    if window_ms is None or window_ms[1] <= window_ms[0]:
        return None
    seconds = (window_ms[1] - window_ms[0]) / 1000
    if evidence.run.mode == Mode.TRAINING:
        last = evidence.log.last("eval_accuracy")
        samples = (last.samples_count if last else None) or 0
        return Work(seconds, float(samples), 0.0, training=True)
    log = evidence.queries
    if log is None:
        return None
    return Work(seconds, float(len(log)), float(log["tokens"].sum()), training=False)


def _energy(
    runs: Sequence[RunEvidence], work: Work, result: Result
) -> tuple[tuple[EnergyUse, ...], tuple[str, ...]]:
    """Each boundary that covers all ``runs``, and why others are left out."""
    measured = [_energies(run) for run in runs]
    used, left_out = [], []
    for boundary in Boundary:
        found = [of_run[boundary] for of_run in measured if boundary in of_run]
        if not found:
            continue
        covered = min(energy.covered for energy in found) if len(found) == len(runs) else 0.0
        if covered < COVERED:
            left_out.append(
                f"{boundary}: readings cover {covered:.0%} of a run's timed window; "
                f"at least {COVERED:.0%} are needed"
            )
        else:
            used.append(_use(found, covered, work, result))
    return tuple(used), tuple(left_out)


def _energies(evidence: RunEvidence) -> dict[Boundary, Energy]:
    window_ms = timed_window_ms(evidence.log)
    found = energies(evidence.telemetry, *window_ms) if window_ms else []
    return {energy.boundary: energy for energy in found}


def _use(found: Sequence[Energy], covered: float, work: Work, result: Result) -> EnergyUse:
    joules = _mean([energy.joules for energy in found])
    watts = joules / work.seconds
    return EnergyUse(
        boundary=found[0].boundary,
        sources=tuple(sorted({energy.source for energy in found})),
        joules=joules,
        uncertainty_j=_mean([energy.uncertainty_j for energy in found]),
        watts=watts,
        covered=covered,
        per=work.share(joules),
        performance_per_watt=_performance_per_watt(result, watts),
    )


def _performance_per_watt(result: Result, watts: float) -> float | None:
    value = result.value or 0.0
    if watts <= 0 or value <= 0:
        return None
    found = (value if HIGHER_IS_BETTER[result.metric] else 1 / value) / watts
    return found if math.isfinite(found) else None


def _cost(price: Price, work: Work) -> Cost:
    return Cost(price.currency, work.share(price.per_second * work.seconds))


def _carbon(grid: Grid, used: Sequence[EnergyUse], work: Work) -> Carbon | None:
    if not used:
        return None
    widest = max(used, key=lambda use: _WIDEST.index(use.boundary))
    return Carbon(widest.boundary, work.share(widest.joules * grid.kg_per_joule))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
