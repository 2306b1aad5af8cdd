"""MLPERF rules on what a log says of itself: whose it is, and with which settings it ran."""

from collections.abc import Iterator

from harness.events import Event
from rules.case import Problem
from rules.mlperf.case import RunCase, number, rule, same, shown, value_of
from rules.mlperf.sequence import INTERVALS
from rules.mlperf.terms import Share

_NOT_SETTINGS = (
    *(f"{name}_{end}" for name in (*INTERVALS, "init", "run") for end in ("start", "stop")),
    "eval_accuracy",
    "cache_clear",
)
"""Keys in the round's terms that mark what happens; the others say how the run is set."""


def _closed(case: RunCase) -> bool:
    return case.closed


@rule(14, on="run")
def log_names_its_place(case: RunCase) -> Iterator[Problem]:
    """Every line that names benchmark, division or organisation names that of the log's place.

    submission_benchmark is the folder's; submission_division that of the system's description,
    closed if it is not open; submission_org is the submitter's folder, or there is a warning.
    """
    result = case.result
    for key, expected in (
        ("submission_benchmark", result.benchmark),
        ("submission_division", case.division.value),
        ("submission_org", result.submitter),
    ):
        wrong = [event for event in case.log.all(key) if event.value != expected]
        yield from case.first(
            wrong,
            f"{key} names another",
            value_of,
            expected=expected,
            severity="warning" if key == "submission_org" else "error",
        )


@rule(15, on="run")
def a_setting_has_one_value(case: RunCase) -> Iterator[Problem]:
    """No setting that the round's terms name is logged with two different values."""
    for key in _settings(case):
        events = case.log.all(key)
        for event in events[1:]:
            if not same(event.value, events[0].value):
                yield case.problem(
                    f"{key} has two values",
                    event,
                    expected=f"{shown(events[0].value)}, as in line {events[0].line}",
                    found=shown(event.value),
                )
                break


def _settings(case: RunCase) -> list[str]:
    """Keys of settings in the round's terms, each once."""
    terms = case.terms
    tables = (terms.keys, *terms.division_keys.values(), case.benchmark.keys)
    found = dict.fromkeys(["seed", *(key for table in tables for key in table)])
    return [key for key in found if key not in _NOT_SETTINGS]


@rule(16, on="run", when=_closed)
def fixed_settings_are_kept(case: RunCase) -> Iterator[Problem]:
    """In the closed division, settings that only the written rules fix have the fixed values.

    Among them a warm-up that follows from the batch size.
    """
    for key, condition in case.benchmark.written.items():
        wrong = [event for event in case.log.all(key) if not condition.holds(event.value)]
        yield from _other_than_fixed(case, key, wrong, condition.text)
    for key, check in case.benchmark.keys.items():
        expected = _share(case, check.remembered) if check.remembered else None
        if expected is not None:
            wrong = [event for event in case.log.all(key) if number(event.value) != expected]
            yield from _other_than_fixed(case, key, wrong, str(expected))


def _share(case: RunCase, share: Share) -> int | None:
    """What ``share`` comes to in this log; none where the value that divides is no such number."""
    if share.over is None:
        return share.number
    event = case.log.last(share.over)
    over = number(event.value) if event else None
    return None if over is None or over < 1 else -int(-share.number * share.times // over)


def _other_than_fixed(
    case: RunCase, key: str, wrong: list[Event], expected: str
) -> Iterator[Problem]:
    message = f"{key} is fixed in the closed division"
    yield from case.first(wrong, message, value_of, expected=expected)


@rule(17, on="run", when=_closed)
def learning_rate_is_of_this_world(case: RunCase) -> Iterator[Problem]:
    """In the closed division, opt_base_learning_rate is at most ten times off the reference's.

    From a tenth of the least to ten times the greatest (the round's factor) at which a reference
    convergence point was measured. The written rules leave the number free, so this is a warning.
    """
    factor, (least, greatest) = case.strict.learning_rate_factor, case.facts.learning_rates
    low, high = least / factor, greatest * factor
    wrong = [
        event
        for event in case.log.all("opt_base_learning_rate")
        if (rate := number(event.value)) is None or not low <= rate <= high
    ]
    yield from case.first(
        wrong,
        "opt_base_learning_rate is far from the reference's",
        value_of,
        expected=f"{low:g} to {high:g}",
        severity="warning",
    )
