"""portal/borrowed.py: a borrowed entry says so, with its source and the difference."""

from dataclasses import replace
from pathlib import Path
from typing import cast

from portal_example import WORKLOAD, FakeBundle, published, system, training_run

from harness.records import Borrowed
from portal.borrowed import loans
from portal.listing import Listing, Published, list_results
from portal.result_page import write_result
from portal.run_facts import run_facts
from portal.slots import fill_slots


def _published(organisation: str, **values: float) -> Published:
    runs = [training_run(n, 8.0 + n, **values) for n in (1, 2, 3)]  # type: ignore[arg-type]
    return published(system("box", organisation), runs)


def _borrowing(lent: Published, entry: Published) -> Published:
    """``entry`` with runs that say that their hyperparameters are those of ``lent``."""
    source = Borrowed(bundle=lent.bundle.id, workload=WORKLOAD)
    bundle = cast(FakeBundle, entry.bundle)
    (result,) = bundle.submission.entries
    runs = tuple(
        replace(e, run=e.run.model_copy(update={"borrowed_from": source})) for e in result.runs
    )
    submission = replace(bundle.submission, entries=(replace(result, runs=runs),))
    return replace(entry, bundle=replace(bundle, submission=submission))  # type: ignore[type-var]


def _page(listing: Listing, others: list[Listing], folder: Path) -> str:
    write_result(folder, listing)
    fill_slots(folder, listing, others)
    return (folder / listing.address).read_text("utf-8")


def test_a_loan_names_its_source_and_the_difference(tmp_path: Path) -> None:
    lent = _published("lender", pace=1.5)
    own = _borrowing(lent, _published("acme"))
    listings = list_results([lent, own])
    mine = next(one for one in listings if one.organisation == "acme")
    theirs = next(one for one in listings if one.organisation == "lender")
    (loan,) = loans(mine, listings)
    assert loan.source is theirs
    (one,) = loan.differences
    assert one.name == "opt_base_learning_rate"
    assert one.own != one.lent
    page = _page(mine, listings, tmp_path)
    assert f'{theirs.address}"><bdi>box</bdi> of <bdi>lender</bdi>' in page
    assert f'<span class="num">{one.own}</span> here, <span class="num">{one.lent}</span>' in page
    assert "Borrowed" not in _page(theirs, listings, tmp_path)


def test_equal_sets_are_called_equal(tmp_path: Path) -> None:
    lent = _published("lender")
    listings = list_results([lent, _borrowing(lent, _published("acme"))])
    mine = next(one for one in listings if one.organisation == "acme")
    assert "The two sets are equal." in _page(mine, listings, tmp_path)


def test_a_source_that_is_elsewhere_is_named_all_the_same(tmp_path: Path) -> None:
    lent = _published("lender")
    (mine,) = list_results([_borrowing(lent, _published("acme"))])
    page = _page(mine, [mine], tmp_path)
    assert f"<code>{lent.bundle.id}</code>, which is not on this site" in page
    facts = dict(run_facts(mine.entry.runs[0]))
    assert facts["Hyperparameters from"] == f"bundle {lent.bundle.id}"
