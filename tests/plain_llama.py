"""A second Llama, written apart from the first: loops and NumPy, in double precision."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workloads.llama import LlamaShape

Array = NDArray[np.float64]


def plain_logits(
    weights: Mapping[str, NDArray[np.float32]], tokens: NDArray[np.int64], shape: LlamaShape
) -> Array:
    """Logits (sequences, tokens, vocabulary), from weights by Hugging Face's names."""
    wide = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    return np.stack([_sequence(wide, sequence, shape) for sequence in tokens])


def _sequence(weights: Mapping[str, Array], tokens: NDArray[np.int64], shape: LlamaShape) -> Array:
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(shape.layers):
        own = f"model.layers.{layer}."
        normed = _norm(x, weights[own + "input_layernorm.weight"], shape.norm_epsilon)
        x = x + _attention(weights, own + "self_attn.", normed, shape)
        normed = _norm(x, weights[own + "post_attention_layernorm.weight"], shape.norm_epsilon)
        gate = normed @ weights[own + "mlp.gate_proj.weight"].T
        up = normed @ weights[own + "mlp.up_proj.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * up) @ weights[own + "mlp.down_proj.weight"].T
    x = _norm(x, weights["model.norm.weight"], shape.norm_epsilon)
    return x @ weights["lm_head.weight"].T


def _norm(x: Array, weight: Array, epsilon: float) -> Array:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * weight


def _attention(weights: Mapping[str, Array], own: str, x: Array, shape: LlamaShape) -> Array:
    size, shared = shape.head_width, shape.heads // shape.kv_heads
    queries, keys, values = (x @ weights[f"{own}{name}_proj.weight"].T for name in "qkv")
    mixed = np.zeros_like(queries)
    for head in range(shape.heads):
        mine = slice(head * size, (head + 1) * size)
        theirs = slice(head // shared * size, (head // shared + 1) * size)
        for place in range(len(x)):
            query = _rotated(queries[place, mine], place, shape)
            seen = [_rotated(keys[p, theirs], p, shape) for p in range(place + 1)]
            scores = np.array([query @ key for key in seen]) / math.sqrt(size)
            chances = np.exp(scores - scores.max())
            mixed[place, mine] = chances / chances.sum() @ values[: place + 1, theirs]
    return mixed @ weights[own + "o_proj.weight"].T


def _rotated(head: Array, place: int, shape: LlamaShape) -> Array:
    """Coordinates i and i + half as one complex number, turned by the place times a frequency."""
    half = len(head) // 2
    numbers = head[:half] + 1j * head[half:]
    for i in range(half):
        numbers[i] *= np.exp(1j * place * _frequency(i, half, shape))
    return np.concatenate([numbers.real, numbers.imag])


def _frequency(i: int, half: int, shape: LlamaShape) -> float:
    """Radians a token; Llama 3.1's rule, told by wavelengths."""
    frequency = float(shape.rope_base ** (-i / half))
    if shape.rope_factor == 1:
        return frequency
    wavelength = 2 * math.pi / frequency
    if wavelength < shape.rope_context / shape.rope_high:
        return frequency
    if wavelength > shape.rope_context / shape.rope_low:
        return frequency / shape.rope_factor
    smooth = (shape.rope_context / wavelength - shape.rope_low) / (shape.rope_high - shape.rope_low)
    return (1 - smooth) * frequency / shape.rope_factor + smooth * frequency
