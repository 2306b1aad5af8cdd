"""What stands side by side: groups, long values, what is left out."""

from dataclasses import replace
from typing import Any

import pytest
from portal_example import all_scenarios, further_scenarios, published, system, training_run

from harness.records import Borrowed, Scenario
from portal.compare_facts import LONGEST, MOST, cut, fact_groups
from portal.listing import Listing, list_results


def _listing(runs: Any, scenario: Scenario, **facts: Any) -> Listing:
    found = list_results([published(system("Box", "Acme", **facts), runs, round_name="2026.1")])
    return next(one for one in found if one.entry.result.scenario is scenario)


def _facts(listing: Listing) -> dict[str, dict[str, str]]:
    return {title: dict(rows) for title, rows in fact_groups(listing)}


def _with_runs(listing: Listing, **changes: Any) -> Listing:
    runs = tuple(replace(one, run=one.run.model_copy(update=changes)) for one in listing.entry.runs)
    return replace(listing, entry=replace(listing.entry, runs=runs))


def test_a_training_tells_its_hyperparameters_limits_and_seeds() -> None:
    runs = [training_run(n, 9.0, limits={"gpu_power_limit_w": 300}) for n in range(1, 6)]
    found = _facts(_listing(runs, Scenario.TRAIN))
    assert found["Hyperparameters"]["global_batch_size"] == "64"
    assert found["How it was run"]["Held to limits"] == "power cap 300 W"
    assert found["How it was run"]["Seeds"] == "5 different in 5 runs"
    assert found["How it was run"]["Precision"] == "not asked for"
    assert "Settings of the scenario" not in found
    assert "Borrowed from bundle" not in found["Hyperparameters"]


def test_one_seed_for_all_runs_shows() -> None:
    listing = _listing([training_run(n, 9.0) for n in range(1, 6)], Scenario.TRAIN)
    again = _with_runs(listing, seeds={"run": 7})
    assert _facts(again)["How it was run"]["Seeds"] == "1 different in 5 runs"


def test_what_a_run_says_is_told() -> None:
    listing = _with_runs(
        _listing([training_run(1, 9.0)], Scenario.TRAIN),
        borrowed_from=Borrowed(bundle="a" * 20, workload="image_classification"),
        compiled=True,
        precision="bf16",
        command=("train.sh", "--fast"),
    )
    found = _facts(listing)
    assert found["Hyperparameters"]["Borrowed from bundle"] == "a" * 20
    told = found["How it was run"]
    assert (told["Compiled"], told["Precision"]) == ("yes", "bf16")
    assert told["Own program"] == "train.sh --fast"


def test_inference_tells_its_settings() -> None:
    found = _facts(_listing(further_scenarios(1.0, "int8"), Scenario.SERVER))
    assert found["Settings of the scenario"]["Bound on latency"] == "15.0 ms"
    assert found["Settings of the scenario"]["Target rate"] == "400.0 queries/s"
    assert found["How it was run"]["Precision"] == "int8"
    assert "Hyperparameters" not in found


def test_each_package_is_a_row() -> None:
    found = _facts(_listing(all_scenarios(1.0), Scenario.TRAIN))["Software"]
    assert (found["numpy"], found["OMP_NUM_THREADS"]) == ("2.1.0", "8")
    assert "Packages" not in found


def test_long_values_that_differ_at_their_end_still_differ() -> None:
    one, other = cut("x" * 5000 + "1"), cut("x" * 5000 + "2")
    assert one != other
    assert len(one) <= LONGEST
    assert "5,001 characters" in one
    assert cut("x" * LONGEST) == "x" * LONGEST


def test_a_system_of_very_many_packages_is_cut_and_says_so() -> None:
    listing = _listing(all_scenarios(1.0), Scenario.TRAIN)
    machine = listing.published.system
    packages = {f"package-{n}": "1.0" for n in range(500)}
    crowded = machine.model_copy(
        update={"software": machine.software.model_copy(update={"packages": packages})}
    )
    bundle = listing.published.bundle
    submission = replace(bundle.submission, system=crowded)
    held = replace(listing.published, bundle=replace(bundle, submission=submission))
    rows = _facts(replace(listing, published=held))["Software"]
    assert len(rows) == MOST + 1
    assert rows["and more"].endswith("facts on its page")


@pytest.mark.parametrize("text", ["", "short"])
def test_short_values_stand_as_they_are(text: str) -> None:
    assert cut(text) == text
