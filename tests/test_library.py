"""Samples by index: loaded, given, released."""

import numpy as np
import pytest
from toy import toy_card

from harness.errors import LevelfieldError
from workloads.library import Library

FACTS = toy_card().inference


def test_it_gives_what_was_loaded_and_no_more() -> None:
    library = Library(FACTS, np.arange(16).reshape(8, 2))
    library.load([3, 1])
    assert library.get(np.array([1, 3, 1])).tolist() == [[2, 3], [6, 7], [2, 3]]
    library.unload([3])
    with pytest.raises(LevelfieldError, match="sample 3: not loaded"):
        library.get(np.array([1, 3]))


def test_several_arrays_keep_their_names() -> None:
    library = Library(FACTS, {"x": np.arange(8), "y": np.arange(8) * 10})
    library.load(range(8))
    rows = library.get(np.array([2, 5]))
    assert {name: array.tolist() for name, array in rows.items()} == {"x": [2, 5], "y": [20, 50]}
    assert (library.total_samples, library.performance_samples) == (8, 4)
