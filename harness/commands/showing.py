"""``levelfield publish``: a static site of bundles."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cache import cache_folder
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
from harness.errors import LevelfieldError, UsageError

if TYPE_CHECKING:
    from portal.round_review import RoundReview
    from portal.source import Source

_MOST_JOBS = 8


@click.command(
    epilog=example(
        "levelfield publish bundles/1 bundles/2 --out site",
        "levelfield publish submissions/rounds/2026.1 --out site --serve",
        "levelfield publish bundles/1 --out preview --private",
    )
)
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The site's folder.")
@click.option("--round", "round_name", metavar="ROUND", help="Only what is of this round.")
@click.option("--private", is_flag=True, help="A preview: every page says not to quote it.")
@click.option("--serve", is_flag=True, help="Then serve it to this machine's browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="Of --serve; 0 takes a free one.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), show_default="as there are cores",
              help="Bundles that are read at a time.")  # fmt: skip
@click.option("--afresh", is_flag=True, help="Make the pages of unchanged bundles again too.")
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@large_option
@as_json
def publish(
    bundles: tuple[Path, ...], out: Path, round_name: str | None, private: bool, jobs: int | None,
    afresh: bool, keyring: Path, large: bool, to_json: bool, **serving: Any,
) -> None:  # fmt: skip
    """Make a static site of bundles; an old site stays until the new one is whole.

    Also of a round's folder, with where its bundles stand in review, and of folders that import
    made, or of bundles in them. Pages of bundles that have not changed are taken from the cache.
    """
    from harness.console import reporting
    from portal.site import Making, publish_sources

    sources, reviews = _sources(bundles, keyring, large)
    with reporting("publish", threaded=False) as report:
        making = Making(
            reviews=[reviews[name] for name in sorted(reviews)],
            jobs=jobs or min(os.cpu_count() or 1, _MOST_JOBS),
            round_name=round_name,
            private=private,
            cache=None if afresh else cache_folder() / "portal",
            told=report.preparing,
        )
        index, ids = publish_sources(sources, out, making)
    if to_json:
        emit({"site": str(index), "bundles": ids})
    else:
        click.echo(f"{count(len(ids), 'bundle')} in {index}")
    if serving["serve"]:
        _serve(out, serving["port"])


def _sources(
    paths: tuple[Path, ...], keyring: Path, large: bool
) -> tuple[list["Source"], dict[str, "RoundReview"]]:
    """What was named, and the rounds' folders among it."""
    from portal.round_review import RoundReview
    from portal.source import Neighbours, OfOneSubmitter, OnDisk
    from submissions.keys import Keyring
    from submissions.mlperf_imported import find_imported

    trusted = Keyring.read(keyring) if keyring.exists() else Keyring()
    imports: list[Source] = []
    found: list[tuple[Path, RoundReview | None]] = []
    reviews: dict[str, RoundReview] = {}
    for path in paths:
        if imported := find_imported(path):
            imports += [OfOneSubmitter(imported, own, trusted) for own in imported.submitters]
        elif (path / ROUND).is_file():
            review = RoundReview.of(path, trusted_roots(keyring))
            _check_one(reviews.setdefault(review.name, review), path)
            found += [(folder, review) for folder in review.bundle_folders()]
        else:
            found.append((path, None))
    neighbours = Neighbours(tuple(path for path, _ in found))
    own = [OnDisk(path, trusted, neighbours, review, large) for path, review in found]
    return [*imports, *own], reviews


def _check_one(review: "RoundReview", path: Path) -> None:
    """Refuse a second folder of a round: its pages would be of two logs."""
    if review.folder.root.resolve() != path.resolve():
        raise LevelfieldError(
            f"{path}: of round {review.name}, as {review.folder.root} is; publish one of them"
        )


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and tells nobody who asked for them."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _serve(site: Path, port: int) -> None:
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(site)))
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}; choose another") from error
    with server:
        click.echo(f"http://127.0.0.1:{server.server_port}/ shows it until you press Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()
