from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import LevelfieldError
from submissions.merkle import (
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from submissions.tiles import Tiles, pack_entries, tile_path, unpack_entries


def write(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def grow(root: Path, sizes: Sequence[int]) -> list[bytes]:
    """A tree in tiles that grew to these sizes in turn; its entries."""
    entries: list[bytes] = []
    for size in sizes:
        more = [b"entry %d" % i for i in range(len(entries), size)]
        write(root, Tiles(root, len(entries)).grown(more))
        entries += more
    return entries


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 0, 256, "tile/0/000"),
        (1, 999, 17, "tile/1/999.p/17"),
        ("entries", 1000, 1, "tile/entries/x001/000.p/1"),
    ],
)
def test_paths_are_as_the_specification_has_them(
    level: int | str, number: int, width: int, path: str
) -> None:
    assert tile_path(level, number, width) == path


def test_the_specifications_tree_of_70000(tmp_path: Path) -> None:
    files = Tiles(tmp_path, 0).grown([b"%d" % i for i in range(70_000)])
    hashes = {path for path in files if not path.startswith("tile/entries/")}
    assert len(hashes) == 273 + 1 + 1 + 1 + 1
    assert {path for path in hashes if ".p/" in path or not path.startswith("tile/0/")} == {
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }


def test_a_full_tile_has_its_hash_one_level_up(tmp_path: Path) -> None:
    files = Tiles(tmp_path, 0).grown([b""] * 256)
    assert set(files) == {"tile/0/000", "tile/1/000.p/1", "tile/entries/000"}
    assert files["tile/1/000.p/1"] == root_of([leaf_hash(b"")] * 256)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=4), st.data())
def test_roots_and_proofs_from_tiles_are_those_of_the_leaves(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("log")
    entries = grow(root, sorted(steps))
    leaves = [leaf_hash(entry) for entry in entries]
    tiles = Tiles(root, len(leaves))
    assert tiles.tree_root() == root_of(leaves)
    assert list(tiles.entries()) == entries
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert tiles.entry(index) == entries[index]
    proof = tiles.prove(inclusion_ranges(index, len(leaves)))
    assert verify_inclusion(leaves[index], index, len(leaves), proof, root_of(leaves))
    old = root_of(leaves[: index + 1])
    proof = tiles.prove(consistency_ranges(index + 1, len(leaves)))
    assert verify_consistency(index + 1, len(leaves), proof, old, root_of(leaves))


def test_growth_leaves_every_tile_of_the_present_tree_alone(tmp_path: Path) -> None:
    grow(tmp_path, [300])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write(tmp_path, Tiles(tmp_path, 300).grown([b"more"] * 600))
    assert {path: path.read_bytes() for path in before} == before
    assert Tiles(tmp_path, 300).tree_root() == root_of(
        [leaf_hash(b"entry %d" % i) for i in range(300)]
    )


def test_entries_that_are_not_whole_are_refused() -> None:
    packed = pack_entries([b"one", b"", b"three"])
    assert unpack_entries(packed, 3, "x") == [b"one", b"", b"three"]
    for data, count in [(packed[:-1], 3), (packed, 2), (packed, 4), (packed + b"\0", 3)]:
        with pytest.raises(LevelfieldError, match="whole entries"):
            unpack_entries(data, count, "x")


def test_a_tile_cut_short_missing_or_linked_is_refused(tmp_path: Path) -> None:
    grow(tmp_path, [3])
    tile = tmp_path / "tile/0/000.p/3"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    with pytest.raises(LevelfieldError, match="does not hold 3 hashes"):
        Tiles(tmp_path, 3).tree_root()
    tile.unlink()
    with pytest.raises(LevelfieldError, match="cannot be read"):
        Tiles(tmp_path, 3).tree_root()
    (tmp_path / "elsewhere").write_bytes(whole)
    tile.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LevelfieldError, match="symbolic link"):
        Tiles(tmp_path, 3).tree_root()
