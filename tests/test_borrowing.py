"""submissions/borrowing.py and its commands: a set is shown, lent whole, and named by its runs."""

import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from altered import with_hyperparameters
from breaks_borrowing import LENDER, borrower, lender
from conftest import Command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_folders import subject, write_training_run
from valid import CARD, ROUND, installed

from harness.errors import LevelfieldError, UsageError
from harness.records import Borrowed
from rules.rule import check
from rules.submission import Submission
from submissions import borrowing
from submissions.borrowing import (
    BorrowedSet,
    Source,
    borrow,
    read_borrowed,
    settings_rows,
    training_settings,
)
from submissions.bundle import Bundle
from submissions.container import Folder
from submissions.manifest import Manifest
from submissions.pack import pack

OWN_TRAINING = Path(__file__).with_name("own_training.py")
SOURCE = Borrowed(bundle="c" * 20, workload=CARD.name)


def bundled(submission: Submission) -> Bundle:
    """``submission`` as if it had been read from a folder."""
    manifest = Manifest(round="practice", nonce="0" * 32, submitter="lender", files=())
    return Bundle(Folder(Path("lender")), manifest, "b" * 64, submission, {})


@pytest.fixture(autouse=True)
def judged_as_the_examples_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(borrowing, "check", lambda s, _: check(s, ROUND, installed))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A set that was borrowed."""
    borrow(bundled(LENDER), tmp_path / "borrowed.toml")
    return tmp_path / "borrowed.toml"


def test_a_result_shows_its_whole_set_beside_the_card() -> None:
    (found,) = training_settings(bundled(LENDER))
    assert [one.name for one in found.settings] == list(CARD.training.hyperparameters)
    rows = {row[0]: row[1:] for row in settings_rows(found)}
    assert rows["opt_base_learning_rate"] == ["0.3", "0.1", "tunable, 0.01 to 0.5", "changed"]
    assert rows["opt_momentum"] == ["0.9", "0.9", "fixed", ""]


def test_machines_are_told_what_is_tunable_and_what_is_changed() -> None:
    (found,) = training_settings(bundled(LENDER))
    told = {one["name"]: one for one in found.model_dump(mode="json")["settings"]}
    rate, momentum = told["opt_base_learning_rate"], told["opt_momentum"]
    assert (rate["tunable"], rate["changed"], rate["card"]["default"]) == (True, True, 0.1)
    assert (momentum["tunable"], momentum["changed"]) == (False, False)


def test_values_that_runs_do_not_share_are_all_shown() -> None:
    other = with_hyperparameters(LENDER, opt_base_learning_rate=0.2, dropout=0.5)
    rows = {row[0]: row[1:] for row in settings_rows(training_settings(bundled(other))[0])}
    assert rows["opt_base_learning_rate"][0] == "0.2, 0.3"
    assert rows["dropout"] == ["0.5, none", "none", "not on the card", "changed"]


def test_a_config_is_read_as_the_set_that_was_lent(config: Path) -> None:
    found = read_borrowed(config, CARD, "practice")
    assert found.borrowed_from.borrowed == SOURCE
    assert (found.borrowed_from.submitter, found.borrowed_from.round) == ("lender", "practice")
    assert found.hyperparameters == LENDER.entries[0].runs[0].run.hyperparameters
    assert BorrowedSet.model_validate_json(found.to_json()) == found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=4))
def test_values_survive_the_config_to_the_last_bit(values: list[int | float]) -> None:
    source = Source(**dict(SOURCE), submitter="lender", round="practice")
    lent = {f"value_{place}": value for place, value in enumerate(values)}
    taken = BorrowedSet(borrowed_from=source, hyperparameters=lent)
    again = BorrowedSet.model_validate(tomllib.loads(taken.to_toml()))
    assert again == taken
    assert list(map(type, again.hyperparameters.values())) == list(map(type, values))


def test_a_config_is_never_overwritten(config: Path) -> None:
    before = config.read_text()
    with pytest.raises(LevelfieldError, match="File exists"):
        borrow(bundled(LENDER), config)
    assert config.read_text() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: replace(s, entries=s.entries[1:]), "no training result"),
        (borrower, "borrow from that one"),
        (lambda s: with_hyperparameters(s, opt_base_learning_rate=0.2), "share one set"),
        (lambda s: replace(s, round="2026.1"), "does not pass its own check"),
    ],
)
def test_what_the_rules_would_refuse_is_not_lent(
    tmp_path: Path, change: Callable[[Submission], Submission], reason: str
) -> None:
    with pytest.raises(LevelfieldError, match=reason):
        borrow(bundled(lender("c" * 20, change)), tmp_path / "borrowed.toml")
    assert not (tmp_path / "borrowed.toml").exists()


def test_one_of_several_results_is_chosen_by_its_workload(tmp_path: Path) -> None:
    train = LENDER.entries[0]
    second = replace(train, result=train.result.model_copy(update={"workload": "other"}))
    bundle = bundled(replace(LENDER, entries=(train, second)))
    with pytest.raises(UsageError, match="--workload among image_classification, other"):
        borrow(bundle, tmp_path / "borrowed.toml")
    with pytest.raises(UsageError, match="known: image_classification, other"):
        borrow(bundle, tmp_path / "borrowed.toml", "language_model")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("opt_momentum = 0.9\n", "", "opt_momentum is missing or unknown"),
        ("opt_momentum", "momentum", "momentum, opt_momentum are missing or unknown"),
        ("[borrowed_from]", "[source]", "not a set of hyperparameters"),
        ('round = "practice"', 'round = "2026.1"', "this run is of round practice"),
        (f'workload = "{CARD.name}"', 'workload = "other"', "a result of workload other"),
        ("0.3", "nan", "not a set of hyperparameters"),
        ("0.3", "0.3.1", "not a set of hyperparameters"),
    ],
)
def test_a_config_that_is_no_whole_set_is_refused(
    config: Path, old: str, new: str, reason: str
) -> None:
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with pytest.raises(LevelfieldError, match=reason):
        read_borrowed(config, CARD, "practice")


def test_the_source_goes_from_the_run_into_the_bundle(tmp_path: Path) -> None:
    borrowing_subject = replace(subject(), borrowed_from=SOURCE)
    for seed in (1, 2, 3):
        write_training_run(tmp_path / f"run_{seed}", seed, subject=borrowing_subject)
    folders = [tmp_path / f"run_{seed}" for seed in (1, 2, 3)]
    pack(folders, "acme", "practice", tmp_path / "bundle")
    (entry,) = Bundle.open(tmp_path / "bundle").submission.entries
    assert [evidence.run.borrowed_from for evidence in entry.runs] == [SOURCE] * 3


def test_a_program_of_ones_own_names_the_source_too(levelfield: Command, config: Path) -> None:
    done = levelfield(
        "run", CARD.name, "--hparams", str(config), "--runs", "1", "--out", "runs", "--json",
        "--command", f"{sys.executable} {OWN_TRAINING} --seed {{seed}}",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.json[0]["borrowed_from"] == SOURCE.model_dump()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "opt_momentum=0.8"], "taken over whole, but for its global_batch_size"),
        (["--set", "global_batch_size=9999"], "the closed division allows"),
        (["--scenario", "offline"], "--hparams: is for --scenario train"),
        (["--round", "2026.1"], "this run is of round 2026.1"),
    ],
)
def test_a_set_is_used_whole_or_not_at_all(
    levelfield: Command, config: Path, words: list[str], message: str
) -> None:
    done = levelfield("run", CARD.name, "--hparams", str(config), *words)
    assert done.code == 2
    assert message in done.err


def test_the_commands_name_a_folder_that_is_not_there(levelfield: Command) -> None:
    for words in (
        ["hparams", "show", "nowhere"],
        ["hparams", "borrow", "--from", "nowhere", "--into", "borrowed.toml"],
    ):
        done = levelfield(*words)
        assert done.code == 2
        assert "nowhere" in done.err
