"""A Llama-shaped decoder, from toy to 8B: RMSNorm, rotary positions, SwiGLU, grouped queries.

Parameters have the names of Hugging Face's Llama checkpoints, so those load as they are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number


@dataclass(frozen=True)
class LlamaShape:
    """The sizes of a decoder."""

    vocabulary: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    hidden: int
    """Width inside SwiGLU."""
    context: int
    """The longest sequence, in tokens."""
    rope_base: float
    norm_epsilon: float
    spread: float
    """Standard deviation of new weights."""
    rope_factor: float = 1.0
    """How much slower low frequencies turn than in the original; 1 leaves all as they are."""
    rope_low: float = 1.0
    rope_high: float = 4.0
    rope_context: int = 8192
    """Frequencies that turn ``rope_low`` to ``rope_high`` times in so many tokens lie between."""

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


def shape_of(numbers: Mapping[str, Number]) -> LlamaShape:
    """The decoder's sizes among a card's ``[shape]``, which may hold others."""
    known = {name: numbers[name] for name in LlamaShape.__dataclass_fields__ if name in numbers}
    return LlamaShape(**known)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cached:
    """Keys and values of sequences being continued, and where the given tokens stand in them."""

    keys: Tensor  # (layers, sequences, context, kv heads, head width)
    values: Tensor
    positions: Tensor  # (sequences, tokens): whole numbers
    longest: int
    """One more than the greatest position."""

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store ``keys`` and ``values`` at the positions; return all up to the longest."""
        rows = torch.arange(len(self.positions), device=self.positions.device)[:, None]
        self.keys[layer][rows, self.positions] = keys
        self.values[layer][rows, self.positions] = values
        return self.keys[layer][:, : self.longest], self.values[layer][:, : self.longest]

    def visible(self) -> Tensor:
        """What each token may look at: (sequences, 1, tokens, longest)."""
        places = torch.arange(self.longest, device=self.positions.device)
        return (places <= self.positions[:, :, None])[:, None]


class Attention(nn.Module):
    """Causal attention; several query heads share a head of keys and values (arXiv:2305.13245)."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self._head_width = shape.head_width
        shared = shape.kv_heads * shape.head_width
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shared, bias=False)
        self.v_proj = nn.Linear(shape.width, shared, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(
        self, x: Tensor, turns: tuple[Tensor, Tensor], layer: int, cached: Cached | None
    ) -> Tensor:
        """(sequences, tokens, width) to the same."""
        split = (*x.shape[:2], -1, self._head_width)
        queries = _turned(self.q_proj(x).view(split), turns)
        keys = _turned(self.k_proj(x).view(split), turns)
        values = self.v_proj(x).view(split)
        if cached is not None:
            keys, values = cached.extend(layer, keys, values)
        mixed = functional.scaled_dot_product_attention(
            queries.transpose(1, 2),
            keys.transpose(1, 2),
            values.transpose(1, 2),
            attn_mask=None if cached is None else cached.visible(),
            is_causal=cached is None,
            enable_gqa=True,
        )
        return cast(Tensor, self.o_proj(mixed.transpose(1, 2).reshape(x.shape)))


class FeedForward(nn.Module):
    """SwiGLU (arXiv:2002.05202)."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down_proj = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) to the same."""
        gated = functional.silu(self.gate_proj(x)) * self.up_proj(x)
        return cast(Tensor, self.down_proj(gated))


class Layer(nn.Module):
    """Attention and a feed-forward network, each behind a norm and beside a shortcut."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        self.mlp = FeedForward(shape)

    def forward(
        self, x: Tensor, turns: tuple[Tensor, Tensor], layer: int, cached: Cached | None
    ) -> Tensor:
        """(sequences, tokens, width) to the same."""
        x = x + self.self_attn(self.input_layernorm(x), turns, layer, cached)
        return x + cast(Tensor, self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    """Embedding, layers and the last norm."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        self._shape = shape
        self.place_turns()

    def place_turns(self) -> None:
        """Make the table of turns, which no checkpoint holds, on the CPU or on the meta device."""
        angles = rope_angles(self._shape)
        self.register_buffer("cosines", angles.cos(), persistent=False)
        self.register_buffer("sines", angles.sin(), persistent=False)

    def forward(self, tokens: Tensor, cached: Cached | None) -> Tensor:
        """Whole numbers (sequences, tokens) to (sequences, tokens, width)."""
        places = slice(tokens.shape[1]) if cached is None else cached.positions
        cosines = cast(Tensor, self.cosines)[places][..., None, :]  # the same for every head
        sines = cast(Tensor, self.sines)[places][..., None, :]
        x = self.embed_tokens(tokens)
        for number, layer in enumerate(self.layers):
            x = layer(x, (cosines, sines), number, cached)
        return cast(Tensor, self.norm(x))


class Llama(nn.Module):
    """Tokens to logits of the token that follows each."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)
        self.lm_head = nn.Linear(shape.width, shape.vocabulary, bias=False)

    def forward(self, tokens: Tensor, cached: Cached | None = None) -> Tensor:
        """Whole numbers (sequences, tokens) to logits (sequences, tokens, vocabulary).

        With ``cached``, the tokens stand at its positions behind what it holds, and are added.
        """
        return cast(Tensor, self.lm_head(self.model(tokens, cached)))


def rope_angles(shape: LlamaShape) -> Tensor:
    """Angles (context, head width) by which positions turn heads (arXiv:2104.09864).

    Where ``rope_factor`` is above 1, frequencies change as in Llama 3.1: slow ones are divided by
    it, fast ones stay, those between go over linearly in their turns in ``rope_context`` tokens.
    """
    half = torch.arange(0, shape.head_width, 2, dtype=torch.float64) / shape.head_width
    frequencies = shape.rope_base**-half
    if shape.rope_factor != 1:
        turns = shape.rope_context * frequencies / (2 * math.pi)
        kept = ((turns - shape.rope_low) / (shape.rope_high - shape.rope_low)).clamp(0, 1)
        frequencies = frequencies * (kept + (1 - kept) / shape.rope_factor)
    positions = torch.arange(shape.context, dtype=torch.float64)
    return (positions[:, None] * frequencies).repeat(1, 2).float()


def fresh_llama(shape: LlamaShape, generator: torch.Generator) -> Llama:
    """A decoder with new weights, drawn from ``generator`` alone, on the CPU."""
    model = Llama(shape)
    narrower = shape.spread / math.sqrt(2 * shape.layers)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            nn.init.ones_(parameter)
        else:
            # What adds to the shortcut starts smaller, so that its sum does not grow with depth.
            adds = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(parameter, std=narrower if adds else shape.spread, generator=generator)
    return model


def _turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """``x`` (sequences, tokens, heads, width) with the two halves of each head turned in pairs."""
    cosines, sines = turns
    first, second = x.chunk(2, dim=-1)
    return (x * cosines + torch.cat((-second, first), dim=-1) * sines).to(x.dtype)
