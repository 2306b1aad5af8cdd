"""What a site is made of: every leaderboard, every bundle, and where rounds stand in review."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from portal.boards import Board
from portal.listing import Listing, Published

if TYPE_CHECKING:
    from portal.round_review import RoundReview


@dataclass(frozen=True)
class Content:
    """The input of every page that is of more than one result."""

    boards: tuple[Board, ...]
    """By address."""
    reviews: tuple["RoundReview", ...] = ()
    """Rounds whose folders were published, by name."""

    @cached_property
    def listings(self) -> tuple[Listing, ...]:
        """Every result, refused ones too, board by board, best first."""
        return tuple(listing for board in self.boards for listing in board.listings)

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """Every bundle, by id."""
        found = {one.published.bundle.id: one.published for one in self.listings}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def by_id(self) -> dict[str, Listing]:
        """Results by their ids."""
        return {listing.id: listing for listing in self.listings}
