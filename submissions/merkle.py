"""Merkle trees as in RFC 6962, section 2.1: hashes, inclusion and consistency proofs.

A proof is first a list of ranges of leaves (which subtrees), then the hashes of those; so the same
lines serve a tree in memory and one in tiles on disk.
"""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256().digest()

Range = tuple[int, int]
"""Leaves from the first up to, but not including, the second."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaves, or whose complete subtrees of equal size, hash to these."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        # An odd node rises unchanged: the left of two parts is always the largest complete tree.
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]


def split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2): where its tree falls in two."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Subtrees whose hashes prove leaf ``index`` in a tree of ``size`` (RFC 6962, 2.1.1).

    `ValueError` for an index outside the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, end, found = 0, size, list[Range]()
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Subtrees whose hashes prove a tree of ``old`` a prefix of one of ``new`` (RFC 6962, 2.1.2).

    None are needed from nothing, or between equal sizes. `ValueError` if the tree shrank.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot have grown from one of {old}")
    if old in (0, new):
        return []
    start, end, found = 0, new, list[Range]()
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    # The old tree itself is known to whoever asks, where it is one complete subtree.
    return [*([(start, end)] if start else []), *found[::-1]]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the leaf with the hash ``leaf`` is at ``index`` of the tree of ``size`` and ``root``.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the tree of ``old`` leaves is a prefix of the tree of ``new`` leaves.

    RFC 9162, section 2.1.4.2; the empty tree is a prefix of every tree.
    """
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        first = EMPTY_ROOT if old == 0 else new_root
        return not proof and old_root == first
    if not proof:
        return False
    # A complete old tree is itself the first step, which its proof need not repeat.
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found_new = node_hash(found_new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root
