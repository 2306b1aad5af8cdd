"""Takes what is personal out of the free text of a run's files, before they are packed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping

from harness.events import MARK
from submissions.secrets import patterns_of, personal_words

_KINDS = {
    "a private key": "key",
    "an access token": "token",
    "a home folder": "home",
    "an e-mail address": "e-mail",
    "an IP address": "address",
    "this machine's user name": "user",
    "this machine's host name": "host",
    "this user's home folder": "home",
}
_OTHER = "name"
# With what follows a member's name.
_LITERAL = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?')
_DECLARED = re.compile(r'"key"\s*:\s*"submission_')
_NAMING = {"namespace", "event_type", "key"}
"""Members of a log's line that say what it is."""
_FREE_OF_RUN = {"error"}


class Redactor:
    """Replaces each word found by ``[redacted:kind]``, everywhere alike, and counts them."""

    def __init__(self, personal: Mapping[str, str] | None = None) -> None:
        self._patterns = patterns_of(personal_words() if personal is None else personal)
        self.counts: Counter[str] = Counter()
        """How often something was replaced, by its kind."""

    @property
    def summary(self) -> str:
        """How many of each kind were replaced, for people."""
        found = [f"{times} x {kind}" for kind, times in sorted(self.counts.items()) if times]
        return ", ".join(found) or "nothing found in free text"

    def clean(self, name: str, data: bytes) -> bytes:
        """The run's file ``name`` without what was found in its free text.

        Free text is what the run's program printed, why the run failed, and in the event log
        every text but the names of keys and the ``submission_`` lines. Numbers, names of members
        and all other files stay as they are: intents and digests hold on to them.
        """
        if name not in ("output.txt", "events.log", "run.json"):
            return data
        text = data.decode("utf-8", "surrogateescape")
        if name == "output.txt":
            cleaned = self._words(text)
        elif name == "events.log":
            cleaned = "\n".join(map(self._line, text.split("\n")))
        else:
            cleaned = self._texts(text, lambda member: member in _FREE_OF_RUN)
        return cleaned.encode("utf-8", "surrogateescape")

    def _line(self, line: str) -> str:
        before, mark, event = line.rpartition(MARK)
        if not mark:
            return self._words(line)
        if _DECLARED.search(event):
            return line
        cleaned = self._texts(event, lambda member: member not in _NAMING)
        return f"{self._words(before)}{mark}{cleaned}"

    def _texts(self, text: str, free: Callable[[str], bool]) -> str:
        """Clean the texts in JSON that belong to a member whose name is ``free``."""
        member = ""

        def cleaned(match: re.Match[str]) -> str:
            nonlocal member
            literal, colon = match.groups()
            if colon:
                member = literal[1:-1]
            if colon or not free(member):
                return match.group()
            try:
                held = json.loads(literal)
            except ValueError:  # no JSON: the rules will speak of the line
                return match.group()
            replaced = self._words(held)
            return literal if replaced == held else json.dumps(replaced)

        return _LITERAL.sub(cleaned, text)

    def _words(self, text: str) -> str:
        for what, pattern in self._patterns.items():
            kind = _KINDS.get(what, _OTHER)
            text, times = pattern.subn(f"[redacted:{kind}]", text)
            self.counts[kind] += times
        return text
