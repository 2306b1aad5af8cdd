"""Citations: ``runs/3/events.log:120-124`` as a file of the bundle with its lines' digest."""

import hashlib
import re
from collections.abc import Callable

from harness.errors import LevelfieldError, UsageError
from submissions.manifest import Manifest
from submissions.review.event import Citation

_PLACE = re.compile(
    r"(?P<file>[A-Za-z0-9._/-]{1,200}):(?P<first>[0-9]{1,9})(-(?P<last>[0-9]{1,9}))?"
)
_RUN = re.compile(r"(^|/)runs/([0-9]+)/")

Read = Callable[[str], bytes]
"""The bytes of a file of the bundle, by its path; already compared with the manifest."""


def cite(place: str, manifest: Manifest, read: Read) -> Citation:
    """The citation of ``FILE:FIRST-LAST`` or ``FILE:LINE``, lines counted from 1.

    ``FILE`` is a path in the bundle or the end of one, and ``runs/3`` is short for ``run_3``.
    `UsageError` for another form, no such file, or several; `LevelfieldError` for lines that the
    file does not have.
    """
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(f"--at {place[:200]!a}: not FILE:FIRST-LAST, as runs/3/events.log:120-124")
    path = _path(found["file"], manifest)
    data = read(path)
    first, last = int(found["first"]), int(found["last"] or found["first"])
    return Citation(
        file=path,
        sha256=hashlib.sha256(data).hexdigest(),
        first=first,
        last=last,
        lines_sha256=_lines_digest(data, first, last, path),
    )


def mismatch(citation: Citation, manifest: Manifest, read: Read) -> str | None:
    """Why ``citation`` is not of this bundle; None if file and lines are as it says."""
    held = {file.path: file.sha256 for file in manifest.files}
    if held.get(citation.file) != citation.sha256:
        known = "another file" if citation.file in held else "no file"
        return f"it cites {citation.text}, and the bundle has {known} of that name"
    try:
        digest = _lines_digest(read(citation.file), citation.first, citation.last, citation.file)
    except LevelfieldError as error:
        return f"it cites lines that are not there: {error}"
    if digest != citation.lines_sha256:
        return f"it cites {citation.text}, and these lines of the bundle have another digest"
    return None


def _path(name: str, manifest: Manifest) -> str:
    name = _RUN.sub(r"\1run_\2/", name)
    paths = [file.path for file in manifest.files]
    if name in paths:
        return name
    ending = [path for path in paths if path.endswith(f"/{name}")]
    if len(ending) != 1:
        told = ", ".join(ending[:4]) or "none"
        raise UsageError(
            f"--at {name}: {len(ending)} files of the bundle end so ({told}); name one"
        )
    return ending[0]


def _lines_digest(data: bytes, first: int, last: int, where: str) -> str:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if not 1 <= first <= last <= len(lines):
        raise LevelfieldError(
            f"{where}:{first}-{last}: the file has {len(lines)} lines; cite those"
        )
    cited = b"\n".join(lines[first - 1 : last])
    # The last line of a file may lack its end.
    end = b"\n" if last < len(lines) or data.endswith(b"\n") else b""
    return hashlib.sha256(cited + end).hexdigest()
