import sys
from pathlib import Path

import pytest
from toy import ToyLibrary

from harness.batcher import adapted
from harness.errors import LevelfieldError, UsageError
from harness.sut import Predictor, load_sut

SOURCE = """
class Good:
    def __init__(self, library): self.library = library
    def predict(self, inputs): return inputs
class Raises:
    def __init__(self, library): raise OSError("no device")
class Neither:
    def __init__(self, library): pass
class NoBatch(Good):
    max_batch = 0
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_models.py").write_text(SOURCE)
    (tmp_path / "my_broken.py").write_text("1/0")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("my_models", "my_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "my_models"


def test_a_predictor_is_found(module: str) -> None:
    assert isinstance(load_sut(f"{module}:Good", ToyLibrary()), Predictor)


@pytest.mark.parametrize("spec", ["", "x", "x:", ":X", "no_such_module:X", "my_models:Missing"])
def test_what_cannot_be_imported_is_a_usage_error(module: str, spec: str) -> None:  # noqa: ARG001
    with pytest.raises(UsageError, match="--sut"):
        load_sut(spec, ToyLibrary())


def test_the_reason_is_told(module: str) -> None:  # noqa: ARG001
    with pytest.raises(UsageError, match="ZeroDivisionError: division by zero"):
        load_sut("my_broken:X", ToyLibrary())
    with pytest.raises(LevelfieldError, match="constructor raised OSError: no device"):
        load_sut("my_models:Raises", ToyLibrary())
    with pytest.raises(LevelfieldError, match="Neither: not a system under test"):
        load_sut("my_models:Neither", ToyLibrary())
    library = ToyLibrary()
    thing = load_sut("my_models:NoBatch", library)
    with (
        pytest.raises(LevelfieldError, match="max_batch is 0"),
        adapted(thing, library, open_loop=False),
    ):
        pass
