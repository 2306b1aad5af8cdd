"""The page on which a visitor verifies a bundle, and the same as one file to take along."""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from portal.content import Content
from portal.proof import keyring_of, keys_of, write_proofs
from portal.rendering import STATIC, render, write_page
from portal.replay_file import write_replays

CORE = (
    "verify-json.js",
    "verify-bytes.js",
    "verify-layout.js",
    "verify-records.js",
    "verify-keys.js",
    "verify-log.js",
    "verify-zip.js",
    "verify-content.js",
    "verify-statements.js",
    "verify-event.js",
    "verify-case.js",
    "verify-conflicts.js",
    "verify-replay.js",
    "verify-cite.js",
    "verify-review.js",
    "verify-vouched.js",
    "verify-round.js",
    "verify-standing.js",
    "verify.js",
    "verify-source.js",
    "verify-trust.js",
    "verify-view.js",
)
"""Scripts of the verifier, each after those that it needs."""
PAGE = "verify-page.js"
STYLES = ("site.css", "verify.css")
ADDRESS = "verify/index.html"
ALL = "verify/core.js"
"""The verifier whole: one file, which a result's page loads on a click."""
ALONE = "verify.html"


def write_verify(site: Path, content: Content) -> None:
    """Write the verify page, the bundles' proofs, and ``verify.html``, which needs no other file.

    The results' own pages must be there already.
    """
    bundles = write_proofs(site, content, write_replays(site, content.reviews))
    keys = keys_of(content)
    shared: dict[str, Any] = {"here": "verify", "keys": keys, "alone": ALONE}
    data = {"keyring": keyring_of(keys), "bundles": list(bundles), "proofs": "proofs/"}
    write_page(site, ADDRESS, "verify.html", data=data, **shared)
    (site / ALL).write_text(_joined(CORE), "utf-8")
    (site / ALONE).write_text(_alone(keyring_of(keys), shared), "utf-8")


def _alone(keyring: str, shared: dict[str, Any]) -> str:
    """One file with script and style in it, and a policy that allows these two and no other."""
    script, style = _joined((*CORE, PAGE)), _joined(STYLES)
    return render(
        "verify_alone.html",
        # Files of this program, and nothing from a bundle: they are meant to be markup.
        script=Markup(script),
        style=Markup(style),
        policy=f"default-src 'none'; script-src {_hashed(script)}; style-src {_hashed(style)}",
        data={"keyring": keyring, "bundles": [], "proofs": ""},
        **shared,
    )


def _joined(names: Iterable[str]) -> str:
    return "\n".join((STATIC / name).read_text("utf-8") for name in names)


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
