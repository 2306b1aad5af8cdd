"""The page of one result: trust, runs, findings, hyperparameters."""

from pathlib import Path

from portal_example import (
    all_scenarios,
    audit_finding,
    finding,
    further_scenarios,
    published,
    system,
    training_run,
)

from harness.records import Scenario
from portal.listing import Listing, Published, list_results
from portal.result_page import write_result
from portal.trust_strip import trust_items


def _listing(entry: Published) -> Listing:
    return list_results([entry])[0]


def _page(entry: Published, folder: Path) -> str:
    listing = _listing(entry)
    write_result(folder, listing)
    return (folder / listing.address).read_text("utf-8")


def _trainings(**values: float) -> list:  # type: ignore[type-arg]
    return [training_run(n, 8.0 + n, **values) for n in (1, 2, 3)]  # type: ignore[arg-type]


def test_trust_in_words() -> None:
    signed = published(system("a", "acme"), _trainings(), findings=(finding("warning"),))
    texts = [item.text for item in trust_items(_listing(signed))]
    assert texts == [
        "Signed by acme with key 3f2a3f2a3f2a3f2a…",
        "Manifest: 6 files, each with the SHA-256 that the manifest gives.",
        "Checker: 4 rules passed, 1 warned, 0 errors; 1 did not apply.",
        "Trust level L1: signed.",
    ]


def test_what_is_not_signed_says_so() -> None:
    unsigned = published(system("a", "acme"), _trainings(), signed=False)
    item = trust_items(_listing(unsigned))[0]
    assert (item.kind, item.text) == ("warn", "Not signed: nobody vouches for these numbers.")


def test_errors_mark_the_checker_as_bad() -> None:
    refused = published(system("a", "acme"), _trainings(), findings=(finding(),))
    assert trust_items(_listing(refused))[2].kind == "bad"


def test_findings_lead_to_their_line(tmp_path: Path) -> None:
    entry = published(system("a", "acme"), _trainings(), findings=(finding(line=6),))
    page = _page(entry, tmp_path)
    assert "Refused: 1 finding" in page
    assert f"x/{_listing(entry).id}/runs/1/index.html#L6" in page


def test_changed_hyperparameters_are_marked(tmp_path: Path) -> None:
    changed = _page(published(system("a", "acme"), _trainings(pace=1.5)), tmp_path / "a")
    assert changed.count("changed</span>") == 1
    default = _page(published(system("a", "acme"), _trainings()), tmp_path / "b")
    assert "changed</span>" not in default


def test_runs_show_their_part(tmp_path: Path) -> None:
    runs = [*_trainings()[:2], training_run(3, 30.0, converges=False)]
    page = _page(published(system("a", "acme"), runs), tmp_path)
    assert "dropped: did not converge" in page
    assert "<td>scored</td>" in page
    assert "practice: not rankable" in page


def test_long_values_fold_and_verification_is_told_step_by_step(tmp_path: Path) -> None:
    machine = system("a", "acme", notes="long " * 100)
    page = _page(published(machine, _trainings()), tmp_path)
    assert page.count("<summary>long long") == 1
    assert "<li>3. One envelope, one signature.</li>" in page


def test_an_inference_result_links_its_query_log(tmp_path: Path) -> None:
    listing = list_results([published(system("a", "acme"), all_scenarios(1))])[1]
    write_result(tmp_path, listing)
    page = (tmp_path / listing.address).read_text("utf-8")
    assert f"x/{listing.id}/runs/1/queries.npy" in page
    assert "Hyperparameters" not in page


def test_audits_stand_in_a_table(tmp_path: Path) -> None:
    entry = published(system("a", "acme"), further_scenarios(1.0), findings=(audit_finding(),))
    pages = {}
    for listing in list_results([entry]):
        write_result(tmp_path, listing)
        scenario = listing.entry.result.scenario
        pages[scenario] = (tmp_path / listing.address).read_text("utf-8")
    server = pages[Scenario.SERVER]
    assert "Are results kept and given again?" in server
    assert "audit: repeated sample" in server
    assert "settles a doubt" in server
    assert "<code>Eager, fp32</code>" in server
    assert "No audit was made" in pages[Scenario.MULTI_STREAM]
