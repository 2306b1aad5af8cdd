"""The one place where anything that somebody else's code raises is caught."""

from types import TracebackType
from typing import Self


class ForeignCode:
    """A ``with`` block around code that is not ours: what it raises is kept, not passed on.

    Interrupts and exits go through. ``error`` is none if the block ended well.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self.error = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False

    @property
    def reason(self) -> str:
        """What was raised, in one line; empty if nothing was."""
        if self.error is None:
            return ""
        text = " ".join(str(self.error).split())
        return f"{type(self.error).__name__}: {text}"[:300]
