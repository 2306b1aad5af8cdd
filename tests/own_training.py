"""Somebody's own training program: it shares nothing with Levelfield but the log's format.

It fits a nearest-neighbour classifier, which meets no schedule of the closed division; what
matters here is that its lines become a run.
"""

import json
import sys
import time

from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

SEED = int(sys.argv[sys.argv.index("--seed") + 1])


def log(key: str, value: object = None, **metadata: object) -> None:
    line = {
        "namespace": "",
        "time_ms": time.time_ns() // 1_000_000,
        "event_type": "POINT_IN_TIME",
        "key": key,
        "value": value,
        "metadata": {"file": "train.py", "lineno": 1, **metadata},
    }
    print(":::MLLOG " + json.dumps(line), flush=True)


log("init_start")
model = KNeighborsClassifier(3)
log("init_stop")
log("run_start")
images, labels = load_digits(return_X_y=True)
log("block_start", samples_count=0)
model.fit(images[:900], labels[:900])
log("block_stop", samples_count=900)
log("eval_start", samples_count=900)
log("eval_accuracy", float(model.score(images[900:], labels[900:])), samples_count=900)
log("eval_stop", samples_count=900)
log("run_stop", status="success", samples_count=900)
