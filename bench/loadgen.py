"""The load generator beside MLCommons' LoadGen, cell by cell, in one run.

Run: python bench/loadgen.py [--reps N] [--cells PART,…] [--json]. Each trial of each side is a
process of its own, the sides take turns in alternating order, a cell is the median over the
repetitions. ``--json`` prints the cells, and nothing else, on standard output.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Values = dict[str, float]


@dataclass(frozen=True)
class Trial:
    """A function of both sides' modules and what it is called with."""

    function: str
    arguments: dict[str, Any]
    peer_arguments: dict[str, Any] | None = None
    """None: the same as ours."""
    alone: bool = False
    """Whether only our side runs; it may measure both values of a cell itself."""


@dataclass(frozen=True)
class Target:
    """What a cell must reach: its ratio ours / peer, or our value alone, against a bound."""

    bound: float
    at_least: bool = False
    absolute: bool = False

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<" if self.absolute else "<="
        return f"{'ours' if self.absolute else 'ratio'} {sign} {self.bound:g}"

    def reached(self, ours: float, ratio: float | None) -> bool:
        """Whether the measured value meets the bound."""
        value = ours if self.absolute else ratio
        if value is None:
            return False
        if self.at_least:
            return value >= self.bound
        return value < self.bound if self.absolute else value <= self.bound


@dataclass(frozen=True)
class Cell:
    """One line of the table: a value of a trial and its target. Units are SI."""

    name: str
    trial: str
    key: str
    target: Target
    peer_key: str | None = None
    """The peer's value in our trial, where that measures both."""


def _server_cells(rate: int) -> list[Cell]:
    trial = f"server_{rate}"
    return [
        Cell(f"{trial}_lateness_p50_s", trial, "p50_s", Target(0.5)),
        Cell(f"{trial}_lateness_p99_s", trial, "p99_s", Target(1.0)),
        Cell(f"{trial}_cpu_cores", trial, "cores", Target(1.0)),
    ]


RATES = (100, 1_000, 10_000)
TRIALS = {
    "inline": Trial("single_stream", {"inline": True, "queries": 50_000}),
    "thread": Trial("single_stream", {"inline": False, "queries": 20_000}),
    "offline": Trial("offline", {"samples": 1_000_000}),
    "saturation": Trial("saturation", {"rate": 4e6, "queries": 800_000}),
    **{f"server_{rate}": Trial("server", {"rate": rate, "seconds": 4.0}) for rate in RATES},
    "torch": Trial("beside_torch", {}, alone=True),
    "memory": Trial("memory", {"queries": 10_000_000}, {"queries": 1_000_000}),
    "schedule": Trial("arrival_times", {"count": 10_000_000}, alone=True),
}
CELLS = [
    Cell("single_stream_inline_p90_s", "inline", "p90_s", Target(0.25)),
    Cell("single_stream_thread_p90_s", "thread", "p90_s", Target(1.0)),
    Cell("offline_1m_samples_per_s", "offline", "rate", Target(20, at_least=True)),
    Cell("server_saturation_queries_per_s", "saturation", "rate", Target(2.5, at_least=True)),
    *(cell for rate in RATES for cell in _server_cells(rate)),
    Cell("torch_sut_samples_per_s", "torch", "issued", Target(0.99, at_least=True), "called"),
    Cell("memory_10m_queries_bytes", "memory", "bytes", Target(1e9, absolute=True)),
    Cell("schedule_10m_arrivals_s", "schedule", "seconds", Target(1.0, absolute=True)),
]
"""The peer's memory is that of a tenth of the queries: it keeps each as an object."""


def run_once(side: str, trial: Trial) -> Values:
    """One trial of one side in a fresh process."""
    ours = side == "ours" or trial.peer_arguments is None
    arguments = json.dumps(trial.arguments if ours else trial.peer_arguments)
    command = [sys.executable, __file__, "--child", side, trial.function, arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side}, {trial.function}: failed:\n{done.stderr.strip()}")
    values: Values = json.loads(done.stdout.splitlines()[-1])
    return values


def child(side: str, function: str, arguments: str) -> None:
    """In the fresh process: run the trial, print its values."""
    if side == "ours":
        import loadgen_ours as module
    else:
        import loadgen_peer as module  # type: ignore[no-redef]
    measure: Callable[..., Values] = getattr(module, function)
    print(json.dumps(measure(**json.loads(arguments))))


def measure(
    names: list[str], repetitions: int, progress: Callable[[str], None]
) -> dict[tuple[str, str], list[Values]]:
    """Values by side and trial, a repetition after the other over all of ``names``."""
    found: dict[tuple[str, str], list[Values]] = {}
    for repetition in range(repetitions):
        for name in names:
            sides = ("ours",) if TRIALS[name].alone else ("ours", "peer")
            for side in sides if repetition % 2 else reversed(sides):
                progress(f"repetition {repetition + 1} of {repetitions}: {name}, {side}")
                found.setdefault((side, name), []).append(run_once(side, TRIALS[name]))
    return found


@dataclass(frozen=True)
class Outcome:
    """A cell with what was measured of it."""

    cell: Cell
    ours: list[float]
    peer: list[float]

    def as_json(self) -> dict[str, Any]:
        """The medians, their ratio, and whether the target is reached."""
        ours = statistics.median(self.ours)
        peer = statistics.median(self.peer) if self.peer else None
        ratio = None if peer is None else ours / peer
        return {
            "cell": self.cell.name,
            "ours": ours,
            "peer": peer,
            "ratio": ratio,
            "target": str(self.cell.target),
            "reached": self.cell.target.reached(ours, ratio),
        }


def outcomes(cells: list[Cell], found: dict[tuple[str, str], list[Values]]) -> list[Outcome]:
    """Each cell's values over the repetitions."""
    listed = []
    for cell in cells:
        ours = found["ours", cell.trial]
        theirs = ours if cell.peer_key else found.get(("peer", cell.trial), [])
        peer_key = cell.peer_key or cell.key
        values = [values[cell.key] for values in ours]
        listed.append(Outcome(cell, values, [values[peer_key] for values in theirs]))
    return listed


def table(listed: list[Outcome]) -> str:
    """The cells as Markdown, medians with least and most."""
    lines = [
        "| cell | ours | LoadGen | ratio | target | reached |",
        "|---|---|---|---|---|---|",
    ]
    for outcome in listed:
        row = outcome.as_json()
        ratio = "—" if row["ratio"] is None else f"{row['ratio']:.3g}"
        reached = "yes" if row["reached"] else "**no**"
        spreads = f"{_spread(outcome.ours)} | {_spread(outcome.peer)}"
        lines.append(f"| {row['cell']} | {spreads} | {ratio} | {row['target']} | {reached} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    if not values:
        return "—"
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def chosen(parts: str | None) -> list[Cell]:
    """The cells whose name begins with one of ``parts``; all without."""
    if parts is None:
        return CELLS
    wanted = parts.split(",")
    for part in wanted:
        if not any(cell.name.startswith(part) for cell in CELLS):
            names = ", ".join(cell.name for cell in CELLS)
            raise SystemExit(f"--cells {part}: no such cell; known: {names}")
    return [cell for cell in CELLS if cell.name.startswith(tuple(wanted))]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the cells as JSON")
    parser.add_argument("--reps", type=int, default=5, help="repetitions of each trial")
    parser.add_argument("--cells", help="names of cells, or how they begin, with commas")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    if options.reps < 1:
        raise SystemExit(f"--reps {options.reps}: nothing to measure; give 1 or more")
    if importlib.util.find_spec("mlperf_loadgen") is None:
        raise SystemExit(
            "bench/loadgen.py: the peer is not installed; pip install mlcommons-loadgen==6.0.17"
        )
    cells = chosen(options.cells)
    names = list(dict.fromkeys(cell.trial for cell in cells))
    found = measure(names, options.reps, lambda line: print(line, file=sys.stderr, flush=True))
    listed = outcomes(cells, found)
    print(table(listed), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps({"cells": [outcome.as_json() for outcome in listed]}, indent=2))


if __name__ == "__main__":
    main()
