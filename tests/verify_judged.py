"""The golden cases as they lie in their folder, and what the Python verifier says of them."""

import base64
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from verify_cases import Case, write

from harness.errors import LevelfieldError
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.keys import Keyring
from submissions.log_entry import LogEntry
from submissions.receipt import Receipt
from submissions.strict_json import read_record

GOLDEN = Path(__file__).with_name("golden") / "verify"
Files = dict[str, bytes]


def golden() -> dict[str, Case]:
    """The cases as they lie in the folder, by name; each with its keyring."""
    good = json.loads((GOLDEN / "good.json").read_text())
    found = {"good": Case({}, "", keyring=good["keyring"], level="L2")}
    for file in sorted(GOLDEN.glob("*.json")):
        if file.stem != "good":
            case = Case(**json.loads(file.read_text()))
            change = {
                path: None if data is None else base64.b64decode(data)
                for path, data in case.change.items()
            }
            keyring = case.keyring or good["keyring"]
            found[file.stem] = replace(case, change=change, keyring=keyring)
    return found


def good_files() -> Files:
    """The good bundle."""
    good = json.loads((GOLDEN / "good.json").read_text())["files"]
    return {path: base64.b64decode(data) for path, data in good.items()}


def files_of_case(case: Case) -> Files:
    """The files of a case's bundle."""
    whole = {**good_files(), **case.change}
    return {path: data for path, data in whole.items() if data is not None}


def judge(files: Files, keyring: str, log: dict[str, Any] | None) -> str:
    """The level that the Python verifier gives; `LevelfieldError` with its reason."""
    with tempfile.TemporaryDirectory() as aside:
        root = write(Path(aside) / "bundle", files)
        trusted = Keyring.from_bytes(keyring.encode(), "keyring.json")
        logged = _logged(log, trusted) if log else None
        return verify(Bundle.open(root), trusted, logged).level


def _logged(log: dict[str, Any], trusted: Keyring) -> list[LogEntry]:
    """The log's entries, each proved by its receipt; the golden logs hold nothing else."""
    receipts = [read_record(Receipt, text.encode(), "receipt") for text in log["receipts"]]
    for receipt in receipts:
        receipt.verify(trusted, log["origin"], "receipt")
    return [receipt.entry for receipt in sorted(receipts, key=lambda one: one.index)]


def reason_of(files: Files, keyring: str, log: dict[str, Any] | None) -> tuple[str, str]:
    """Level and reason as the Python verifier has them."""
    try:
        return judge(files, keyring, log), ""
    except LevelfieldError as error:
        return "L0", str(error)
