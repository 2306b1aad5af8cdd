"""The one reader of JSON that somebody else may have written: whatever is doubtful is refused."""

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec
from pydantic import ValidationError

from harness.errors import LevelfieldError
from harness.records import Record

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32

_UNSURE = object()
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_ODD_NUMBER = re.compile(rb"[eE][-+]?0|(?:\A|[\[:,\s-])0{16}")
"""Of digits alike: what a number with an exponent or an integer beyond 2^53 has in it."""

AnyRecord = TypeVar("AnyRecord", bound=Record)


class _RefusedError(ValueError):
    """Carries the reason out of the parser's hooks; never leaves this module."""


def parse(data: bytes, where: str) -> Any:
    """Parse JSON bytes strictly.

    `LevelfieldError` names the reason: not UTF-8, a byte order mark, NUL bytes, duplicate keys,
    NaN or infinity (also as ``1e999``), minus zero, integers beyond 2^53-1, nesting deeper than
    32, lone surrogates, or anything that is not JSON at all.
    """
    try:
        return _parsed(data)
    except _RefusedError as error:
        _refuse(where, str(error), error)


def doubt(data: bytes) -> str | None:
    """Why `parse` would refuse ``data``; none if it would not."""
    try:
        _parsed(data)
    except _RefusedError as error:
        return str(error)
    return None


def _parsed(data: bytes) -> Any:
    found = _quickly(data)
    return _slowly(data) if found is _UNSURE else found


def _quickly(data: bytes) -> Any:
    """The value of ``data`` if a fast reader makes sure that nothing in it is doubtful.

    Every string has two quotes where none is escaped. So a key that came twice, of which the
    reader keeps the last, shows in a quote count that the value does not have.
    """
    if _brackets(data) > MAX_DEPTH or b"\\" in data or _may_hold_odd_numbers(data):
        return _UNSURE
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _UNSURE
    return value if msgspec.json.encode(value).count(b'"') == data.count(b'"') else _UNSURE


def _slowly(data: bytes) -> Any:
    try:
        value = _DECODER.decode(_text(data))
    except RecursionError as error:
        raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise _RefusedError(f"not JSON: {error.msg} at line {error.lineno}") from error
    # Shallow text without escapes, as most records are, needs no second look.
    if b"\\" in data or _brackets(data) > MAX_DEPTH:
        _check_tree(value)
    return value


def read_record(model: type[AnyRecord], data: bytes, where: str) -> AnyRecord:
    """Read one record; `LevelfieldError` names the reason, or the field that is wrong."""
    parse(data, where)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        # As ASCII, since an unknown field's name is the writer's own text.
        _refuse(where, f"{ascii(field)[1:-1]}: {first['msg']}", error)


def _refuse(where: str, reason: str, cause: Exception) -> NoReturn:
    raise LevelfieldError(f"{where}: {reason}; ask whoever wrote the file to mend it") from cause


def _brackets(data: bytes) -> int:
    """No text is nested deeper than that."""
    return data.count(b"[") + data.count(b"{")


def _may_hold_odd_numbers(data: bytes) -> bool:
    """Whether a number may be minus zero, infinite or too large; some texts look so too."""
    if b"-0" in data:
        return True
    alike = data.translate(_DIGITS_ALIKE)
    # Looks that cost next to nothing come first: most lines have none of these.
    long, small = b"0000000000000000" in alike, b"e0" in alike or b"e-" in alike or b"e+" in alike
    large = b"E0" in alike or b"E-" in alike or b"E+" in alike
    return (long or small or large) and _ODD_NUMBER.search(alike) is not None


def _text(data: bytes) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _RefusedError("begins with a byte order mark; JSON is plain UTF-8")
    if b"\0" in data:
        raise _RefusedError("holds NUL bytes (UTF-16?); JSON is plain UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _RefusedError(f"not UTF-8 at byte {error.start}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RefusedError(f"duplicate key {key!a}")
        found[key] = value
    return found


def _integer(text: str) -> int:
    if text == "-0":
        raise _RefusedError("the number -0 (minus zero)")
    # The length first: a million digits would cost seconds to convert.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise _RefusedError(f"the integer {text[:24]} is beyond 2^53-1")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _RefusedError(f"the number {text[:24]} is infinite")
    if value == 0 and text.startswith("-"):
        raise _RefusedError(f"the number {text[:24]} (minus zero)")
    return value


def _constant(text: str) -> NoReturn:
    raise _RefusedError(f"{text} is not JSON")


def _check_tree(root: Any) -> None:
    """Refuse deep nesting and lone surrogates; without recursion, whatever the depth."""
    waiting = [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict | list):
            if depth == MAX_DEPTH:
                raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels")
            children = [*value, *value.values()] if isinstance(value, dict) else value
            waiting.extend((child, depth + 1) for child in children)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _RefusedError(f"a lone surrogate in the text {text[:24]!a}") from error


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
