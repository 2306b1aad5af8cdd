"""Systems under test: LoadGen's contract, the adapter for ordinary models, and how one is found."""

import importlib
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.errors import LevelfieldError, UsageError
from harness.foreign import ForeignCode
from harness.workload import QuerySampleLibrary

MAX_BATCH = 64
"""Largest batch for a model that does not state its own ``max_batch``."""


class Queries(Protocol):
    """What a system under test is given: samples to answer, and where to report.

    In a closed loop this is one query. In an open loop each sample is a query of its own, and
    those that are due at the same moment come together. Every method may be called from any
    thread, in parts and in any order; now is the time that is written down.
    """

    @property
    def samples(self) -> NDArray[np.int64]:
        """Indices into the data set."""

    @property
    def wanted(self) -> bool:
        """False once the run has ended: answers are no longer taken, work may be dropped."""

    def first_token(self, start: int = 0, count: int | None = None) -> None:
        """Report that the first token of samples ``start`` to ``start + count`` is out."""

    def complete(
        self,
        answers: Sequence[Any] | None = None,
        start: int = 0,
        tokens: Sequence[int] | None = None,
    ) -> None:
        """Report the answers of samples ``start`` to ``start + len(answers)``.

        Without ``answers`` (a system that measures speed alone) all from ``start`` are complete.
        ``tokens`` counts each answer's tokens. `ValueError` if one was complete before.
        """

    def fail(self, reason: str, start: int = 0, count: int | None = None) -> None:
        """Report that samples cannot be answered; they count as failed."""


@runtime_checkable
class SystemUnderTest(Protocol):
    """Answers queries."""

    def issue(self, queries: Queries) -> None:
        """Begin to answer; may return before the queries are complete."""

    def flush(self) -> None:
        """No further query comes until those issued are complete: hold nothing back."""


@runtime_checkable
class Predictor(Protocol):
    """An ordinary model. May state ``max_batch`` and, for open loops, ``max_wait_s``."""

    def predict(self, inputs: Any) -> Sequence[Any]:
        """One answer for each of the batch's inputs, as the library's ``get`` gives them."""


def load_sut(spec: str, library: QuerySampleLibrary, precision: str | None = None) -> object:
    """Import ``package.module:Class`` and call it with the library, and ``precision`` if given.

    Raises `UsageError` if it cannot be imported, `LevelfieldError` if its constructor raises or
    what it makes is no system under test.
    """
    module_name, colon, class_name = spec.partition(":")
    if not colon or not module_name or not class_name:
        raise UsageError(f"--sut {spec}: not package.module:Class; give both, with a colon")
    foreign = ForeignCode()
    with foreign:
        factory = getattr(importlib.import_module(module_name), class_name)
    if foreign.error is not None:
        raise UsageError(
            f"--sut {spec}: cannot be imported: {foreign.reason}; "
            "check the name, and that its folder is on PYTHONPATH"
        )
    with foreign:
        thing = factory(library) if precision is None else factory(library, precision=precision)
    if isinstance(foreign.error, LevelfieldError):
        raise foreign.error
    if foreign.error is not None:
        raise LevelfieldError(
            f"--sut {spec}: its constructor raised {foreign.reason}; it is called with the "
            "query sample library, and with precision=… where --precision is given"
        )
    if not isinstance(thing, SystemUnderTest | Predictor):
        raise LevelfieldError(
            f"{spec}: not a system under test; give it predict(inputs), or issue(queries) and "
            "flush()"
        )
    return thing
