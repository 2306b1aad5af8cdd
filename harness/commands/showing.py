"""``levelfield publish``: a static site of bundles."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.keyring_signing import trusted_roots
from harness.commands.options import (
    KEYRING,
    as_json,
    count,
    emit,
    example,
    large_option,
)
from harness.commands.standing import ROUND
from harness.errors import LevelfieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.listing import Published
    from portal.round_review import RoundReview
    from submissions.bundle import Bundle
    from submissions.keys import Keyring


@click.command(epilog=example("levelfield publish bundles/1 bundles/2 --out site"))
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The site's folder.")
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@large_option
@as_json
def publish(
    bundles: tuple[Path, ...], out: Path, keyring: Path, large: bool, to_json: bool
) -> None:  # fmt: skip
    """Make a static site of bundles; an old site stays until the new one is whole.

    Also of a round's folder, with where its bundles stand in review, and of folders that import
    made, or of bundles in them.
    """
    from portal.imported import read_imported
    from portal.round_review import RoundReview
    from portal.site import publish as publish_site
    from submissions.bundle import Bundle
    from submissions.keys import Keyring
    from submissions.mlperf_imported import find_imported

    trusted = Keyring.read(keyring) if keyring.exists() else Keyring()
    published: list[Published] = []
    opened: list[tuple[Bundle, RoundReview | None]] = []
    reviews: dict[str, RoundReview] = {}
    for path in bundles:
        if imported := find_imported(path):
            published += read_imported(imported, trusted)
        elif (path / ROUND).is_file():
            review = RoundReview.of(path, trusted_roots(keyring))
            _check_one(reviews.setdefault(review.name, review), path)
            found = review.bundle_folders()
            opened += [(Bundle.open(place, large=large), review) for place in found]
        else:
            opened.append((Bundle.open(path, large=large), None))
    published += _judged(opened, trusted)
    index = publish_site(published, out, [reviews[name] for name in sorted(reviews)])
    if to_json:
        emit({"site": str(index), "bundles": [one.bundle.id for one in published]})
    else:
        click.echo(f"{count(len(published), 'bundle')} in {index}")


def _check_one(review: "RoundReview", path: Path) -> None:
    """Refuse a second folder of a round: its pages would be of two logs."""
    if review.folder.root.resolve() != path.resolve():
        raise LevelfieldError(
            f"{path}: of round {review.name}, as {review.folder.root} is; publish one of them"
        )


def _judged(
    opened: "list[tuple[Bundle, RoundReview | None]]", trusted: "Keyring"
) -> "Iterator[Published]":
    """Each bundle with its check and verification.

    A round's own keys count only for the bundles of a round that was named: a bundle that merely
    lies in a folder like one's could else bring the keys that vouch for it.
    """
    from portal.listing import Published
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.attestation import appraise

    others = [bundle.submission for bundle, _ in opened]
    for bundle, place in opened:
        report = judge(bundle.submission, read_round(bundle.submission.round), others=others)
        if place is None:
            yield Published(bundle, report, appraise(bundle, trusted))
            continue
        verification = appraise(bundle, place.keyring, place.entries)
        yield Published(bundle, report, verification, standing=place.statuses.get(bundle.id))
