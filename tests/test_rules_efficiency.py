"""rules/efficiency.py and rules/model_flops.py: joules, money, carbon and MFU by hand."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from valid import CARD, REFERENCE, ROUND, inference_run, training_run, valid_submission

from harness.events import EventLog
from harness.price import Grid, Price
from harness.records import METRIC_OF, Division, Mode, Peak, Result, RunStatus, Scenario
from harness.telemetry.energy import Boundary
from harness.telemetry.log import Reading, Sample, TelemetryLog
from rules.efficiency import Efficiency, comparable, efficiency, kept_runs
from rules.model_flops import model_flops_utilisation
from rules.scoring import score, time_to_train, timed_window_ms
from rules.submission import Entry, RunEvidence, Submission

SOURCE = {"source": "https://example.org/", "date": "2026-11-01"}
PRICE = Price(amount=3.6, currency="EUR", kind="on_demand", **SOURCE)
GRID = Grid(g_co2_per_kwh=360.0, region="North", **SOURCE)
Quantities = Mapping[tuple[str, str], Callable[[float], Reading]]


def measured(evidence: RunEvidence, quantities: Quantities) -> RunEvidence:
    """The run with readings every 100 ms, from 200 ms before its window to 200 ms after it."""
    window = timed_window_ms(evidence.log)
    assert window is not None
    samples = tuple(
        Sample(time_ms=at, source=source, values={name: reading((at - window[0]) / 1000 + 1)})
        for (source, name), reading in quantities.items()
        for at in range(window[0] - 200, window[1] + 300, 100)
    )
    return replace(evidence, telemetry=TelemetryLog(samples))


def wall(watts: float) -> Quantities:
    return {("meter", "power_w"): lambda _: watts}


def board(watts: float) -> Quantities:
    return {("nvml", "energy_j"): lambda seconds: (watts * seconds,)}


def entry_of(scenario: Scenario, runs: Sequence[RunEvidence]) -> Entry:
    result = Result(
        workload=CARD.name,
        scenario=scenario,
        division=Division.CLOSED,
        metric=METRIC_OF[scenario],
        value=score(scenario, runs, ROUND),
        runs=tuple(run.path.rpartition("/")[2] for run in runs),
    )
    return Entry(f"results/{CARD.name}/{scenario}", result, tuple(runs))


def submission_of(**declared: object) -> Submission:
    submission = valid_submission()
    assert submission.system.declared is not None
    changed = submission.system.declared.model_copy(update=declared)
    system = submission.system.model_copy(update={"declared": changed})
    return replace(submission, system=system)


def found(entry: Entry, **declared: object) -> Efficiency:
    result = efficiency(submission_of(**declared), entry, ROUND, CARD)
    assert result is not None
    return result


def trained(*quantities: Quantities) -> Entry:
    """Runs of 3.0, 1.8 and 2.4 s, of which the last is kept."""
    runs = [training_run(number, n) for number, n in enumerate((5, 3, 4))]
    return entry_of(Scenario.TRAIN, [measured(r, q) for r, q in zip(runs, quantities, strict=True)])


def answered(scenario: Scenario, quantities: Quantities) -> Entry:
    run = inference_run(scenario, Mode.PERFORMANCE)
    return entry_of(scenario, [measured(run, quantities), inference_run(scenario, Mode.ACCURACY)])


def test_a_trainings_energy_is_of_the_runs_that_its_time_is_of() -> None:
    result = found(trained(wall(1e6), wall(1e3), wall(100)))
    (use,) = result.energy
    assert use.boundary == Boundary.WALL
    assert (use.joules, use.watts) == (pytest.approx(240), pytest.approx(100))
    assert use.per.run == use.joules
    assert use.per.sample == pytest.approx(240 / (4 * 960))
    assert use.per.token is None
    assert use.performance_per_watt == pytest.approx(1 / 2.4 / 100)


@pytest.mark.parametrize("evaluations", [(5, 3, 4), (3, 3, 3), (9, 2, 7, 4, 4), (2, 9, 3, 5, 5, 8)])
def test_the_kept_runs_have_the_olympic_time(evaluations: Sequence[int]) -> None:
    runs = [training_run(number, n) for number, n in enumerate(evaluations)]
    kept = kept_runs(runs, ROUND.training)
    mean = sum(map(time_to_train, kept)) / len(kept)
    assert mean == pytest.approx(score(Scenario.TRAIN, runs, ROUND))


def test_lost_runs_are_not_kept_and_too_many_leave_none() -> None:
    runs = [training_run(number, n) for number, n in enumerate((5, 3, 4))]
    lost = [replace(r, run=r.run.model_copy(update={"status": RunStatus.ABORTED})) for r in runs]
    assert [r.path for r in kept_runs([lost[0], *runs[1:]], ROUND.training)] == [runs[2].path]
    assert kept_runs(lost, ROUND.training) == ()
    assert efficiency(submission_of(), entry_of(Scenario.TRAIN, lost), ROUND, CARD) is None


def test_joules_of_samples_and_of_tokens() -> None:
    entry = answered(Scenario.INTERACTIVE, board(50))
    queries = entry.runs[0].queries
    assert queries is not None
    result = found(entry)
    (use,) = result.energy
    assert use.joules == pytest.approx(50 * result.work.seconds)
    assert use.per.run is None
    assert use.per.sample == pytest.approx(use.joules / len(queries))
    assert use.per.token == pytest.approx(use.joules / int(queries["tokens"].sum()))
    assert use.uncertainty_j == pytest.approx(2 * 50 * 0.1, rel=0.01)
    assert use.performance_per_watt == pytest.approx(entry.result.value / 50)  # type: ignore[operator]


def test_cost_is_price_by_time() -> None:
    result = found(trained(wall(1), wall(1), wall(1)), price=PRICE)
    assert result.cost is not None
    assert (result.cost.currency, result.cost.per.run) == ("EUR", pytest.approx(2.4 * 0.001))
    assert result.cost.per.million_samples == pytest.approx(2400 / (4 * 960))
    assert found(trained(wall(1), wall(1), wall(1))).cost is None


def test_carbon_is_of_the_widest_boundary() -> None:
    both = {**wall(200), **board(90)}
    result = found(trained(both, both, both), grid=GRID)
    assert [use.boundary for use in result.energy] == [Boundary.BOARD, Boundary.WALL]
    assert result.carbon is not None
    assert result.carbon.boundary == Boundary.WALL
    assert result.carbon.per.run == pytest.approx(480 * 1e-7)
    unmeasured = found(trained({}, {}, {}), grid=GRID, price=PRICE)
    assert (unmeasured.energy, unmeasured.carbon) == ((), None)
    assert unmeasured.cost is not None


def test_an_energy_that_covers_too_little_is_left_out_with_the_reason() -> None:
    gap: Quantities = {("meter", "power_w"): lambda t: 100.0 if t < 2 else None}
    result = found(trained(gap, gap, gap))
    assert result.energy == ()
    assert result.left_out == (
        "wall: readings cover 38% of a run's timed window; at least 95% are needed",
    )


def test_other_boundaries_and_currencies_are_not_ranked_together() -> None:
    at_wall = found(trained(wall(1), wall(1), wall(1)), price=PRICE)
    on_board = found(
        trained(board(1), board(1), board(1)), price=PRICE.model_copy(update={"currency": "USD"})
    )
    assert comparable(at_wall.energy[0], at_wall.energy[0]) is None
    assert comparable(at_wall.energy[0], on_board.energy[0]) == "one is of wall, the other of board"
    assert at_wall.cost is not None
    assert on_board.cost is not None
    assert comparable(at_wall.cost, on_board.cost) == "one is of EUR, the other of USD"
    assert comparable(at_wall.cost, on_board.energy[0]) == "they are not of one kind"


def with_peak(evidence: RunEvidence, flops: Mapping[str, float]) -> RunEvidence:
    peak = Peak(device="CPU", flops=dict(flops), bandwidth_bytes_per_s=1.0, measured_ms=0)
    return replace(evidence, run=evidence.run.model_copy(update={"peak": peak}))


def test_mfu_is_of_the_time_in_blocks() -> None:
    flops = REFERENCE.card.training.flops_per_sample
    assert flops is not None
    run = with_peak(training_run(0, 4), {"fp32": flops * 960 * 4.0})
    assert model_flops_utilisation(run, CARD) == pytest.approx(0.5)  # 960 samples in 0.5 s
    entry = entry_of(Scenario.TRAIN, [run, training_run(1, 4), training_run(2, 4)])
    assert found(entry).mfu == {run.path: pytest.approx(0.5)}


def test_mfu_of_inference_is_of_the_window() -> None:
    flops, run = CARD.inference.flops_per_sample, inference_run(Scenario.OFFLINE, Mode.PERFORMANCE)
    window = timed_window_ms(run.log)
    assert flops is not None
    assert window is not None
    assert run.queries is not None
    rate = len(run.queries) / (window[1] - window[0]) * 1000
    found = model_flops_utilisation(with_peak(run, {"fp32": flops * rate * 8}), CARD)
    assert found == pytest.approx(1 / 8)


def test_mfu_needs_a_peak_in_the_precision_and_a_whole_log() -> None:
    run = training_run(0, 4)
    assert model_flops_utilisation(run, CARD) is None
    assert model_flops_utilisation(with_peak(run, {"bf16": 1e12}), CARD) is None
    whole = with_peak(run, {"fp32": 1e12})
    assert model_flops_utilisation(whole, None) is None
    assert model_flops_utilisation(replace(whole, log=EventLog(())), CARD) is None
    tiny = model_flops_utilisation(with_peak(run, {"fp32": 5e-324}), CARD)
    assert tiny is None or math.isfinite(tiny)
