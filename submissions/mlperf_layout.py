"""The official layout of MLPerf Training's results, read as a stranger's: plain files in bounds.

``<submitter>/systems/<system>.json`` beside ``<submitter>/results/<system>/<benchmark>/``, in which
``result_<i>.txt`` and sometimes ``scaling.json`` lie.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import LevelfieldError, UsageError
from rules.mlperf.points import OfficialPoint
from submissions.layout import check_path
from submissions.scan import read_plain, scan

_LOG = re.compile(r"result_[a-z0-9_.-]{1,50}\.txt")
_MAX_TEXT_BYTES = 2**20
"""Of a description, a scaling factor, a file of reference points."""


@dataclass(frozen=True)
class OfficialFolder:
    """What one submitter published of one system."""

    root: Path
    """The submitter's folder."""
    submitter: str
    system: str
    sizes: Mapping[str, int]
    """Sizes of the files under ``results/<system>``, by path from there."""

    @property
    def benchmarks(self) -> list[str]:
        """Names of the folders that hold logs, sorted."""
        return sorted({path.split("/")[0] for path in self.sizes if self._is_log(path)})

    def logs(self, benchmark: str) -> list[str]:
        """Paths of a benchmark's logs, in order of their numbers."""
        found = [path for path in self.sizes if path.split("/")[0] == benchmark]
        return sorted(filter(self._is_log, found), key=_in_order)

    def _is_log(self, path: str) -> bool:
        return path.count("/") == 1 and _LOG.fullmatch(path.split("/")[1]) is not None

    def read(self, path: str) -> bytes:
        """Bytes of one of the system's files."""
        return read_plain(self.root / "results" / self.system, path, self.sizes[path])

    def description(self) -> bytes:
        """The text of the system's description; `LevelfieldError` if there is none."""
        return read_text(self.root, f"systems/{self.system}.json")

    def scaling(self, benchmark: str) -> bytes | None:
        """The text of the factor that was published, if one was."""
        path = f"{benchmark}/scaling.json"
        return self.read(path) if path in self.sizes else None


def _in_order(path: str) -> tuple[int, str]:
    number = path.removesuffix(".txt").rpartition("_")[2]
    return (int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 10**9, path)


def read_folders(results: Path) -> Iterator[OfficialFolder]:
    """Every submitter's every system with results, sorted by name.

    `LevelfieldError` for links, devices, names that no bundle may have, or sizes beyond the limits
    of a bundle; `UsageError` if ``results`` is no folder, or in none of its folders lie ``systems``
    and ``results``.
    """
    if not results.is_dir():
        raise UsageError(f"{results}: no such folder; name a checkout of the official results")
    submitters = [one for one in sorted(results.iterdir()) if _is_submitter(one)]
    if not submitters:
        raise UsageError(
            f"{results}: no folder in it holds systems and results; "
            "name the folder that holds the submitters' folders"
        )
    for root in submitters:
        check_path(root.name)
        sizes, _ = scan(root / "results")
        for system in sorted({path.split("/")[0] for path in sizes if "/" in path}):
            inside = f"{system}/"
            own = {p.removeprefix(inside): n for p, n in sizes.items() if p.startswith(inside)}
            yield OfficialFolder(root, root.name, system, own)


def _is_submitter(root: Path) -> bool:
    """Whether an entry of the checkout is a submitter's folder; a link in its place is refused."""
    inside = [root, root / "systems", root / "results"]
    if not all(path.is_dir() for path in inside):
        return False
    for path in inside:
        if path.is_symlink():
            raise LevelfieldError(f"{path}: a symbolic link; refused, copy the results again")
    return True


def read_text(root: Path, path: str) -> bytes:
    """A small file; `LevelfieldError` if it is missing, a link, or larger than a mebibyte."""
    try:
        size = (root / path).lstat().st_size
    except OSError as error:
        raise LevelfieldError(
            f"{root / path}: cannot be read: {error.strerror}; copy the results again"
        ) from error
    if size > _MAX_TEXT_BYTES:
        raise LevelfieldError(f"{root / path}: larger than {_MAX_TEXT_BYTES} bytes; refused")
    return read_plain(root, path, size)


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object as the official tools would read it; `LevelfieldError` if it is none."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise LevelfieldError(f"{where}: not JSON; copy the results again") from error
    if not isinstance(found, dict):
        raise LevelfieldError(f"{where}: not a JSON object; copy the results again")
    return found


def read_scaling(data: bytes, where: str) -> float:
    """The factor in a ``scaling.json``; `LevelfieldError` unless it is a finite number above 0."""
    factor = read_object(data, where).get("scaling_factor")
    if isinstance(factor, bool) or not isinstance(factor, int | float):
        raise LevelfieldError(f"{where}: no number under scaling_factor; copy the results again")
    if not 0 < factor < math.inf:
        raise LevelfieldError(
            f"{where}: the factor {factor} is not above 0; copy the results again"
        )
    return factor


def read_points(folder: Path) -> list[OfficialPoint]:
    """Every point of the ``rcps_<benchmark>.json`` in ``folder``, by benchmark and batch size."""
    paths = sorted(folder.glob("rcps_*.json"))
    if not paths:
        raise UsageError(
            f"{folder}: holds no rcps_*.json; name the folder of a round's reference "
            "convergence points in a checkout of MLCommons' logging repository"
        )
    return [
        _read_point(name, fields, str(path))
        for path in paths
        for name, fields in read_object(read_text(folder, path.name), str(path)).items()
    ]


def _read_point(name: str, fields: Any, where: str) -> OfficialPoint:
    try:
        (unit,) = [key for key in fields if key.endswith(" to converge")]
        told = (str(fields.get(key, "")) for key in ("Creator", "Platform", "Precision", "When"))
        return OfficialPoint(
            name=name,
            benchmark=fields["Benchmark"],
            global_batch_size=fields["BS"],
            converged=tuple(fields[unit]),
            hyperparameters=fields["Hyperparams"],
            measured_by=", ".join(filter(None, told)),
        )
    except (AttributeError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise LevelfieldError(
            f"{where}: {name[:100]!a}: not a reference convergence point; copy the file again"
        ) from error
