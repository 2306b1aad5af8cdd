"""Trains the weights that image_classification ships and prints the accuracy for its card.

    python bench/reference_weights.py

Four times the reference's samples, the card's other settings, one seed fixed beforehand, so that
nothing is selected by the held-out half.
"""

from safetensors.torch import save_file

from harness.card import settle_hyperparameters
from workloads.image_classification.workload import WEIGHTS, WORKLOAD

SEED = 0
LENGTHENING = 4


def main() -> None:
    """Train, save, print the accuracy."""
    hyperparameters = settle_hyperparameters(WORKLOAD.card.training, {}, bounded=True)
    hyperparameters["opt_learning_rate_decay_samples"] *= LENGTHENING
    session = WORKLOAD.training(hyperparameters, SEED)
    session.load()
    while session.samples < hyperparameters["opt_learning_rate_decay_samples"]:
        loss = session.train(WORKLOAD.card.training.evaluate_every)
        print(f"{session.samples} samples: loss {loss:.4f}, accuracy {session.evaluate():.4f}")
    save_file(session.weights(), WEIGHTS)
    print(f"reference_quality = {session.evaluate()!r}")


if __name__ == "__main__":
    main()
