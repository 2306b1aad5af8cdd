"""The reference training loop, with a model of one number."""

import math
from collections.abc import Callable, Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.card import settle_hyperparameters
from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from harness.phases import Phase
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.training import ReferenceTraining, learning_rate

DEFAULTS = settle_hyperparameters(load_card("image_classification").training, {}, bounded=True)


class Line(nn.Module):
    """A weight to fit."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class LineRecipe:
    """Fits y = 2x on eleven samples and notes what it was asked for."""

    def __init__(self) -> None:
        self.chosen: list[int] = []
        self.types: list[torch.dtype] = []

    def model(self, generator: torch.Generator) -> Line:
        return Line(torch.rand(1, 1, generator=generator))

    def optimizer(
        self,
        model: nn.Module,
        hyperparameters: Mapping[str, Number],
    ) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.parameters(), lr=0.0)

    def load(self, device: torch.device) -> int:
        self.x = torch.arange(11.0, device=device)[:, None] / 11
        return 11

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        self.chosen += chosen.tolist()
        found = model(self.x[chosen])
        self.types.append(found.dtype)
        return (found - 2 * self.x[chosen]).square().mean()


def training(
    seed: int = 0, precision: str = "fp32", **changes: Number
) -> tuple[ReferenceTraining, LineRecipe]:
    recipe = LineRecipe()
    values = DEFAULTS | {"global_batch_size": 4, "opt_learning_rate_warmup_samples": 0} | changes
    arithmetic = Arithmetic(precision="bf16" if precision == "bf16" else "fp32")
    session = ReferenceTraining(recipe, values, seed, arithmetic)
    session.load()
    return session, recipe


def test_an_epoch_visits_each_sample_once_though_batches_span_two() -> None:
    session, recipe = training()
    session.train(44)
    for epoch in range(4):
        assert sorted(recipe.chosen[11 * epoch : 11 * epoch + 11]) == list(range(11))
    assert recipe.chosen[:11] != recipe.chosen[11:22]


def test_it_takes_whole_batches_and_counts_them() -> None:
    session, _ = training()
    session.train(5)
    assert session.samples == 8


def test_it_learns() -> None:
    session, _ = training()
    first, last = session.train(44), session.train(44)
    assert last < first / 2


def test_bf16_calculates_in_16_bits_and_keeps_weights_in_32() -> None:
    session, recipe = training(precision="bf16")
    session.train(4)
    assert recipe.types == [torch.bfloat16]
    assert next(session.model.parameters()).dtype == torch.float32


def test_a_gradient_is_clipped_to_the_norm() -> None:
    session, _ = training(opt_gradient_clip_norm=1e-6, opt_base_learning_rate=0.5)
    before = next(session.model.parameters()).item()
    session.train(4)
    assert 0 < abs(next(session.model.parameters()).item() - before) <= 0.6e-6


@given(st.integers(0, 60_000))
def test_the_rate_rises_then_falls_within_its_ends(samples: int) -> None:
    rate = learning_rate(DEFAULTS, samples)
    later = learning_rate(DEFAULTS, samples + 64)
    warmup = DEFAULTS["opt_learning_rate_warmup_samples"]
    assert rate <= DEFAULTS["opt_base_learning_rate"]
    assert later > rate if samples + 64 <= warmup else later <= rate or samples < warmup


def test_the_rate_at_its_corners() -> None:
    def rate(name: str) -> float:
        return learning_rate(DEFAULTS, int(DEFAULTS[name]))

    assert learning_rate(DEFAULTS, 0) == 0
    assert rate("opt_learning_rate_warmup_samples") == DEFAULTS["opt_base_learning_rate"]
    assert math.isclose(rate("opt_learning_rate_decay_samples"), DEFAULTS["opt_end_learning_rate"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("global_batch_size", 0),
        ("global_batch_size", 1),
        ("global_batch_size", 2.5),
        ("global_batch_size", math.inf),
        ("opt_momentum", -0.1),
        ("opt_base_learning_rate", math.nan),
    ],
)
def test_values_that_nothing_can_train_with_are_refused(name: str, value: Number) -> None:
    with pytest.raises(LevelfieldError, match=name):
        training(**{name: value})


class SlowLine(Line):
    """Takes 5 ns."""

    def __init__(self, weight: Tensor, clock: SimulatedClock) -> None:
        super().__init__(weight)
        self._clock = clock

    def forward(self, x: Tensor) -> Tensor:
        self._clock.advance(5)
        return super().forward(x)


class SlowRecipe(LineRecipe):
    """Takes 100 ns for a batch and 20 for the loss itself."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def model(self, generator: torch.Generator) -> SlowLine:
        return SlowLine(torch.rand(1, 1, generator=generator), self._clock)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        self._clock.advance(100)
        found = super().loss(model, chosen, generator)
        self._clock.advance(20)
        return found


def test_data_end_and_compute_begins_where_the_model_is_called() -> None:
    clock = SimulatedClock()
    values = DEFAULTS | {"global_batch_size": 4}
    session = ReferenceTraining(SlowRecipe(clock), values, 0, Arithmetic(), clock.now_ns)
    session.load()
    session.train(8)
    clock.advance(1_000)  # the driver's
    session.train(4)
    assert session.phases == {Phase.DATA: 300 / 1e9, Phase.COMPUTE: 75 / 1e9}


class Noted:
    """Notes what it is told of each step, in place of a device."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self.told.append(name)

    def phases(self, whole_s: float) -> dict[Phase, float]:
        return {Phase.COMPUTE: whole_s / 2}


def test_a_device_is_told_of_each_step_and_says_how_long_it_was_busy() -> None:
    session, _ = training()
    noted = Noted()
    session._device_steps = noted  # type: ignore[assignment]
    session.train(8)
    assert noted.told == ["begin", "call", "end"] * 2 + ["settle"]
    assert list(session.phases) == [Phase.COMPUTE]
