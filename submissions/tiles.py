"""A Merkle tree as static files laid out as in C2SP tlog-tiles: hashes and entries, 256 a file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.log_entry import MAX_ENTRY_BYTES
from submissions.merkle import EMPTY_ROOT, Range, leaf_hash, node_hash, root_of, split
from submissions.round_folder import read_inside

WIDTH = 256
"""Hashes or entries in a full tile: the tile's height is 8."""

_HEIGHT = 8
_HASH_BYTES = 32
_ENTRIES = "entries"
_MAX_BUNDLE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)


def tile_path(level: int | str, number: int, width: int) -> str:
    """Path of a tile below the log: thousands in groups, a partial tile with its width.

    ``tile_path(0, 1234067, 256)`` is ``tile/0/x001/x234/067``.
    """
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Entries behind each other, each after its length in two bytes (tlog-tiles, "Log entries")."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(data: bytes, count: int, where: str) -> list[bytes]:
    """The ``count`` entries of a bundle; `LevelfieldError` if it does not hold exactly those."""
    found, at = list[bytes](), 0
    while at < len(data) and len(found) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(found) != count:
        raise LevelfieldError(f"{where}: does not hold {count} whole entries; copy the log again")
    return found


def _cut(
    level: int | str, first: int, row: Sequence[bytes], join: Callable[[Sequence[bytes]], bytes]
) -> Iterator[tuple[str, bytes]]:
    """Path and content of the tiles that hold ``row``, which begins a tile at ``first``."""
    for at in range(0, len(row), WIDTH):
        part = row[at : at + WIDTH]
        yield tile_path(level, (first + at) // WIDTH, len(part)), join(part)


@dataclass
class Tiles:
    """The tiles of a tree of ``size`` leaves in folder ``root``. They are read, not verified."""

    root: Path
    size: int
    _kept: dict[tuple[int, int], tuple[bytes, ...]] = field(default_factory=dict, repr=False)

    def tree_root(self) -> bytes:
        """The tree's root, from its tiles."""
        return self.hash_of((0, self.size)) if self.size else EMPTY_ROOT

    def prove(self, ranges: Sequence[Range]) -> tuple[bytes, ...]:
        """The hashes of these subtrees."""
        return tuple(self.hash_of(part) for part in ranges)

    def hash_of(self, part: Range) -> bytes:
        """Hash of the subtree over the leaves ``part``; at least one, all within the tree."""
        start, end = part
        length = end - start
        if length & (length - 1) or start % length:
            middle = start + split(length)
            return node_hash(self.hash_of((start, middle)), self.hash_of((middle, end)))
        level = (length.bit_length() - 1) // _HEIGHT
        unit = WIDTH**level
        number, at = divmod(start // unit, WIDTH)
        return root_of(self._hashes(level, number)[at : at + length // unit])

    def entry(self, index: int) -> bytes:
        """The bytes of one entry of the tree."""
        return self._bundle(index // WIDTH)[index % WIDTH]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """The bytes of all entries from ``start`` on."""
        for number in range(start // WIDTH, -(-self.size // WIDTH)):
            yield from self._bundle(number)[max(start - number * WIDTH, 0) :]

    def check_last_entries(self) -> None:
        """Refuse with `LevelfieldError` a last, partial bundle that is not what its tile says."""
        first = self.size - self.size % WIDTH
        for index, entry in enumerate(self.entries(first), first):
            if leaf_hash(entry) != self.hash_of((index, index + 1)):
                raise LevelfieldError(f"entry {index}: not what the tile says; copy the log again")

    def grown(self, entries: Sequence[bytes]) -> dict[str, bytes]:
        """The tiles, by path, that the tree with these entries after its own has besides.

        No tile of the present tree is among them, so they can be written before it is given up.
        """
        first = self.size - self.size % WIDTH
        bundles = _cut(_ENTRIES, first, [*self.entries(first), *entries], pack_entries)
        return dict(bundles) | self.grown_hashes([leaf_hash(entry) for entry in entries])

    def grown_hashes(self, leaves: Sequence[bytes]) -> dict[str, bytes]:
        """As `grown`, but from the hashes of leaves, and without the entries' own bundles."""
        files, hashes, level, old = dict[str, bytes](), list(leaves), 0, self.size
        while hashes:
            number, width = divmod(old, WIDTH)
            row = [*(self._hashes(level, number) if width else ()), *hashes]
            files |= dict(_cut(level, old - width, row, b"".join))
            full = range(0, len(row) - len(row) % WIDTH, WIDTH)
            hashes = [root_of(row[at : at + WIDTH]) for at in full]
            level, old = level + 1, number
        return files

    def _hashes(self, level: int, number: int) -> tuple[bytes, ...]:
        if (level, number) not in self._kept:
            width = min(self.size // WIDTH**level - number * WIDTH, WIDTH)
            path = tile_path(level, number, width)
            data = read_inside(self.root, path, WIDTH * _HASH_BYTES)
            if len(data) != width * _HASH_BYTES:
                raise LevelfieldError(f"{path}: does not hold {width} hashes; copy the log again")
            cuts = range(0, len(data), _HASH_BYTES)
            self._kept[level, number] = tuple(data[at : at + _HASH_BYTES] for at in cuts)
        return self._kept[level, number]

    def _bundle(self, number: int) -> list[bytes]:
        width = min(self.size - number * WIDTH, WIDTH)
        path = tile_path(_ENTRIES, number, width)
        return unpack_entries(read_inside(self.root, path, _MAX_BUNDLE_BYTES), width, path)
