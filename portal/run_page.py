"""The page of one run: its log with numbered lines, its telemetry, the raw files beside it."""

from pathlib import Path

from portal.constraint_chips import chips
from portal.disturbance_view import disturbance_lines, disturbed_bands
from portal.listing import Listing
from portal.log_page import log_lines
from portal.rendering import write_page
from portal.run_facts import run_facts
from portal.telemetry_figures import telemetry_figures
from rules.disturbance import disturbances
from rules.submission import RunEvidence

_RAW = ("queries.npy", "answers.jsonl", "telemetry.jsonl", "output.txt", "run.json")


def write_run(site: Path, listing: Listing, evidence: RunEvidence) -> None:
    """Write the page of one of the runs of ``listing``, with the raw files."""
    bundle, address = listing.published.bundle, listing.run_address(evidence)
    data = bundle.read(evidence.file("events.log"))
    shown, disturbed = _shown_lines(listing, evidence), disturbances(evidence)
    held = {file.path: file.sha256 for file in bundle.manifest.files}
    # Of an import, whose logs are a hundred times longer, the site holds the lines that it shows.
    copied = () if listing.imported else _RAW
    others = [name for name in copied if evidence.file(name) in held]
    write_page(
        site,
        address,
        "run.html",
        listing=listing,
        run=evidence.run,
        number=listing.number(evidence),
        lines=log_lines(data, evidence.log, shown),
        length=data.count(b"\n") + (not data.endswith(b"\n")),
        file=evidence.file("events.log"),
        sha256=held[evidence.file("events.log")],
        others=others,
        facts=run_facts(evidence),
        limits=chips(evidence.run.constraints),
        figures=telemetry_figures(evidence, disturbed_bands(evidence, disturbed)),
        disturbances=disturbance_lines(evidence, disturbed),
        crumbs=(
            (f"{listing.workload_title}: {listing.scenario_title.lower()}", listing.board_address),
            (listing.system_name, listing.address),
            (f"Run {listing.number(evidence)}", ""),
        ),
    )
    folder = (site / address).parent
    if not listing.imported:
        (folder / "events.log").write_bytes(data)
    for name in others:
        (folder / name).write_bytes(bundle.read(evidence.file(name)))


def _shown_lines(listing: Listing, evidence: RunEvidence) -> set[int] | None:
    """Lines of an imported log that its page shows, with those of findings; none: all lines."""
    if not listing.imported:
        return None
    file, log = evidence.file("events.log"), evidence.log
    pointed = {one.line for one in listing.findings if one.file == file and one.line}
    return {one.line for one in log.events} | {one.line for one in log.broken} | pointed
