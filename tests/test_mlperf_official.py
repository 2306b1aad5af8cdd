import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from official_results import (
    POINTS,
    ROUND,
    lora_lines,
    needs_archive,
    oracle,
    published,
    run,
    text,
)

from rules.mlperf.log import OfficialResult
from rules.mlperf.official import official_reading

REFERENCE = {8: [3072.0] * 10 + [2688.0] * 4 + [3456.0] * 6}
CLOSED = {**dict.fromkeys(ROUND.system_fields, ""), "division": "closed"}


def directory(runs: int = 10, **changes: Any) -> OfficialResult:
    """Ten sound runs, or what ``changes`` make of them."""
    logs = [run(f"result_{seed}.txt", text(lora_lines(seed))) for seed in range(runs)]
    sound = OfficialResult("a", "s", "llama2_70b_lora", "p", tuple(logs), None, CLOSED)
    return replace(sound, **changes)


def test_a_sound_directory() -> None:
    found = official_reading(directory(), ROUND, REFERENCE)
    assert found.rejected == ()
    assert found.rcp_msg == "RCP found"
    assert found.submission_mean == 3072.0
    assert found.rcp_mean == pytest.approx(3114.7, abs=0.1)
    assert found.olympic_unscaled == pytest.approx(0.1)
    assert found.score_with_rcp_scaling == pytest.approx(0.1 * found.rcp_norm)
    assert found.score_with_published_scaling == found.olympic_unscaled


def with_lost_runs(number: int) -> OfficialResult:
    """``number`` of ten runs never stop."""
    sound = directory()
    lost = [
        run(one.name, text(lora_lines(seed)[:-1])) for seed, one in enumerate(sound.runs[:number])
    ]
    return replace(sound, runs=(*lost, *sound.runs[number:]))


def test_one_lost_run_is_the_slowest_and_two_refuse_the_directory() -> None:
    one = official_reading(with_lost_runs(1), ROUND, REFERENCE)
    assert (one.dropped, one.rejected) == (1, ())
    assert one.files["result_0.txt"].epochs_or_samples == 1e9
    two = official_reading(with_lost_runs(2), ROUND, REFERENCE)
    assert (two.dropped, two.olympic_unscaled, two.rcp_msg) == (2, None, "Insufficient convergence")
    assert [reason.split()[0] for reason in two.rejected] == ["2", "convergence:"]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({8: [9000.0] * 20}, "RCP found"),
        ({4: [3072.0] * 20}, "Missing RCP, please submit RCP with BS = 8"),
        ({16: [9000.0] * 20}, "Missing RCP, please submit RCP with BS = 8"),
        ({}, "Missing RCP, please submit RCP with BS = 8"),
    ],
)
def test_convergence_that_is_refused(points: Mapping[int, Sequence[float]], message: str) -> None:
    found = official_reading(directory(), ROUND, points)
    assert (found.rcp_pass, found.rcp_msg) == (False, message)
    assert found.rejected == (f"convergence: {message}",)
    assert found.scaling_after is None


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({16: [3000.0] * 20}, "RCP not found but slower convergence on smaller batch size"),
        ({4: [3000.0] * 20, 12: [3100.0] * 20}, "RCP Interpolation"),
    ],
)
def test_convergence_that_passes(points: Mapping[int, Sequence[float]], message: str) -> None:
    found = official_reading(directory(), ROUND, points)
    assert (found.rcp_pass, found.rcp_msg) == (True, message)


def test_seeds() -> None:
    sound = directory()
    same = run("result_9.txt", text(lora_lines(0)))
    repeated = official_reading(replace(sound, runs=(*sound.runs[:9], same)), ROUND, REFERENCE)
    assert repeated.seed_errors == (
        "result_9.txt: logs the seed 0 on the same line as result_0.txt",
    )
    lines = [line for line in lora_lines() if line[0] != "seed"]
    none = run("result_9.txt", text(lines))
    missing = official_reading(replace(sound, runs=(*sound.runs[:9], none)), ROUND, REFERENCE)
    assert missing.rejected == ("seeds: result_9.txt: logs no seed",)


def test_the_open_division_is_asked_for_neither_seeds_nor_convergence() -> None:
    found = official_reading(directory(description={**CLOSED, "division": "open"}), ROUND, {})
    assert (found.seed_ok, found.rcp_pass, found.rejected) == (None, None, ())


def test_a_description_that_lacks_fields() -> None:
    found = official_reading(directory(description={"division": "closed"}), ROUND, REFERENCE)
    (reason,) = found.rejected
    assert reason.startswith("the system's description is without submitter, status")


def test_a_number_of_files_that_is_not_the_rounds() -> None:
    found = official_reading(directory(runs=9), ROUND, REFERENCE)
    assert found.rejected == ("9 files, where 10 are expected",)


def test_batch_sizes_that_differ_cannot_be_compared() -> None:
    lines = [(k, 16 if k == "global_batch_size" else v, m) for k, v, m in lora_lines(9)]
    runs = (*directory().runs[:9], run("result_9.txt", text(lines)))
    found = official_reading(replace(directory(), runs=runs), ROUND, REFERENCE)
    assert found.rcp_msg == "Could not detect global_batch_size"


@pytest.mark.parametrize("count", ["many", None, float("inf"), True, 10**400])
def test_a_point_that_is_no_number_is_none(count: object) -> None:
    lines = [
        (k, v, {"samples_count": count} if k == "eval_accuracy" else m) for k, v, m in lora_lines()
    ]
    data = text(lines)
    found = official_reading(replace(directory(), runs=(run("r", data),)), ROUND, REFERENCE)
    assert not found.files["r"].converged


def reference(benchmark: str) -> dict[int, list[float]]:
    records = json.loads((POINTS / f"rcps_{benchmark}.json").read_text("utf-8")).values()
    return {
        one["BS"]: next(one[key] for key in one if key.endswith("to converge")) for one in records
    }


@needs_archive
def test_the_official_tools_verdicts_and_scores_to_the_last_bit() -> None:
    """Every file and directory of the archive but one, which is incomplete there."""
    expected, compared = oracle(), 0
    for result in published():
        told = expected.get((result.submitter, result.system, result.benchmark))
        if told is None:
            continue
        found = official_reading(result, ROUND, reference(result.benchmark)).model_dump(mode="json")
        compared += 1
        files = told.pop("files")
        assert {key: found[key] for key in told} == told
        assert found["files"].keys() == files.keys()
        for name, one in files.items():
            one.pop("check_s")
            ours = found["files"][name]
            for kind in ("warnings", "errors"):
                assert sorted(map(words, ours.pop(kind))) == sorted(map(words, one.pop(kind)))
            assert ours == one
    assert compared == len(expected) == 109


def words(text: str) -> tuple[str, ...]:
    """What an official text is about: its words, less the code in it, in any order."""
    return tuple(sorted(text.split(" : ")[0].replace("'", " ").split()))
