"""Writes a bundle as a zip for transport: the same bundle, the same bytes."""

import secrets
import zlib
from pathlib import Path

from harness.errors import LevelfieldError, UsageError
from submissions.bundle import Bundle
from submissions.layout import MANIFEST
from submissions.zip_reader import (
    CENTRAL,
    CENTRAL_MARK,
    DEFLATED,
    END,
    END_MARK,
    LOCAL,
    LOCAL_MARK,
    MAX_RATIO,
    STORED,
)

_VERSION = 20
_NO_TIME, _FIRST_DATE = 0, 0x0021
"""Midnight of 1980-01-01, the earliest date that a zip can say."""
_MADE_BY = 3 << 8 | _VERSION
_PLAIN = 0o100644 << 16


def write_zip(bundle: Bundle, out: Path) -> None:
    """Write ``bundle``, attestations too, as a new zip at ``out``, which is then opened again.

    Files are sorted by path, and carry no dates, owners or permissions. `LevelfieldError`, with
    nothing left behind, for an ``out`` that exists or cannot be written, and for a bundle that
    changed since it was opened; `UsageError` for an ``out`` whose folder is not there.
    """
    if out.exists() or out.is_symlink():
        raise LevelfieldError(f"{out}: exists already; choose another name")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"{out}: no such folder; name a file in one that exists")
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.draft")
    try:
        _write(bundle, draft)
        if Bundle.open(draft, logs=False).manifest_sha256 != bundle.manifest_sha256:
            raise LevelfieldError(f"{bundle.root}: changed while it was read; zip it again")
        draft.rename(out)
    except OSError as error:
        raise LevelfieldError(
            f"{out}: cannot be written: {error.strerror}; make room, or choose another place"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _write(bundle: Bundle, path: Path) -> None:
    directory = b""
    names = sorted([MANIFEST, *bundle.attestations, *(file.path for file in bundle.manifest.files)])
    with path.open("xb") as stream:
        for name in names:
            offset = stream.tell()
            shared, packed = _packed(_content(bundle, name))
            raw = name.encode("ascii")
            stream.write(LOCAL.pack(LOCAL_MARK, *shared, len(raw), 0) + raw)
            stream.write(packed)
            directory += (
                CENTRAL.pack(CENTRAL_MARK, _MADE_BY, *shared, len(raw), 0, 0, 0, 0, _PLAIN, offset)
                + raw
            )
        start, count = stream.tell(), len(names)
        stream.write(directory)
        stream.write(END.pack(END_MARK, 0, 0, count, count, len(directory), start, 0))


def _content(bundle: Bundle, name: str) -> bytes:
    if name == MANIFEST:
        return bundle.manifest.to_bytes()
    return bundle.attestations[name] if name in bundle.attestations else bundle.read(name)


def _packed(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """The fields that both headers of a file share, and its data as they are stored."""
    deflate = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
    packed, method = deflate.compress(data) + deflate.flush(), DEFLATED
    if not len(data) / MAX_RATIO <= len(packed) < len(data):
        packed, method = data, STORED
    sizes = zlib.crc32(data), len(packed), len(data)
    return (_VERSION, 0, method, _NO_TIME, _FIRST_DATE, *sizes), packed
