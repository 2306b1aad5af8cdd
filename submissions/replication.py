"""A replication: somebody else's runs of a result's configuration, and what they say of it."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import LevelfieldError
from harness.records import Identifier, Mode, Record, Run, Scenario, Sha256
from rules.replication import Likeness, Replicated, compare_inference, compare_training
from rules.round import Round, read_round
from rules.scoring import shared_batch_size
from rules.submission import Entry, RunEvidence
from submissions.bundle import Bundle
from submissions.evidence import read_run
from submissions.layout import FURTHER, MANIFEST, REPLICATION, RUN_FILES
from submissions.manifest import Manifest, describe
from submissions.pack import pack
from submissions.repetition import Difference, find_differences, find_entry, repeated_run, unlike
from submissions.strict_json import read_record
from workloads.catalogue import load_card


class Found(Record):
    """A `rules.replication.Likeness` as a record."""

    what: str
    ratio: float | None
    interval: tuple[float, float] | None
    p_ranks: float | None
    verdict: Annotated[Replicated, Field(strict=False)]
    needed: int | None


class Replication(Record):
    """``replication.json``: of what, and what came out. Readers compute that again."""

    record: Literal["levelfield/replication/v1"] = Field(
        default="levelfield/replication/v1", alias="schema"
    )
    original: Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")]
    """Id of the bundle."""
    manifest_sha256: Sha256
    submitter: Identifier
    """The original's."""
    result: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+/[a-z_]+$", max_length=200)]
    """``workload/scenario``."""
    tolerance: Annotated[float, Field(gt=0, lt=1)]
    verdict: Annotated[Replicated, Field(strict=False)]
    found: tuple[Found, ...]
    differences: tuple[Difference, ...]
    despite_differences: bool
    """Whether the workload itself was another, and the replicator went on."""


def write_replication(
    runs: Sequence[Path],
    further: Sequence[Path],
    original: Bundle,
    result: str,
    submitter: str,
    out: Path,
    *,
    despite_differences: bool,
    intents: Path | None = None,
) -> tuple[Bundle, Replication]:
    """Pack ``runs`` as a bundle at ``out`` that says of which result they are a replication.

    ``further`` are performance runs beyond the one that a result has; ``intents`` is the log of
    what was started. `LevelfieldError`, with nothing left at ``out``, as of `pack`, for a
    replication of one's own, or for runs of another configuration.
    """
    check_other(submitter, original)
    draft = out.with_name(f".{out.name}.replication")
    if out.exists() or draft.exists():
        raise LevelfieldError(f"{out}: exists already; choose another --out")
    try:
        packed = pack(runs, submitter, original.submission.round, draft, intents=intents)
        files = {
            f"{FURTHER}/run_{number}/{path.name}": path.read_bytes()
            for number, folder in enumerate(further, 1)
            for path in sorted(folder.iterdir())
            if path.name in RUN_FILES
        }
        _add(draft, packed.manifest, files)
        record = judge(original, Bundle.open(draft), result, despite_differences)
        files[REPLICATION] = record.to_json().encode()
        _add(draft, packed.manifest, files)
        Bundle.open(draft)
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Bundle.open(out), record


def check_other(submitter: str, original: Bundle) -> None:
    """`LevelfieldError` where the replicator is the original's own submitter."""
    if submitter == original.submission.submitter:
        raise LevelfieldError(
            f"{submitter}: is the original's own submitter; a replication is another's"
        )


def _add(folder: Path, manifest: Manifest, files: dict[str, bytes]) -> None:
    """Write ``files``, and the manifest that lists them too."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    listed = (*manifest.files, *(describe(path, data) for path, data in files.items()))
    ordered = tuple(sorted(listed, key=lambda file: file.path))
    (folder / MANIFEST).write_bytes(manifest.model_copy(update={"files": ordered}).to_bytes())


def read_replication(bundle: Bundle) -> Replication | None:
    """What ``bundle`` says that it replicates; none if it is no replication."""
    if all(file.path != REPLICATION for file in bundle.manifest.files):
        return None
    return read_record(Replication, bundle.read(REPLICATION), REPLICATION)


def judge(
    original: Bundle, replica: Bundle, result: str, despite_differences: bool = False
) -> Replication:
    """What ``replica`` says of ``result`` of ``original``, from the logs of both.

    `LevelfieldError` if it is of another round, by the same submitter, or of another
    configuration.
    """
    ours, theirs = original.submission, replica.submission
    check_other(theirs.submitter, original)
    if theirs.round != ours.round:
        raise LevelfieldError(
            f"{replica.root}: of round {theirs.round}, not of {ours.round}; pack it for that one"
        )
    entry, copy = find_entry(original, result), find_entry(replica, result)
    run, runs = repeated_run(entry), (*copy.runs, *_further_runs(replica))
    _check_repetitions(entry, run, runs, theirs.system_sha256)
    found = _compare(entry, runs, read_round(ours.round))
    here = repeated_run(copy).workload_sha256
    if here != run.workload_sha256 and not despite_differences:
        raise LevelfieldError(
            f"{replica.root}: another version of the workload; install the original's, or say that "
            "you know with --despite-differences"
        )
    return Replication(
        original=original.id,
        manifest_sha256=original.manifest_sha256,
        submitter=ours.submitter,
        result=result,
        tolerance=read_round(ours.round).replication_tolerance,
        verdict=_together(found, same_system=ours.system.id == theirs.system.id != "undeclared"),
        found=tuple(map(_recorded, found)),
        differences=find_differences(ours.system, run, theirs.system, here),
        despite_differences=despite_differences,
    )


def _check_repetitions(
    entry: Entry, run: Run, runs: Sequence[RunEvidence], system_sha256: str
) -> None:
    """Each run is of the configuration and the system, not the original's, and here once."""
    seen = {evidence.run.id: "the original's own" for evidence in entry.runs}
    seeds = {s for e in entry.of_mode(Mode.TRAINING) for s in e.run.seeds.values()}
    for evidence in runs:
        wrong = seen.setdefault(evidence.run.id, "")
        seen[evidence.run.id] = "given twice"
        if evidence.run.mode in (Mode.TRAINING, Mode.PERFORMANCE):
            name = unlike(run, evidence.run)
            wrong = wrong or (f"{name} is another" if name else "")
        if evidence.run.system_sha256 != system_sha256:
            wrong = wrong or "made on another system than the bundle's"
        if seeds & set(evidence.run.seeds.values()):
            wrong = wrong or "its seed is one of the original's, draw new ones"
        if wrong:
            raise LevelfieldError(f"{evidence.path}: not a repetition: {wrong}; leave the run out")


def _further_runs(replica: Bundle) -> list[RunEvidence]:
    held: dict[str, dict[str, bytes]] = {}
    for file in replica.manifest.files:
        folder, _, name = file.path.rpartition("/")
        if folder.startswith(f"{FURTHER}/"):
            held.setdefault(folder, {})[name] = replica.read(file.path)
    return [read_run(folder, files) for folder, files in held.items()]


def _compare(entry: Entry, runs: Sequence[RunEvidence], terms: Round) -> tuple[Likeness, ...]:
    scenario = entry.result.scenario
    if scenario != Scenario.TRAIN:
        return (compare_inference(scenario, entry.runs, runs, terms),)
    facts = load_card(entry.result.workload).training
    size = shared_batch_size(entry.of_mode(Mode.TRAINING)) or 1
    step = -(-facts.evaluate_every // size) * size
    return compare_training(entry.runs, runs, terms, step)


def _together(found: Sequence[Likeness], *, same_system: bool) -> Replicated:
    """The first quantity decides; on the same system, what is known of speed does as well."""
    told = [each.verdict for each in found[: len(found) if same_system else 1]]
    if Replicated.DIFFERENT in told:
        return Replicated.DIFFERENT
    return Replicated.CANNOT_TELL if Replicated.CANNOT_TELL in told else Replicated.EQUAL


def _recorded(likeness: Likeness) -> Found:
    between = likeness.interval
    fields = {**asdict(likeness), "interval": between and (between.low, between.high)}
    return Found.model_validate(fields)


def check_record(original: Bundle, replica: Bundle) -> Replication:
    """The verdict of the replication bundle ``replica``, computed again from both bundles.

    `LevelfieldError` if it is none, is of another bundle, or its own record says otherwise.
    """
    said = read_replication(replica)
    if said is None:
        raise LevelfieldError(f"{replica.root}: no replication; levelfield replicate makes one")
    if said.manifest_sha256 != original.manifest_sha256:
        raise LevelfieldError(
            f"{replica.root}/{REPLICATION}: of bundle {said.original}, not of {original.id}; "
            "name that one"
        )
    again = judge(original, replica, said.result, said.despite_differences)
    if again.verdict != said.verdict:
        raise LevelfieldError(
            f"{REPLICATION}: says {said.verdict}, but the runs say {again.verdict}; "
            "refused, ask the replicator"
        )
    return again


def in_words(found: Found) -> str:
    """One quantity in a sentence."""
    if found.ratio is None:
        return f"{found.what}: no ratio, since a run has no value: {found.verdict}"
    between = ""
    if found.interval:
        low, high = found.interval
        between = f" (95 %: {low:.3f} to {high:.3f})"
    more = f"; about {found.needed} runs of each would tell" if found.needed else ""
    return f"{found.what}: {found.ratio:.3f} of the original's{between}: {found.verdict}{more}"
