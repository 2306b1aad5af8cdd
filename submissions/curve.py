"""Which 32 bytes are a sound Ed25519 public key (RFC 8032, section 5.1)."""

from functools import lru_cache

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int]
_NEUTRAL: _Point = (0, 1)


@lru_cache(maxsize=256)
def unsound(raw: bytes) -> str | None:
    """Why ``raw`` must not be taken as a public key; none if it is sound.

    A point of small order verifies signatures over any message, and libraries let it; a second
    encoding of a point would give one key two identities.
    """
    if len(raw) != 32:
        return "not 32 bytes"
    encoded = int.from_bytes(raw, "little")
    sign, y = encoded >> 255, encoded & (2**255 - 1)
    if y >= _P:
        return "not the canonical encoding of a point"
    x = _recover_x(y)
    if x is None:
        return "not a point of the curve"
    if x == 0 and sign:
        return "not the canonical encoding of a point"
    if _double(_double(_double((x, y)))) == _NEUTRAL:
        return "a point of small order, which verifies any message"
    return None


def _recover_x(y: int) -> int | None:
    """One of the two x with -x² + y² = 1 + d·x²·y²; none if there is no such x."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    for candidate in (x, x * _ROOT_OF_MINUS_ONE % _P):
        if candidate * candidate % _P == square:
            return candidate
    return None


def _double(point: _Point) -> _Point:
    x, y = point
    product = _D * x * x * y * y % _P
    return (
        2 * x * y * pow(1 + product, -1, _P) % _P,
        (y * y + x * x) * pow(1 - product, -1, _P) % _P,
    )
