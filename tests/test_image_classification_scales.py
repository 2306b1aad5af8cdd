"""Image classification at scales standard and full, shrunk: markers, ImageNet's layout, ResNet."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.workload import Arithmetic
from workloads.catalogue import load_card
from workloads.image_classification import data, imagenet, markers
from workloads.image_classification.folder import FolderSut
from workloads.image_classification.training import network
from workloads.image_classification.workload import ImageClassification, workload
from workloads.weights import save_weights

STANDARD = load_card("image_classification.standard")
FULL = load_card("image_classification.full")
CPU = Arithmetic()
TINY_NET = {"width": 4, "depth_1": 1, "depth_2": 1, "depth_3": 2, "depth_4": 1}


def shrunk(card: WorkloadCard, train: int, held_out: int, **shape: int) -> WorkloadCard:
    """``card`` with a tiny network, and as many samples and such sizes as given."""
    sizes = {"train_samples": train, "eval_samples": held_out}
    return card.model_copy(
        update={
            "shape": {**card.shape, **TINY_NET, **shape},
            "data_sha256": "",
            "training": card.training.model_copy(update=sizes),
            "inference": card.inference.model_copy(
                update={"samples": held_out, "performance_samples": held_out}
            ),
        }
    )


MARKERS = shrunk(STANDARD, 96, 300, classes=4, code=2, code_distance=2, side=32)
PHOTOGRAPHS = shrunk(FULL, 12, 6, classes=3, side=32)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def quietly(*_: object) -> None:
    """Progress that nobody watches."""


def train(
    reference: ImageClassification, samples: int, **changes: float
) -> tuple[float, float, float]:
    """Losses of 48 and ``samples`` more in batches of eight, and the accuracy after them."""
    card = reference.card.training
    hyperparameters = settle_hyperparameters(card, {}, bounded=True)
    hyperparameters |= {"global_batch_size": 8, "opt_learning_rate_warmup_samples": 0, **changes}
    session = reference.training(hyperparameters, 0, CPU)
    evaluation = reference.evaluation(CPU)
    session.load()
    evaluation.load()
    losses = session.train(48), session.train(samples)
    return (*losses, evaluation.evaluate(session.model)["accuracy"])


# ---- both networks


@pytest.mark.parametrize("card", [STANDARD, FULL], ids=lambda card: card.name)
def test_the_network_is_as_large_as_the_card_says(card: WorkloadCard) -> None:
    with torch.device("meta"):
        model = network(card)
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in card.model
    names = model.state_dict()
    assert names["layer3.5.bn3.num_batches_tracked"].shape == ()
    assert names["layer4.0.downsample.0.weight"].shape == (2048, 1024, 1, 1)
    pictures = torch.empty(2, 3, int(card.shape["side"]), int(card.shape["side"]), device="meta")
    assert model(pictures).shape == (2, 1000)


# ---- markers


def read(picture: NDArray[np.uint8], code: int) -> NDArray[np.bool_]:
    """The code on ``picture``, read as the docstring of `markers.make` says it can be."""
    marked = abs(picture[..., 0].astype(int) - int(picture[0, 0, 0])) > 2 * STANDARD.shape["noise"]
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    square = marked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cell, rest = divmod(len(square), code + 2)
    assert rest == 0
    assert square.shape[0] == square.shape[1]
    cells = square[cell // 2 :: cell, cell // 2 :: cell]
    return cells[1:-1, 1:-1]


def test_every_marker_can_be_read() -> None:
    card = shrunk(STANDARD, 1, 400)
    arrays = markers.make(card, quietly)
    codes = markers.codes(card)
    for picture, label in zip(arrays["eval.images"], arrays["eval.labels"], strict=True):
        assert np.array_equal(read(picture, 6), codes[label])
    assert card.training.target.optimum == markers.OPTIMUM


def test_the_contrast_is_what_exact_reading_needs() -> None:
    shape = STANDARD.shape
    assert shape["contrast_least"] > 4 * shape["noise"]
    assert (shape["code"] + 2) * shape["cell_most"] < shape["side"] - 1


def test_codes_differ_as_much_as_the_card_says() -> None:
    codes = markers.codes(STANDARD).reshape(1000, -1).astype(int)
    equal = codes @ codes.T + (1 - codes) @ (1 - codes.T)
    apart = codes.shape[1] - equal[~np.eye(1000, dtype=bool)]
    assert apart.min() >= STANDARD.shape["code_distance"]


def test_the_generator_is_pinned_and_gives_labels_without_pictures() -> None:
    reference = workload(MARKERS, None)
    assert reference.prepare(quietly) == reference.prepare(quietly)
    assert reference.prepare(quietly).startswith("722aa85ed318")
    held_out = reference._data.part("eval")["labels"]
    assert data.right_answers(MARKERS) == tuple(held_out.tolist())
    assert data.quality(MARKERS, dict(enumerate(held_out.tolist()))) == 1.0


def test_an_answer_beyond_the_classes_is_refused() -> None:
    with pytest.raises(LevelfieldError, match="whole number from 0 to 3"):
        data.quality(MARKERS, {0: 4})


def test_standard_trains_shrunk() -> None:
    reference = workload(MARKERS, None)
    reference.prepare(quietly)
    first, second, accuracy = train(reference, 960, opt_base_learning_rate=0.02)
    assert second < first
    assert 0 <= accuracy <= 1


# ---- photographs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six wide or high pictures a class, four to train on; a class is a colour."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    generator = np.random.default_rng(0)
    for part, count, first in (("train", 4, 0), ("val", 2, 4)):
        for label, wnid in enumerate(("n01", "n02", "n10")):
            (tmp_path / part / wnid).mkdir(parents=True)
            for number in range(first, first + count):
                shape = (40 + 9 * number, 90 - 7 * number, 3)
                pixels = generator.integers(0, 60, shape, dtype=np.uint8)
                pixels[..., label] += 190
                name = f"{part}_{number:08}_{label}.JPEG"
                image.fromarray(pixels).save(tmp_path / part / wnid / name)
    return tmp_path


def prepared(folder: Path, card: WorkloadCard = PHOTOGRAPHS) -> ImageClassification:
    reference = workload(card, folder)
    reference.prepare(quietly)
    return reference


def test_full_trains_on_a_folder_as_published(folder: Path) -> None:
    first, second, accuracy = train(prepared(folder), 320, opt_base_learning_rate=0.02)
    assert second < first
    assert accuracy > 0.5


def test_the_index_follows_the_names_of_pictures_and_classes(folder: Path) -> None:
    arrays = prepared(folder)._data.part("eval")
    assert arrays["labels"].tolist() == [0, 1, 2, 0, 1, 2]
    assert arrays["names"][1] == b"n02/val_00000004_1.JPEG"
    assert arrays["sizes"][1] == (folder / "val" / "n02" / "val_00000004_1.JPEG").stat().st_size


def test_full_answers_with_weights_from_the_folder(folder: Path) -> None:
    reference = prepared(folder)
    save_weights(network(PHOTOGRAPHS), folder / imagenet.WEIGHTS)
    library = reference.library()
    library.load(range(6))
    inputs = library.get(np.arange(6))
    assert inputs.shape == (6, 32, 32, 3)
    assert (inputs.mean((1, 2)).argmax(1) == data.right_answers(PHOTOGRAPHS)).all()
    answers = FolderSut(library).predict(inputs).tolist()
    assert 0 <= data.quality(PHOTOGRAPHS, dict(enumerate(answers))) <= 1
    (folder / imagenet.WEIGHTS).unlink()
    with pytest.raises(LevelfieldError, match="not the weights of this model"):
        FolderSut(library)
    with pytest.raises(UsageError, match="its own library"):
        FolderSut(workload(load_card("image_classification"), None).library())


def test_a_folder_that_is_not_whole_is_refused(folder: Path) -> None:
    with pytest.raises(LevelfieldError, match="3 classes, expected 4"):
        prepared(folder, shrunk(FULL, 12, 6, classes=4))
    with pytest.raises(LevelfieldError, match=r"train: 12 pictures.*expected 13"):
        prepared(folder, shrunk(FULL, 13, 6, classes=3))
    with pytest.raises(LevelfieldError, match="none/train: cannot be read"):
        prepared(folder / "none")


def test_a_file_that_is_no_picture_is_named(folder: Path) -> None:
    reference = prepared(folder)
    broken = folder / "val" / "n01" / "val_00000005_0.JPEG"
    broken.write_bytes(b"no picture")
    with pytest.raises(LevelfieldError, match=r"00000005_0.JPEG: not a picture"):
        reference.library().load([0, 1, 2, 3])


def test_without_pillow_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(LevelfieldError, match=r"pip install 'levelfield\[imagenet\]'"):
        prepared(folder)


@given(
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=4, max_size=4),
)
def test_parts_and_middles_lie_within_the_picture(
    size: tuple[int, int], draws: list[float]
) -> None:
    for box in (imagenet.part(size, np.array(draws)), imagenet.middle(size)):
        left, upper, right, lower = box
        assert -1e-9 <= left < right <= size[0] + 1e-6
        assert -1e-9 <= upper < lower <= size[1] + 1e-6


def test_a_reduced_decode_shows_the_same_part(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    ramp = np.broadcast_to(np.arange(800) * 255 // 799, (600, 800)).astype(np.uint8)
    (tmp_path / "val").mkdir()
    image.fromarray(np.stack([ramp] * 3, 2)).save(tmp_path / "val" / "a.JPEG", quality=95)
    pictures = imagenet.Pictures(tmp_path, "eval", np.array([b"a.JPEG"]), 32)
    seen: Any = pictures[[0]][0, :, :, 0].mean(0)
    left, _, right, _ = imagenet.middle((800, 600))
    centres = left + (np.arange(32) + 0.5) * (right - left) / 32
    assert np.abs(seen - centres * 255 / 799).max() < 3
