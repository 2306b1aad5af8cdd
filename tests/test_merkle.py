from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.merkle import (
    EMPTY_ROOT,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The reference vectors of Certificate Transparency's own tests, for RFC 6962, section 2.1
# (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc).
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
PATHS = [
    (0, 1, []),
    (0, 8, [_A, _B, _C]),
    (5, 8, [_D, _E, ROOTS[3]]),
    (2, 3, [ROOTS[1]]),
    (1, 5, [ROOTS[0], _B, _D]),
]
GROWTH = [
    (1, 1, []),
    (1, 8, [_A, _B, _C]),
    (6, 8, [_F, _E, ROOTS[3]]),
    (2, 5, [_B, _D]),
]


def prove(ranges: Sequence[tuple[int, int]], leaves: Sequence[bytes]) -> list[bytes]:
    return [root_of(leaves[start:end]) for start, end in ranges]


def test_the_published_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == EMPTY_ROOT
    assert [root_of(LEAVES[: size + 1]).hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size", "expected"), PATHS)
def test_the_published_inclusion_proofs(index: int, size: int, expected: list[str]) -> None:
    proof = prove(inclusion_ranges(index, size), LEAVES)
    assert [step.hex() for step in proof] == expected
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "expected"), GROWTH)
def test_the_published_consistency_proofs(old: int, new: int, expected: list[str]) -> None:
    proof = prove(consistency_ranges(old, new), LEAVES)
    assert [step.hex() for step in proof] == expected
    old_root, new_root = (bytes.fromhex(ROOTS[size - 1]) for size in (old, new))
    assert verify_consistency(old, new, proof, old_root, new_root)


def trees() -> st.SearchStrategy[tuple[list[bytes], int]]:
    """Leaves, and the place of one of them."""
    return st.integers(1, 300).flatmap(
        lambda size: st.tuples(
            st.just([leaf_hash(b"%d" % i) for i in range(size)]), st.integers(0, size - 1)
        )
    )


def changed(hashes: Sequence[bytes], place: int) -> list[bytes]:
    """One bit of one byte of the hashes is another."""
    joined = bytearray(b"".join(hashes))
    joined[place % len(joined)] ^= 1
    return [bytes(joined[at : at + 32]) for at in range(0, len(joined), 32)]


@given(trees(), st.integers(0, 10**6))
def test_every_inclusion_proof_verifies_and_no_other_does(
    tree: tuple[list[bytes], int], place: int
) -> None:
    leaves, index = tree
    size, root = len(leaves), root_of(leaves)
    proof = prove(inclusion_ranges(index, size), leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    altered = changed([leaves[index], *proof, root], place)
    assert not verify_inclusion(altered[0], index, size, altered[1:-1], altered[-1])
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    assert not verify_inclusion(leaves[index], -1, size, proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not verify_inclusion(leaves[index], index ^ 1, size, proof, root)


@given(trees(), st.integers(0, 10**6))
def test_every_consistency_proof_verifies_and_no_other_does(
    tree: tuple[list[bytes], int], place: int
) -> None:
    leaves, at = tree
    old, new = at + 1, len(leaves)
    old_root, new_root = root_of(leaves[:old]), root_of(leaves)
    proof = prove(consistency_ranges(old, new), leaves)
    assert verify_consistency(old, new, proof, old_root, new_root)
    altered = changed([old_root, *proof, new_root], place)
    assert not verify_consistency(old, new, altered[1:-1], altered[0], altered[-1])
    assert not verify_consistency(old, new, [*proof, old_root], old_root, new_root)
    assert not verify_consistency(new + 1, new, proof, old_root, new_root)
    if proof:
        assert not verify_consistency(old, new, proof[:-1], old_root, new_root)
        assert not verify_consistency(old, new, [], old_root, new_root)


def test_a_tree_grows_from_nothing_and_never_shrinks() -> None:
    root = root_of(LEAVES)
    assert verify_consistency(0, 8, [], EMPTY_ROOT, root)
    assert not verify_consistency(0, 8, [], root, root)
    with pytest.raises(ValueError, match="cannot have grown"):
        consistency_ranges(8, 7)
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_ranges(8, 8)


def test_a_rewritten_leaf_has_no_proof() -> None:
    rewritten = [*LEAVES[:2], leaf_hash(b"another"), *LEAVES[3:]]
    proof = prove(consistency_ranges(5, 8), rewritten)
    assert not verify_consistency(5, 8, proof, root_of(LEAVES[:5]), root_of(rewritten))
