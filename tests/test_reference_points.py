"""Making reference convergence points: to the target or the limit, kept, resumed, refused."""

from pathlib import Path
from typing import Any

import pytest
from toy import ToyWorkload, toy_card

from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from workloads import reference_points
from workloads.reference_points import Converged, converge, make_point, read_points

CARD = toy_card()
SETTINGS = {"global_batch_size": 4, "rate": 0.1}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which seeds were trained; seed 2 never converges."""
    seeds: list[int] = []

    def run(name: str, values: Any, seed: int, folder: Path | None) -> Converged:  # noqa: ARG001
        seeds.append(seed)
        return Converged(seed, None if seed == 2 else 100 * (seed + 1), 1.5)

    monkeypatch.setattr(reference_points, "_run", run)
    return seeds


def test_a_run_ends_at_the_first_evaluation_that_meets_the_target() -> None:
    run = converge(ToyWorkload(SimulatedClock(), [0.1, 0.9, 0.95]), {}, 5)
    assert (run.seed, run.samples) == (5, 200)


def test_a_run_that_never_meets_it_ends_at_the_limit() -> None:
    workload = ToyWorkload(SimulatedClock(), [0.1] * 5, limit=500)
    assert converge(workload, {}, 5).samples is None
    assert workload.session.samples == 500


def test_a_point_is_kept_and_gone_on_with(tmp_path: Path, ran: list[int]) -> None:
    path = tmp_path / "new" / "rcp.json"
    make_point(CARD, SETTINGS, 2, path)
    point = make_point(CARD, SETTINGS, 4, path)
    assert ran == [0, 1, 2, 3]
    assert point.samples_to_converge == (100, 200, None, 400)
    assert point.converged == (100, 200, 400)
    assert read_points(path) == (point,)
    assert (point.seconds, point.version) == ((1.5,) * 4, CARD.version)
    assert "torch" in point.measured_on


def test_what_was_measured_outlives_an_interruption(tmp_path: Path, ran: list[int]) -> None:
    def interrupt(run: Converged, done: int) -> None:  # noqa: ARG001
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_point(CARD, SETTINGS, 4, tmp_path / "rcp.json", told=interrupt)
    assert read_points(tmp_path / "rcp.json")[0].seeds == (0, 1)
    make_point(CARD, SETTINGS, 4, tmp_path / "rcp.json")
    assert ran == [0, 1, 2, 3]


@pytest.mark.usefixtures("ran")
def test_points_of_other_batch_sizes_stay_and_are_sorted(tmp_path: Path) -> None:
    for batch in (8, 4, 16):
        make_point(CARD, SETTINGS | {"global_batch_size": batch}, 1, tmp_path / "rcp.json")
    assert [p.global_batch_size for p in read_points(tmp_path / "rcp.json")] == [4, 8, 16]


@pytest.mark.usefixtures("ran")
def test_runs_of_other_settings_or_another_version_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "rcp.json"
    make_point(CARD, SETTINGS, 1, path)
    before = path.read_bytes()
    with pytest.raises(LevelfieldError, match="made with other settings"):
        make_point(CARD, SETTINGS | {"rate": 0.2}, 2, path)
    with pytest.raises(LevelfieldError, match="another version than 2"):
        make_point(CARD.model_copy(update={"version": "2"}), SETTINGS, 2, path)
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "rcp.json").write_text('{"a": 1}')
    with pytest.raises(LevelfieldError, match="not reference convergence points"):
        make_point(CARD, SETTINGS, 1, tmp_path / "rcp.json")
    assert (tmp_path / "rcp.json").read_text() == '{"a": 1}'
