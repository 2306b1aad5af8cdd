"""Run folders as the drivers leave them: the toy workload, in simulated time."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from toy import MS, ToyLibrary, ToyModel, ToyWorkload, toy_subject

from harness.clock import SimulatedClock
from harness.inference import Target, Task, infer
from harness.recording import Subject
from harness.records import InferenceSettings, Mode, Run, Scenario
from harness.system import Declared
from harness.training import train
from submissions.attestation import sign
from submissions.keys import add_to_keyring, generate, load_private
from submissions.pack import pack

SETTINGS = InferenceSettings(min_duration_ns=20 * MS, min_query_count=5)
DECLARED = Declared(id="box", name="A box", organisation="acme", availability="available")


@cache
def subject() -> Subject:
    """One description of this machine for all runs, declared."""
    found = toy_subject()
    system = found.system.model_copy(update={"declared": DECLARED})
    return replace(found, system=system)


def write_training_run(
    folder: Path,
    seed: int,
    qualities: Sequence[float] = (0.5, 0.95),
    subject: Subject | None = None,
) -> Run:
    """A training that started ``seed`` minutes into the day."""
    clock = SimulatedClock(1_700_000_000_000 + seed * 60_000)
    workload = ToyWorkload(clock, qualities)
    return train(workload, {"lr": 0.1}, seed, folder, subject or _subject(), clock)


def write_inference_run(folder: Path, scenario: Scenario, mode: Mode) -> Run:
    """Performance mode first, accuracy an hour later."""
    start_ms = 1_700_000_000_000 + 3_600_000 * (mode is Mode.ACCURACY)
    clock, library = SimulatedClock(start_ms), ToyLibrary()
    target = Target("toy:Toy", ToyModel(clock), library, lambda _: 1.0)
    task = Task(scenario, mode, SETTINGS, {"library": 2, "order": 3, "schedule": 4})
    return infer(target, task, folder, _subject(), clock)


def write_runs(out: Path) -> list[Path]:
    """Five trainings, and both modes of offline, as ``levelfield run`` lays them out."""
    for seed in range(1, 6):
        write_training_run(out / "train" / f"run_{seed}", seed)
    for number, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1):
        write_inference_run(out / "offline" / f"run_{number}", Scenario.OFFLINE, mode)
    return [out / "train", out / "offline"]


def write_signed_bundle(folder: Path) -> Path:
    """A good bundle in ``folder/bundle``, signed with ``folder/key``; ``folder/keyring.json``."""
    bundle = pack(write_runs(folder / "runs"), "acme", "practice", folder / "bundle")
    key = generate(folder / "key", "acme")
    add_to_keyring(folder / "keyring.json", "acme", key, ("submit",))
    sign(bundle, load_private(folder / "key"))
    return bundle.root


_subject = subject
