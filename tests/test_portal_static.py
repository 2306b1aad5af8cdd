"""What is vendored is what was published, with its licence beside it."""

import gzip
import hashlib
import re

from portal.rendering import STATIC

# npm package plotly.js-basic-dist-min 4.1.1
PLOTLY_SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"


def test_plotly_is_unchanged_and_licensed() -> None:
    script = (STATIC / "plotly-basic.min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == PLOTLY_SHA256
    assert (STATIC / "plotly-LICENSE.txt").read_text("utf-8").startswith("MIT License")


def test_charts_stay_within_their_budget() -> None:
    assert len(gzip.compress((STATIC / "plotly-basic.min.js").read_bytes())) <= 400_000


def test_our_own_files_name_no_other_host() -> None:
    for name in ("site.css", "theme.js", "charts.js", "board.js"):
        text = (STATIC / name).read_text("utf-8")
        assert not re.search(r"https?://|url\(|@import", text), name


def test_charts_never_offer_to_upload() -> None:
    text = (STATIC / "charts.js").read_text("utf-8")
    assert "showSendToCloud: false" in text
    assert "displaylogo: false" in text
