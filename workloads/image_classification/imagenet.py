"""ImageNet as published, ``train/<wnid>/*.JPEG`` and ``val/<wnid>/*.JPEG``, for scale full.

No torch here. Pictures are decoded when they are asked for, by threads: Pillow lets go of the
interpreter's lock while it decodes and resizes.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress

FOLDERS = {"train": "train", "eval": "val"}
WEIGHTS = "weights.safetensors"
CHANNELS = 3
_EVAL_SHARE = 224 / 256
"""Of a picture's shorter side, what evaluation looks at."""

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge in pixels."""


def index(card: WorkloadCard, folder: Path, report: Progress) -> dict[str, NDArray[Any]]:
    """Names, sizes in bytes and classes of all pictures under ``folder``, in the order of names.

    A class is its wnid's place among all, sorted. `LevelfieldError` unless both parts have the
    card's classes and numbers of pictures.
    """
    require_pillow()
    classes = sorted(path.name for path in _folders(folder / "train"))
    _require(folder / "train", "classes", len(classes), int(card.shape["classes"]))
    sizes = {"train": card.training.train_samples, "eval": card.training.eval_samples}
    arrays: dict[str, NDArray[Any]] = {}
    for number, (part, samples) in enumerate(sizes.items()):
        root = folder / FOLDERS[part]
        report(f"listing {root}", number, len(sizes))
        found = [
            (f"{wnid}/{entry.name}", entry.stat().st_size, label)
            for label, wnid in enumerate(classes)
            for entry in _pictures(root / wnid)
        ]
        _require(root, "pictures in the classes of train", len(found), samples)
        found.sort(key=lambda picture: picture[0].partition("/")[2])
        names, lengths, labels = zip(*found, strict=True)
        arrays |= {
            f"{part}.names": np.array([name.encode() for name in names]),
            f"{part}.sizes": np.array(lengths, dtype=np.uint32),
            f"{part}.labels": np.array(labels, dtype=np.uint16),
        }
    return arrays


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise LevelfieldError(
            f"{folder}: cannot be read: {error.strerror}; give the folder that holds train and val"
        ) from error


def _pictures(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.name.upper().endswith((".JPEG", ".JPG"))]
    except OSError as error:
        raise LevelfieldError(
            f"{folder}: cannot be read: {error.strerror}; each part needs a folder a class"
        ) from error


def _require(folder: Path, what: str, found: int, expected: int) -> None:
    if found != expected:
        raise LevelfieldError(
            f"{folder}: {found:,} {what}, expected {expected:,}; unpack the whole data set"
        )


def require_pillow() -> None:
    """`LevelfieldError` unless Pillow is installed."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise LevelfieldError(
            f"image_classification.full: {error}; pip install 'levelfield[imagenet]'"
        ) from error


class Pictures:
    """The pictures of one part, decoded by a thread a processor."""

    def __init__(self, folder: Path, part: str, names: NDArray[np.bytes_], side: int) -> None:
        """``names`` are paths under the part's folder; pictures come as ``side`` x ``side``."""
        self._root = folder / FOLDERS[part]
        self._names = names
        self._side = side
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Pictures, rows, columns, channels."""
        return (len(self._names), self._side, self._side, CHANNELS)

    dtype = np.dtype(np.uint8)

    def __getitem__(self, chosen: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Evaluation's view (n, side, side, 3): the middle of each picture."""
        return self._decoded(chosen, [None] * len(chosen))

    def crops(self, chosen: Sequence[int], draws: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Training's view (n, side, side, 3): a random part, as ``draws`` (n, 4) from 0 to 1 say.

        The part has 8 to 100 % of the area and sides in a ratio from 3:4 to 4:3 (Szegedy et al.,
        2015, arXiv:1409.4842). Where it is larger than the picture, it is cut to it.
        """
        return self._decoded(chosen, list(draws))

    def _decoded(
        self, chosen: Iterable[int], draws: Sequence[NDArray[np.float64] | None]
    ) -> NDArray[np.uint8]:
        paths = [self._root / self._names[i].decode() for i in chosen]
        decoded = self._pool.map(_decode, paths, draws, [self._side] * len(paths))
        return np.stack(list(decoded))


def _decode(path: Path, draws: NDArray[np.float64] | None, side: int) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            size = image.size
            box = middle(size) if draws is None else part(size, draws)
            # A JPEG can be decoded at a half, a quarter or an eighth at once, as far as it may.
            wanted = [int(n * side / (box[i + 2] - box[i])) + 1 for i, n in enumerate(size)]
            image.draft("RGB", (wanted[0], wanted[1]))
            scale = [image.size[i % 2] / size[i % 2] for i in range(4)]
            scaled = cast(Box, tuple(edge * s for edge, s in zip(box, scale, strict=True)))
            rgb = image.convert("RGB")
            return np.asarray(rgb.resize((side, side), Image.Resampling.BILINEAR, box=scaled))
    except (OSError, UnidentifiedImageError) as error:
        raise LevelfieldError(f"{path}: not a picture: {error}; unpack it again") from error


def middle(size: tuple[int, int]) -> Box:
    """The square in the middle that evaluation sees of a picture of ``size``, width and height."""
    half = _EVAL_SHARE * min(size) / 2
    return (size[0] / 2 - half, size[1] / 2 - half, size[0] / 2 + half, size[1] / 2 + half)


def part(size: tuple[int, int], draws: NDArray[np.float64]) -> Box:
    """The part that training sees of a picture of ``size``, width and height; see `Pictures`."""
    area, ratio, across, down = draws.tolist()
    pixels = (0.08 + 0.92 * area) * size[0] * size[1]
    aspect = (3 / 4) ** (1 - 2 * ratio)
    width = min(size[0], (pixels * aspect) ** 0.5)
    height = min(size[1], (pixels / aspect) ** 0.5)
    left, upper = across * (size[0] - width), down * (size[1] - height)
    return (left, upper, left + width, upper + height)
