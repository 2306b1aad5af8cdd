"""rules/round.py"""

import pytest

from harness.errors import UsageError
from harness.records import Scenario
from rules.round import Round, read_round, round_names


def test_the_rounds() -> None:
    assert round_names() == ["2026.1", "practice"]


@pytest.mark.parametrize("name", round_names())
def test_a_round_is_named_as_its_file(name: str) -> None:
    assert read_round(name).name == name


@pytest.mark.parametrize("name", round_names())
def test_a_tolerated_run_is_one_that_is_dropped(name: str) -> None:
    training = read_round(name).training
    assert training.tolerated_non_converging <= training.drop
    assert training.runs > 2 * training.drop


def test_practice_does_not_rank() -> None:
    assert not read_round("practice").rankable
    assert read_round("2026.1").rankable


def test_settings() -> None:
    settings = read_round("2026.1").settings(Scenario.OFFLINE)
    assert settings.min_duration_ns == 60_000_000_000
    assert settings.min_query_count == 24_576


def test_training_has_no_inference_terms() -> None:
    with pytest.raises(UsageError, match="has no scenario train"):
        read_round("practice").settings(Scenario.TRAIN)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("practise", "did you mean practice"), ("x", "known: 2026.1"), ("../round", "no such")],
)
def test_an_unknown_round(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        read_round(name)


def test_unknown_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="lenient"):
        Round.model_validate({**read_round("practice").model_dump(), "lenient": True})
