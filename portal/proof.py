"""What the browser needs to verify one bundle: a script a bundle, which works from file:// too."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from portal.content import Content
from portal.listing import Listing, Published, safe
from portal.round_review import RoundReview
from submissions.keys import KeyEntry, Keyring
from submissions.layout import MANIFEST, Role
from submissions.review.status import Status
from submissions.round_log import RoundLog

_RECORDS = (Role.SYSTEM, Role.RESULT, Role.SEARCH, Role.RUN, Role.INTENTS)
_TOLD = {
    "level", "levels", "check", "assigned", "reviewed_by", "countersigned_by", "recused", "waivers",
    "effects", "errata", "replications", "supersedes", "superseded_by", "frozen",
}  # fmt: skip
"""Of a bundle's status, what the browser holds to its own replay, besides state and reason."""
_MOST = 2**18
"""Bytes of a record that is carried along; larger ones the picker hashes."""


def proof_address(bundle: str) -> str:
    """The script, from the root of the site."""
    return f"verify/proofs/{safe(bundle)}.js"


def write_proofs(site: Path, content: Content, unreplayed: Mapping[str, str]) -> tuple[str, ...]:
    """Write the proof of each bundle that somebody signed; their ids, sorted.

    ``unreplayed`` is by round why no browser replays its log; empty where one can.
    The results' own pages must be there already: what lies beside them need not be carried.
    """
    by_bundle: dict[str, list[Listing]] = {}
    for listing in content.listings:
        by_bundle.setdefault(listing.published.bundle.id, []).append(listing)
    signed = [one for one in content.published if one.bundle.attestations and not one.imported]
    for published in signed:
        name = published.bundle.id
        review = review_of(published, content.reviews)
        proof = _proof(site, published, by_bundle[name], review)
        why = unreplayed[review.name] if review else ""
        proof |= {"replay": review.name if review and not why else None, "unreplayed": why}
        path = site / proof_address(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'levelfield.proofs["{name}"] = {_json(proof)};\n', "ascii")
    return tuple(one.bundle.id for one in signed)


def keys_of(content: Content) -> tuple[KeyEntry, ...]:
    """Whose keys signed what is on the site, and those of its rounds; by organisation."""
    found: dict[str, KeyEntry] = {}
    for review in content.reviews:
        found |= {entry.key_id: entry for entry in review.keyring.keys}
    for published in content.published:
        for entry in published.verification.keys if published.verification else ():
            found.setdefault(entry.key_id, entry)
    return tuple(sorted(found.values(), key=lambda entry: (entry.organisation, entry.key_id)))


def keyring_of(keys: Sequence[KeyEntry]) -> str:
    """A keyring of these entries, as text; nobody has signed it."""
    held = {entry.key_id for entry in keys}
    # What an entry came after may be a key that signed nothing here.
    loose = [e if e.replaces in held else e.model_copy(update={"replaces": None}) for e in keys]
    return Keyring(keys=tuple(loose)).to_json()


def review_of(published: Published, reviews: Sequence[RoundReview]) -> RoundReview | None:
    """The round in whose log the bundle stands; none if that can be told of none."""
    if published.standing is None:
        return None
    name = published.bundle.id
    return next((one for one in reviews if name in one.statuses and one.entries is not None), None)


def _proof(
    site: Path, published: Published, listings: Sequence[Listing], review: RoundReview | None
) -> dict[str, Any]:
    bundle = published.bundle
    places = dict(_places(site, published, listings))
    held = {MANIFEST: bundle.manifest.to_bytes(), **bundle.attestations}
    for file in bundle.manifest.files:
        if file.role in _RECORDS and file.size <= _MOST:
            held[file.path] = bundle.read(file.path)
    keys = published.verification.keys if published.verification else ()
    return {
        "held": {path: base64.b64encode(data).decode() for path, data in held.items()},
        "sizes": {one.path: one.size for one in bundle.manifest.files if one.path not in held},
        "places": {path: address for path, address in places.items() if path not in held},
        "keyring": keyring_of(review.keyring.keys if review else keys),
        "log": _log(review, bundle.attestations) if review else None,
        "standing": _standing(published),
        "status": _status(published.standing) if published.standing and review else None,
    }


def _places(
    site: Path, published: Published, listings: Sequence[Listing]
) -> Iterator[tuple[str, str]]:
    """Files of the bundle that lie on the site, with their addresses."""
    folders = {
        evidence.path: listing.run_address(evidence).rpartition("/")[0]
        for listing in listings
        for evidence in listing.entry.runs
    }
    for file in published.bundle.manifest.files:
        folder, _, name = file.path.rpartition("/")
        if folder in folders and (site / folders[folder] / name).is_file():
            yield file.path, f"{folders[folder]}/{name}"


def _log(review: RoundReview, attestations: Mapping[str, bytes]) -> dict[str, Any]:
    """A receipt for each statement that stands in the round's log."""
    log = RoundLog.open(review.folder)
    wanted = {hashlib.sha256(data).hexdigest() for data in attestations.values()}
    places = [one.index for one in review.logged if one.envelope in wanted]
    return {
        "origin": review.info.origin,
        "receipts": [log.prove(index).to_json() for index in places],
    }


def _standing(published: Published) -> str | None:
    standing = published.standing
    return f"{standing.state}: {standing.why}." if standing else None


def _status(standing: Status) -> dict[str, Any]:
    told = standing.model_dump(mode="json", include=_TOLD)
    return {**told, "open_objections": standing.open_objections}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
