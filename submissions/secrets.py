"""Looks for what should not leave the house in a bundle's text: keys, tokens, names of people."""

import getpass
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from submissions.bundle import Bundle
from submissions.layout import Role

_PATTERNS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an access token": re.compile(
        r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
    ),
}
# Names that many machines share say nothing about anybody.
_SHARED_NAMES = {"root", "user", "admin", "ubuntu", "debian", "localhost", "/root"}


@dataclass(frozen=True)
class Suspicion:
    """One line that should be looked at before signing."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; look before you sign, pack again without it"


def find_secrets(bundle: Bundle, personal: Mapping[str, str] | None = None) -> list[Suspicion]:
    """Suspicious lines of the bundle's text files, in path order.

    ``personal`` gives words to look for by what they are; by default this machine's user name,
    host name and home folder. A warning, not a proof: nothing found does not mean nothing there.
    """
    words = personal_words() if personal is None else personal
    patterns = _PATTERNS | {
        what: re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])") for what, word in words.items()
    }
    found = []
    for file in bundle.manifest.files:
        if file.role is not Role.QUERIES:
            text = bundle.read(file.path).decode("utf-8", "replace")
            found += _suspicions(file.path, text, patterns)
    return found


def personal_words() -> dict[str, str]:
    """What would give away this machine's user, by what it is."""
    words = {
        "this machine's user name": _user_name(),
        "this machine's host name": socket.gethostname(),
        "this user's home folder": str(Path.home()),
    }
    return {what: word for what, word in words.items() if _telling(word)}


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return ""


def _telling(word: str) -> bool:
    return len(word) > 2 and word not in _SHARED_NAMES


def _suspicions(path: str, text: str, patterns: Mapping[str, re.Pattern[str]]) -> list[Suspicion]:
    return [
        Suspicion(path, number, what)
        for number, line in enumerate(text.split("\n"), 1)
        for what, pattern in patterns.items()
        if pattern.search(line)
    ]
