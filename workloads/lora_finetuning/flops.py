"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.language_model.flops import decoder_passes
from workloads.llama import Llama, shape_of
from workloads.lora_finetuning.data import whole
from workloads.lora_finetuning.model import adapted


def passes(card: WorkloadCard) -> Passes:
    """language_model's, with adapters beside frozen layers, whose weights get no gradient."""
    base = Llama(shape_of(whole(card).shape))
    model = adapted(base, int(card.shape["rank"]), card.shape["alpha"])
    return decoder_passes(whole(card), model)
