"""What trust costs: bundles verified beside the floor of reading and hashing, and a round's log.

    python bench/trust.py [BUNDLES] [ENTRIES]

A bundle has 20 files of 100 KB on average: 6 runs (record, event log, telemetry), a result and a
system. Both read every bundle in turn, in one process: from memory, and from disk, whose cache is
emptied of the files before each reading. What counts is the ratio.

The log's entries are commitments, which have no envelope of their own. Each proof is from a log
that was opened for it, as a reader's is. Its floor: the leaves' canonical JSON and hashes alone.
"""

import gc
import hashlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.records import METRIC_OF, Division, Mode, Result, Run, RunStatus, Scenario
from harness.system import System, find_system
from submissions.attestation import sign, verify
from submissions.bundle import Bundle
from submissions.keyring import register
from submissions.keys import Keyring, add_to_keyring, generate, load_private
from submissions.layout import MANIFEST
from submissions.manifest import Manifest, describe
from submissions.merkle import leaf_hash, root_of
from submissions.receipt import commitment_entry
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog

BUNDLES = 1_000
ENTRIES = 100_000
PROOFS = 1_000
ORIGIN = "levelfield.example/bench"
RUNS = 6
LOG_BYTES = 166_000
"""Of each event log and each telemetry log, so that the 20 files have 100 KB on average."""
_FOLDER = "results/image_classification/train"
_EVENT = (
    b':::MLLOG {"namespace": "", "time_ms": 1700000000000, "event_type": "POINT_IN_TIME", '
    b'"key": "train_loss", "value": 0.5, "metadata": {"samples_count": 960}}\n'
)
_SAMPLE = b'{"time_ms":1700000000000,"source":"host","values":{"memory_used_bytes":123456789}}\n'

Work = Callable[[Path], object]


def _files() -> dict[str, bytes]:
    """What every bundle holds, but for its manifest."""
    system = find_system(None, None)
    result = Result(
        workload="image_classification",
        scenario=Scenario.TRAIN,
        division=Division.CLOSED,
        metric=METRIC_OF[Scenario.TRAIN],
        value=1.5,
        runs=tuple(f"run_{number}" for number in range(1, RUNS + 1)),
    )
    files = {"system.json": system.to_json(), f"{_FOLDER}/result.json": result.to_json()}
    found = {path: text.encode() for path, text in files.items()}
    for number in range(1, RUNS + 1):
        run = _run(number, system)
        found[f"{_FOLDER}/run_{number}/run.json"] = run.to_json().encode()
        for name, line in (("events.log", _EVENT), ("telemetry.jsonl", _SAMPLE)):
            found[f"{_FOLDER}/run_{number}/{name}"] = line * (LOG_BYTES // len(line))
    return found


def _run(number: int, system: System) -> Run:
    return Run(
        id=f"{number:032x}",
        workload="image_classification",
        workload_sha256="0" * 64,
        scenario=Scenario.TRAIN,
        mode=Mode.TRAINING,
        division=Division.CLOSED,
        status=RunStatus.COMPLETE,
        seeds={"run": number},
        hyperparameters={"global_batch_size": 64, "opt_base_learning_rate": 0.1},
        precision="fp32",
        compiled=False,
        system_sha256=system.digest,
        started_ms=1_700_000_000_000,
        duration_ns=60_000_000_000,
        quality=0.97,
        samples=60_000,
    )


def make_bundles(folder: Path, count: int) -> tuple[list[Path], Keyring]:
    """``count`` signed bundles that differ in their nonce, and the keyring that knows their key."""
    key = generate(folder / "key", "acme")
    add_to_keyring(folder / "keyring.json", "acme", key, ("submit",))
    private, files = load_private(folder / "key"), _files()
    listed = tuple(describe(path, files[path]) for path in sorted(files))
    made = []
    for number in range(count):
        root = folder / f"{number}"
        manifest = Manifest(
            round="practice", nonce=f"{number:032x}", submitter="acme", files=listed
        )
        for path, data in {MANIFEST: manifest.to_bytes(), **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        sign(Bundle.open(root, logs=False), private)
        made.append(root)
    os.sync()
    return made, Keyring.read(folder / "keyring.json")


def floor(bundle: Path) -> None:
    """Find, read and hash every file, and believe it all."""
    for folder, _, names in os.walk(bundle):
        for name in names:
            handle = os.open(f"{folder}/{name}", os.O_RDONLY)
            hashlib.sha256(os.read(handle, 2 * LOG_BYTES)).digest()
            os.close(handle)


def forget(bundle: Path) -> None:
    """Empty the page cache of the bundle's files."""
    for folder, _, names in os.walk(bundle):
        for name in names:
            handle = os.open(f"{folder}/{name}", os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def side_by_side(bundles: list[Path], works: list[Work], prepare: Work) -> list[float]:
    """Seconds that each of ``works`` took for all bundles; they take turns, and turns at first."""
    seconds = [0.0] * len(works)
    for turn, bundle in enumerate(bundles):
        for step in range(len(works)):
            place = (turn + step) % len(works)
            prepare(bundle)
            started = time.perf_counter()
            works[place](bundle)
            seconds[place] += time.perf_counter() - started
    return seconds


def measure_verifying(count: int) -> None:
    """Print how fast bundles are verified, as a share of the floor."""
    folder = Path(tempfile.mkdtemp(prefix="levelfield-trust-"))
    try:
        bundles, keyring = make_bundles(folder, count)
        size = sum(path.stat().st_size for path in bundles[0].rglob("*") if path.is_file())
        print(f"{count:,} bundles of 20 files, {size / 1e6:.2f} MB each")
        works: list[Work] = [floor, lambda path: verify(Bundle.open(path, logs=False), keyring)]
        gc.freeze()
        for where, prepare in (("memory", floor), ("disk", forget)):
            bare, ours = side_by_side(bundles, works, prepare)
            print(
                f"from {where:7}floor {bare / count * 1e3:.2f} ms a bundle, "
                f"verified in {ours / count * 1e3:.2f} ms: {bare / ours:.0%} of the floor's speed"
            )
    finally:
        shutil.rmtree(folder)


def measure_log(count: int) -> None:
    """Print how fast ``count`` entries are appended, proved and verified."""
    key = Ed25519PrivateKey.generate()
    keyring = Keyring(keys=(register(key, "keeper", ("log",)),))
    entries = [
        commitment_entry(hashlib.sha256(b"%d" % number).hexdigest(), "acme")
        for number in range(count)
    ]
    with tempfile.TemporaryDirectory(prefix="levelfield-log-") as path:
        info = RoundInfo(round="practice", nonce="0" * 32, origin=ORIGIN)
        folder = RoundFolder.create(Path(path) / "round", info)
        started = time.perf_counter()
        root = root_of([leaf_hash(entry.to_bytes()) for entry in entries])
        bare = time.perf_counter() - started
        started = time.perf_counter()
        RoundLog.open(folder).append(entries, key)
        ours = time.perf_counter() - started
        assert RoundLog.open(folder).checkpoint.root == root
        print(f"{count:,} entries appended in {ours:.1f} s; leaves and root alone {bare:.1f} s")
        _measure_proofs(folder, count)
        started = time.perf_counter()
        RoundLog.open(folder).verify(keyring)
        print(f"the whole log verified in {time.perf_counter() - started:.1f} s")


def _measure_proofs(folder: RoundFolder, count: int) -> None:
    generator, seconds = random.Random(1), list[float]()
    for _ in range(PROOFS):
        index = generator.randrange(count)
        started = time.perf_counter()
        RoundLog.open(folder).prove(index)
        seconds.append(time.perf_counter() - started)
    tenths = statistics.quantiles(seconds, n=100)
    print(
        f"{PROOFS:,} proofs, each from a log just opened: median {tenths[49] * 1e3:.2f} ms, "
        f"99th percentile {tenths[98] * 1e3:.2f} ms, slowest {max(seconds) * 1e3:.2f} ms"
    )


if __name__ == "__main__":
    measure_verifying(int(sys.argv[1]) if len(sys.argv) > 1 else BUNDLES)
    measure_log(int(sys.argv[2]) if len(sys.argv) > 2 else ENTRIES)
