"""Further systems under test with the same weights: torch's compiler, and ONNX Runtime."""

import os
import shutil
import warnings
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from harness.errors import LevelfieldError
from harness.workload import QuerySampleLibrary
from workloads.framework import require_precision, settle_threads
from workloads.image_classification.workload import SIDE, ReferenceSut, shipped_model


class Compiled(ReferenceSut):
    """The reference system through ``torch.compile``."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Compile for every batch size up to ``max_batch``; takes up to half a minute.

        No int8: the compiler mistakes the memory layout of oneDNN's int8 convolutions.
        `LevelfieldError` if there is no C++ compiler, or it fails.
        """
        require_precision("compiled", precision, ("fp32", "bf16"))
        _require_compiler()
        super().__init__(library, precision)
        # One graph serves many batch sizes, so that none is compiled in the timed region.
        self._model = torch.compile(self._model, dynamic=True, fullgraph=True)
        with warnings.catch_warnings():
            # The compiler imports torch's own use of what torch has deprecated.
            warnings.filterwarnings("ignore", ".*torch.jit.script_method", DeprecationWarning)
            self._compile()

    def _compile(self) -> None:
        from torch._dynamo.exc import BackendCompilerFailed
        from torch._inductor import config

        images = np.zeros((self.max_batch, 1, SIDE, SIDE), dtype=np.float32)
        try:
            # In this process: a pool of compilers would stay beside the run that is measured.
            with config.patch(compile_threads=1):
                for size in range(1, self.max_batch + 1):
                    self.logits(images[:size])
        except BackendCompilerFailed as error:
            reason = str(error.inner_exception).partition("\n")[0]
            raise LevelfieldError(
                f"engine compiled: the compiler failed: {reason}; "
                "check that g++ and Python's headers are installed, or choose another engine"
            ) from error


def _require_compiler() -> None:
    compiler = os.environ.get("CXX", "g++")  # as torch chooses it
    if shutil.which(compiler) is None:
        raise LevelfieldError(
            f"engine compiled: needs a C++ compiler, and {compiler} is not found; "
            "install g++ or choose another engine"
        )


class Onnx:
    """The shipped weights through ONNX Runtime, on the CPU."""

    max_batch = ReferenceSut.max_batch

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Make the graph from the weights: fp32, or int8 with dynamic quantisation.

        No bf16: ONNX Runtime has no such convolution for the CPU. `LevelfieldError` if the
        packages onnx and onnxruntime are not installed; nothing is asked of the library.
        """
        require_precision("onnx", precision, ("fp32", "int8"))
        settle_threads()
        try:
            import onnxruntime

            from workloads.image_classification.onnx_graph import graph, quantised
        except ImportError as error:
            raise LevelfieldError(
                f"engine onnx: {error}; pip install 'levelfield[onnx]', or choose another engine"
            ) from error
        model = graph(shipped_model(), SIDE)
        if precision == "int8":
            model = quantised(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1  # the graph is a chain
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n, 10) of inputs (n, 1, 16, 16)."""
        return cast(NDArray[np.float32], self._session.run(None, {"images": inputs})[0])

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """Digits (n,) seen on inputs (n, 1, 16, 16)."""
        digits: NDArray[np.int64] = self.logits(inputs).argmax(1)
        return digits
