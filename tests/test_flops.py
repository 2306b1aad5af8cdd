"""The cards' model FLOPs: torch's count, and a closed formula written out for each workload."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.card import Scale, WorkloadCard
from harness.records import Number
from workloads.catalogue import benchmark_names, load_card
from workloads.flops import counted, inference_flops, training_flops
from workloads.generation import Engine
from workloads.llama import Llama, shape_of
from workloads.lora_finetuning.data import whole
from workloads.recommendation.data import sizes

Forward = tuple[float, int]
"""Operations of a forward pass, and those among them whose inputs need no gradient."""


def product(rows: int, inner: int, columns: int) -> int:
    return 2 * rows * inner * columns


def convolution(side: int, kernel: int, channels_in: int, channels: int) -> int:
    """To a map of ``side`` by ``side``; what lies over the edge counts."""
    return product(side * side, kernel * kernel * channels_in, channels)


def trained(forward: Forward) -> float:
    """With the backward pass: the gradients of weights cost as much again, as do those of inputs,
    which the first layer on the data does not need."""
    every, first = forward
    return 3 * every - first


def image_classification(card: WorkloadCard) -> Forward:
    if card.scale != Scale.MINI:
        return resnet(card)
    side = int(card.shape["side"])
    widths = [int(card.shape[f"width_{number}"]) for number in (1, 1, 2, 2, 3)]
    total = stem = convolution(side, 3, 1, widths[0])
    for before, after in pairwise(widths):
        side //= 1 if before == after else 2
        total += convolution(side, 3, before, after) + convolution(side, 3, after, after)
        total += 0 if before == after else convolution(side, 1, before, after)
    return total + product(1, widths[-1], int(card.shape["classes"])), stem


def resnet(card: WorkloadCard) -> Forward:
    width, side = int(card.shape["width"]), int(card.shape["side"]) // 2
    total = stem = convolution(side, 7, 3, width)
    side, channels = side // 2, width
    for stage in range(4):
        for place in range(int(card.shape[f"depth_{stage + 1}"])):
            inner, outer, before = width << stage, 4 * width << stage, side
            side //= 2 if stage and not place else 1
            total += convolution(before, 1, channels, inner) + convolution(side, 3, inner, inner)
            total += convolution(side, 1, inner, outer)
            total += 0 if place else convolution(side, 1, channels, outer)
            channels = outer
    return total + product(1, channels, int(card.shape["classes"])), stem


def object_detection(card: WorkloadCard) -> Forward:
    side, width, stages, blocks = (
        int(card.shape[name]) for name in ("side", "width", "stages", "blocks")
    )
    channels = width // 2
    total = stem = convolution(side // 2, 3, 1, channels)
    for stage in range(stages):
        before, channels, cells = channels, width << stage, side // 4 >> stage
        total += convolution(cells, 3, before, channels) + convolution(cells, 1, before, channels)
        total += (2 * blocks - 1) * convolution(cells, 3, channels, channels)
        total += convolution(cells, 1, channels, width)
    cells, kinds, numbers = side // 4, 4, 4
    head = convolution(cells, 3, width, width) + convolution(cells, 1, width, kinds + numbers)
    return total + head, stem


def recommendation(card: WorkloadCard) -> Forward:
    width = int(card.shape["embedding_width"])
    joined = width * (len(sizes(card, "table")) + 1)
    bottom = [int(card.shape["dense"]), *sizes(card, "bottom"), width]
    layers = [*pairwise(bottom), *pairwise([joined, *sizes(card, "top"), 1])]
    rank = int(card.shape["cross_rank"])
    crosses = int(card.shape["cross_layers"]) * 2 * product(1, joined, rank)
    return sum(product(1, a, b) for a, b in layers) + crosses, product(1, *bottom[:2])


def image_generation(card: WorkloadCard) -> Forward:
    side, patch, width, layers = (
        int(card.shape[name]) for name in ("side", "patch", "width", "layers")
    )
    pixels = patch**2
    tokens = side**2 // pixels
    moment, inward = product(1, 128, width), product(tokens, pixels, width)
    condition = moment + product(1, width, width) + product(1, width, 2 * width)
    attention = product(tokens, width, 4 * width) + 2 * product(tokens, width, tokens)
    block = product(1, width, 6 * width) + attention + 2 * product(tokens, width, 4 * width)
    return condition + 2 * inward + layers * block, moment + inward


def decoder(shape: Mapping[str, Number], tokens: int, seen: int, rank: int = 0) -> list[int]:
    """Forward: of attention, of linear layers and of adapters of ``rank`` beside them; then of the
    linear layers and the adapters (A alone) among these whose inputs are embeddings."""
    layers, width, heads, kv_heads, hidden, vocabulary = (
        int(shape[name])
        for name in ("layers", "width", "heads", "kv_heads", "hidden", "vocabulary")
    )
    first = [(width, width), *[(width, width * kv_heads // heads)] * 2]
    layer = [*first, (width, width), *[(width, hidden)] * 3]
    every = [*layer * layers, (width, vocabulary)]
    attention = layers * 2 * product(tokens, width, seen)
    linear = sum(product(tokens, a, b) for a, b in every)
    adapters = sum(product(tokens, a + b, rank) for a, b in every)
    unneeded = sum(product(tokens, a, b) for a, b in first)
    unneeded_adapters = sum(product(tokens, a, rank) for a, _ in first)
    return [attention, linear, adapters, unneeded, unneeded_adapters]


def language_model_training(card: WorkloadCard) -> float:
    attention, linear, *_ = decoder(card.shape, *[int(card.shape["context"])] * 2)
    return 3 * (attention + linear)  # embeddings learn, so that every input needs a gradient


def lora_training(card: WorkloadCard) -> float:
    """Frozen layers pass gradients to their inputs alone; embeddings are frozen as well."""
    shape, rank = whole(card).shape, int(card.shape["rank"])
    tokens = int(shape["context"])
    attention, linear, adapters, first, first_adapters = decoder(shape, tokens, tokens, rank)
    return 3 * (attention + adapters) - first_adapters + 2 * linear - first


def generation(card: WorkloadCard) -> int:
    rank = int(card.shape.get("rank", 0))
    shape = whole(card).shape if rank else card.shape
    prompt, new = int(shape["prompt"]), int(shape["new_tokens"])
    reads = [(prompt, prompt), *((1, prompt + token) for token in range(1, new))]
    return sum(sum(decoder(shape, *read, rank)[:3]) for read in reads)


def graph(card: WorkloadCard, near: int, far: int, together: int) -> Forward:
    """``near`` neighbours of a node in each relation, ``far`` of each of those; ``together``
    samples share what a step does but once: attention's vectors are laid on the projections."""
    relations, heads, features, width, classes = (
        int(card.shape[name]) for name in ("relations", "heads", "features", "width", "classes")
    )
    hops = 1 + relations * near
    shared = sum(2 * relations * product(1, inputs, width) for inputs in (features, width))
    total, on_data = product(1, width, classes) + shared / together, 0
    for nodes, of, inputs in ((hops, far, features), (1, near, width)):
        scores = product(of, inputs, heads) + product(1, inputs, heads)
        means, messages = product(heads, of, inputs), product(1, inputs, width)
        own = product(nodes, inputs, width)
        total += own + nodes * relations * (scores + means + messages)
        on_data = on_data or own + nodes * relations * (scores + means)
    return total, on_data


ONE_SAMPLE: dict[str, Callable[[WorkloadCard], Forward]] = {
    "image_classification": image_classification,
    "object_detection": object_detection,
    "image_generation": image_generation,
    "recommendation": recommendation,
}
TRAINING: dict[str, Callable[[WorkloadCard], float]] = {
    **{n: lambda card, n=n: trained(ONE_SAMPLE[n](card)) for n in ONE_SAMPLE},  # type: ignore[misc]
    "language_model": language_model_training,
    "lora_finetuning": lora_training,
    "graph_classification": lambda card: trained(
        graph(
            card,
            int(card.shape["fan_out_near"]),
            int(card.shape["fan_out_far"]),
            int(card.training.hyperparameters["global_batch_size"].default),
        )
    ),
}
ANSWERS: dict[str, Callable[[WorkloadCard], float]] = {
    "image_classification": lambda card: image_classification(card)[0],
    "object_detection": lambda card: object_detection(card)[0],
    "recommendation": lambda card: int(card.shape["candidates"]) * recommendation(card)[0],
    "image_generation": lambda card: 2 * card.shape["steps"] * image_generation(card)[0],
    "language_model": generation,
    "lora_finetuning": generation,
    "graph_classification": lambda card: graph(card, *[int(card.shape["neighbours"])] * 2, 1)[0],
}


@pytest.mark.parametrize("name", benchmark_names())
def test_the_card_s_flops_of_training_are_counted_and_have_a_formula(name: str) -> None:
    card = load_card(name)
    assert card.training.flops_per_sample == training_flops(card)
    assert card.training.flops_per_sample == round(TRAINING[card.workload](card))


@pytest.mark.parametrize("name", benchmark_names())
def test_the_card_s_flops_of_an_answer_are_counted_and_have_a_formula(name: str) -> None:
    card = load_card(name)
    if not card.inference.scenarios:
        assert card.inference.flops_per_sample is None
        return
    assert card.inference.flops_per_sample == inference_flops(card)
    assert card.inference.flops_per_sample == ANSWERS[card.workload](card)


def test_the_engine_that_generates_does_what_is_counted_of_an_answer() -> None:
    card = load_card("language_model")
    prompt, new = int(card.shape["prompt"]), int(card.shape["new_tokens"])
    engine = Engine(Llama(shape_of(card.shape)), 1)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), counter:
        engine.join(torch.zeros(1, prompt, dtype=torch.int64), torch.zeros(1, new).double())
        for _ in range(1, new):
            engine.advance()
    assert counter.get_total_flops() == card.inference.flops_per_sample


def test_fused_attention_counts_as_its_two_products() -> None:
    def attention() -> None:
        x = torch.empty(1, 2, 8, 16)
        functional.scaled_dot_product_attention(x, x, x, is_causal=True)

    assert counted(attention) == 2 * product(2 * 8, 16, 8)
