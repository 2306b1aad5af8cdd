"""A site with three real bundles: one signed, one in a round's log, one that nobody signed."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import run_folders
from review_rounds import ROUND, Play
from verify_cases import World, make_world

from portal.listing import Published
from portal.round_review import RoundReview
from portal.site import publish
from rules.rule import Report
from submissions.attestation import appraise
from submissions.bundle import Bundle
from submissions.keys import Keyring

WORKLOAD = "image_classification"
REPORT = Report(round="practice", findings=(), passed=("SYS-1",), not_applicable=())


@dataclass(frozen=True)
class Site:
    """Where the site lies, and the bundles on it."""

    folder: Path
    signed: World
    logged: Bundle
    unsigned: Bundle

    def page(self, bundle: str) -> Path:
        """The result's page of a bundle."""
        return next(self.folder.glob(f"x/{bundle}-*/index.html"))


def make_site(folder: Path) -> Site:
    """Publish them in ``folder``."""
    world = make_world(folder / "signed", WORKLOAD)
    logged, review = _logged(folder / "repository")
    unsigned = Path(shutil.copytree(make_world(folder / "other", WORKLOAD).root, folder / "bare"))
    shutil.rmtree(unsigned / "attestations")
    signed, bare = Bundle.open(world.root), Bundle.open(unsigned)
    standing = review.statuses[logged.id]
    out = publish(
        [
            Published(signed, REPORT, appraise(signed, world.keyring)),
            Published(
                logged,
                REPORT,
                appraise(logged, review.keyring, review.entries),
                standing=standing,
            ),
            Published(bare, REPORT, appraise(bare, Keyring())),
        ],
        folder / "site",
        [review],
    )
    return Site(out.parent, world, logged, bare)


def _logged(folder: Path) -> tuple[Bundle, RoundReview]:
    """A bundle that acme handed in to a round, and that the lab has checked."""
    folder.mkdir()
    subject = replace(run_folders.subject(), workload=WORKLOAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(run_folders, "_subject", lambda: subject)
        play = Play(folder)
        bundle = play.pack("first")
        play.does(f"submit {bundle.root} --round practice", "acme", *play.log)
        review = RoundReview.of((folder / ROUND).absolute())
    return Bundle.open(review.bundle_folders()[0]), review
