import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from rules.mlperf.terms import (
    Condition,
    OfficialRound,
    Schedule,
    official_round_names,
    read_official_round,
)
from rules.round import round_names

ROUND = read_official_round("mlperf-training-5.1")


def test_official_rounds_and_our_own_are_kept_apart() -> None:
    assert official_round_names() == ["mlperf-training-5.1"]
    assert not set(official_round_names()) & set(round_names())


def test_a_name_that_is_nearly_right_is_named() -> None:
    with pytest.raises(UsageError, match=r"did you mean mlperf-training-5\.1"):
        read_official_round("mlperf-training-5.2")


def test_every_benchmark_asks_for_its_target() -> None:
    for name, benchmark in ROUND.benchmarks.items():
        assert benchmark.target.holds(benchmark.target.value), name
        asked = benchmark.keys["eval_accuracy"]
        assert asked.meets_target
        assert asked.metadata[0].any_of == (benchmark.unit,)


def test_the_target_has_two_sides() -> None:
    retinanet, lora = (ROUND.benchmarks[name].target for name in ("retinanet", "llama2_70b_lora"))
    assert (retinanet.higher_is_better, lora.higher_is_better) == (True, False)
    assert [retinanet.holds(x) for x in (0.34, 0.339, 1.0, None, "0.5")] == [True] + [False] * 4
    assert [lora.holds(x) for x in (0.925, 0.926, 0.0)] == [True, False, False]


def test_keys_that_are_compared_are_asked_for() -> None:
    for benchmark in ROUND.benchmarks.values():
        for asked in benchmark.keys.values():
            others = [asked.proportion.of] if asked.proportion else []
            others += [asked.difference.minus] if asked.difference else []
            others += [asked.remembered.over] if asked.remembered and asked.remembered.over else []
            assert set(others) <= set(benchmark.keys)


@pytest.mark.parametrize(
    ("benchmark", "batch_size", "interval", "skipped"),
    [("llama2_70b_lora", 8, 384, 3), ("llama31_405b", 1152, 18432, 14), ("flux1", 1000, 263000, 0)],
)
def test_schedules(benchmark: str, batch_size: int, interval: int, skipped: int) -> None:
    schedule = ROUND.benchmarks[benchmark].schedule
    assert (schedule.interval(batch_size), schedule.skipped(batch_size)) == (interval, skipped)


def test_epochs_have_no_interval_in_samples() -> None:
    assert Schedule(every_epochs=0.05).interval(64) is None


@given(st.none() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.integers()))
def test_a_bound_refuses_what_is_not_a_number(value: object) -> None:
    assert not Condition(at_least=0).holds(value)
    assert not Condition(equals=1).holds(value)


def test_a_condition_for_people() -> None:
    assert Condition(at_least=0.34, below=1.0).text == "at least 0.34, below 1.0"
    assert Condition(one_of=("a", "b"), not_empty=True).text == "one of a, b, not empty"
    assert Condition().text == "anything"


def test_the_round_is_read_whole() -> None:
    assert isinstance(ROUND, OfficialRound)
    assert len(ROUND.system_fields) == 33
    assert ROUND.convergence.allowance_samples == {"llama31_405b": 46_080}
