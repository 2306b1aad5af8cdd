"""Organisations' looks: stable, told apart, and none of the shape of a lost run."""

from portal_example import example

from portal.boards import make_boards
from portal.chart import SERIES
from portal.content import Content
from portal.identity import SYMBOLS, identities, identities_of
from portal.listing import list_results


def test_eight_differ_in_both_and_sixty_four_in_one() -> None:
    eight = identities(f"organisation {n}" for n in range(8))
    assert len({each.colour for each in eight.values()}) == len(SERIES) == 8
    assert len({each.symbol for each in eight.values()}) == len(SYMBOLS) == 8
    assert len(set(identities(f"organisation {n}" for n in range(64)).values())) == 64
    assert len(identities(f"organisation {n}" for n in range(300))) == 300


def test_neither_order_nor_repetition_matters() -> None:
    assert identities(["b", "a", "b"]) == identities(["a", "b"])


def test_most_keep_their_look_when_another_joins() -> None:
    names = [f"organisation {n}" for n in range(5)]
    before, after = identities(names), identities([*names, "newcomer"])
    assert sum(before[name] == after[name] for name in names) >= 4


def test_every_organisation_of_the_site_has_one() -> None:
    content = Content(tuple(make_boards(list_results(example()))))
    found = identities_of(content)
    assert set(found) == {listing.organisation for listing in content.listings}
    assert "x" not in SYMBOLS
