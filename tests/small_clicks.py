"""The workload recommendation with small tables and parts."""

from typing import Any

from harness.card import WorkloadCard
from workloads.catalogue import load_card

SMALL_SHAPE = {"table_1": 64, "table_2": 32, "table_3": 8, "table_4": 8} | {
    f"table_{i}": 4 for i in range(5, 9)
}


def smaller(card: WorkloadCard, **changes: Any) -> WorkloadCard:
    """The card with small tables and parts."""
    training = card.training.model_copy(update={"train_samples": 8192, "eval_samples": 4096})
    inference = card.inference.model_copy(update={"samples": 8, "performance_samples": 8})
    shape = card.shape | SMALL_SHAPE
    facts = {"training": training, "inference": inference, "shape": shape, "data_sha256": ""}
    return card.model_copy(update=facts | changes)


SMALL = smaller(load_card("recommendation"))


def quiet(what: str, done: int, total: int) -> None:
    pass
