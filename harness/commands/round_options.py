"""What the commands about a round share: options, the round's folder, how an event is signed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.options import KEY, emit
from harness.errors import UsageError

if TYPE_CHECKING:
    from submissions.review.case import Case
    from submissions.review.docket import Docket
    from submissions.review.event import Kind

_PLAIN = ("rule", "reviewer", "decision", "effect", "outcome", "replica")
"""Options that go into an event as they are typed."""

FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path), metavar="ROUND",
    help="Round's folder  [default: the one in submissions/rounds]",
)  # fmt: skip
OWN_KEY = click.option(
    "--key", type=click.Path(path_type=Path), default=KEY,
    show_default="~/.levelfield/id_ed25519", help="Your private key.",
)  # fmt: skip
LOG_KEY = click.option(
    "--log-key", type=click.Path(path_type=Path), help="The log keeper's: append at once."
)
BUNDLE = click.argument("bundle")
ON = click.option("--on", required=True, metavar="EVENT", help="Event, by its digest's beginning.")
TEXT = click.option("--text", default="", help="Plain text; - reads it from standard input.")
AT = click.option(
    "--at", multiple=True, metavar="FILE:LINES",
    help="Lines in the bundle, as runs/3/events.log:120-124; repeatable.",
)  # fmt: skip
RULE = click.option("--rule", help="Number of the rule, as TRAIN-3.")
RESULT = click.option("--result", metavar="WORKLOAD/SCENARIO", help="Of one result only.")
EFFECT = click.option("--effect", default="", help="What it comes to, in words.")


def open_docket(folder: Path | None) -> "Docket":
    """The docket of the round that is meant; `UsageError` unless there is just one."""
    from submissions.review.docket import Docket
    from submissions.round_folder import RoundFolder

    if folder is None:
        found = sorted(Path("submissions/rounds").glob("*/round.json"))
        if len(found) != 1:
            raise UsageError(f"--folder: {len(found)} rounds in submissions/rounds; name one")
        folder = found[0].parent
    return Docket(RoundFolder(folder))


def say(kind: "Kind", bundle: str, options: dict[str, Any]) -> None:
    """Sign an event about ``bundle`` with what was typed, keep it, and tell what came of it."""
    from submissions.keys import load_private

    docket = open_docket(options["folder"])
    case = docket.case(bundle)
    fields = _fields(docket, case, kind, options)
    envelope, event = docket.say(case, kind, load_private(options["key"]), **fields)
    index = append(docket, options["log_key"])
    state = docket.replay.statuses()[case.bundle].state
    if options["to_json"]:
        said = event.model_dump(mode="json", exclude_defaults=True)
        emit({"envelope": envelope, "index": index, "event": said, "state": state})
        return
    place = f"entry {index}, now" if index is not None else "waits for the log, then"
    click.echo(f"{kind} {envelope[:12]} by {event.by}: {place} bundle {case.bundle} is {state}")
    if index is None:
        click.echo(f"next: git add {docket.folder.envelope_path(envelope)}")


def append(docket: "Docket", log_key: Path | None) -> int | None:
    """Append what waits, if the log's key is at hand; the place of the first of it."""
    from submissions.keys import load_private

    if log_key is None or not docket.waiting:
        return None
    return docket.append(load_private(log_key))[0]


def _fields(docket: "Docket", case: "Case", kind: str, options: dict[str, Any]) -> dict[str, Any]:
    fields = {name: options[name] for name in _PLAIN if options.get(name)}
    if rule := fields.get("rule"):
        _check_rule(rule)
    text = options.get("text", "")
    fields["text"] = sys.stdin.read() if text == "-" else text
    if on := options.get("on"):
        fields["refers_to"] = docket.event(on, case)
    if kind == "verdict" and on:
        fields["votes"] = tuple(vote.envelope for vote in docket.votes(fields["refers_to"], case))
    if new := options.get("superseded_by"):
        fields["superseded_by"] = docket.case(new).bundle
    if result := options.get("result"):
        fields["target"] = _target(result, case)
    if places := options.get("at"):
        fields["at"] = docket.cite(case, places)
    return fields


def _check_rule(number: str) -> None:
    from rules.rule import RULES

    if number not in RULES:
        raise UsageError(f"--rule {number}: no such rule; levelfield rules lists them")


def _target(result: str, case: "Case") -> str:
    path = f"results/{result}"
    if path not in case.results:
        known = ", ".join(one.removeprefix("results/") for one in case.results)
        raise UsageError(f"--result {result}: not claimed by the bundle; it claims {known}")
    return path
