"""``levelfield compare``: which of two bundles is faster."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    as_json,
    emit,
    example,
    large_option,
)
from harness.errors import UsageError

if TYPE_CHECKING:
    from portal.listing import Published


@click.command(epilog=example("levelfield compare bundles/1 bundles/2"))
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@large_option
@as_json
def compare(a: Path, b: Path, large: bool, to_json: bool) -> None:
    """Tell luck from speed: which of two bundles is faster, where their runs can say so."""
    from portal.comparison import compare_bundles, comparison_json
    from portal.comparison_text import describe_comparison

    sides = [_one_side(path, large=large) for path in (a, b)]
    rows = compare_bundles(*sides)
    if to_json:
        bundles = {name: one.bundle.id for name, one in zip("ab", sides, strict=True)}
        emit({**bundles, "comparisons": comparison_json(rows)})
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in describe_comparison(rows, width):
        click.echo(line)


def _one_side(path: Path, *, large: bool) -> "Published":
    from portal.imported import read_imported
    from portal.listing import Published
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.bundle import Bundle
    from submissions.keys import Keyring
    from submissions.mlperf_imported import find_imported

    if imported := find_imported(path):
        found = list(read_imported(imported, Keyring()))
        if len(found) != 1:
            raise UsageError(f"{path}: holds {len(found)} bundles; give one of them, a system's")
        return found[0]
    opened = Bundle.open(path, large=large)
    return Published(opened, judge(opened.submission, read_round(opened.submission.round)), None)
