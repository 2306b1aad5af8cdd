"""Addresses made from names that may hold anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from portal_example import HOSTILE

from portal.slugs import slug

SAFE = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")


def test_a_slug_can_be_read_and_does_not_change_between_builds() -> None:
    assert slug("Acme Computing") == "acme-computing-plgfvebwjk66hebg"


@given(st.text())
def test_a_slug_is_a_safe_file_name(name: str) -> None:
    assert SAFE.fullmatch(slug(name))


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_two_names_have_two_slugs(names: list[str]) -> None:
    assert slug(names[0]) != slug(names[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Acme",), ("ACME",)),
        (("Acme",), ("Acme ",)),
        (("a", "b c"), ("a b", "c")),
        (("a", "b"), ("b",)),
        (("é",), ("e\u0301",)),
        ((HOSTILE,), (HOSTILE + "\u202e",)),
        (("..",), ("../..",)),
        (("\ud800",), ("",)),
    ],
)
def test_names_that_look_alike_stay_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert slug(*one) != slug(*other)
    assert SAFE.fullmatch(slug(*one))
    assert SAFE.fullmatch(slug(*other))
