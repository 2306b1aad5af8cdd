"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from typing import cast

import torch
from torch import Tensor

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.llama import Cached, Llama, shape_of


def passes(card: WorkloadCard) -> Passes:
    """Logits of a whole context in training; in inference a prompt, then token by token."""
    return decoder_passes(card, Llama(shape_of(card.shape)))


def decoder_passes(card: WorkloadCard, model: Llama) -> Passes:
    """The passes of ``model`` with the sequences, prompts and new tokens of ``card``."""
    context = int(card.shape["context"])

    def logits(sequences: int) -> Tensor:
        return cast(Tensor, model(torch.empty(sequences, context, dtype=torch.int64)))

    def answer() -> None:
        prompt, new = int(card.shape["prompt"]), int(card.shape["new_tokens"])
        _read(model, prompt, prompt)
        for token in range(1, new):  # the prompt gave the first; the last one is not read
            _read(model, 1, prompt + token)

    return Passes(logits, answer)


def _read(model: Llama, tokens: int, longest: int) -> None:
    """The last ``tokens`` of ``longest``, with what came before kept, as generation reads them."""
    shape = model.shape
    room = (shape.layers, 1, longest, shape.kv_heads, shape.head_width)
    positions = torch.arange(longest - tokens, longest)[None]
    cached = Cached(torch.empty(room), torch.empty(room), positions, longest)
    model(torch.empty(1, tokens, dtype=torch.int64), cached)
