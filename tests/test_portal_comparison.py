"""Two bundles side by side: numbers, words, and dots."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from portal_example import (
    HOSTILE,
    all_scenarios,
    finding,
    published,
    reference_of,
    system,
    training_run,
)
from run_folders import write_runs
from toy import toy_card

from harness.cli import cli
from harness.errors import LevelfieldError
from harness.records import Scenario
from portal import listing, scores
from portal.comparison import Row, compare_bundles, comparison_json
from portal.comparison_text import LEGEND, describe_comparison, draw
from portal.listing import Published
from rules.significance import Verdict
from submissions.pack import pack


def _bundle(name: str, runs: list[Any], **facts: Any) -> Published:
    facts = {"round_name": "2026.1", "submitter": name, **facts}
    return published(system(f"Machine {name}", name), runs, **facts)


def _machine(name: str, slowness: float, **facts: Any) -> Published:
    return _bundle(name, all_scenarios(slowness), **facts)


def _trained(name: str, *seconds: float, **facts: Any) -> Published:
    return _bundle(name, [training_run(n, s) for n, s in enumerate(seconds, 1)], **facts)


def _rows(slowness: float) -> list[Row]:
    return compare_bundles(_machine("a", 1.0), _machine("b", slowness))


def _text(rows: list[Row], width: int | None = None) -> str:
    return "\n".join(describe_comparison(rows, width))


@pytest.mark.parametrize(
    ("slowness", "verdict"),
    [(1.02, Verdict.CANNOT_TELL), (2.0, Verdict.A_FASTER), (0.5, Verdict.B_FASTER)],
)
def test_trainings_are_told_apart_by_their_runs(slowness: float, verdict: Verdict) -> None:
    train = next(row for row in _rows(slowness) if row.a.runs)
    assert train.verdict == verdict
    assert train.ratio == pytest.approx(1 / slowness)
    assert train.score is not None
    assert train.score.interval.low < 1 / slowness < train.score.interval.high


def test_one_run_of_inference_tells_nothing() -> None:
    offline = next(
        row for row in _rows(2.0) if row.a.listing.entry.result.scenario is Scenario.OFFLINE
    )
    assert (offline.verdict, offline.score) == (Verdict.TOO_FEW, None)
    assert "one run of each does not say what another would give" in _text([offline])


def test_three_runs_are_too_few() -> None:
    (row,) = compare_bundles(_trained("a", 1.0, 1.1, 1.2), _trained("b", 9.0, 9.1, 9.2))
    assert row.verdict is Verdict.TOO_FEW
    assert "it takes 5 of each" in _text([row])


def test_what_they_do_not_share_is_left_out() -> None:
    a, b = _machine("a", 1.0), _trained("b", *[9.0] * 5)
    assert [row.a.listing.entry.result.scenario for row in compare_bundles(a, b)] == ["train"]
    practice = _trained("b", *[9.0] * 5, round_name="practice")
    with pytest.raises(LevelfieldError, match="compare bundles of the same round"):
        compare_bundles(a, practice)


def test_words_hold_both_scores_the_ratio_and_the_verdict() -> None:
    text = _text(_rows(2.0))
    assert text.splitlines()[0].startswith("A  Machine a, a, bundle ")
    assert "image_classification train, closed division (lower is better)" in text
    assert "  A  8.63 s [8.2" in text
    assert "A / B = 0.5 [0.4" in text
    assert "A is faster" in text
    assert LEGEND not in text


def test_luck_is_parted_from_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the samples of the reference: without luck the times are half as long."""
    monkeypatch.setattr(scores, "load_points", lambda _: reference_of(6_000))
    train = next(row for row in _rows(2.0) if row.a.runs)
    assert train.speed_verdict is Verdict.A_FASTER
    text = _text([train])
    assert "without luck, at the reference's samples: A 4.320 s, B 8.640 s" in text
    assert text.count("A / B = 0.5 [") == 2


def test_a_terminal_sees_every_run_as_a_dot() -> None:
    lines = _text(_rows(2.0), 80).splitlines()
    drawn = [line for line in lines if line.startswith(("  A ", "  B ")) and "|" in line]
    assert len(drawn) == 2
    assert max(map(len, lines)) <= 80 or all("|" not in x for x in lines if len(x) > 80)
    for line in drawn:
        assert line.count("o") in (2, 3)  # the score may hide one of three
        assert line.count(".") == 2
    assert lines[-1] == LEGEND


def test_the_ends_of_the_axis_are_named_and_equal_runs_are_not_drawn() -> None:
    (row,) = compare_bundles(_trained("a", 1, 2, 3, 4, 5), _trained("b", 5, 6, 7, 8, 9))
    *_, axis = draw(row.a, row.b, 40)
    assert axis.split() == ["1.00", "s", "9.00", "s"]
    assert len(axis) == 44
    (same,) = compare_bundles(_trained("a", *[9.0] * 5), _trained("b", *[9.0] * 5))
    assert draw(same.a, same.b, 40) == []


def test_a_result_without_a_score_and_a_refused_one_say_so() -> None:
    lost = [training_run(n, 9.0, converges=False) for n in range(1, 6)]
    refused = _bundle("b", lost, findings=(finding(),))
    (row,) = compare_bundles(_trained("a", *[9.0] * 5), refused)
    text = _text([row], 80)
    assert "B  no score" in text
    assert "A / B" not in text.replace("A / B = 1 ", "")
    assert "(its check found errors)" in text


def test_hostile_names_do_not_reach_the_terminal() -> None:
    a = published(system(f"\x1b[31m{HOSTILE}", "a"), [training_run(n, 8.0 + n) for n in range(5)])
    rows = compare_bundles(a, _trained("b", *[9.0] * 5, round_name="practice"))
    assert "\x1b" not in _text(rows)


def test_machines_get_the_same_numbers() -> None:
    rows = _rows(2.0)
    told = json.loads(json.dumps(comparison_json(rows), allow_nan=False))
    train = next(one for one in told if one["scenario"] == "train")
    assert train["verdict"] == "A faster"
    assert train["ratio"] == pytest.approx(0.5)
    assert len(train["a"]["runs"]) == 5
    assert train["a"]["interval"][0] < train["a"]["value"] < train["a"]["interval"][1]


def test_an_open_end_is_null_for_machines() -> None:
    runs = [training_run(n, 8.0 + n) for n in range(1, 5)]
    a = _bundle("a", [*runs, training_run(5, 20.0, converges=False)])
    (told,) = comparison_json(compare_bundles(a, _trained("b", *[9.0] * 5)))
    assert told["a"]["interval"][1] is None
    assert told["score"]["interval"][1] > told["score"]["ratio"]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five runs, two more than the round asks for, are enough to compare; it is its own equal."""
    monkeypatch.setattr(listing, "load_card", lambda _: toy_card())
    bundle = pack(write_runs(tmp_path / "runs"), "acme", "practice", tmp_path / "b").root
    done = CliRunner().invoke(cli, ["compare", str(bundle), str(bundle), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["a"] == told["b"]
    verdicts = {one["scenario"]: one["verdict"] for one in told["comparisons"]}
    assert verdicts == {"train": "cannot tell", "offline": "too few runs"}
    plain = CliRunner().invoke(cli, ["compare", str(bundle), str(bundle)])
    assert "cannot tell, the difference may be luck" in plain.output
    assert LEGEND not in plain.output
