"""A round of generated results, to measure with: signed bundles that pass the check, on the disk.

    python bench/make_round.py --results 300 --out /tmp/round [--seed 1] [--jobs 2]
    levelfield publish /tmp/round/bundles/* --keyring /tmp/round/keyring.json --out /tmp/site

Nobody measured them and nobody sells the machines. Four bundles of five are of the round 2026.1,
with its audits and its log of intents, the others of practice; two results of three are trainings,
whose logs are short. The same number and seed give the same bytes, whatever the number of jobs.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from round_inference import asked, inference_runs
from round_runs import MS, Made, Setup, training_run
from round_systems import ORGANISATIONS, Machine, machines

from harness.card import ReferenceConvergencePoint, WorkloadCard
from harness.clock import SimulatedClock
from harness.intents import Configuration, Intent, Line, Outcome, next_line
from harness.records import METRIC_OF, Division, Result, Scenario
from rules.convergence import Match, Pace, judge, match, olympic, prune, summarise_all
from rules.round import Round, read_round
from rules.scoring import score
from submissions.attestation import sign
from submissions.bundle import Bundle
from submissions.keys import PublicKey, add_to_keyring
from submissions.layout import INTENTS, MANIFEST, RESULT, RESULTS, SYSTEM
from submissions.manifest import Manifest, describe
from submissions.mlperf_jobs import in_order
from workloads.catalogue import load_card, load_points, workload_digest

MOST = 100_000
_BEGAN_MS = 1_789_500_000_000
_APART_MS = 3_600_000
"""From the start of one bundle's first run to that of the next's."""
_RANKED, _PRACTISED = "2026.1", "practice"
_HEAVY = {"recommendation": 0.05, "graph_classification": 0.4, "image_generation": 0.7}
"""Workloads of many samples or long answers: how often beside the others in inference."""
_SHARE = {
    Scenario.TRAIN: 1.0,
    Scenario.SINGLE_STREAM: 0.4,
    Scenario.MULTI_STREAM: 0.02,
    Scenario.SERVER: 0.12,
    Scenario.INTERACTIVE: 0.15,
    Scenario.OFFLINE: 0.008,
}
"""How often beside training, the less the more queries the round asks for."""

cards = cache(load_card)
digests = cache(workload_digest)
points = cache(load_points)
Slot = tuple[str, Scenario]


@dataclass(frozen=True)
class Arguments:
    """What is asked for."""

    results: int
    out: Path
    seed: int
    jobs: int = 1


@dataclass(frozen=True)
class Plan:
    """What a bundle is to hold."""

    number: int
    machine: Machine
    round: Round
    slots: tuple[Slot, ...]


def make_round(wanted: Arguments) -> Iterator[int]:
    """Write the bundles of ``wanted`` and their keyring; tells after each how many results are.

    Each bundle has a generator of its own, so that processes may share the work.
    """
    planned = plans(wanted)
    wanted.out.mkdir(parents=True)
    for one in ORGANISATIONS:
        public = PublicKey.of(_key(wanted.seed, one.id))
        add_to_keyring(wanted.out / "keyring.json", one.id, public, ("submit",))
    with closing(in_order(partial(make_bundle, wanted), planned, wanted.jobs)) as made:
        yield from accumulate(made)


def plans(wanted: Arguments) -> list[Plan]:
    """As many bundles as it takes for so many results."""
    random, rounds = Random(wanted.seed), (read_round(_RANKED), read_round(_PRACTISED))
    offered = machines(random, max(6, min(300, wanted.results // 12)))
    found: list[Plan] = []
    left = wanted.results
    while left:
        terms = rounds[random.random() >= 0.8]
        slots = _slots(random, terms)[:left]
        found.append(Plan(len(found) + 1, random.choice(offered), terms, slots))
        left -= len(slots)
    return found


def _slots(random: Random, terms: Round) -> tuple[Slot, ...]:
    """One to eight results of the round, in the order of their names."""
    weights: dict[Slot, float] = {}
    for name in terms.workloads:
        if "." not in name:
            for scenario in cards(name).scenarios:
                # Runs of three seconds, to practise with, are short in any scenario.
                share = max(_SHARE[scenario], 0.0 if terms.rankable else 0.3)
                light = 1.0 if scenario is Scenario.TRAIN else _HEAVY.get(name, 1.0)
                weights[name, scenario] = light * share
    drawn = {slot: random.random() ** (1 / weight) for slot, weight in weights.items()}
    chosen = sorted(drawn, key=drawn.__getitem__)[-random.randint(1, 8) :]
    return tuple(sorted(chosen))


def make_bundle(wanted: Arguments, plan: Plan) -> int:
    """Write a bundle; how many results it holds."""
    random, machine = Random(f"{wanted.seed} {plan.number}"), plan.machine
    setup = Setup(
        machine=machine,
        system_sha256=machine.system.digest,
        round=plan.round,
        division=Division.OPEN if random.random() < 0.1 else Division.CLOSED,
        precision=random.choice(("fp32", "bf16")),
        random=random,
        clock=SimulatedClock(_BEGAN_MS + plan.number * _APART_MS),
    )
    folder = wanted.out / "bundles" / f"{plan.number:05d}-{machine.system.id}"
    key = _key(wanted.seed, machine.submitter)
    write_bundle(folder, setup, bundle_files(setup, plan.slots), key)
    return len(plan.slots)


def _key(seed: int, organisation: str) -> Ed25519PrivateKey:
    """No secret, for it is made anew from what everybody knows."""
    drawn = hashlib.sha256(f"make_round {seed} {organisation}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(drawn)


def bundle_files(setup: Setup, slots: Sequence[Slot]) -> dict[str, bytes]:
    """Everything that a bundle of these results holds but its manifest and signature, by path."""
    files = {SYSTEM: setup.machine.system.to_json().encode()}
    lines: list[Line] = []
    for name, scenario in slots:
        runs = _runs(setup, name, scenario)
        folder = f"{RESULTS}/{name}/{scenario.value}"
        names = tuple(f"run_{number}" for number in range(1, len(runs) + 1))
        evidence = [made.evidence for made in runs]
        result = Result(
            workload=name,
            scenario=scenario,
            division=setup.division,
            metric=METRIC_OF[scenario],
            value=score(scenario, evidence, setup.round, points(name)),
            runs=names,
        )
        files[f"{folder}/{RESULT}"] = result.to_json().encode()
        for run_name, made in zip(names, runs, strict=True):
            files |= {f"{folder}/{run_name}/{file}": data for file, data in made.files.items()}
            _announce(lines, setup.round, made)
    if setup.round.intents_required:
        files[INTENTS] = b"".join(line.to_bytes() for line in lines)
    return files


def _announce(lines: list[Line], terms: Round, made: Made) -> None:
    """The two lines of a run."""
    if not terms.intents_required:
        return
    run = made.run
    intent = Intent(run_id=run.id, configuration=Configuration.of(run), started_ms=run.started_ms)
    ending = {"run_id": run.id, "status": run.status.value, "ended_ms": made.ended_ms}
    for body in (intent, Outcome.model_validate(ending)):
        about = (terms.name, run.workload, run.scenario)
        lines.append(next_line(lines[-1] if lines else None, body, about))


def _runs(setup: Setup, name: str, scenario: Scenario) -> list[Made]:
    card = cards(name)
    if scenario is not Scenario.TRAIN:
        return inference_runs(setup, asked(setup, card, digests(name), scenario))
    point = setup.random.choice(points(name))
    runs = []
    for blocks in _blocks(setup, card, point):
        setup.clock.advance(20_000 * MS)
        runs.append(training_run(setup, card, digests(name), point, blocks))
    return runs


def _blocks(setup: Setup, card: WorkloadCard, point: ReferenceConvergencePoint) -> list[int]:
    """Evaluations to the target of each run, as the reference needed them; 0 never came there.

    Drawn again if that would be more luck than the round's test grants.
    """
    terms, size = setup.round, point.global_batch_size
    step = -(-card.training.evaluate_every // size) * size
    reference = _reference(card.name, size, terms.name)
    while True:
        samples = [
            float(one) for one in setup.random.choices(point.converged, k=terms.training.runs)
        ]
        if setup.random.random() < 0.05:
            samples[0] = float("inf")
        mean = olympic(samples, terms.training.drop)
        assert mean is not None
        luck = Pace(reference, mean)
        if judge(luck, terms.convergence, terms.training.runs).passed:
            setup.random.shuffle(samples)
            return [0 if one == float("inf") else round(one / step) for one in samples]


@cache
def _reference(name: str, size: int, round_name: str) -> Match:
    terms = read_round(round_name)
    every = cards(name).training.evaluate_every
    serving = summarise_all(points(name), terms.convergence, every)
    found = match(size, prune(serving, terms.convergence.pruning), terms.training.runs)
    assert found is not None  # the size is that of a point
    return found


def write_bundle(
    folder: Path, setup: Setup, files: dict[str, bytes], key: Ed25519PrivateKey
) -> None:
    """Write a bundle of ``files`` to a new folder, and sign it as its submitter."""
    manifest = Manifest(
        round=setup.round.name,
        nonce=setup.random.randbytes(16).hex(),
        submitter=setup.machine.submitter,
        files=tuple(describe(path, files[path]) for path in sorted(files)),
    )
    for path, data in {MANIFEST: manifest.to_bytes(), **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    sign(Bundle.open(folder, logs=False), key)


def read_arguments(texts: Sequence[str] | None = None) -> Arguments:
    """From the command line; exits with status 2 and the reason if they make no sense."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=int, required=True, help=f"how many, 1 to {MOST:,}")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the work")
    given = parser.parse_args(texts)
    if not 1 <= given.results <= MOST:
        parser.error(f"--results {given.results}: not from 1 to {MOST:,}")
    if given.jobs < 1:
        parser.error(f"--jobs {given.jobs}: not from 1")
    if given.out.exists():
        parser.error(f"--out {given.out}: exists already; choose a new folder")
    return Arguments(given.results, given.out, given.seed, given.jobs)


def main() -> None:
    """Make the round, and tell every second how far it is."""
    wanted = read_arguments()
    began = told = time.monotonic()
    for done in make_round(wanted):
        now = time.monotonic()
        if now - told >= 1 or done == wanted.results:
            told, rate = now, done / (now - began)
            text = f"{done:,} of {wanted.results:,} results, {rate:.0f} a second"
            print(text, file=sys.stderr, flush=True)
    print(f"bundles in {wanted.out / 'bundles'}, keys in {wanted.out / 'keyring.json'}")


if __name__ == "__main__":
    main()
