"""The command contract: exit codes, one clear line for a user's mistake, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LEVELFIELD, Command, Line, killed_when_it_evaluated

from harness.records import Run, RunStatus


def test_help_names_every_command_of_the_contract(levelfield: Command) -> None:
    done = levelfield("--help")
    assert done.code == 0
    for name in (
        "list", "doctor", "run", "pack", "check", "keygen", "sign", "verify", "publish",
        "rules", "quickstart",
    ):  # fmt: skip
        assert f"\n  {name} " in done.out


def test_light_commands_import_nothing_heavy() -> None:
    """`--help` and `list` start at once: measured as what they import, not as time."""
    code = (
        "import sys\nfrom harness.cli import cli\n"
        "cli.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'torch', 'scipy', 'pandas', 'sklearn', 'plotly'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    for words in (["--help"], ["list", "--json"], ["rules"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no-such-command"], 2, "No such command"),
        (["run", "image_clasification"], 2, "did you mean image_classification?"),
        (["run", "image_classification", "--scenario", "ofline"], 2, "did you mean offline?"),
        (["run", "image_classification", "--round", "practise"], 2, "did you mean practice?"),
        (["run", "image_classification", "--set", "colour=1"], 2, "no such hyperparameter"),
        (["run", "image_classification", "--set", "global_batch_size"], 2, "not key=number"),
        (["run", "image_classification", "--set", "global_batch_size=9999"], 2, "allows"),
        (["run", "image_classification", "--set", "opt_base_learning_rate=nan"], 2, "allows"),
        (["run", "image_classification", "--sut", "a:B"], 2, "--sut: is for inference"),
        (["run", "image_classification", "--command", "/no/such/program"], 2, "cannot be started"),
        (["run", "image_classification", "--system", "missing.toml"], 2, "missing.toml"),
        (["run", "image_classification", "--runs", "0"], 2, "--runs"),
        (["run", "image_classification", "--scenario", "offline", "--runs", "2"], 2, "train"),
        (["run", "image_classification", "--scenario", "offline", "--sut", "no_module:X"], 2,
         "cannot be imported"),
        (["run", "image_classification", "--scenario", "server"], 2, "give --rate 100, or"),
        (["run", "image_classification", "--scenario", "server", "--rate", "nan"], 2, "--rate"),
        (["run", "image_classification", "--scenario", "server", "--rate", "1e12"], 2, "--rate"),
        (["run", "image_classification", "--scenario", "offline", "--rate", "9"], 2, "no rate"),
        (["run", "image_classification", "--scenario", "offline", "--find-max"], 2, "for server"),
        (["run", "image_classification", "--scenario", "offline", "--engine", "onx"], 2, "onnx"),
        (["run", "image_classification", "--scenario", "offline", "--engine", "onnx",
          "--precision", "bf16"], 2, "bf16"),
        (["audit", "nowhere"], 2, "nowhere"),
        (["pack", "nowhere", "--submitter", "me", "--out", "b"], 2, "nowhere"),
        (["check", "nowhere"], 2, "nowhere"),
        (["compare", "nowhere", "nowhere"], 2, "nowhere"),
        (["verify", "nowhere"], 2, "nowhere"),
        (["sign", "nowhere"], 2, "nowhere"),
        (["publish", "nowhere", "--out", "site"], 2, "nowhere"),
        (["keygen", "--organisation", "Ä b"], 2, "organisation"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_line(
    levelfield: Command, words: list[str], code: int, message: str
) -> None:
    done = levelfield(*words)
    assert done.code == code, done.err
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_an_existing_output_folder_is_left_alone(levelfield: Command, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/precious").write_text("data")
    done = levelfield("run", "image_classification", "--out", "runs")
    assert done.code == 1
    assert "exists already" in done.err
    assert (tmp_path / "runs/precious").read_text() == "data"


def test_keygen_never_overwrites(levelfield: Command) -> None:
    assert levelfield("keygen", "--organisation", "acme").code == 0
    again = levelfield("keygen", "--organisation", "acme")
    assert again.code == 1
    assert "exists already" in again.err


def test_a_killed_run_is_incomplete_and_pack_refuses_it(
    levelfield: Command, tmp_path: Path
) -> None:
    killed = killed_when_it_evaluated(tmp_path)
    run = Run.model_validate_json((killed / "run.json").read_bytes())
    assert run.status == RunStatus.INCOMPLETE
    done = levelfield("pack", "runs", "--submitter", "me", "--out", "bundle")
    assert done.code == 1
    assert "incomplete" in done.err
    assert not (tmp_path / "bundle").exists()


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    """A limit on file size stands in for the disk: writing fails in the middle of the run."""
    command = f"ulimit -f 4; exec {LEVELFIELD} run image_classification --runs 1 --out runs"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    run = Run.model_validate_json((tmp_path / "runs/run_1/run.json").read_bytes())
    assert run.status in (RunStatus.INCOMPLETE, RunStatus.FAILED)


def test_a_wrong_key_is_refused(line: Line, tmp_path: Path) -> None:
    made = line.levelfield(
        "keygen", "--organisation", "other", "--out", str(tmp_path / "key"),
        "--keyring", str(tmp_path / "keyring.json"),
    )  # fmt: skip
    assert made.code == 0, made.err
    done = line.levelfield("verify", str(line.bundle), "--keyring", str(tmp_path / "keyring.json"))
    assert done.code == 1
    assert "key" in done.err
    assert "Traceback" not in done.err


def test_a_sut_that_raises_is_recorded_and_shown(levelfield: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "class Broken:\n"
        "    def __init__(self, library): pass\n"
        "    def predict(self, inputs): raise RuntimeError('out of memory')\n"
    )
    done = levelfield(
        "run", "image_classification", "--scenario", "single_stream", "--sut", "mine:Broken",
        "--mode", "accuracy", "--out", "runs", "--json",
    )  # fmt: skip
    assert done.code == 1
    (record,) = done.json
    assert record["failed_queries"] > 0
    assert record["samples"] == 0
    assert "RuntimeError: out of memory" in done.err
    assert "Traceback" not in done.err


def test_machines_get_json(levelfield: Command) -> None:
    listed = {card["name"] for card in levelfield("list", "--json").json["workloads"]}
    assert {"image_classification", "image_classification.standard"} <= listed
    machine = levelfield("doctor", "--json").json
    assert machine["system"]["processor"]["threads"] >= 1
    assert {"host", "rapl", "nvml"} <= {source["name"] for source in machine["sources"]}
    assert "constraints" in machine
    assert len(levelfield("rules", "--json").json) >= 20
