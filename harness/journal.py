"""The local intent log of a round: a line is on the disk before its run starts."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from harness.errors import LevelfieldError
from harness.intents import (
    Body,
    Configuration,
    Intent,
    Line,
    Outcome,
    Signer,
    Slot,
    free_slots,
    next_line,
    read_lines,
    starts,
)
from harness.records import Run, RunStatus, Scenario


class Journal:
    """The local intent log of one round, appended to under a lock and kept on the disk.

    Two processes may write to it; each line is on the disk before its run starts. A last line
    that was never finished is cut off: its run did not start.
    """

    def __init__(
        self, path: Path, round_name: str, sign: Signer | None = None, nonce: str | None = None
    ) -> None:
        """Without ``sign`` lines are unsigned. `LevelfieldError` if ``path`` cannot be written."""
        self.path = path
        self._round = round_name
        self._sign = sign
        self._nonce = nonce
        with self._locked() as stream:
            self._lines(stream)

    def start(self, run: Run, purpose: Literal["run", "search"] = "run") -> None:
        """Write that ``run`` is about to start; it takes the next slot that was set aside."""
        configuration = Configuration.of(run)
        with self._locked() as stream:
            lines = self._lines(stream)
            free = free_slots(lines, run.workload, run.scenario) if purpose == "run" else []
            intent = Intent(
                run_id=run.id,
                purpose=purpose,
                configuration=configuration,
                started_ms=run.started_ms,
                nonce=self._nonce,
                slot=free[0].digest if free else None,
            )
            self._append(stream, lines, [intent], run.workload, run.scenario)

    def end(self, run: Run, ended_ms: int) -> None:
        """Write how ``run`` ended; nothing for one that has not."""
        if run.status is RunStatus.INCOMPLETE:
            return
        fields = {"run_id": run.id, "status": run.status.value, "ended_ms": ended_ms}
        outcome = Outcome.model_validate(fields)
        with self._locked() as stream:
            lines = self._lines(stream)
            self._append(stream, lines, [outcome], run.workload, run.scenario)

    def withdraw(self, run_id: str, reason: str, ended_ms: int) -> None:
        """Write that a started run is no part of any result; `LevelfieldError` if none started."""
        outcome = Outcome(run_id=run_id, status="withdrawn", ended_ms=ended_ms, reason=reason)
        with self._locked() as stream:
            lines = self._lines(stream)
            head = next((line.head for line in lines if starts(line, run_id)), None)
            if head is None:
                raise LevelfieldError(
                    f"{self.path}: no run {run_id} was started; see levelfield intents show"
                )
            self._append(stream, lines, [outcome], head.workload, head.scenario)

    def reserve(self, workload: str, scenario: Scenario, count: int, made_ms: int) -> list[Line]:
        """Set ``count`` numbered slots aside for coming runs; return their lines."""
        block = secrets.token_hex(16)
        slots = [
            Slot(block=block, number=number, count=count, made_ms=made_ms)
            for number in range(1, count + 1)
        ]
        with self._locked() as stream:
            return self._append(stream, self._lines(stream), slots, workload, scenario)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, whole lines only, with nobody else writing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                yield stream
        except OSError as error:
            raise LevelfieldError(
                f"{self.path}: cannot be written: {error.strerror}; name another file with "
                "--intents"
            ) from error

    def _lines(self, stream: BinaryIO) -> list[Line]:
        stream.seek(0)
        data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            stream.truncate(len(whole))
        lines = read_lines(whole, str(self.path))
        if lines and lines[-1].head.round != self._round:
            raise LevelfieldError(
                f"{self.path}: is of round {lines[-1].head.round}, not {self._round}; "
                "name another file with --intents"
            )
        return lines

    def _append(
        self,
        stream: BinaryIO,
        lines: Sequence[Line],
        bodies: Sequence[Body],
        workload: str,
        scenario: Scenario,
    ) -> list[Line]:
        made = list[Line]()
        for body in bodies:
            last = made[-1] if made else lines[-1] if lines else None
            made.append(next_line(last, body, (self._round, workload, scenario), self._sign))
        stream.write(b"".join(line.to_bytes() for line in made))
        stream.flush()
        os.fsync(stream.fileno())
        return made
