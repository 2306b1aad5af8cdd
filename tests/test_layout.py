import string
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from valid import inference_run

from harness.errors import LevelfieldError
from harness.records import Audit, Mode, Scenario
from submissions.layout import (
    Role,
    check_distinct,
    check_path,
    files_of,
    is_attestation,
    role_of,
)

REFUSED = {
    "../a": "dotted part",
    "a/../b": "dotted part",
    "a/./b": "dotted part",
    "/etc/passwd": "absolute",
    "a//b": "empty",
    "a/": "empty",
    "": "empty",
    "C:a": "characters",
    "C:/a": "characters",
    "a\\b": "characters",
    "a\0b": "characters",
    "a\nb": "characters",
    "a\n": "characters",
    "a b": "characters",
    "a\u202eb": "characters",
    "a\u200bb": "characters",
    "é": "characters",
    "٣": "characters",
    ".git": "begins with a dot",
    "a/-rf": "begins with a dot or a dash",
    "a.": "ends with a dot",
    "con": "Windows",
    "a/NUL.txt": "Windows",
    "Com1.tar.gz": "Windows",
    "a" * 101: "longer than 100",
    "/".join(["a" * 60] * 4): "longer than 200",
}


@pytest.mark.parametrize(("path", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_a_path_outside_the_grammar_is_refused_by_name(path: str, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=reason) as refusal:
        check_path(path)
    assert str(refusal.value).isprintable()


@given(st.text(string.ascii_letters + string.digits + "._-/\\: \0é\u202e", max_size=30))
@example("results/image_classification/train/run_1/run.json")
def test_an_accepted_path_means_the_same_everywhere(path: str) -> None:
    try:
        check_path(path)
    except LevelfieldError:
        return
    assert PurePosixPath(path).parts == PureWindowsPath(path).parts == tuple(path.split("/"))
    assert not PureWindowsPath(path).is_absolute()
    assert ".." not in PurePosixPath(path).parts
    assert all(unicodedata.category(letter)[0] in "LNP" for letter in path)


@pytest.mark.parametrize("pair", [["a/b", "a/B"], ["a/b", "A/c"], ["a", "A/b"]])
def test_paths_that_differ_only_in_case_are_refused(pair: list[str]) -> None:
    with pytest.raises(LevelfieldError, match="upper and lower case"):
        check_distinct(pair)


def test_equal_folders_are_no_collision() -> None:
    check_distinct(["a/b", "a/c", "a/d/e"])


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("system.json", Role.SYSTEM),
        ("results/w/train/result.json", Role.RESULT),
        ("results/w/server/search.json", Role.SEARCH),
        ("results/w/train/run_1/run.json", Role.RUN),
        ("results/w/train/run_1/output.txt", Role.OUTPUT),
    ],
)
def test_a_role_follows_from_the_path(path: str, role: Role) -> None:
    assert role_of(path) is role


@pytest.mark.parametrize(
    "path",
    [
        "manifest.json",
        "results/w/result.json",
        "results/w/train/run.json",
        "results/w/search.json",
        "results/w/server/run_1/search.json",
        "results/w/train/run_1/more/run.json",
        "results/w/train/run_1/system.json",
        "x/w/train/run_1/run.json",
        "attestations/0123456789abcdef.dsse.json",
    ],
)
def test_another_path_has_no_role(path: str) -> None:
    with pytest.raises(LevelfieldError, match="no such file belongs"):
        role_of(path)


def test_an_attestation_is_named_by_sixteen_hex_digits() -> None:
    assert is_attestation("attestations/0123456789abcdef.dsse.json")
    assert not is_attestation("attestations/0123456789ABCDEF.dsse.json")
    assert not is_attestation("attestations/0123456789abcdef.dsse.json\n")
    assert not is_attestation("attestations/more/0123456789abcdef.dsse.json")


@pytest.mark.parametrize(
    ("audit", "answers"), [(audit, audit in ("sampled_answers", "tokens")) for audit in Audit]
)
def test_only_an_audit_of_answers_leaves_answers(audit: Audit, answers: bool) -> None:
    run = inference_run(Scenario.OFFLINE, Mode.PERFORMANCE).run
    audited = run.model_copy(update={"mode": Mode.AUDIT, "audit": audit})
    assert ("answers.jsonl" in files_of(audited)) is answers


@pytest.mark.parametrize("audit", [None, *Audit])
def test_an_audit_of_answers_leaves_them(audit: Audit | None) -> None:
    mode = Mode.AUDIT if audit else Mode.PERFORMANCE
    run = inference_run(Scenario.INTERACTIVE, mode, audit).run
    kept = audit in (Audit.SAMPLED_ANSWERS, Audit.TOKENS)
    assert ("answers.jsonl" in files_of(run)) is kept
