"""No bundle makes its reader take more than 200 MB; measured in a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bad_bundles import RUN, files_of, repack, zip_bytes
from run_folders import write_signed_bundle

from harness.errors import LevelfieldError
from harness.events import Event
from submissions import evidence
from submissions.allowance import Allowance, weight
from submissions.bundle import Bundle
from submissions.line_slices import MAX_LINE_BYTES, slices

_STATUS = Path("/proc/self/status")
_READ = """
import sys
from pathlib import Path
from harness.errors import LevelfieldError
from submissions.bundle import Bundle
try:
    Bundle.open(Path(sys.argv[1]))
except LevelfieldError as error:
    print(error)
# Not getrusage: on Linux that would tell what the process took from which this one was forked.
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
"""
EVENT = b':::MLLOG {"time_ms":0,"key":"a","metadata":{},"value":'
DICTS = b"[" + b",".join([b'{"":0}'] * 20_000) + b"]"
WIDE = b'"' + b"x" * 200_000 + b'\\ud83d\\ude00"'
MEMORY = "takes more than 48 MiB of memory"
HOSTILE = {
    "small objects": ("events.log", (EVENT + DICTS + b"}\n") * 80, MEMORY),
    "wide text": ("events.log", (EVENT + WIDE + b"}\n") * 200, MEMORY),
    "many events": ("events.log", (EVENT + b"0}\n") * 400_000, MEMORY),
    "broken lines": ("events.log", b":::MLLOG {\n" * 2_000_000, "more than 1000 lines"),
    "one line": ("events.log", b"x" * 2**25, "events.log:1: longer than 262144 bytes"),
    "many samples": (
        "telemetry.jsonl", b'{"time_ms":0,"source":"","values":{}}\n' * 400_000, MEMORY,
    ),
    "empty lines": ("telemetry.jsonl", b"\n" * 2**25, "telemetry.jsonl:1: not JSON"),
    "many answers": ("answers.jsonl", b'{"sample":1,"answer":0}\n' * 400_000, MEMORY),
    "large record": ("run.json", b"[" * 2**20, "run.json: larger than 262144 bytes"),
    "large queries": ("queries.npy", b"\0" * (50 * 2**20), MEMORY),
}  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_signed_bundle(tmp_path_factory.mktemp("good"))


@pytest.mark.skipif(not _STATUS.exists(), reason="no /proc to tell the most memory taken")
@pytest.mark.parametrize(("name", "data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_bundle_that_would_fill_the_memory_is_refused(
    good: Path, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    root = Path(shutil.copytree(good, tmp_path / "bundle"))
    repack(root, {f"{RUN}/{name}": data})
    (tmp_path / "z").write_bytes(zip_bytes(files_of(root)))
    for path in (root, tmp_path / "z"):
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
        )
        told, taken = done.stdout.splitlines()
        assert reason in told
        assert int(taken) < 200 * 10**6


@pytest.mark.skipif(not _STATUS.exists(), reason="no /proc to tell the most memory taken")
@pytest.mark.parametrize("data", [b"[" + b",".join([b'{"":0}'] * 130_000) + b"]", b"[" * 2**20])
def test_a_description_that_would_fill_the_memory_is_refused(
    good: Path, tmp_path: Path, data: bytes
) -> None:
    root = Path(shutil.copytree(good, tmp_path / "bundle"))
    repack(root, {"system.json": data})
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(root)], capture_output=True, text=True, check=True
    )
    told, taken = done.stdout.splitlines()
    assert told.startswith("system.json: ")
    assert int(taken) < 200 * 10**6


def test_a_clusters_description_is_read(good: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(good, tmp_path / "bundle"))
    system = json.loads((root / "system.json").read_bytes())
    card = {"model": "NVIDIA GB200 of a rack of seventy-two", "memory_bytes": 10**11, "driver": "x"}
    system["accelerators"] = [card] * 5_120
    repack(root, {"system.json": json.dumps(system, indent=2).encode()})
    assert len(Bundle.open(root).submission.system.accelerators) == 5_120


def test_a_large_bundle_is_read_on_request(good: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(good, tmp_path / "bundle"))
    repack(root, {f"{RUN}/answers.jsonl": b'{"sample":1,"answer":0}\n' * 120_000})
    with pytest.raises(LevelfieldError, match=MEMORY):
        Bundle.open(root)
    answers = Bundle.open(root, large=True).submission.entries[0].runs[1].answers
    assert answers is not None
    assert len(answers) == 120_000


def test_weight_is_about_what_content_takes() -> None:
    assert 8_000 * 30 < weight([float(n) for n in range(8_000)]) < 8_000 * 40
    assert weight({"a": [{}] * 10}) > 10 * 64


def test_all_that_an_event_holds_is_weighed() -> None:
    small, wide = {"file": "a.py", "held": {"c": [1.5] * 100}}, "\U0001f600" * 1000
    events = [Event(1, "k", [1, {"a": wide}], small)] * 50
    inside = [[1, {"a": wide}], 1, {"a": wide}, wide, small, "a.py", small["held"], [1.5] * 100]
    one = 16 + sum(map(sys.getsizeof, [events[0], *inside])) + 100 * sys.getsizeof(1.5)
    assert weight(events) == sys.getsizeof(events) + 50 * one
    many = {str(number): number for number in range(400)}
    assert weight(many) == sys.getsizeof(many) + sum(map(weight, [*many, *many.values()]))


def test_an_allowance_is_spent_once() -> None:
    allowance = Allowance(2**20)
    allowance.spend("a", 2**20 - 1)
    allowance.ask("b", 1)
    with pytest.raises(LevelfieldError, match=r"^c: with it the bundle takes more than 1 MiB"):
        allowance.spend("c", 2)


def test_slices_are_whole_lines_that_know_their_place() -> None:
    data = b"".join(b"%d\n" % n for n in range(200_000)) + b"last"
    found = list(slices(data, "f"))
    assert b"".join(piece for _, piece in found) == data
    assert len(found) > 4
    for before, piece in found:
        assert int(piece.split(b"\n")[0]) == before
        assert len(piece) <= MAX_LINE_BYTES
    with pytest.raises(LevelfieldError, match=r"^f:2: longer than"):
        list(slices(b"1\n" + b"x" * (MAX_LINE_BYTES + 1), "f"))


def test_long_telemetry_is_packed_and_reads_the_same(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(good, tmp_path / "bundle"))
    line = b'{"time_ms":%d,"source":"cpu","values":{"load":0.5}}\n'
    repack(root, {f"{RUN}/telemetry.jsonl": b"".join(line % n for n in range(9_000))})
    packed = Bundle.open(root).submission.entries[0].runs[1].telemetry
    monkeypatch.setattr(evidence, "_SHORT", 2**30)
    parsed = Bundle.open(root).submission.entries[0].runs[1].telemetry
    assert type(packed) is not type(parsed)
    assert packed.samples == parsed.samples
    assert packed.series("cpu", "load")[8_999] == (8_999, 0.5)
