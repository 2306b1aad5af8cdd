"""Recommendation at scale full: Criteo's logs as they are published, on a folder made here."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from small_clicks import quiet

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.recommendation import criteo
from workloads.recommendation.workload import workload


def tiny() -> WorkloadCard:
    """Three days, four rows to evaluate and two lists of two."""
    card = load_card("recommendation.full")
    tables = {f"table_{i}": 16 for i in range(1, 27)}
    widths = {"embedding_width": 4, "bottom_1": 8, "bottom_2": 8, "cross_rank": 4}
    top = {f"top_{i}": 8 for i in range(1, 5)}
    training = card.training.model_copy(update={"train_samples": 9, "eval_samples": 4})
    inference = card.inference.model_copy(update={"samples": 2, "performance_samples": 2})
    shape = card.shape | tables | widths | top | {"days": 3, "candidates": 2}
    return card.model_copy(update={"shape": shape, "training": training, "inference": inference})


def line(number: int) -> bytes:
    """A line in Criteo's format, with empty fields."""
    dense = [str(number), "", "-2", *["7"] * 10]
    words = ["", f"{number:08x}", "ffffffff", *["0000001f"] * 23]
    return "\t".join([str(number % 2), *dense, *words]).encode() + b"\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    logs = tmp_path / "criteo"
    logs.mkdir()
    (logs / "day_0").write_bytes(b"".join(map(line, range(5))))
    (logs / "day_1.gz").write_bytes(gzip.compress(b"".join(map(line, range(5, 9)))))
    (logs / "day_2").write_bytes(b"".join(map(line, range(9, 18))))
    return logs


def test_lines_become_labels_logarithms_and_ids(folder: Path) -> None:
    made = criteo.make(folder, tiny(), quiet)
    assert made["train.labels"].tolist() == [0, 1] * 4 + [0]
    assert made["train.ids"][6, :4].tolist() == [0, 6, 15, 15]
    expected = [round(math.log(x + 3) * 1024) for x in (6, 0, -2, 7)]
    assert made["train.dense"][6, :4].tolist() == expected
    assert made["eval.ids"][:, 1].tolist() == [9, 10, 11, 12]
    assert made["lists.ids"][:, :, 1].tolist() == [[13, 14], [15, 0]]


def test_full_trains_and_evaluates_from_the_disk(folder: Path) -> None:
    card = tiny()
    full = workload(card, folder)
    full.prepare(quiet)
    settled = settle_hyperparameters(card.training, {"global_batch_size": 4}, bounded=False)
    session, evaluation = full.training(settled, 0, Arithmetic()), full.evaluation(Arithmetic())
    session.load()
    evaluation.load()
    assert math.isfinite(session.train(12))
    assert set(evaluation.evaluate(session.model)) == {"auc"}
    library = full.library()
    library.load([0, 1])
    assert library.get(np.array([1]))["dense"].shape == (1, 2, 13)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"0\t1\n", "2 fields, expected 40"),
        (line(6).replace(b"0", b"2", 1), "the label is neither 0 nor 1"),
        (line(6).replace(b"-2", b"-x"), "a feature is not a number"),
        (line(6).replace(b"ffffffff", b"gggggggg"), "a feature is not a number"),
        (line(6).replace(b"-2", b"9" * 30), "a feature is out of range"),
        (line(6).replace(b"ffffffff", b"f" * 9), "a feature is out of range"),
    ],
)
def test_a_damaged_line_is_named(folder: Path, bad: bytes, reason: str) -> None:
    (folder / "day_0").write_bytes(line(0) + bad + line(2))
    with pytest.raises(LevelfieldError, match=f"day_0:2: {reason}; fetch the file again"):
        criteo.make(folder, tiny(), quiet)


def test_a_day_that_is_missing_or_cut_short_is_named(folder: Path) -> None:
    whole = (folder / "day_1.gz").read_bytes()
    (folder / "day_1.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LevelfieldError, match=r"day_1.gz: cannot be read: .*; fetch it again"):
        criteo.make(folder, tiny(), quiet)
    (folder / "day_1.gz").unlink()
    with pytest.raises(LevelfieldError, match=r"holds neither day_1 nor day_1.gz; give the folder"):
        criteo.make(folder, tiny(), quiet)


def test_another_number_of_rows_than_the_cards_is_refused(folder: Path) -> None:
    days = (folder / "day_2").read_bytes()
    (folder / "day_2").write_bytes(line(1) * 5)
    with pytest.raises(LevelfieldError, match="1 rows for part lists, the card expects 4"):
        criteo.make(folder, tiny(), quiet)
    (folder / "day_2").write_bytes(days)
    with (folder / "day_0").open("ab") as file:
        file.write(line(1))
    with pytest.raises(LevelfieldError, match=r"day_1.gz:4: more than the card's 9 rows"):
        criteo.make(folder, tiny(), quiet)
