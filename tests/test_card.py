from pathlib import Path

import pytest

from harness.card import (
    Hyperparameter,
    QualityTarget,
    Scale,
    read_card,
    scales_of,
    settle_hyperparameters,
)
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


SCALED = """
name = "toy"
title = "Toy"
version = "1"
task = "none"
model = "small"
data = "none"
measured = "here"
data_seed = 1
data_sha256 = "{sha256}"
shape = {{ width = 8, depth = 2 }}

[training]
train_samples = 10
eval_samples = 10
evaluate_every = 10
limit = 100
target = {{ metric = "loss", value = 1.0, optimum = 0.5 }}
hyperparameters.rate = {{ default = 0.1, help = "step size" }}

[inference]
samples = 8
performance_samples = 8
metric = "top1"
reference_quality = 1.0
scenarios = ["offline"]

[scales.standard]
model = "large"
shape.width = 800

[scales.standard.training]
limit = 5000
target = {{ optimum = "none" }}
"""


def test_a_scale_says_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(SCALED.format(sha256="a" * 64))
    mini, large = read_card(path), read_card(path, Scale.STANDARD)
    assert scales_of(path) == (Scale.MINI, Scale.STANDARD)
    assert (mini.name, mini.title, mini.shape["width"]) == ("toy", "Toy", 8)
    assert (large.name, large.title, large.model) == ("toy.standard", "Toy, standard", "large")
    assert (large.workload, large.shape) == ("toy", {"width": 800, "depth": 2})
    assert (large.training.limit, large.training.train_samples) == (5000, 10)
    assert (mini.training.target.optimum, large.training.target.optimum) == (0.5, None)


def test_what_was_measured_at_one_scale_says_nothing_of_another(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(SCALED.format(sha256="a" * 64))
    large = read_card(path, Scale.STANDARD)
    assert (read_card(path).measured, large.measured) == ("here", "")
    assert large.data_sha256 == ""
