"""Reads a zip that somebody else made: one strict form of it, never extracted, within limits."""

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

from harness.errors import LevelfieldError
from submissions.layout import check_distinct, check_path
from submissions.scan import MAX_FILES, check_limits, check_size

# APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
STORED, DEFLATED = 0, 8
MAX_RATIO = 200
"""Into how many bytes one compressed byte may grow."""

_HARMLESS = 0x0806
"""Flags for how hard it was compressed (bits 1 and 2), and for names in UTF-8 (bit 11)."""
_FLAGS = {
    0x0001: "encrypted",
    0x0008: "its size stands after its data (a data descriptor)",
    0x0040: "encrypted",
    0x2000: "encrypted",
}
_UNIX = 3
_CHUNK = 2**16


class Header(NamedTuple):
    """What the central directory and the local header both say of a file."""

    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name: bytes


class _Place(NamedTuple):
    """A file's header, and where its data begin."""

    header: Header
    begin: int


class Zip:
    """A zip, scanned when it is made into one of these, then read by path.

    `LevelfieldError` for all that two programs could read in two ways: bytes before, between or
    behind the entries, overlaps, a comment, extra fields, encryption, data descriptors, zip64, a
    name twice, headers that contradict each other; for links and folders; for paths outside the
    grammar; for anything beyond the limits. No data are decompressed for that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, _Place] = {}
        with _opened(path) as stream:
            start, count, directory = _read_directory(str(path), stream)
            reached = total = 0
            for header, offset in _central_headers(str(path), directory, count):
                name = _checked_name(header.name)
                if name in self._places:
                    _refuse(name, "two entries have this name")
                _check_form(name, header)
                total += header.size
                check_limits(str(path), total, len(self._places) + 1)
                _check_place(name, offset, reached)
                _check_local(name, header, _read_at(name, stream, offset, LOCAL.size), stream)
                begin = offset + LOCAL.size + len(header.name)
                self._places[name], reached = _Place(header, begin), begin + header.packed
        _check_end(str(path), reached, start)
        check_distinct(self._places)
        for name in sorted(self._places.keys() & self._folders()):
            _refuse(name, "a file and a folder at once")

    def sizes(self) -> tuple[dict[str, int], set[str]]:
        """Sizes of all files by path, and the paths of the folders that they lie in."""
        return {name: place.header.size for name, place in self._places.items()}, self._folders()

    def read(self, path: str, size: int) -> bytes:
        """The bytes of one file; `LevelfieldError` unless they are ``size`` and have their CRC.

        At most ``size + 1`` bytes are decompressed, whatever the headers say.
        """
        header, begin = self._places[path]
        with _opened(self.path) as stream:
            stream.seek(begin)
            data = _unpacked(path, stream, header, size + 1)
        if len(data) != size:
            held = f"only {len(data)}" if len(data) < size else "more"
            _refuse(path, f"its size differs: expected {size} bytes, found {held}")
        if zlib.crc32(data) != header.crc:
            _refuse(path, "its CRC differs from the one that the zip holds")
        return data

    def _folders(self) -> set[str]:
        return {path[:end] for path in self._places for end, c in enumerate(path) if c == "/"}


def _opened(path: Path) -> BinaryIO:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        stream = os.fdopen(handle, "rb")
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error.strerror}; copy the bundle again"
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        stream.close()
        _refuse(str(path), "neither a folder nor a plain file")
    return stream


def _read_at(where: str, stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    data = stream.read(size)
    if len(data) != size:
        _refuse(where, "the zip ends too early")
    return data


def _read_directory(where: str, stream: BinaryIO) -> tuple[int, int, bytes]:
    """Where the central directory begins, how many entries it says it has, and its bytes."""
    length = os.fstat(stream.fileno()).st_size
    if length < END.size:
        _refuse(where, "not a zip: too short for one")
    fields = END.unpack(_read_at(where, stream, length - END.size, END.size))
    mark, disk, first_disk, here, count, size, start, comment = fields
    if mark != END_MARK or comment:
        _refuse(where, "not a zip, or one with a comment or other bytes behind its end")
    if disk or first_disk or here != count:
        _refuse(where, "a zip in several parts")
    if count == 0xFFFF or 0xFFFFFFFF in (size, start):
        _refuse(where, "a zip64, which no bundle needs")
    if start + size != length - END.size:
        _refuse(where, "other bytes lie before its first entry, or before its end")
    check_limits(where, 0, count)
    if size > MAX_FILES * (CENTRAL.size + 200):
        _refuse(where, "its directory is larger than its entries can need")
    return start, count, _read_at(where, stream, start, size)


def _central_headers(where: str, directory: bytes, count: int) -> Iterator[tuple[Header, int]]:
    """Each entry of the central directory, and where it says that the local header lies."""
    at = found = 0
    while at < len(directory):
        if len(directory) - at < CENTRAL.size:
            _refuse(where, "its directory ends within an entry")
        fields = CENTRAL.unpack_from(directory, at)
        mark, made_by = fields[:2]
        length, extra, comment, disk, _, attributes, offset = fields[10:]
        name = directory[at + CENTRAL.size : at + CENTRAL.size + length]
        if mark != CENTRAL_MARK or len(name) != length:
            _refuse(where, "its directory holds something else than entries")
        if extra or comment or disk:
            _refuse(_shown(name), "an extra field, a comment or another disk in its entry")
        _check_attributes(_shown(name), made_by, attributes)
        yield Header._make((*fields[2:10], name)), offset
        at += CENTRAL.size + length
        found += 1
    if found != count:
        _refuse(where, f"its directory holds {found} entries, its end says {count}")


def _check_attributes(where: str, made_by: int, attributes: int) -> None:
    """Plain files only: what Unix and what DOS say of the kind of file."""
    mode = attributes >> 16 if made_by >> 8 == _UNIX else 0
    if stat.S_ISLNK(mode):
        _refuse(where, "a symbolic link")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or attributes & 0x18:
        _refuse(where, "not a plain file (a folder, a device, a pipe or a socket)")
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        _refuse(where, "a set-user-id, set-group-id or sticky bit")


def _checked_name(raw: bytes) -> str:
    # Bytes beyond ASCII become characters that the grammar refuses.
    name = raw.decode("latin-1")
    check_path(name)
    return name


def _check_form(name: str, header: Header) -> None:
    for flag, meaning in _FLAGS.items():
        if header.flags & flag:
            _refuse(name, meaning)
    if header.flags & ~_HARMLESS:
        _refuse(name, f"flags of unknown meaning ({header.flags:#06x})")
    if header.method not in (STORED, DEFLATED):
        _refuse(name, f"compression method {header.method}; only stored and deflated are read")
    if 0xFFFFFFFF in (header.packed, header.size):
        _refuse(name, "a zip64, which no bundle needs")
    check_size(name, header.size)
    if header.size > MAX_RATIO * header.packed:
        _refuse(
            name,
            f"{header.packed} compressed bytes for {header.size}; "
            f"one may stand for {MAX_RATIO} at most",
        )
    if header.method == STORED and header.packed != header.size:
        _refuse(name, "stored, yet with two different sizes")


def _check_place(name: str, offset: int, reached: int) -> None:
    if offset < reached:
        _refuse(name, "overlaps another entry")
    if offset > reached:
        what = "the first entry" if reached == 0 else "it"
        _refuse(name, f"other bytes lie before {what}")


def _check_local(name: str, header: Header, data: bytes, stream: BinaryIO) -> None:
    fields = LOCAL.unpack(data)
    mark, length, extra = fields[0], *fields[9:]
    if mark != LOCAL_MARK:
        _refuse(name, "no local header where the directory says")
    if extra:
        _refuse(name, "an extra field in its local header")
    local = Header._make((*fields[1:9], stream.read(length)))
    for field, here, there in zip(Header._fields, local, header, strict=True):
        if here != there:
            _refuse(name, f"its local header has another {field} than the directory")


def _check_end(where: str, reached: int, start: int) -> None:
    if reached > start:
        _refuse(where, "its last entry overlaps the directory")
    if reached < start:
        _refuse(where, "other bytes lie before its directory")


def _unpacked(path: str, stream: BinaryIO, header: Header, most: int) -> bytes:
    """At most ``most`` bytes of a file whose data begin where ``stream`` stands."""
    if header.method == STORED:
        return stream.read(min(most, header.packed))
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    found, waiting = io.BytesIO(), header.packed
    try:
        while found.tell() < most and not inflate.eof:
            chunk = inflate.unconsumed_tail
            if not chunk:
                chunk = stream.read(min(_CHUNK, waiting))
                waiting -= len(chunk)
            data = inflate.decompress(chunk, min(_CHUNK, most - found.tell()))
            found.write(data)
            if not chunk and not data:
                break
    except zlib.error as error:
        _refuse(path, "its compressed data are damaged", error)
    if found.tell() < most and (waiting or inflate.unused_data or not inflate.eof):
        _refuse(path, "its compressed data end elsewhere than the zip says")
    return found.getvalue()


def _shown(name: bytes) -> str:
    return ascii(name.decode("latin-1"))[1:-1][:240]


def _refuse(where: str, reason: str, cause: Exception | None = None) -> NoReturn:
    raise LevelfieldError(
        f"{where}: {reason}; refused, make the zip with levelfield zip"
    ) from cause
