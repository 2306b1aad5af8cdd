"""Trains weights for a workload to ship, with seed 0, so that nothing is selected by held-out data.

    python bench/reference_weights.py image_classification --samples 108120 \\
        --set opt_learning_rate_decay_samples=108120

Each workload's README says how its weights were trained. The learning rate may leave the closed
division's bounds. They are stored in 16 bits; the qualities printed are those of what is stored.
"""

import argparse
import json
from pathlib import Path

import torch

from harness.card import settle_hyperparameters
from harness.workload import Arithmetic
from workloads.catalogue import load_workload
from workloads.weights import load_weights, save_weights

SEED = 0


def main() -> None:
    """Train, save, print the qualities."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workload")
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, help="default: weights.safetensors here")
    options = parser.parse_args()
    changes = {key: json.loads(value) for key, _, value in (s.partition("=") for s in options.set)}
    reference = load_workload(options.workload)
    reference.prepare(lambda *_: None)
    facts = reference.card.training
    values = settle_hyperparameters(facts, changes, bounded=False)
    session = reference.training(values, SEED, Arithmetic())
    evaluation = reference.evaluation(Arithmetic())
    session.load()
    evaluation.load()
    while session.samples < options.samples:
        loss = session.train(min(facts.evaluate_every, options.samples - session.samples))
        print(f"{session.samples} samples: loss {loss:.4f}")
    out = options.out or Path("weights.safetensors")
    save_weights(session.model, out, torch.float16)
    load_weights(session.model, out)  # as everybody else gets them
    print(f"{out}: {dict(evaluation.evaluate(session.model))}")


if __name__ == "__main__":
    main()
