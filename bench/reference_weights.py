"""Trains the weights that image_classification ships and prints the accuracy for its card.

    python bench/reference_weights.py

Four times the reference's samples, the card's other settings, one seed fixed beforehand, so that
nothing is selected by the held-out half. Takes some four minutes of one core.
"""

import torch

from harness.card import settle_hyperparameters
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.image_classification.workload import WEIGHTS, workload
from workloads.weights import load_weights, save_weights

SEED = 0
LENGTHENING = 4
EPOCHS_BETWEEN = 10


def main() -> None:
    """Train, save, print the accuracy."""
    card, arithmetic = load_card("image_classification"), Arithmetic()
    hyperparameters = settle_hyperparameters(card.training, {}, bounded=True)
    hyperparameters["opt_learning_rate_decay_samples"] *= LENGTHENING
    reference = workload(card, None)
    session = reference.training(hyperparameters, SEED, arithmetic)
    evaluation = reference.evaluation(arithmetic)
    session.load()
    evaluation.load()
    while session.samples < hyperparameters["opt_learning_rate_decay_samples"]:
        loss = session.train(EPOCHS_BETWEEN * card.training.train_samples)
        print(f"{session.samples} samples: loss {loss:.4f}")
    save_weights(session.model, WEIGHTS, torch.float16)
    load_weights(session.model, WEIGHTS)  # as everybody else gets them
    print(f"reference_quality = {evaluation.evaluate(session.model)['accuracy']!r}")


if __name__ == "__main__":
    main()
