from pathlib import Path

import pytest

from harness.card import Hyperparameter, QualityTarget, read_card, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from workloads.catalogue import load_card

RATE = Hyperparameter(default=0.1, minimum=0.01, maximum=1.0, help="step size")
BATCH = Hyperparameter(default=64, minimum=16, maximum=256, help="batch")
FIXED = Hyperparameter(default=0.9, help="momentum")


def test_target_has_a_direction_and_nan_never_meets_it() -> None:
    up = QualityTarget(metric="top1", value=0.9)
    down = QualityTarget(metric="loss", value=0.9, higher_is_better=False)
    assert (up.met(0.9), up.met(0.89), up.met(float("nan"))) == (True, False, False)
    assert (down.met(0.9), down.met(0.91), down.met(float("nan"))) == (True, False, False)


def test_bounds() -> None:
    assert RATE.allows(1)
    assert not RATE.allows(1.01)
    assert BATCH.allows(16)
    assert not BATCH.allows(16.0)
    assert FIXED.allows(0.9)
    assert not FIXED.allows(0.8)
    assert not FIXED.tunable


def test_changes_are_settled_or_refused() -> None:
    facts = load_card("image_classification").training
    name = "global_batch_size"
    assert settle_hyperparameters(facts, {}, bounded=True)[name] == (
        facts.hyperparameters[name].default
    )
    with pytest.raises(UsageError, match="no such hyperparameter"):
        settle_hyperparameters(facts, {"colour": 1}, bounded=True)
    with pytest.raises(UsageError, match="closed division allows a whole number"):
        settle_hyperparameters(facts, {name: 10**9}, bounded=True)
    assert settle_hyperparameters(facts, {name: 10**9}, bounded=False)[name] == 10**9


def test_a_bad_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("name = 1")
    with pytest.raises(LevelfieldError, match="not a workload card"):
        read_card(path)
