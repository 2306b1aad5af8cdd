"""A system under test that generates tokens: cached keys and values, continuous batching."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Condition, Thread

import numpy as np
import torch
from torch import Tensor

from harness.foreign import ForeignCode
from harness.sut import Queries
from harness.workload import QuerySampleLibrary
from workloads.framework import default_device, settle_threads
from workloads.llama import Cached, Llama

MOST_TOGETHER = 64
"""Sequences that are continued together."""
_MOST_NEW = 16
"""Prompts read between two steps of the others, which wait meanwhile."""
_IDLE_S = 1.0
"""The thread ends when it has been idle for so long."""


class Engine:
    """Continues sequences with cached keys and values, a row a sequence, without gaps between."""

    def __init__(self, model: Llama, rows: int) -> None:
        """Make room for ``rows`` sequences of the model's whole context."""
        self._device = default_device()
        self._model = model.eval().to(self._device)
        shape = model.shape
        room = (shape.layers, rows, shape.context, shape.kv_heads, shape.head_width)
        dtype = model.lm_head.weight.dtype
        self._keys = torch.zeros(room, dtype=dtype, device=self._device)
        self._values = torch.zeros(room, dtype=dtype, device=self._device)
        self._draws = torch.zeros(rows, shape.context, dtype=torch.float64, device=self._device)
        self._last = torch.zeros(rows, dtype=torch.int64, device=self._device)
        self._prompts: list[int] = []
        self._lengths: list[int] = []

    def join(self, prompts: Tensor, draws: Tensor) -> list[int]:
        """Add sequences that begin with ``prompts`` (n, tokens), and draw a token for each.

        ``draws`` (n, tokens to come), from 0 to 1, are used up from the left.
        """
        count, length = prompts.shape
        first = len(self._lengths)
        self._prompts += [length] * count
        self._lengths += [length] * count
        self._draws[first : first + count, : draws.shape[1]] = draws
        positions = torch.arange(length, device=self._device).expand(count, -1)
        return self._next(prompts.to(self._device), positions, first)

    def advance(self) -> list[int]:
        """Draw another token for every sequence, in the order of rows."""
        positions = torch.tensor(self._lengths, device=self._device)[:, None]
        self._lengths = [length + 1 for length in self._lengths]
        return self._next(self._last[: len(self._lengths), None], positions, 0)

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all sequences but those in ``rows``, which close up in their order."""
        self._prompts = [self._prompts[row] for row in rows]
        self._lengths = [self._lengths[row] for row in rows]
        kept = torch.tensor(rows, dtype=torch.int64, device=self._device)
        for cache in (self._keys, self._values):
            cache[:, : len(rows)] = cache[:, kept]
        for column in (self._draws, self._last):
            column[: len(rows)] = column[kept]

    def _next(self, tokens: Tensor, positions: Tensor, first: int) -> list[int]:
        """Read ``tokens`` into rows from ``first`` on, and draw what follows them."""
        lengths, prompts = self._lengths[first:], self._prompts[first:]
        rows = slice(first, len(self._lengths))
        cached = Cached(self._keys[:, rows], self._values[:, rows], positions, max(lengths))
        logits = self._model(tokens, cached)[:, -1]
        made = [length - prompt for length, prompt in zip(lengths, prompts, strict=True)]
        index = torch.tensor(made, device=self._device)[:, None]
        chosen = drawn(logits, self._draws[rows].gather(1, index)[:, 0])
        self._last[rows] = chosen
        found: list[int] = chosen.tolist()
        return found


def drawn(logits: Tensor, draws: Tensor) -> Tensor:
    """Tokens (n,) from logits (n, vocabulary) and uniform ``draws`` (n,) from 0 to 1.

    Tokens divide the interval among them by their probabilities, in the order of their ids; a
    draw takes the token in whose share it lies. In double precision, so that rounding seldom
    decides.
    """
    ends = logits.double().softmax(-1).cumsum(-1)
    tokens = (ends <= draws[:, None]).sum(-1)
    return tokens.clamp(max=logits.shape[-1] - 1)


@dataclass
class _Sequence:
    """A sample that is being answered."""

    queries: Queries
    place: int
    """Of the sample among those of its queries."""
    tokens: list[int]
    """Generated so far."""


@dataclass
class _Waiting:
    """Samples that are still to be answered, from ``start`` on."""

    queries: Queries
    prompts: Tensor
    draws: Tensor
    start: int = 0


class Generating:
    """Answers prompts with a fixed number of tokens, from two; see `harness.sut.SystemUnderTest`.

    Works in a thread of its own. New prompts join between two steps of those being continued, and
    each answer is reported when it is whole, in whatever order. What is no longer wanted is
    dropped; a thread without work ends.
    """

    def __init__(self, library: QuerySampleLibrary, model: Llama, new_tokens: int) -> None:
        """Serve ``model`` (in its own arithmetic) with the prompts and draws of ``library``."""
        self._library = library
        self._new_tokens = new_tokens
        self._engine = Engine(model, MOST_TOGETHER)
        self._active: list[_Sequence] = []
        self._waiting: deque[_Waiting] = deque()
        self._changed = Condition()
        self._thread: Thread | None = None

    def issue(self, queries: Queries) -> None:
        """See `SystemUnderTest`."""
        asked = self._library.get(queries.samples)
        prompts = torch.from_numpy(asked["prompt"].astype(np.int64))
        waiting = _Waiting(queries, prompts, torch.from_numpy(asked["draws"] / 2**32))
        with self._changed:
            self._waiting.append(waiting)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="generation", daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self) -> None:
        """See `SystemUnderTest`. Nothing is ever held back."""

    def _work(self) -> None:
        settle_threads()
        while self._has_work():
            foreign = ForeignCode()
            with foreign, torch.inference_mode():
                self._step()
            if foreign.error is not None:
                self._fail_all(foreign.reason)

    def _has_work(self) -> bool:
        """Wait for work; false, and no longer this object's thread, when none came for long."""
        with self._changed:
            while not self._active and not self._waiting:
                if not self._changed.wait(_IDLE_S) and not self._waiting:
                    self._thread = None
                    return False
        return True

    def _step(self) -> None:
        """Let others join, which read their prompts first; then one more token for everybody."""
        self._keep([sequence.queries.wanted for sequence in self._active])
        joining = list(self._joining())
        if joining:
            self._join(joining)
        if self._active:
            for sequence, token in zip(self._active, self._engine.advance(), strict=True):
                sequence.tokens.append(token)
        whole = [len(sequence.tokens) == self._new_tokens for sequence in self._active]
        for part in _neighbours(s for s, done in zip(self._active, whole, strict=True) if done):
            answers = [sequence.tokens for sequence in part]
            with ForeignCode():  # the run may have ended meanwhile
                part[0].queries.complete(answers, part[0].place, [len(one) for one in answers])
        self._keep([not done for done in whole])

    def _joining(self) -> Iterator[tuple[_Waiting, slice]]:
        """Who may join, and which of its samples: as many as there is room for."""
        room = min(_MOST_NEW, MOST_TOGETHER - len(self._active))
        while room and self._waiting:
            waiting = self._waiting[0]
            left = len(waiting.prompts) - waiting.start if waiting.queries.wanted else 0
            count = min(room, left)
            if count == left:
                self._waiting.popleft()
            if count:
                yield waiting, slice(waiting.start, waiting.start + count)
            waiting.start += count
            room -= count

    def _join(self, joining: Sequence[tuple[_Waiting, slice]]) -> None:
        """Read prompts, which are all equally long, draw their first tokens and report them."""
        joined = [
            _Sequence(waiting.queries, place, [])
            for waiting, rows in joining
            for place in range(rows.start, rows.stop)
        ]
        self._active += joined
        prompts = torch.cat([waiting.prompts[rows] for waiting, rows in joining])
        draws = torch.cat([waiting.draws[rows] for waiting, rows in joining])
        for sequence, token in zip(joined, self._engine.join(prompts, draws), strict=True):
            sequence.tokens.append(token)
        for waiting, rows in joining:
            with ForeignCode():  # the run may have ended meanwhile
                waiting.queries.first_token(rows.start, rows.stop - rows.start)

    def _keep(self, kept: Sequence[bool]) -> None:
        if not all(kept):
            self._engine.keep([row for row, keep in enumerate(kept) if keep])
            self._active = [s for s, keep in zip(self._active, kept, strict=True) if keep]

    def _fail_all(self, reason: str) -> None:
        """Fail what was being answered, and what waits: a system that raises is no system."""
        active, self._active = self._active, []
        self._engine.keep([])
        for sequence in active:
            with ForeignCode():
                sequence.queries.fail(reason, sequence.place, 1)
        while self._waiting:
            waiting = self._waiting.popleft()
            left = len(waiting.prompts) - waiting.start
            with ForeignCode():
                waiting.queries.fail(reason, waiting.start, left)


def _neighbours(sequences: Iterable[_Sequence]) -> Iterator[list[_Sequence]]:
    """Sequences that follow one another in the same queries, together."""
    part: list[_Sequence] = []
    for sequence in sequences:
        if part and (
            sequence.queries is not part[0].queries or sequence.place != part[0].place + len(part)
        ):
            yield part
            part = []
        part.append(sequence)
    if part:
        yield part
