"""SYSTEM rules: what ran, and with which harness."""

from collections.abc import Iterator

from rules.case import Problem, RunCase, Severity, SubmissionCase
from rules.registry import rule


@rule("SYSTEM-1", on="submission")
def system_is_described(case: SubmissionCase) -> Iterator[Problem]:
    """The submitter describes what no machine can know of itself.

    ``system.toml`` gives the system's name, organisation and availability. A warning in rounds that
    do not require it.
    """
    declared = case.submission.system.declared
    severity: Severity = "error" if case.round.declared_system_required else "warning"
    if declared is None:
        yield Problem(
            "the system is not declared; write a system.toml and run with --system",
            "system.json",
            severity=severity,
        )


@rule("SYSTEM-2", on="submission")
def harness_is_clean(case: SubmissionCase) -> Iterator[Problem]:
    """The harness that measured had no local changes.

    Judged where it ran from a git checkout; an installed package is named by its version. A
    warning in rounds that do not require it.
    """
    harness = case.submission.system.harness
    if harness.clean is False:
        yield Problem(
            f"the harness at commit {harness.commit} had local changes; commit or drop them, "
            "and run again",
            "system.json",
            severity="error" if case.round.clean_harness_required else "warning",
        )


@rule("SYSTEM-3", on="run")
def same_system(case: RunCase) -> Iterator[Problem]:
    """Every run was made on the one system that the submission describes.

    The digest of ``system.json`` that the run recorded at its start is the digest of the
    submission's own.
    """
    digest = case.evidence.run.system_sha256
    if digest != case.submission.system_sha256:
        yield case.record_problem(
            "the run was made on another system than system.json describes; submit it apart",
            expected=case.submission.system_sha256,
            found=digest,
        )
