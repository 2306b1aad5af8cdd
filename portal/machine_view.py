"""What the machine did during a result's runs: limits, where the time went, how busy it was."""

from dataclasses import dataclass

from harness.records import Mode
from portal.constraint_chips import chips_of_all
from portal.disturbance_view import disturbed_runs
from portal.facts import fact
from portal.listing import Listing
from portal.phase_bar import PhaseBar, phase_bars, phase_rows
from portal.utilisation_table import CounterRow, utilisation_table
from rules.model_flops import model_flops_utilisation
from rules.scoring import timed_window_ms


@dataclass(frozen=True)
class MachineView:
    """What the result's page shows of it; empty parts were not measured."""

    limits: tuple[str, ...]
    """Limits in force during some run, a few words each."""
    numbers: tuple[int, ...]
    """The runs that ``counters`` have a column for."""
    counters: tuple[CounterRow, ...]
    no_mfu: str
    """Why MFU is not among them; empty if it is."""
    bars: tuple[PhaseBar, ...]
    phases: tuple[tuple[str, ...], ...]
    """Rows of the bars' table: a phase, and its time in each run that has a bar."""
    disturbed: tuple[tuple[str, str, str], ...]
    """Run, address of its page, and what disturbed it."""


def machine_view(listing: Listing) -> MachineView:
    """What the runs of ``listing`` recorded of their machine."""
    runs = {
        listing.number(evidence): (evidence.telemetry, *window)
        for evidence in listing.entry.runs
        if (window := timed_window_ms(evidence.log)) is not None
    }
    bars = phase_bars(listing)
    mfu = mfu_by_run(listing)
    return MachineView(
        limits=chips_of_all(evidence.run.constraints for evidence in listing.entry.runs),
        numbers=tuple(runs),
        counters=tuple(utilisation_table(runs, mfu)),
        no_mfu="" if mfu else _why_no_mfu(listing),
        bars=tuple(bars),
        phases=tuple(phase_rows(bars)),
        disturbed=tuple(disturbed_runs(listing)),
    )


@fact
def mfu_by_run(listing: Listing) -> dict[int, float]:
    """By number of the run; of runs that are dropped or lost too, since a share needs no score."""
    if listing.imported:
        return {}
    return {
        listing.number(evidence): share
        for evidence in listing.entry.runs
        if evidence.run.mode in (Mode.TRAINING, Mode.PERFORMANCE)
        and (share := model_flops_utilisation(evidence, listing.card)) is not None
    }


def _why_no_mfu(listing: Listing) -> str:
    facts = listing.card.training if listing.sut is None else listing.card.inference
    if facts.flops_per_sample is None:
        return "MFU is not known: the workload’s card states no model FLOPs."
    if all(evidence.run.peak is None for evidence in listing.entry.runs):
        return (
            "MFU is not known: no peak of this machine had been measured before the runs "
            "(levelfield doctor --peak)."
        )
    return "MFU is not known: the logs do not tell the samples, or the peak is of other arithmetic."
