"""The whole line on real input: what a new user types, and what is left behind."""

import random
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import SUBMITTER, Line, guide_blocks, killed_when_it_evaluated, run_levelfield

from harness.events import parse_events

ROOT = Path(__file__).parent.parent


def test_quickstart_goes_through(line: Line) -> None:
    assert line.done.code == 0, line.done.out + line.done.err
    for word in ("run", "pack", "check", "keygen", "sign", "verify", "publish"):
        assert f"  levelfield {word}" in line.done.out
    assert "The site: quickstart/site/index.html" in line.done.out
    assert (line.folder / "quickstart/site/index.html").is_file()


def test_its_bundle_passes(line: Line) -> None:
    check = line.levelfield("check", str(line.bundle), "--json")
    assert check.code == 0, check.out + check.err
    assert check.json["ok"] is True
    assert len(check.json["passed"]) >= 15
    verify = line.levelfield("verify", str(line.bundle), "--json")
    assert verify.code == 0, verify.err
    assert verify.json["signed_by"][0]["organisation"] == SUBMITTER


def test_any_changed_byte_is_refused_with_a_named_reason(line: Line, tmp_path: Path) -> None:
    from harness.errors import LevelfieldError
    from submissions.attestation import verify
    from submissions.bundle import Bundle
    from submissions.keys import Keyring

    keyring = Keyring.read(line.home / ".levelfield/keyring.json")
    copy = tmp_path / "bundle"
    shutil.copytree(line.bundle, copy)
    draw = random.Random(5)
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        good = path.read_bytes()
        at = draw.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :])
        with pytest.raises(LevelfieldError, match=r": .+"):
            verify(Bundle.open(copy), keyring)
        path.write_bytes(good)
    verify(Bundle.open(copy), keyring)


def test_a_changed_bundle_is_refused_by_both_commands(line: Line, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(line.bundle, copy)
    log = next(copy.rglob("events.log"))
    log.write_bytes(log.read_bytes().replace(b'"seed"', b'"sead"'))
    for word in ("check", "verify"):
        done = line.levelfield(word, str(copy))
        assert done.code == 1
        assert log.relative_to(copy).as_posix() in done.err
        assert "Traceback" not in done.err


def test_the_official_package_reads_our_training_logs(line: Line) -> None:
    from mlperf_logging.compliance_checker.mlp_parser import parse_file

    logs = sorted(line.bundle.glob("results/image_classification/train/*/events.log"))
    assert len(logs) == 3
    for path in logs:
        parsed, failed = parse_file(str(path), ruleset="5.1.0")
        assert failed == []
        assert len(parsed) == len(parse_events(path.read_bytes()).events)


def test_a_seed_replays_the_run(line: Line, tmp_path: Path) -> None:
    first = parse_events((line.folder / "quickstart/runs/1/train/run_1/events.log").read_bytes())
    seed = first.first("seed")
    assert seed is not None
    again = killed_when_it_evaluated(tmp_path, "--seed", str(seed.value))
    second = parse_events((again / "events.log").read_bytes())
    curves = [
        [(e.value, e.metadata["samples_count"]) for e in log.all("eval_accuracy")]
        for log in (first, second)
    ]
    assert curves[1]
    assert curves[0][: len(curves[1])] == curves[1]


def test_the_vendors_guide_runs_as_it_is_written(line: Line, tmp_path: Path) -> None:
    """Every command of the guide, literally, and a site of its bundle and the quickstart's.

    The first, its training, takes minutes; the quickstart ran it, on the machine of the guide.
    """
    (tmp_path / "system.toml").write_text(guide_blocks("toml")[0], "utf-8")
    (tmp_path / "mine.py").write_text(guide_blocks("python")[0], "utf-8")
    shutil.copy(ROOT / "tests/own_training.py", tmp_path / "train.py")
    shutil.copytree(line.folder / "quickstart/runs/1/train", tmp_path / "runs/train")
    home = tmp_path / "home"
    shutil.copytree(line.home, home)
    shutil.rmtree(home / ".levelfield")
    training, *commands = [c for block in guide_blocks("console") for c in block.splitlines()]
    assert " ".join(shlex.split(training)[:5]) in line.done.out
    for command in commands:
        done = run_levelfield(tmp_path, home, *shlex.split(command)[1:])
        assert done.code == 0, f"{command}\n{done.out}{done.err}"
    both = run_levelfield(
        tmp_path, home, "publish", "bundles/acme-1", str(line.bundle), "--out", "site", "--json"
    )
    assert both.code == 0, both.err
    index = (tmp_path / "site/index.html").read_text("utf-8")
    assert all(bundle in index for bundle in both.json["bundles"])
