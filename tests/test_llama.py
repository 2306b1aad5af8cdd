"""The decoder: against plain NumPy, with cached keys and values, at every size."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from plain_llama import plain_logits

from workloads.llama import Cached, Llama, LlamaShape, fresh_llama, rope_angles, shape_of

SHAPE = LlamaShape(
    vocabulary=11, layers=2, width=16, heads=4, kv_heads=2, hidden=24, context=12,
    rope_base=100.0, norm_epsilon=1e-5, spread=0.3,
)  # fmt: skip
TOKENS = torch.randint(0, 11, (3, 12), generator=torch.Generator().manual_seed(1))


def fresh(seed: int = 0, shape: LlamaShape = SHAPE) -> Llama:
    return fresh_llama(shape, torch.Generator().manual_seed(seed)).eval()


@pytest.mark.parametrize("factor", [1.0, 8.0])
def test_logits_are_those_of_plain_numpy(factor: float) -> None:
    shape = replace(SHAPE, rope_factor=factor, rope_context=64)
    model = fresh(shape=shape)
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        found = model(TOKENS).numpy()
    assert np.allclose(found, plain_logits(weights, TOKENS.numpy(), shape), atol=2e-5)


def test_no_token_sees_what_follows_it() -> None:
    changed = TOKENS.clone()
    changed[:, 7] = (changed[:, 7] + 1) % 11
    with torch.inference_mode():
        before, after = fresh()(TOKENS), fresh()(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


def test_cached_tokens_give_the_same_logits() -> None:
    model = fresh()
    room = (SHAPE.layers, 3, SHAPE.context, SHAPE.kv_heads, SHAPE.head_width)
    keys, values = torch.zeros(room), torch.zeros(room)
    with torch.inference_mode():
        whole = model(TOKENS)
        first = torch.arange(5).expand(3, -1)
        parts = [model(TOKENS[:, :5], Cached(keys, values, first, 5))]
        for place in range(5, 12):
            at = torch.full((3, 1), place)
            parts.append(model(TOKENS[:, place : place + 1], Cached(keys, values, at, place + 1)))
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)


def test_new_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = fresh(5).state_dict()
    torch.manual_seed(2)
    two = fresh(5).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(fresh(6).lm_head.weight, one["lm_head.weight"])


def test_slow_frequencies_are_stretched_and_fast_ones_kept() -> None:
    shape = LlamaShape(
        vocabulary=1, layers=0, width=128, heads=1, kv_heads=1, hidden=1, context=2,
        rope_base=500_000.0, norm_epsilon=1e-5, spread=0.02,
    )  # fmt: skip
    plain = rope_angles(shape)[1, :64].double()
    stretched = rope_angles(replace(shape, rope_factor=8.0))[1, :64].double()
    turns = 8192 * plain / (2 * math.pi)
    assert torch.equal(stretched[turns > 4], plain[turns > 4])
    assert torch.allclose(stretched[turns < 1], plain[turns < 1] / 8)
    between = (stretched / plain)[(turns > 1) & (turns < 4)]
    assert (between > 1 / 8).all()
    assert (between < 1).all()
    assert (between.diff() < 0).all()


def test_a_card_names_the_sizes() -> None:
    numbers = {**vars(SHAPE), "classes": 3}
    assert shape_of(numbers) == SHAPE
