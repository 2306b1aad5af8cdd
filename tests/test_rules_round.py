"""rules/round.py"""

import pytest

from harness.card import WorkloadCard
from harness.errors import UsageError
from harness.metrics import least_queries
from harness.records import Audit, Scenario
from rules.round import Round, read_round, round_names
from workloads.catalogue import load_card


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


def generating_card() -> WorkloadCard:
    """A card with every bound."""
    card = load_card("image_classification")
    bounds = {"latency_bound_s": 0.015, "ttft_bound_s": 0.2, "tpot_bound_s": 0.05}
    facts = card.inference.model_copy(update={"samples_per_query": 8, **bounds})
    return card.model_copy(update={"inference": facts})


def test_settings() -> None:
    settings = read_round("2026.1").settings(Scenario.OFFLINE, generating_card())
    assert settings.min_duration_ns == 60_000_000_000
    assert settings.min_query_count == 24_576
    assert (settings.samples_per_query, settings.latency_bound_ns) == (1, None)


def test_settings_of_multi_stream() -> None:
    settings = read_round("2026.1").settings(Scenario.MULTI_STREAM, generating_card())
    assert (settings.samples_per_query, settings.percentile) == (8, 0.99)
    assert settings.min_query_count == least_queries(0.99)


def test_settings_of_open_loops_take_the_cards_bounds() -> None:
    terms, card = read_round("practice"), generating_card()
    server = terms.settings(Scenario.SERVER, card, 250.0)
    assert (server.target_rate, server.latency_bound_ns) == (250.0, 15_000_000)
    assert (server.ttft_bound_ns, server.tpot_bound_ns) == (None, None)
    interactive = terms.settings(Scenario.INTERACTIVE, card, 5.0)
    assert (interactive.target_rate, interactive.latency_bound_ns) == (5.0, None)
    assert (interactive.ttft_bound_ns, interactive.tpot_bound_ns) == (200_000_000, 50_000_000)


def test_a_card_without_the_bound() -> None:
    with pytest.raises(UsageError, match="no bound for interactive"):
        read_round("practice").settings(Scenario.INTERACTIVE, load_card("image_classification"))


def test_training_has_no_inference_terms() -> None:
    with pytest.raises(UsageError, match="has no scenario train"):
        read_round("practice").settings(Scenario.TRAIN, generating_card())


def test_a_real_round_asks_for_every_audit_and_gives_every_seed() -> None:
    practice, real = read_round("practice"), read_round("2026.1")
    assert set(real.audits.required) == set(Audit)
    assert real.seeds.keys() == {"library", "order", "schedule"}
    assert len(set(real.seeds.values())) == 3
    assert (practice.audits.required, practice.seeds) == ((), {})


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
