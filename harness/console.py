"""What a person sees while a command works: progress on a terminal, nothing in a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Reporter(Protocol):
    """Progress of one run."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """While data are made, before the run."""

    def training(self, samples: int, limit: int, quality: float) -> None:
        """After each evaluation."""

    def inference(self, samples: int, elapsed_ns: int) -> None:
        """Now and then."""


class Quiet:
    """Says nothing."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """See `Reporter`."""

    def training(self, samples: int, limit: int, quality: float) -> None:
        """See `Reporter`."""

    def inference(self, samples: int, elapsed_ns: int) -> None:
        """See `Reporter`."""


@contextmanager
def reporting(label: str, *, threaded: bool = True) -> Iterator[Reporter]:
    """Show the progress of one run on standard error while the block lasts.

    A thread keeps the clock going between reports. What forks goes without: the bar then moves
    with each report of what is prepared.
    """
    if not sys.stderr.isatty():
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        Remaining(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, auto_refresh=threaded) as bar:
        task = bar.add_task(label, total=None, note="")

        class Live:
            """Moves the bar."""

            def preparing(self, what: str, done: int, total: int) -> None:
                """See `Reporter`."""
                bar.update(task, completed=done, total=total, note=what, refresh=not threaded)

            def training(self, samples: int, limit: int, quality: float) -> None:
                """See `Reporter`; the bar counts towards the card's limit."""
                note = f"{samples:,} of at most {limit:,} samples, quality {quality:.4f}"
                bar.update(task, completed=samples, total=limit, note=note)

            def inference(self, samples: int, elapsed_ns: int) -> None:
                """See `Reporter`."""
                rate = samples / max(elapsed_ns / 1e9, 1e-9)
                bar.update(task, note=f"{samples:,} samples, {rate:,.0f}/s")

        yield Live()


def table(title: str, header: list[str], rows: list[list[str]], *, err: bool = False) -> None:
    """Print a table on standard output (or error), as wide as the terminal, whole in a pipe."""
    from rich.console import Console
    from rich.table import Table

    wide = (sys.stderr if err else sys.stdout).isatty()
    console = Console(width=None if wide else 200, highlight=False, markup=False, stderr=err)
    grid = Table(*header, title=title, title_justify="left", title_style="bold")
    for row in rows:
        grid.add_row(*row)
    console.print(grid)
