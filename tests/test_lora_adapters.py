"""Low-rank adapters: what they add, how they begin, merging, and the base that they stand on."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.card import settle_hyperparameters
from harness.errors import LevelfieldError
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.language_model.workload import WEIGHTS as BASE_WEIGHTS
from workloads.language_model.workload import shipped_model as base_model
from workloads.llama import Llama
from workloads.lora_finetuning import data, model
from workloads.lora_finetuning.workload import LoraFinetuning

CARD = load_card("lora_finetuning")


def tokens(count: int = 4, length: int = 64) -> torch.Tensor:
    random = np.random.Generator(np.random.PCG64(0))
    return torch.from_numpy(data.chain_of(CARD).sample(count, length, random).astype(np.int64))


def drawn(seed: int) -> Llama:
    fresh = model.base_with_adapters(CARD)
    model.draw_adapters(fresh, torch.Generator().manual_seed(seed))
    return fresh


def filled() -> Llama:
    """Adapters that add something: B is drawn, too."""
    fresh = drawn(0)
    for adapter in model.adapters_of(fresh).parameters():
        torch.nn.init.normal_(adapter, std=0.1, generator=torch.Generator().manual_seed(1))
    return fresh.eval()


def logits(decoder: Llama) -> torch.Tensor:
    with torch.inference_mode():
        return decoder(tokens())


def test_new_adapters_change_nothing() -> None:
    assert torch.equal(logits(drawn(0)), logits(base_model()))
    assert not torch.allclose(logits(filled()), logits(base_model()), atol=0.1)


def test_merged_adapters_give_the_same_logits_from_a_plain_decoder() -> None:
    apart, together = filled(), model.merged(filled())
    assert torch.allclose(logits(together), logits(apart), atol=1e-4)
    assert together.state_dict().keys() == base_model().state_dict().keys()


def test_an_adapter_adds_what_the_paper_says() -> None:
    layer = filled().get_submodule("model.layers.1.mlp.down_proj")
    assert isinstance(layer, model.Adapted)
    x = torch.randn(2, 3, 256, generator=torch.Generator().manual_seed(0))
    adapter = layer.adapter
    expected = x @ layer.weight.T + CARD.shape["alpha"] / CARD.shape["rank"] * (
        x @ adapter.a.T @ adapter.b.T
    )
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_every_linear_layer_has_an_adapter_and_they_are_as_large_as_the_card_says() -> None:
    adapters = model.adapters_of(drawn(0))
    linear = [m for m in base_model().modules() if isinstance(m, torch.nn.Linear)]
    assert len(adapters) == len(linear) == 15
    trained = sum(p.numel() for p in drawn(0).parameters() if p.requires_grad)
    assert trained == sum(p.numel() for p in adapters.parameters())
    assert f"{trained:,} parameters" in CARD.model


def test_new_adapters_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    first = model.adapters_of(drawn(5)).state_dict()
    torch.manual_seed(2)
    again, other = (model.adapters_of(drawn(seed)).state_dict() for seed in (5, 6))
    assert all(torch.equal(first[name], again[name]) for name in first)
    name = "model/layers/0/mlp/up_proj.a"
    assert not torch.equal(first[name], other[name])
    assert math.isclose(float(first[name].std()), 1 / math.sqrt(96), rel_tol=0.1)


def test_another_base_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_base = tmp_path / "w.safetensors"
    changed_base.write_bytes(BASE_WEIGHTS.read_bytes()[:-1] + b"\1")
    monkeypatch.setattr(model, "BASE", changed_base)
    with pytest.raises(LevelfieldError, match="not the weights that everybody starts from"):
        LoraFinetuning(CARD).prepare(lambda *_: None)
    monkeypatch.setattr(model, "BASE", tmp_path / "none")
    values = settle_hyperparameters(CARD.training, {}, bounded=True)
    with pytest.raises(LevelfieldError, match="install Levelfield again"):
        LoraFinetuning(CARD).training(values, 0, Arithmetic())
