"""Shipped weights: written small, read strictly."""

from pathlib import Path

import pytest
import torch
from torch import nn

from harness.errors import LevelfieldError
from workloads.weights import load_weights, save_weights


def test_what_is_saved_is_loaded_in_the_models_own_types(tmp_path: Path) -> None:
    first, second = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    nn.init.constant_(first.weight, 0.5)
    save_weights(first, tmp_path / "w", torch.float16)
    load_weights(second, tmp_path / "w")
    assert second.weight.dtype == torch.float32
    assert second.weight.tolist() == [0.5] * 3
    assert second.num_batches_tracked.dtype == torch.int64


def test_weights_of_another_model_or_no_weights_are_refused(tmp_path: Path) -> None:
    save_weights(nn.Linear(2, 2), tmp_path / "w")
    with pytest.raises(LevelfieldError, match="not the weights of this model"):
        load_weights(nn.Linear(3, 2), tmp_path / "w")
    (tmp_path / "w").write_bytes(b"\x80\x04pickle")
    with pytest.raises(LevelfieldError, match="not the weights of this model"):
        load_weights(nn.Linear(2, 2), tmp_path / "w")
    with pytest.raises(LevelfieldError, match="not the weights of this model"):
        load_weights(nn.Linear(2, 2), tmp_path / "none")
