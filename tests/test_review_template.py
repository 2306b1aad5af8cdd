"""docs/results-repository: what its workflow and its README type are commands that parse."""

import re
import shlex
from pathlib import Path

import pytest
from test_docs import parse

ROOT = Path(__file__).parent.parent / "docs/results-repository"
WORKFLOW = (ROOT / ".github/workflows/levelfield.yml").read_text("utf-8")
TYPED = re.findall(r"^ +(levelfield [^|>\n]*)", WORKFLOW, re.M)
TYPED += re.findall(r"`(levelfield [^`]*--[^`]*)`", (ROOT / "README.md").read_text("utf-8"))


def test_the_workflow_types_commands() -> None:
    assert len(TYPED) >= 7


@pytest.mark.parametrize("line", TYPED)
def test_each_is_one_that_parses(line: str) -> None:
    parse(shlex.split(line.replace("\n", " "))[1:])


def test_a_pull_request_sees_no_secret_and_may_write_nothing() -> None:
    verify = WORKFLOW[WORKFLOW.index("  verify:") : WORKFLOW.index("  log:")]
    assert "secrets." not in verify
    assert "write" not in verify.replace("writes there", "")
    assert "pull_request_target" not in WORKFLOW
    assert "permissions:\n  contents: read" in WORKFLOW
