"""What a site holds for the browser to verify a bundle with."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from verify_site import Site, make_site

from portal.proof import keyring_of, proof_address
from submissions.keys import KeyEntry, Keyring, generate
from submissions.receipt import Receipt
from submissions.strict_json import read_record


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("proof"))


def proof(site: Site, bundle: str) -> dict[str, Any]:
    text = (site.folder / proof_address(bundle)).read_text("ascii")
    begin, _, rest = text.partition(" = ")
    assert begin == f'levelfield.proofs["{bundle}"]'
    found = json.loads(rest.removesuffix(";\n"))
    assert isinstance(found, dict)
    return found


def test_every_file_is_held_or_has_a_place_on_the_site(site: Site) -> None:
    for root, bundle in ((site.signed.root, None), (site.logged.root, site.logged)):
        files = {str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file()}
        name = bundle.id if bundle else _id(site)
        found = proof(site, name)
        assert found["held"].keys() | found["places"].keys() == files.keys()
        assert found["sizes"].keys() == found["places"].keys()
        for path, data in found["held"].items():
            assert base64.b64decode(data) == files[path].read_bytes()
        for path, address in found["places"].items():
            assert (site.folder / address).read_bytes() == files[path].read_bytes()


def _id(site: Site) -> str:
    (name,) = (
        path.stem
        for path in (site.folder / "verify/proofs").iterdir()
        if path.stem != site.logged.id
    )
    return name


def test_nobody_vouches_for_an_unsigned_bundle(site: Site) -> None:
    assert not (site.folder / proof_address(site.unsigned.id)).exists()
    assert 'id="verify-here"' not in site.page(site.unsigned.id).read_text("utf-8")
    assert 'id="verify-here"' in site.page(site.logged.id).read_text("utf-8")


def test_a_signed_bundle_comes_with_the_keys_that_signed_it_alone(site: Site) -> None:
    keyring = Keyring.from_bytes(proof(site, _id(site))["keyring"].encode(), "keyring")
    assert sorted(entry.organisation for entry in keyring.keys) == ["acme", "lab"]
    assert proof(site, _id(site))["log"] is None


def test_a_logged_bundle_comes_with_receipts_and_the_rounds_keyring(site: Site) -> None:
    found = proof(site, site.logged.id)
    keyring = Keyring.from_bytes(found["keyring"].encode(), "keyring")
    assert "log" in {role for entry in keyring.keys for role in entry.roles}
    (text,) = found["log"]["receipts"]
    receipt = read_record(Receipt, text.encode(), "receipt")
    assert receipt.verify(keyring, found["log"]["origin"], "receipt").size == 1
    assert found["standing"].startswith("submitted: ")


def test_a_proof_holds_no_markup(site: Site) -> None:
    for path in (site.folder / "verify/proofs").iterdir():
        assert path.read_bytes().isascii()
        assert b"<" not in path.read_bytes()


def test_a_keyring_of_some_keys_is_one_that_can_be_read(tmp_path: Path) -> None:
    entries: dict[str, KeyEntry] = {}
    for name in ("old", "new"):
        key = generate(tmp_path / name, "acme")
        entries[name] = KeyEntry(
            organisation="acme",
            key_id=key.key_id,
            public_key=key.line,
            roles=("submit",),
            replaces=entries["old"].key_id if name == "new" else None,
        )
    for held in (["new"], ["old", "new"]):
        keyring = Keyring.from_bytes(keyring_of([entries[n] for n in held]).encode(), "keyring")
        assert (keyring.keys[-1].replaces is None) == (held == ["new"])
