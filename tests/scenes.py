"""Object detection's cards, and small ones with a data set and a network that take no time."""

from harness.card import WorkloadCard
from workloads.catalogue import load_card

CARD = load_card("object_detection")
STANDARD = load_card("object_detection.standard")


def quiet(what: str, done: int, total: int) -> None:
    pass


def shrunken(card: WorkloadCard) -> WorkloadCard:
    """The card with a data set and a network that take no time."""
    small = {"side": 32, "objects": 3, "size_least": 6, "size_most": 12, "detections": 8}
    # Not 8: without AVX-512, oneDNN writes past the gradient of a strided convolution of 4.
    network = {"width": 16, "blocks": 1}
    facts = card.training.model_copy(update={"train_samples": 96, "eval_samples": 32})
    return card.model_copy(
        update={
            "data_sha256": "",
            "shape": card.shape | small | network,
            "training": facts,
            "inference": card.inference.model_copy(update={"samples": 32}),
        }
    )


SMALL, SMALL_STANDARD = shrunken(CARD), shrunken(STANDARD)
