"""Hyperparameter borrowing: what a bundle's trainings used, and a set taken over as a group."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from harness.card import Hyperparameter, WorkloadCard
from harness.errors import LevelfieldError, UsageError
from harness.records import Borrowed, Division, Identifier, Mode, Number, Record, Scenario
from rules.borrowing import BATCH_SIZE, shared_set, sources_of
from rules.round import read_round
from rules.rule import check
from rules.submission import Entry
from submissions.bundle import Bundle
from workloads.catalogue import load_card

_HEADING = f"""\
# Hyperparameters borrowed as a group by levelfield hparams borrow.
# {BATCH_SIZE} may be changed, nothing else: check compares the set with its source's.
"""


SETTINGS_HEADER = ["hyperparameter", "used", "default", "closed division", ""]


class Setting(Record):
    """One hyperparameter of a result beside the workload's card."""

    name: str
    used: tuple[Number | None, ...]
    """Its values in the training runs, each once; none where a run lacks it."""
    card: Hyperparameter | None
    """What the card says of it; none if it is not on the card."""
    tunable: bool
    """Whether the closed division lets a submitter change it."""
    changed: bool
    """Whether it differs from the card's default."""


class TrainingSettings(Record):
    """The whole set of hyperparameters of one training result."""

    workload: Identifier
    division: Division
    borrowed_from: tuple[Borrowed, ...]
    settings: tuple[Setting, ...]


class Source(Borrowed):
    """Where a borrowed set comes from, in full."""

    submitter: Identifier
    round: Identifier

    @property
    def borrowed(self) -> Borrowed:
        """As the record of a run names it."""
        return Borrowed(bundle=self.bundle, workload=self.workload)


class BorrowedSet(Record):
    """A set of hyperparameters with its source, as a config file holds it."""

    borrowed_from: Source
    hyperparameters: dict[str, Number]

    def to_toml(self) -> str:
        """The file's text; every name is one of a card's."""
        source = "".join(f'{name} = "{value}"\n' for name, value in self.borrowed_from)
        values = "".join(f"{name} = {value!r}\n" for name, value in self.hyperparameters.items())
        return f"{_HEADING}\n[borrowed_from]\n{source}\n[hyperparameters]\n{values}"


def settings_of(entry: Entry, card: WorkloadCard) -> list[Setting]:
    """The hyperparameters of a training result, the card's first, in its order."""
    runs = [evidence.run.hyperparameters for evidence in entry.of_mode(Mode.TRAINING)]
    known = card.training.hyperparameters
    names = dict.fromkeys([*known, *(name for run in runs for name in run)])
    return [
        _setting(name, tuple(dict.fromkeys(run.get(name) for run in runs)), known.get(name))
        for name in (names if runs else ())
    ]


def _setting(name: str, used: tuple[Number | None, ...], card: Hyperparameter | None) -> Setting:
    return Setting(
        name=name,
        used=used,
        card=card,
        tunable=card is not None and card.tunable,
        changed=card is None or set(used) != {card.default},
    )


def training_settings(bundle: Bundle) -> list[TrainingSettings]:
    """The hyperparameters of each training result of ``bundle``.

    `UsageError` for a workload that is not installed.
    """
    return [
        TrainingSettings(
            workload=entry.result.workload,
            division=entry.result.division,
            borrowed_from=tuple(sources_of(entry.runs)),
            settings=tuple(settings_of(entry, load_card(entry.result.workload))),
        )
        for entry in _trainings(bundle)
    ]


def settings_rows(found: TrainingSettings) -> list[list[str]]:
    """A row of text a hyperparameter, under `SETTINGS_HEADER`."""
    return [
        [
            one.name,
            ", ".join("none" if value is None else str(value) for value in one.used),
            str(one.card.default) if one.card else "none",
            _freedom(one),
            "changed" if one.changed else "",
        ]
        for one in found.settings
    ]


def _freedom(setting: Setting) -> str:
    if setting.card is None:
        return "not on the card"
    if not setting.tunable:
        return "fixed"
    return f"tunable, {setting.card.minimum} to {setting.card.maximum}"


def borrow(bundle: Bundle, into: Path, workload: str | None = None) -> BorrowedSet:
    """Take the hyperparameters of a training result of ``bundle`` as a group; write them ``into``.

    `LevelfieldError` if nothing can be lent: there is no such result, its runs differ, it borrowed
    itself, the bundle does not pass its own check, or ``into`` exists. `UsageError` if ``workload``
    must be named.
    """
    submission = bundle.submission
    entry = _chosen(bundle, workload)
    lent = _lendable(bundle, entry)
    source = Source(
        bundle=bundle.id,
        workload=entry.result.workload,
        submitter=submission.submitter,
        round=submission.round,
    )
    taken = BorrowedSet(borrowed_from=source, hyperparameters=lent)
    try:
        with into.open("x", encoding="utf-8") as file:
            file.write(taken.to_toml())
    except OSError as error:
        raise LevelfieldError(
            f"--into {into}: cannot be written: {error.strerror}; choose another file"
        ) from error
    return taken


def _trainings(bundle: Bundle) -> list[Entry]:
    entries = bundle.submission.entries
    return [entry for entry in entries if entry.result.scenario == Scenario.TRAIN]


def _chosen(bundle: Bundle, workload: str | None) -> Entry:
    found = {entry.result.workload: entry for entry in _trainings(bundle)}
    if not found:
        raise LevelfieldError(
            f"{bundle.root}: has no training result; borrow from a bundle that has one"
        )
    if workload is None and len(found) > 1:
        raise UsageError(
            f"{bundle.root}: has several training results; choose with --workload among "
            f"{', '.join(found)}"
        )
    name = workload or next(iter(found))
    if name not in found:
        raise UsageError(
            f"--workload {name}: no training result of {bundle.root}; known: {', '.join(found)}"
        )
    return found[name]


def _lendable(bundle: Bundle, entry: Entry) -> dict[str, Number]:
    """The set that ``entry`` lends; `LevelfieldError` if the rules would refuse the borrower."""
    where, name = bundle.root, entry.result.workload
    if sources := sources_of(entry.runs):
        raise LevelfieldError(
            f"{where}: borrowed its hyperparameters of {name} from bundle {sources[0].bundle}; "
            "borrow from that one"
        )
    lent = shared_set(entry)
    if lent is None:
        raise LevelfieldError(
            f"{where}: its training runs of {name} have different hyperparameters; "
            "borrow from a result whose runs share one set"
        )
    _check_names(where, lent, load_card(name))
    report = check(bundle.submission, read_round(bundle.submission.round))
    if not report.ok:
        raise LevelfieldError(
            f"{where}: does not pass its own check, so lends nothing ({report.errors} errors, see "
            f"levelfield check {where}); borrow from another bundle"
        )
    return lent


def read_borrowed(path: Path, card: WorkloadCard, round_name: str) -> BorrowedSet:
    """The borrowed set in the config ``path``, for a run of ``card`` in a round.

    `UsageError` for a file that cannot be read as one, a set of another workload or round, or one
    that is not whole.
    """
    try:
        found = BorrowedSet.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"--hparams {path}: not a set of hyperparameters: {reason}; make one with levelfield "
            "hparams borrow"
        ) from error
    source = found.borrowed_from
    for what, wanted, given in (
        ("workload", card.name, source.workload),
        ("round", round_name, source.round),
    ):
        if wanted != given:
            raise UsageError(
                f"--hparams {path}: borrowed from a result of {what} {given}, and this run is of "
                f"{what} {wanted}; choose one of the two"
            )
    _check_names(path, found.hyperparameters, card)
    return found


def _check_names(where: Path, values: dict[str, Number], card: WorkloadCard) -> None:
    """Refuse a set that is not the card's, name for name."""
    names = card.training.hyperparameters.keys()
    odd = sorted(names ^ values.keys())
    if odd:
        raise LevelfieldError(
            f"{where}: not a whole set of {card.name}'s hyperparameters: {', '.join(odd)} "
            f"{'is' if len(odd) == 1 else 'are'} missing or unknown; borrow the set as a group"
        )
