"""The register of rules: a rule is a function, its docstring its text, its number its address."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from rules.case import Problem

Scope = Literal["submission", "result", "run", "train", "inference"]
"""What a rule is called with: the submission, each result, each run, or each run of one kind."""

Judge = Callable[[Any], Iterable[Problem]]


@dataclass(frozen=True)
class Rule:
    """One rule."""

    number: str
    on: Scope
    judge: Judge
    applies: Callable[[Any], bool]
    """Whether a case is one that the rule speaks about."""

    @property
    def text(self) -> str:
        """The rule as people read it."""
        return inspect.getdoc(self.judge) or ""

    @property
    def title(self) -> str:
        """Its first line."""
        return self.text.partition("\n")[0]


SUBJECTS = ("ROUND", "INTENT", "SYSTEM", "LOG", "TELE", "TRAIN", "INFER", "AUDIT", "SCORE")
"""First halves of the numbers, in the order of judgement."""

_registered: dict[str, Rule] = {}


def _always(_: Any) -> bool:
    return True


def rule(
    number: str, *, on: Scope, when: Callable[[Any], bool] = _always
) -> Callable[[Judge], Judge]:
    """Register the decorated function as rule ``number``."""

    def register(judge: Judge) -> Judge:
        if number in _registered:
            raise ValueError(f"two rules are numbered {number}")
        _registered[number] = Rule(number, on, judge, when)
        return judge

    return register


def in_order() -> dict[str, Rule]:
    """Every rule registered so far by number: by subject, then by the number itself."""
    return {one.number: one for one in sorted(_registered.values(), key=_place)}


def _place(one: Rule) -> tuple[int, int]:
    subject, _, number = one.number.partition("-")
    return SUBJECTS.index(subject), int(number)
