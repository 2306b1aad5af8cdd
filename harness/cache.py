"""Where Levelfield keeps what it can make again: data sets, a measured peak."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``levelfield`` in the user's cache folder, which need not exist yet."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "levelfield"
