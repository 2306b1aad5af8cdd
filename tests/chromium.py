"""Debian's Chromium, in which the portal is tested: how it is started, and what needs it."""

from collections.abc import Callable
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]
"""Marks of a file whose tests all take the fixture ``browser``."""


def in_chromium(test: Callable[..., None]) -> Callable[..., None]:
    """Mark one test that takes it."""
    for mark in needs_chromium:
        test = mark(test)
    return test
