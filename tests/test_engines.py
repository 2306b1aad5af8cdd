"""The further systems under test: accuracy in each arithmetic, refusals, nothing compiled late."""

import builtins
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from harness.errors import LevelfieldError, UsageError
from harness.sut import load_sut
from workloads.catalogue import engine_spec, load_card
from workloads.image_classification import data, engines, quantised
from workloads.image_classification.workload import (
    ReferenceSut,
    shipped_model,
    workload,
)
from workloads.library import Library

OFFERED = [
    ("eager", "fp32"),
    ("eager", "bf16"),
    ("eager", "int8"),
    ("compiled", "fp32"),
    ("compiled", "bf16"),
    ("onnx", "fp32"),
    ("onnx", "int8"),
]
CARD = load_card("image_classification")
FLOOR = 0.99 * CARD.inference.reference_quality


@cache
def library() -> Library:
    library = workload(load_card("image_classification"), None).library()
    library.load(range(library.total_samples))
    return library


@cache
def engine(name: str, precision: str) -> Any:
    """Kept for all tests of this file: compiling takes seconds."""
    return load_sut(engine_spec("image_classification", name), library(), precision)


def inputs(count: int) -> NDArray[np.float32]:
    return library().get(np.arange(count))


@pytest.mark.parametrize(("name", "precision"), OFFERED)
def test_each_keeps_the_accuracy_that_the_closed_division_asks(name: str, precision: str) -> None:
    sut = engine(name, precision)
    answers: list[int] = []
    for start in range(0, library().total_samples, sut.max_batch):
        batch = np.arange(start, min(start + sut.max_batch, library().total_samples))
        answers += sut.predict(library().get(batch)).tolist()
    assert data.quality(CARD, dict(enumerate(answers))) >= FLOOR


@pytest.mark.parametrize(("name", "precision"), OFFERED)
def test_the_arithmetic_is_what_was_asked(name: str, precision: str) -> None:
    with torch.inference_mode():
        exact = shipped_model()(torch.from_numpy(inputs(64))).numpy()
    error = np.abs(engine(name, precision).logits(inputs(64)) - exact).max()
    least, most = {"fp32": (0, 1e-4), "bf16": (1e-3, 0.2), "int8": (1e-3, 0.2)}[precision]
    assert least <= error < most


@pytest.mark.parametrize(
    ("name", "precision"), [("compiled", "int8"), ("onnx", "bf16"), ("eager", "fp8")]
)
def test_what_an_engine_cannot_do_is_refused_with_what_it_can(name: str, precision: str) -> None:
    spec = engine_spec("image_classification", name)
    with pytest.raises(UsageError, match=f"{name} does not offer it; choose fp32 or"):
        load_sut(spec, library(), precision)


def test_no_batch_size_is_compiled_after_the_start() -> None:
    from torch._dynamo.utils import counters

    sut = engine("compiled", "fp32")
    before = counters["stats"]["unique_graphs"]
    assert before > 0
    for size in range(1, sut.max_batch + 1):
        assert len(sut.predict(inputs(size))) == size
    assert counters["stats"]["unique_graphs"] == before


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(LevelfieldError, match="no-such-compiler is not found; install g\\+\\+"):
        engines.Compiled(library())


def test_a_compiler_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    def fails(*_: object, **__: object) -> object:
        def call(_: object) -> object:
            error = OSError("Python.h: no such file")
            raise BackendCompilerFailed(fails, error, None)

        return call

    monkeypatch.setattr(torch, "compile", fails)
    with pytest.raises(LevelfieldError, match=r"Python.h: no such file; check that g\+\+"):
        engines.Compiled(library())


def test_without_onnx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError("No module named 'onnxruntime'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LevelfieldError, match=r"pip install 'levelfield\[onnx\]'"):
        engines.Onnx(library())


def test_int8_gives_a_blank_image_finite_scores() -> None:
    blank = np.zeros((1, 1, 16, 16), dtype=np.float32)
    for name in ("eager", "onnx"):
        assert np.isfinite(engine(name, "int8").logits(blank)).all()


def test_int8_without_its_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> object:
        raise RuntimeError("not built in")

    monkeypatch.setattr(torch.ops.onednn, "qconv_prepack", missing)
    with pytest.raises(LevelfieldError, match="no int8 convolution"):
        quantised.QuantisedNet(shipped_model(), 16)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_accelerator_gives_the_same_answers(precision: str) -> None:
    with torch.inference_mode():
        exact = shipped_model()(torch.from_numpy(inputs(64))).numpy().argmax(1)
    assert ReferenceSut(library(), precision).predict(inputs(64)).tolist() == exact.tolist()
