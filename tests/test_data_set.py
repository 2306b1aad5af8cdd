"""The cache of generated data: made once, checked always, never used when it was changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from toy import toy_card

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.data_set import DataSet, fingerprint


class Maker:
    """Counts how often the data are made."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
        self.calls += 1
        report("squares", 1, 1)
        squares = np.arange(card.shape["count"], dtype=np.int64) ** 2
        return {"train.x": squares, "eval.x": squares[:3]}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def card(**changes: Any) -> WorkloadCard:
    return toy_card().model_copy(
        update={"data_seed": 1, "data_sha256": "", "shape": {"count": 5}} | changes
    )


def quiet(what: str, done: int, total: int) -> None:
    pass


def test_it_is_made_once_and_read_by_part() -> None:
    make = Maker()
    told: list[tuple[str, int, int]] = []
    checksum = DataSet(card(), make).prepare(lambda *news: told.append(news))
    again = DataSet(card(), make)
    assert again.prepare(quiet) == checksum
    assert (make.calls, told) == (1, [("squares", 1, 1)])
    assert again.part("train")["x"].tolist() == [0, 1, 4, 9, 16]
    assert list(again.part("eval")) == ["x"]


def test_what_was_changed_in_the_cache_is_refused_and_kept() -> None:
    make = Maker()
    expected = DataSet(card(), make).prepare(quiet)
    data = DataSet(card(data_sha256=expected), make)
    assert data.prepare(quiet) == expected
    np.save(data.folder / "train.x.npy", np.arange(5))
    with pytest.raises(LevelfieldError, match="the data were changed; delete the folder"):
        data.prepare(quiet)
    assert make.calls == 2


def test_a_generator_that_makes_other_data_is_refused() -> None:
    data = DataSet(card(data_sha256="0" * 64), Maker())
    with pytest.raises(LevelfieldError, match="the generator made other data than the card's"):
        data.prepare(quiet)


def test_another_seed_or_shape_has_a_folder_of_its_own() -> None:
    cards = [card(), card(data_seed=2), card(shape={"count": 6}), card(data_sha256="0" * 64)]
    assert len({DataSet(one, Maker()).folder for one in cards}) == 4


def test_data_that_are_not_there_or_no_arrays_are_named(cache: Path) -> None:
    data = DataSet(card(), Maker())
    with pytest.raises(LevelfieldError, match=r"holds no train\.\*\.npy"):
        data.part("train")
    data.prepare(quiet)
    (data.folder / "train.x.npy").write_bytes(b"nothing")
    with pytest.raises(LevelfieldError, match="cannot be read"):
        data.part("train")
    assert [path.name for path in (cache / "levelfield").iterdir()] == [data.folder.name]


def test_the_fingerprint_sees_names_types_shapes_and_bytes() -> None:
    x = np.arange(6, dtype=np.int16)
    variants = [
        {"a": x},
        {"b": x},
        {"a": x.view(np.uint16)},
        {"a": x.reshape(2, 3)},
        {"a": x + 1},
        {"a": x, "b": x},
    ]
    assert len({fingerprint(arrays) for arrays in variants}) == len(variants)
    assert fingerprint({"a": x[::-1][::-1]}) == fingerprint({"a": x})
