"""Generated scenes: pinned, exact boxes, and an optimum that a program reaches."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scenes import CARD, SMALL, STANDARD, quiet
from scipy import ndimage

from harness.card import WorkloadCard
from workloads.data_set import DataSet
from workloads.object_detection import data
from workloads.object_detection.workload import workload

FACTS = CARD.training
SIDE = int(CARD.shape["side"])


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "scenes"))
        workload(CARD, None).prepare(quiet)
        yield


def test_the_data_are_those_of_the_card() -> None:
    assert workload(CARD, None).prepare(quiet) == CARD.data_sha256
    for part, count in (("train", FACTS.train_samples), ("eval", FACTS.eval_samples)):
        arrays = DataSet(CARD, data.make).part(part)
        assert arrays["images"].shape == (count, SIDE, SIDE)
        assert arrays["boxes"].shape == (*arrays["kinds"].shape, 4)
    assert FACTS.eval_samples == CARD.inference.samples


def test_a_seed_gives_the_same_scenes_and_another_seed_others() -> None:
    one, same = (data.make(SMALL, quiet) for _ in range(2))
    other = data.make(SMALL.model_copy(update={"data_seed": 2}), quiet)
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not any(np.array_equal(one[name], other[name]) for name in one)
    assert not np.array_equal(one["train.images"][:32], one["eval.images"])


def test_generation_tells_of_its_progress() -> None:
    told: list[tuple[str, int, int]] = []
    data.make(SMALL, lambda *news: told.append(news))
    assert told == [("scenes", 96, 128), ("scenes", 128, 128)]


def covered(kind: int, box: tuple[int, int, int, int], side: int) -> NDArray[np.bool_]:
    spans = data.spans_of(np.array(kind), np.array(box), side)
    columns = np.arange(side)
    return np.asarray((columns >= spans.left[:, None]) & (columns < spans.right[:, None]))


def sizes(card: WorkloadCard) -> st.SearchStrategy[tuple[int, int]]:
    """Width and height of a shape as the card may draw it."""
    length = st.integers(int(card.shape["size_least"]), int(card.shape["size_most"]))
    return st.tuples(length, length)


@pytest.mark.parametrize("kind", range(len(data.KINDS)), ids=data.KINDS)
@given(size=st.one_of(map(sizes, (CARD, STANDARD))), corner=st.data())
def test_a_shape_just_fills_its_box(
    kind: int, size: tuple[int, int], corner: st.DataObject
) -> None:
    width, height = size
    side = 128
    x0, y0 = (corner.draw(st.integers(0, side - length)) for length in size)
    rows, columns = np.nonzero(covered(kind, (x0, y0, x0 + width, y0 + height), side))
    assert (columns.min(), columns.max() + 1) == (x0, x0 + width)
    assert (rows.min(), rows.max() + 1) == (y0, y0 + height)


def test_the_smallest_shapes_of_all_kinds_differ() -> None:
    for card in (CARD, STANDARD):
        least = int(card.shape["size_least"])
        masks = {covered(kind, (0, 0, least, least), least).tobytes() for kind in range(4)}
        assert len(masks) == len(data.KINDS)


def by_hand(image: NDArray[np.uint8], card: WorkloadCard) -> list[list[float]]:
    """What a program that knows the generator sees: the construction of `data.optimum`."""
    noise, half = int(card.shape["noise"]), int(card.shape["contrast_least"]) / 2
    counts = np.convolve(np.bincount(image.ravel(), minlength=256), np.ones(2 * noise + 1), "same")
    regions, _ = ndimage.label(abs(image.astype(int) - counts.argmax()) > half, np.ones((3, 3)))
    seen = []
    for number, (y, x) in enumerate(ndimage.find_objects(regions), 1):
        box = (x.start, y.start, x.stop, y.stop)
        kinds = [k for k in range(4) if (covered(k, box, len(image)) == (regions == number)).all()]
        seen.append([kinds[0], 1.0, *map(float, box)])
    return seen


def test_the_optimum_on_the_card_is_reached_by_a_program_that_knows_the_generator() -> None:
    assert CARD.shape["contrast_least"] > 2 * CARD.shape["noise"]
    images = DataSet(CARD, data.make).part("eval")["images"]
    answers = {sample: by_hand(image, CARD) for sample, image in enumerate(images)}
    reached = data.quality(CARD, answers)
    assert reached == data.optimum(CARD) == FACTS.target.optimum == 1.0
