"""Digits engraved in a striped ground: large generated images, from whole numbers alone."""

import numpy as np
from numpy.typing import NDArray

from harness.workload import Progress

LEVELS = 255
_SOURCE_LEVELS = 16
_ONE = 256
"""Fixed-point one: positions and directions are in 256ths of a pixel of the source."""
_BLOCK = 256
"""Images made at a time: part of the generator, since it orders the random draws."""

Int = NDArray[np.int32]


def engraved(
    images: NDArray[np.uint8], side: int, generator: np.random.Generator, report: Progress
) -> NDArray[np.uint8]:
    """Images (n, side, side), levels 0 to 255, of digits (n, 8, 8), levels 0 to 16.

    Each digit is turned, sheared and shifted a little and drawn out to ``side`` pixels; ink and
    ground have stripes of their own direction, width and strength. Whole numbers decide
    everything, so that the images are the same on every machine.
    """
    made = np.empty((len(images), side, side), np.uint8)
    for start in range(0, len(images), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(images)))
        ink = _drawn_out(images[block].astype(np.int32), side, generator)
        light = _stripes(len(ink), side, (160, 256), generator)
        dark = _stripes(len(ink), side, (0, 96), generator)
        made[block] = (ink * light + (LEVELS - ink) * dark) // 256
        report("images engraved", block.stop, len(images))
    return made


def _drawn_out(digits: Int, side: int, generator: np.random.Generator) -> Int:
    """Levels (n, side, side), 0 to 255: each digit under an affine map, bilinear between pixels."""
    n, cells = len(digits), digits.shape[1]
    step = _ONE * cells // side
    stretch = generator.integers(-24, 25, (n, 4, 1, 1), dtype=np.int32)  # a tenth, at most
    shift = generator.integers(-96, 97, (n, 2, 1, 1), dtype=np.int32)  # three eighths of a pixel
    along = ((2 * np.arange(side, dtype=np.int32) + 1 - side) * step) // 2  # from the centre
    y, x = along[:, None], along[None, :]
    centre = _ONE * (cells - 1) // 2 + _ONE  # of the padded source, at whose pixels' centres
    rows = centre + shift[:, 0] + ((_ONE + stretch[:, 0]) * y + stretch[:, 1] * x) // _ONE
    columns = centre + shift[:, 1] + ((_ONE + stretch[:, 2]) * x + stretch[:, 3] * y) // _ONE
    padded = np.pad(digits, ((0, 0), (1, 1), (1, 1)))
    last = _ONE * (cells + 1) - 1
    rows, columns = rows.clip(0, last), columns.clip(0, last)
    row, column, image = rows // _ONE, columns // _ONE, np.arange(n)[:, None, None]
    down, right = rows % _ONE, columns % _ONE
    above = padded[image, row, column] * (_ONE - right) + padded[image, row, column + 1] * right
    row = row + 1
    below = padded[image, row, column] * (_ONE - right) + padded[image, row, column + 1] * right
    levels: Int = (above * (_ONE - down) + below * down) // (_ONE * _ONE // 16)
    return levels * LEVELS // (_SOURCE_LEVELS * 16)


def _stripes(n: int, side: int, span: tuple[int, int], generator: np.random.Generator) -> Int:
    """Brightness (n, side, side) within ``span``, rising and falling evenly across an image."""
    direction = generator.integers(-48, 49, (n, 2, 1, 1), dtype=np.int32)
    phase = generator.integers(0, 512, (n, 1, 1), dtype=np.int32)
    ends = np.sort(generator.integers(span[0], span[1] + 1, (n, 2, 1, 1), dtype=np.int32), axis=1)
    at = np.arange(side, dtype=np.int32)
    wave = np.abs((direction[:, 0] * at[:, None] + direction[:, 1] * at + phase) % 512 - 256)
    return ends[:, 0] + (ends[:, 1] - ends[:, 0]) * wave // 256
