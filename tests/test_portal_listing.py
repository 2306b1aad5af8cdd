"""One result: addresses from safe names, findings of its own."""

import pytest
from portal_example import all_scenarios, finding, further_scenarios, published, system

from harness.errors import LevelfieldError
from portal.listing import list_results, safe


@pytest.mark.parametrize("name", ["../up", "a/b", "", "A", ".hidden", "<b>", "a" * 101, "a\n"])
def test_refuses_names_that_could_lead_elsewhere(name: str) -> None:
    with pytest.raises(LevelfieldError, match="no page can have that name"):
        safe(name)


def test_run_address_counts_from_one_and_takes_a_line() -> None:
    one = list_results([published(system("a", "acme"), all_scenarios(1))])[0]
    address = one.run_address(one.entry.runs[1], 12)
    assert address == f"x/{one.id}/runs/2/index.html#L12"


def test_another_results_findings_are_not_its_own() -> None:
    entry = published(
        system("a", "acme"),
        all_scenarios(1),
        findings=(finding(scenario="offline"), finding("warning", scenario="train")),
    )
    by_scenario = {one.entry.result.scenario: one for one in list_results([entry])}
    assert [f.severity for f in by_scenario["train"].findings] == ["warning"]  # type: ignore[index]
    assert not by_scenario["train"].errors  # type: ignore[index]
    assert len(by_scenario["offline"].errors) == 1  # type: ignore[index]


def test_unsigned_and_unverified_are_level_0() -> None:
    entry = published(system("a", "acme"), all_scenarios(1), signed=False)
    assert entry.trust == "L0: unsigned"


def test_what_answered_is_named_in_short() -> None:
    entry = published(system("a", "acme"), [*all_scenarios(1)[:5], *further_scenarios(1, "int8")])
    train, *queried = list_results([entry])
    assert (train.sut, train.variant) == (None, "")
    assert {one.variant for one in queried} == {"Eager, int8"}
    assert queried[1].sut == "example.sut:Eager"
    assert str(queried[1].score) == "400 queries/s"
