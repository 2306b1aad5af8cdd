"""submissions/redaction.py and ``levelfield pack --redact``"""

import json
from pathlib import Path

import pytest
from run_folders import write_training_run

from harness.events import parse_events
from submissions.pack import pack
from submissions.redaction import Redactor
from submissions.secrets import find_secrets

WORDS = {"this machine's user name": "ada", "this user's home folder": "/srv/ada"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("by ada", "by [redacted:user]"),
        ("/srv/ada/train.py by ada", "[redacted:home]/train.py by [redacted:user]"),
        ("/home/grace/x", "[redacted:home]/x"),
        ("from 10.1.2.3:22", "from [redacted:address]:22"),
        ("from fe80::1ff:fe23:4567:890a", "from [redacted:address]"),
        ("mail a.b@c.example.org", "mail [redacted:e-mail]"),
        ("ghp_" + "a1" * 18, "[redacted:token]"),
        ("-----BEGIN X PRIVATE KEY-----\nabc\n-----END X PRIVATE KEY-----!", "[redacted:key]!"),
        ("on 127.0.0.1, version 1.2.3.4.5 at 12:34:56", None),
        ("adaptive armada, /homeless/x, a@b", None),
    ],
)
def test_free_text_is_cleaned(text: str, cleaned: str | None) -> None:
    redactor = Redactor(WORDS)
    found = redactor.clean("output.txt", text.encode()).decode()
    assert found == (text if cleaned is None else cleaned)
    assert bool(sum(redactor.counts.values())) is (cleaned is not None)


def line(**members: object) -> str:
    return f":::MLLOG {json.dumps(members)}\n"


def test_a_logs_keys_numbers_and_declarations_are_not_touched() -> None:
    kept = line(namespace="ada", time_ms=1, event_type="ada", key="ada", value=10.0) + line(
        time_ms=2, key="submission_org", value="ada", metadata={"file": "/srv/ada/x.py"}
    )
    assert Redactor(WORDS).clean("events.log", kept.encode()) == kept.encode()


def test_a_logs_texts_are_cleaned_wherever_they_stand() -> None:
    said = line(key="x", value="ada", metadata={"file": "/srv/ada/x.py", "ada": ["ada", 1.50]})
    data = f"no event of ada\nada {said}".encode()
    redactor = Redactor(WORDS)
    first, second, _ = redactor.clean("events.log", data).decode().split("\n")
    assert first == "no event of [redacted:user]"
    assert second == "[redacted:user] " + line(
        key="x",
        value="[redacted:user]",
        metadata={"file": "[redacted:home]/x.py", "ada": ["[redacted:user]", 1.5]},
    ).rstrip("\n")
    assert redactor.summary == "1 x home, 4 x user"


def test_numbers_keep_their_form() -> None:
    data = b':::MLLOG {"key": "x", "value": 1.50, "metadata": {"e": 1e3, "who": "ada"}}'
    cleaned = Redactor(WORDS).clean("events.log", data)
    assert cleaned == data.replace(b'"ada"', b'"[redacted:user]"')


@pytest.mark.parametrize("name", ["telemetry.jsonl", "queries.npy", "answers.jsonl"])
def test_other_files_stay_as_they_are(name: str) -> None:
    assert Redactor(WORDS).clean(name, b"ada \xff 10.1.2.3") == b"ada \xff 10.1.2.3"


def test_bytes_that_are_no_text_survive() -> None:
    assert Redactor(WORDS).clean("output.txt", b"\xff ada \x00") == b"\xff [redacted:user] \x00"


def test_what_is_packed_is_clean_and_opens(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    run = json.loads((tmp_path / "r/run.json").read_text())
    told = {**run, "error": "/srv/ada/x.py: no room on ada's disk", "status": "aborted"}
    (tmp_path / "r/run.json").write_text(json.dumps(told))
    log = tmp_path / "r/events.log"
    log.write_text(log.read_text() + line(key="x", value="ada", metadata={}))
    redactor = Redactor(WORDS)
    bundle = pack([tmp_path / "r"], "acme", "practice", tmp_path / "b", redactor)
    (entry,) = bundle.submission.entries
    error = entry.runs[0].run.error
    assert error == "[redacted:home]/x.py: no room on [redacted:user]'s disk"
    assert find_secrets(bundle, WORDS) == []
    assert redactor.summary == "1 x home, 2 x user"
    cleaned = parse_events(bundle.read("results/toy/train/run_1/events.log"))
    assert len(cleaned.events) == len(parse_events(log.read_bytes()).events)
