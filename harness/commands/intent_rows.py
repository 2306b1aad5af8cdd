"""How the lines of an intent log are shown on a terminal."""

from datetime import UTC, datetime

from harness.intents import Intent, Line, Outcome, Slot

HEADER = ["line", "time (UTC)", "workload", "scenario", "what", "run"]


def row(line: Line) -> list[str]:
    """A line as a row under `HEADER`; somebody else's text without control characters."""
    body, head = line.body, line.head
    told = [str(head.index + 1), "", head.workload, head.scenario, f"{head.kind}, hidden", ""]
    if isinstance(body, Intent):
        slot = ", takes a slot" if body.slot else ""
        what = f"{body.purpose} starts: {body.configuration.mode}{slot}"
        told[1], told[4], told[5] = _time(body.started_ms), what, body.run_id
    elif isinstance(body, Outcome):
        reason = f": {_plain(body.reason)}" if body.reason else ""
        told[1], told[4], told[5] = _time(body.ended_ms), f"{body.status}{reason}", body.run_id
    elif isinstance(body, Slot):
        told[1], told[4] = _time(body.made_ms), f"slot {body.number} of {body.count}"
    return told


def _time(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):  # a bundle may say anything
        return str(time_ms)


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
