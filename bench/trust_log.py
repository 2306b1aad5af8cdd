"""What a round's log costs: entries appended, proofs from its tiles, and the whole verified.

    python bench/trust_log.py [ENTRIES]

Entries are commitments, which have no envelope of their own; each proof is by a log that was opened
for it, as a reader's is. Beside it the floor: the leaves' canonical JSON and their hashes alone.
"""

import hashlib
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from submissions.keyring import register
from submissions.keys import Keyring
from submissions.merkle import leaf_hash, root_of
from submissions.receipt import commitment_entry
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog

ENTRIES = 100_000
PROOFS = 1_000
ORIGIN = "levelfield.example/bench"


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
    measure_log(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
