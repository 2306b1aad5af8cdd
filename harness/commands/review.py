"""``levelfield review``: say what is to be said about a bundle, signed, and see where it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.options import Commands, as_json, example
from harness.commands.round_options import (
    AT,
    BUNDLE,
    EFFECT,
    FOLDER,
    LOG_KEY,
    ON,
    OWN_KEY,
    RESULT,
    RULE,
    TEXT,
    open_docket,
    say,
)
from harness.commands.standing import pending, show, status
from harness.errors import UsageError

if TYPE_CHECKING:
    from submissions.review.event import Kind

Command = Callable[..., None]
Option = Callable[[Command], Command]


@click.group(
    cls=Commands,
    epilog=example(
        "levelfield review object kqzv --rule TRAIN-3 --at runs/3/events.log:120 --text '…'",
        "levelfield review status",
    ),
)
def review() -> None:
    """Review a round's bundles: signed events, from which each bundle's status follows.

    BUNDLE is the bundle's id, its beginning, or its folder.
    """


def speaking(name: str, shown: str, *options: Option) -> Callable[[Command], click.Command]:
    """Make a command of `review` that signs one event; ``shown`` follows its name in examples."""

    def decorate(function: Command) -> click.Command:
        around: tuple[Option, ...] = (BUNDLE, *options, FOLDER, OWN_KEY, LOG_KEY, as_json)
        for option in reversed(around):
            function = option(function)
        line = f"levelfield review {name} {shown}"
        return review.command(name, epilog=example(line))(function)

    return decorate


@speaking("assign", "kqzv --reviewer lab",
          click.option("--reviewer", required=True, help="Organisation."))  # fmt: skip
def assign(bundle: str, **options: Any) -> None:
    """Ask an organisation to review a bundle (chair)."""
    say("review-assigned", bundle, options)


@speaking("object", "kqzv --rule TRAIN-3 --at runs/3/events.log:120-124 --text '…'",
          RULE, AT, RESULT, TEXT)  # fmt: skip
def object_(bundle: str, **options: Any) -> None:
    """Object to a bundle, citing a rule and lines (reviewer)."""
    say("objection", bundle, options)


@speaking("respond", "kqzv --on 3f9a1c --text '…'", ON, RULE, AT, TEXT)
def respond(bundle: str, **options: Any) -> None:
    """Answer an objection (submitter)."""
    say("response", bundle, options)


@speaking("second", "kqzv --on 3f9a1c", ON, TEXT)
def second(bundle: str, **options: Any) -> None:
    """Support another reviewer's objection (reviewer)."""
    say("second", bundle, options)


@speaking("drop", "kqzv --on 3f9a1c --text 'settled by the amendment'", ON, TEXT)
def drop(bundle: str, **options: Any) -> None:
    """Drop an objection (its author, or the chair)."""
    say("drop", bundle, options)


@speaking("concede", "kqzv --on 3f9a1c", ON, TEXT)
def concede(bundle: str, **options: Any) -> None:
    """Admit that an objection is right; it stays open until amended or dropped (submitter)."""
    say("concede", bundle, options)


@speaking("amend", "kqzv --with p3wd",
          click.option("--with", "superseded_by", required=True, metavar="BUNDLE",
                       help="Bundle that was submitted in its place."), TEXT)  # fmt: skip
def amend(bundle: str, **options: Any) -> None:
    """Put a later bundle in a bundle's place; what stands against it goes along (submitter)."""
    say("amend", bundle, options)


@speaking("vote", "kqzv --on 3f9a1c --for waive", ON,
          click.option("--for", "decision", required=True, help="What the verdict should be.",
                       type=click.Choice(["uphold", "reject", "waive", "reclassify", "void"])),
          TEXT)  # fmt: skip
def vote(bundle: str, **options: Any) -> None:
    """Vote on an objection, a response or an appeal: one organisation, one vote (reviewer)."""
    say("vote", bundle, options)


@speaking("verdict", "kqzv --on 3f9a1c --decision reject --text '…'",
          click.option("--on", metavar="EVENT", help="Objection, response or appeal decided on."),
          click.option("--decision", required=True, help="attest declares level L4.",
                       type=click.Choice(["uphold", "reject", "reclassify", "void", "attest"])),
          RULE, AT, EFFECT, TEXT)  # fmt: skip
def verdict(bundle: str, **options: Any) -> None:
    """Decide, with the votes and not against them (chair)."""
    say("verdict", bundle, options)


@speaking("waive", "kqzv --on 3f9a1c --rule TRAIN-3 --effect 'shown with a note' --text '…'",
          ON, click.option("--rule", required=True, help="Number of the rule, as TRAIN-3."),
          click.option("--effect", required=True, help="What it comes to, in words."),
          TEXT)  # fmt: skip
def waive(bundle: str, **options: Any) -> None:
    """Let a rule not count against a bundle; needs votes, and is shown everywhere (chair)."""
    say("verdict", bundle, {**options, "decision": "waive"})


@speaking("done", "kqzv --text 'read all runs'", AT, TEXT)
def done(bundle: str, **options: Any) -> None:
    """Say that your review of a bundle is done (reviewer)."""
    say("review-done", bundle, options)


@speaking("withdraw", "kqzv --text 'wrong system'", TEXT)
def withdraw(bundle: str, **options: Any) -> None:
    """Take a bundle back, for good (submitter)."""
    say("withdraw", bundle, options)


@speaking("erratum", "kqzv --text 'the host has 512 GB'", TEXT)
def erratum(bundle: str, **options: Any) -> None:
    """Add a correction that is shown with the bundle (submitter, chair)."""
    say("erratum", bundle, options)


@speaking("recuse", "kqzv --text 'our product'", TEXT)
def recuse(bundle: str, **options: Any) -> None:
    """Step back from a bundle's review; what you said for it no longer counts (reviewer)."""
    say("recuse", bundle, options)


@speaking("appeal", "kqzv --on 3f9a1c --text '…'", ON, TEXT)
def appeal(bundle: str, **options: Any) -> None:
    """Ask for another look at a verdict that rejected your bundle (submitter)."""
    say("appeal", bundle, options)


@speaking("freeze", "kqzv", TEXT)
def freeze(bundle: str, **options: Any) -> None:
    """Take no more amendments of a bundle (chair)."""
    say("freeze", bundle, options)


@speaking("publish", "kqzv", TEXT)
def publish(bundle: str, **options: Any) -> None:
    """Publish an accepted bundle: checked, reviewed by two others, no open objection (chair)."""
    say("publish", bundle, options)


_STEPS: "dict[str, Kind]" = {
    "request": "replicate-request",
    "grant": "replicate-grant",
    "refuse": "replicate-refuse",
    "result": "replicate-result",
}


@speaking("replicate", "kqzv --step request",
          click.option("--step", type=click.Choice(list(_STEPS)),
                       default="result", show_default=True, help="What is said."),
          click.option("--on", metavar="EVENT", help="Request that is granted or refused."),
          click.option("--replica", type=click.Path(path_type=Path), metavar="BUNDLE",
                       help="Replication bundle; it is compared anew."), RESULT, TEXT)  # fmt: skip
def replicate(bundle: str, step: str, replica: Path | None, **options: Any) -> None:
    """Ask for a replication of a bundle, or log what one came to (replicator)."""
    if (step == "result") != (replica is not None):
        raise UsageError("--replica: is for --step result, which needs it; see --help")
    if replica is not None:
        options |= _replication(bundle, replica, options)
    say(_STEPS[step], bundle, options)


def _replication(bundle: str, replica: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The outcome, compared from the logs of both bundles, and whose result it is of."""
    from submissions.bundle import Bundle
    from submissions.replication import judge, read_replication

    docket = open_docket(options["folder"])
    case, copy = docket.case(bundle), Bundle.open(replica)
    said = read_replication(copy)
    result = options["result"] or (said.result if said else None)
    if result is None:
        raise UsageError(f"{replica}: does not say of which result it is; add --result")
    original = Bundle.open(docket.folder.bundle_path(case.submitter, case.bundle))
    despite = said.despite_differences if said else False
    found = judge(original, copy, result, despite)
    return {"replica": copy.id, "outcome": found.verdict.value, "result": result}


for command in (status, show, pending):
    review.add_command(command)
