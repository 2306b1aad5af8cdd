"""Pages of bundles that are kept between builds, so that only what has changed is made again.

They lie in the user's own cache, which no other user may write: what is there was made here.
"""

import hashlib
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from portal.listing import Listing

_PAGES, _RESULTS = "pages", "results.pickle"
_FORGOTTEN_AFTER_S = 14 * 24 * 3600
_CODE = ("harness", "workloads", "rules", "submissions", "portal")


def kept(folder: Path, site: Path, make: Callable[[Path], list[Listing]]) -> list[Listing]:
    """What ``make`` writes below the folder that it is given and returns.

    It is made once; from then on ``site`` gets links to the files in ``folder``, or copies where
    the file system has no links. So whoever completes a page there must write it anew, and pages
    that somebody changed where they lie are not used again.
    """
    if not (folder / _RESULTS).is_file():
        _make(folder, make)
    try:
        _link(folder, site)
    except _ChangedError:
        shutil.rmtree(folder)
        _make(folder, make)
        _link(folder, site)
    os.utime(folder)
    found: list[Listing] = pickle.loads((folder / _RESULTS).read_bytes())
    return found


class _ChangedError(Exception):
    """A kept file is younger than the build that made it."""


def _link(folder: Path, site: Path) -> None:
    _link_below(folder / _PAGES, site, (folder / _RESULTS).stat().st_mtime_ns)


def _link_below(source: Path, target: Path, made_ns: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with os.scandir(source) as found:
        for one in found:
            place = target / one.name
            if one.is_dir(follow_symlinks=False):
                _link_below(Path(one.path), place, made_ns)
                continue
            if one.stat(follow_symlinks=False).st_mtime_ns > made_ns:
                raise _ChangedError
            place.unlink(missing_ok=True)  # of the same bundle, from another folder
            try:
                os.link(one.path, place)
            except OSError:
                shutil.copyfile(one.path, place)


def _make(folder: Path, make: Callable[[Path], list[Listing]]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        draft = Path(aside) / "draft"
        (draft / _PAGES).mkdir(parents=True)
        found = make(draft / _PAGES)
        (draft / _RESULTS).write_bytes(pickle.dumps(found))
        try:
            draft.rename(folder)
        except OSError:
            if not (folder / _RESULTS).is_file():  # else another build has just made it
                raise


def forget(folder: Path) -> None:
    """Remove what no build has used for two weeks."""
    now = time.time()
    for one in folder.iterdir() if folder.is_dir() else ():
        if now - one.stat().st_mtime > _FORGOTTEN_AFTER_S:
            shutil.rmtree(one, ignore_errors=True)


@cache
def code_digest() -> str:
    """A digest of the program's own files: other code may make other pages."""
    root, digest = Path(__file__).parent.parent, hashlib.sha256()
    for package in _CODE:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
