"""Looks for what should not leave the house in a bundle's text: keys, tokens, names of people."""

import getpass
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from submissions.bundle import Bundle
from submissions.layout import Role

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PATTERNS = {
    "a private key": re.compile(
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY"
        r"(?:-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z))?",
        re.DOTALL,
    ),
    "an access token": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
    ),
    "a home folder": re.compile(r"(?<![\w.-])/(?:home|Users)/[\w.-]+|\b[A-Z]:\\+Users\\+[\w.-]+"),
    "an e-mail address": re.compile(
        r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"
    ),
    # Of the machine itself an address says nothing.
    "an IP address": re.compile(
        rf"(?<![\w.+-])(?!127\.|0\.0\.0\.0)(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.\d)"
        r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])"
        r"|(?<![\w:])fe80::[0-9a-fA-F:]{2,30}"
    ),
}
# Cheap to look for, and without it the pattern cannot match: logs have millions of numbers.
_HINTS = {
    "a private key": re.compile("PRIVATE KEY"),
    "a home folder": re.compile(r"/(?:home|Users)/|:\\+Users"),
    "an e-mail address": re.compile("@"),
    "an IP address": re.compile(
        r"\.\d{1,3}\.\d{1,3}\.|:[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:|fe80::"
    ),
}
_VERSIONS = {Role.SYSTEM: "an IP address"}
"""A description's versions of four parts look like addresses."""
# Names that many machines share say nothing about anybody.
_SHARED_NAMES = {"root", "user", "admin", "ubuntu", "debian", "localhost", "/root"}


@dataclass(frozen=True)
class Suspicion:
    """Something in a file that should be looked at before signing, and where it is first."""

    path: str
    line: int
    what: str
    times: int = 1

    def __str__(self) -> str:
        times = f", {self.times} times" if self.times > 1 else ""
        return (
            f"{self.path}:{self.line}: {self.what}{times}; look before you sign, "
            "pack again without it or with --redact"
        )


def find_secrets(bundle: Bundle, personal: Mapping[str, str] | None = None) -> list[Suspicion]:
    """What is suspicious in the bundle's text files, in path order; of each kind the first place.

    ``personal`` gives words to look for by what they are; by default this machine's user name,
    host name and home folder. A warning, not a proof: nothing found does not mean nothing there.
    """
    words = personal_words() if personal is None else personal
    found = []
    for file in bundle.manifest.files:
        if file.role is not Role.QUERIES:
            text = bundle.read(file.path).decode("utf-8", "replace")
            patterns = patterns_of({what: word for what, word in words.items() if word in text})
            wanted = {w: p for w, p in patterns.items() if _VERSIONS.get(file.role) != w}
            found += _suspicions(file.path, text, wanted)
    return found


def patterns_of(personal: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    """What to look for, by what it is: longer ``personal`` words first, as homes hold names."""
    longest = sorted(personal.items(), key=lambda item: -len(item[1]))
    words = {
        what: re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
        for what, word in longest
        if word
    }
    return _PATTERNS | words


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
    found = []
    for what, pattern in patterns.items():
        if what in _HINTS and not _HINTS[what].search(text):
            continue
        places = [match.start() for match in pattern.finditer(text)]
        if places:
            line = text.count("\n", 0, places[0]) + 1
            found.append(Suspicion(path, line, what, len(places)))
    return sorted(found, key=lambda suspicion: suspicion.line)
