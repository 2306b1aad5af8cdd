"""Which of the published bundles replicate others, and what they say, computed again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import LevelfieldError
from rules.replication import Replicated
from submissions.replication import check_record, in_words, read_replication

if TYPE_CHECKING:
    from portal.listing import Published

LEVELS = {
    "L0": "L0: unsigned",
    "L1": "L1: signed",
    "L2": "L2: checked and reviewed by another organisation",
    "L3": "L3: replicated by another organisation",
    "L4": "L4: attested hardware, or a supervised run",
}
"""Trust levels, with what each means."""


@dataclass(frozen=True)
class Repeated:
    """What a replication says of one result."""

    result: str
    """``workload/scenario``."""
    by: str
    bundle: str
    """Id of the replication bundle."""
    verdict: Replicated
    counts: bool
    """Whether its submitter signed it and its own check found no error."""
    text: str

    @property
    def raises(self) -> bool:
        """Whether it makes a reviewed result a replicated one."""
        return self.counts and self.verdict is Replicated.EQUAL


def replications(
    published: Sequence["Published"], whole: Callable[["Published"], "Published"]
) -> dict[str, tuple[Repeated, ...]]:
    """By bundle id, what others of ``published`` say of it by replicating it.

    ``whole`` gives a bundle with its logs. A replication that does not hold
    (`submissions.replication.check_record`) says nothing.
    """
    originals = {
        one.bundle.submission.manifest_sha256: one for one in published if not one.imported
    }
    found: dict[str, list[Repeated]] = {}
    for replica in originals.values():
        said = read_replication(replica.bundle)
        original = originals.get(said.manifest_sha256) if said else None
        if original and (repeated := _judged(whole(original), whole(replica))):
            found.setdefault(original.bundle.id, []).append(repeated)
    return {name: tuple(said) for name, said in found.items()}


def _judged(original: "Published", replica: "Published") -> Repeated | None:
    try:
        record = check_record(original.bundle, replica.bundle)
    except LevelfieldError:
        return None
    signed = replica.verification is not None and replica.verification.level != "L0"
    by = replica.bundle.submission.submitter
    return Repeated(
        result=record.result,
        by=by,
        bundle=replica.bundle.id,
        verdict=record.verdict,
        counts=signed and replica.report.ok,
        text=(
            f"Repeated by {by} (bundle {replica.bundle.id}{'' if signed else ', unsigned'}): "
            f"{record.verdict}, within {record.tolerance:.0%}: "
            f"{'; '.join(map(in_words, record.found))}."
        ),
    )
