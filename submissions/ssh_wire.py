"""SSH's way of writing fields (RFC 4251, section 5): strings and numbers with their lengths."""

from harness.errors import LevelfieldError


def string(data: bytes) -> bytes:
    """``data`` with its length in four bytes before it."""
    return len(data).to_bytes(4, "big") + data


class WireReader:
    """Reads fields one after another; whatever is cut short or left over is refused."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data, self._where = data, where

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count > len(self._data):
            raise LevelfieldError(f"{self._where}: cut short; copy it again")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self) -> int:
        """The next four bytes as a number."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """The next field with its length before it."""
        return self.take(self.number())

    def end(self) -> None:
        """`LevelfieldError` unless everything has been read."""
        if self._data:
            raise LevelfieldError(f"{self._where}: {len(self._data)} bytes too many; copy it again")
