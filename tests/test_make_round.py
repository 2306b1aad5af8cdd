import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.records import Scenario
from rules.round import read_round
from rules.rule import check
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.envelope import VerificationError
from submissions.keys import Keyring

BENCH = Path(__file__).parent.parent / "bench"
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(BENCH)
        yield importlib.import_module("make_round")


@pytest.fixture(scope="module")
def make(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a round of ten results in a folder of that name."""
    folder = tmp_path_factory.mktemp("rounds")

    def made(name: str, seed: int, jobs: int = 1) -> Path:
        wanted = bench.Arguments(results=10, out=folder / name, seed=seed, jobs=jobs)
        assert list(bench.make_round(wanted))[-1] == 10
        return folder / name

    return made


@pytest.fixture(scope="module")
def ten(make: Make) -> Path:
    return make("ten", 1)


def bundles(made: Path) -> list[Bundle]:
    return [Bundle.open(path) for path in sorted((made / "bundles").iterdir())]


def content(made: Path) -> dict[str, bytes]:
    found = sorted(path for path in made.rglob("*") if path.is_file())
    return {str(path.relative_to(made)): path.read_bytes() for path in found}


def test_all_results_pass_the_check_and_are_signed(ten: Path) -> None:
    keyring, found = Keyring.read(ten / "keyring.json"), bundles(ten)
    for bundle in found:
        report = check(bundle.submission, read_round(bundle.submission.round))
        assert [finding.text for finding in report.findings if finding.severity == "error"] == []
        assert verify(bundle, keyring).level == "L1"
    entries = [entry for bundle in found for entry in bundle.submission.entries]
    assert len(entries) == 10
    assert all(entry.result.value for entry in entries)
    assert {entry.result.scenario for entry in entries} > {Scenario.TRAIN}
    assert any(read_round(bundle.submission.round).rankable for bundle in found)


def test_the_check_would_say_so_if_a_claim_were_not_what_the_logs_give(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "score", lambda *_: 1.0)
    assert list(bench.make_round(bench.Arguments(1, tmp_path / "one", 1))) == [1]
    (bundle,) = bundles(tmp_path / "one")
    report = check(bundle.submission, read_round(bundle.submission.round))
    assert "SCORE-1" in {finding.rule for finding in report.findings}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(ten: Path, make: Make) -> None:
    assert content(make("again", 1, jobs=2)) == content(ten)
    other = make("other", 2)
    assert not content(other).keys() & content(ten).keys() - {"keyring.json"}
    with pytest.raises(VerificationError, match="unknown key"):
        verify(bundles(other)[0], Keyring.read(ten / "keyring.json"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--results", "0"], "--results 0: not from 1 to 100,000"),
        (["--results", "100001"], "--results 100001: not from 1 to 100,000"),
        (["--results", "many"], "invalid int value: 'many'"),
        (["--results", "3", "--jobs", "0"], "--jobs 0: not from 1"),
        (["--results", "3", "--out", "."], "--out .: exists already; choose a new folder"),
        ([], "required: --results"),
    ],
)
def test_bad_arguments_are_named(
    bench: Any, given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.read_arguments(["--out", "nowhere-yet", *given])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_good_arguments_are_taken(bench: Any, tmp_path: Path) -> None:
    given = bench.read_arguments(["--results", "7", "--out", str(tmp_path / "new"), "--jobs", "2"])
    assert given == bench.Arguments(7, tmp_path / "new", seed=1, jobs=2)
