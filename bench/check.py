"""Import and official check of published MLPerf Training results, beside one pass of json.loads.

    python bench/check.py ARCHIVE RCPS

ARCHIVE is a tar of the official layout, RCPS the folder of the round's reference points. All of it
runs in one process, in turns; what counts is the ratio of the best times.
"""

import json
import resource
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from submissions.mlperf_check import read_officially
from submissions.mlperf_imported import find_imported
from submissions.mlperf_training import import_training

ROUND = "mlperf-training-5.1"
TURNS = 3
_MARK = b":::MLLOG "


def bare_pass(results: Path) -> int:
    """Read every log and parse what follows the mark on each line with the standard library."""
    lines = 0
    for path in sorted(results.glob("*/results/*/*/result_*.txt")):
        for line in path.read_bytes().split(b"\n"):
            at = line.rfind(_MARK)
            if at >= 0:
                json.loads(line[at + len(_MARK) :])
                lines += 1
    return lines


def import_and_check(results: Path, rcps: Path, out: Path) -> int:
    """What a reader does with the results of a round; how many directories there are."""
    import_training(results, rcps, ROUND, out, lambda *_: None)
    imported = find_imported(out)
    return len(read_officially(imported)) if imported else 0


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """What ``work`` returns, and the processor time that it took, in seconds."""
    started = time.process_time()
    return work(), time.process_time() - started


def main(archive: Path, rcps: Path) -> None:
    """Print the best times, their ratio and the greatest memory of the process."""
    with tempfile.TemporaryDirectory() as folder:
        results, out = Path(folder) / "results", Path(folder) / "out"
        with tarfile.open(archive) as packed:
            packed.extractall(results, filter="data")
        bare, ours = [], []
        for _ in range(TURNS):
            lines, seconds = timed(lambda: bare_pass(results))
            bare.append(seconds)
            directories, seconds = timed(lambda: import_and_check(results, rcps, out))
            ours.append(seconds)
            shutil.rmtree(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{lines:,} lines, {directories} directories, best of {TURNS}, processor time")
    print(f"one pass of json.loads  {min(bare):6.2f} s")
    print(f"import and check        {min(ours):6.2f} s, {min(ours) / min(bare):.2f} times as long")
    print(f"memory of the process   {peak:6.0f} MiB at most")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
