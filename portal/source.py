"""What a site is published from: each source gives bundles, judged, and can be asked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from portal.listing import Published


class Source(Protocol):
    """Gives one bundle, or those that have to be read together."""

    def read(self) -> Sequence[Published]:
        """The bundles, whole; the same every time."""

    def key(self) -> str:
        """A digest of all that decides what `read` gives; empty if it is to be read each time."""


@dataclass(frozen=True)
class Opened:
    """A bundle that is in memory."""

    published: Published

    def read(self) -> Sequence[Published]:
        """See `Source`."""
        return (self.published,)

    def key(self) -> str:
        """See `Source`."""
        return ""
