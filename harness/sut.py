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


class Query(Protocol):
    """What a system under test is given: samples to answer, and where to report."""

    @property
    def samples(self) -> NDArray[np.int64]:
        """Indices into the data set."""

    def complete(self, answers: Sequence[Any], start: int = 0) -> None:
        """Report the answers of samples ``start`` to ``start + len(answers)``; now is their time.

        May be called from any thread, in parts and in any order.
        """

    def fail(self, reason: str, start: int = 0, count: int | None = None) -> None:
        """Report that samples cannot be answered; they count as failed."""


@runtime_checkable
class SystemUnderTest(Protocol):
    """Answers queries: one at a time in single_stream, one with everything in offline."""

    def issue(self, query: Query) -> None:
        """Begin to answer; may return before the query is complete."""

    def flush(self) -> None:
        """No further query comes until those issued are complete: hold nothing back."""


@runtime_checkable
class Predictor(Protocol):
    """An ordinary model. May state ``max_batch``."""

    def predict(self, inputs: Any) -> Sequence[Any]:
        """One answer for each of the batch's inputs, as the library's ``get`` gives them."""


class BatchingAdapter:
    """Makes a system under test of a `Predictor`: cuts queries into batches, answers in turn."""

    def __init__(self, model: Predictor, library: QuerySampleLibrary) -> None:
        self._model = model
        self._library = library
        self._max_batch = int(getattr(model, "max_batch", MAX_BATCH))
        if self._max_batch < 1:
            raise LevelfieldError(f"{_name(model)}: max_batch is {self._max_batch}; make it >= 1")

    def issue(self, query: Query) -> None:
        """See `SystemUnderTest`. A batch that raises fails, the others go on."""
        for start in range(0, len(query.samples), self._max_batch):
            batch = query.samples[start : start + self._max_batch]
            foreign = ForeignCode()
            answers: Sequence[Any] = ()
            with foreign:
                answers = self._model.predict(self._library.get(batch))
                if len(answers) != len(batch):
                    raise ValueError(f"{len(answers)} answers for {len(batch)} samples")
            if foreign.error is None:
                query.complete(answers, start)
            else:
                query.fail(foreign.reason, start, len(batch))

    def flush(self) -> None:
        """See `SystemUnderTest`."""


def adapt(thing: object, library: QuerySampleLibrary) -> SystemUnderTest:
    """A system under test from an object with ``issue`` and ``flush``, or with ``predict``."""
    if isinstance(thing, SystemUnderTest):
        return thing
    if isinstance(thing, Predictor):
        return BatchingAdapter(thing, library)
    raise LevelfieldError(
        f"{_name(thing)}: not a system under test; "
        "give it predict(inputs), or issue(query) and flush()"
    )


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


def _name(thing: object) -> str:
    return f"{type(thing).__module__}:{type(thing).__qualname__}"
