"""What a run's record and query log say of it, as rows of a table."""

from collections.abc import Iterator

from harness.peak import BANDWIDTH, DATASHEETS
from harness.records import Mode, Peak
from portal.latency_figures import lateness_words
from portal.quantities import for_people
from portal.query_times import query_times
from rules.submission import RunEvidence


def run_facts(evidence: RunEvidence) -> list[tuple[str, str]]:
    """Name and value of each fact that the run has."""
    run = evidence.run
    source = run.borrowed_from
    facts = [
        ("Run", run.id),
        ("Seeds", ", ".join(f"{name} {seed}" for name, seed in sorted(run.seeds.items()))),
        ("System under test", run.sut or ""),
        ("Precision", run.precision or ""),
        ("Hyperparameters from", f"bundle {source.bundle}" if source else ""),
        ("Audit", run.audit.value.replace("_", " ") if run.audit else ""),
        ("Audited run", run.audited_run or ""),
        ("Command", " ".join(run.command or ())),
        ("Quality", "" if run.quality is None else f"{run.quality:.6g}"),
        ("Samples", "" if run.samples is None else f"{run.samples:,}"),
        ("Failed queries", f"{run.failed_queries:,}" if run.mode is not Mode.TRAINING else ""),
        *_arrivals(evidence),
        ("Measured peak", _peak(run.peak) if run.peak else ""),
    ]
    if run.duration_ns is not None:
        facts.append(("Timed window", str(for_people(run.duration_ns / 1e9, "s", digits=5))))
    return [(name, value) for name, value in facts if value]


def _arrivals(evidence: RunEvidence) -> Iterator[tuple[str, str]]:
    """How queries were to come and, in an open loop, how late the generator was."""
    run, settings = evidence.run, evidence.run.settings
    if settings is None:
        return
    if settings.samples_per_query > 1:
        yield "Samples per query", f"{settings.samples_per_query:,}"
    if settings.target_rate is not None:
        yield "Target rate", str(for_people(settings.target_rate, "queries/s", digits=4))
    for name, bound_ns in (
        ("Bound on latency", settings.latency_bound_ns),
        ("Bound on the first token", settings.ttft_bound_ns),
        ("Bound on a further token", settings.tpot_bound_ns),
    ):
        if bound_ns is not None:
            yield name, str(for_people(bound_ns / 1e9, "s"))
    if run.scenario.open_loop and run.mode is not Mode.ACCURACY and evidence.queries is not None:
        times = query_times(evidence.queries)
        if len(times.latency):
            yield "Lateness of the generator", lateness_words(times)


def _peak(peak: Peak) -> str:
    """What the device was measured to do, beside what its vendor promises.

    The promise is looked up by the device's name: what a bundle says of it proves nothing.
    """
    promises = DATASHEETS.get(peak.device, {})
    figures = [(name, value, "FLOP/s") for name, value in sorted(peak.flops.items())]
    figures.append((BANDWIDTH, peak.bandwidth_bytes_per_s, "B/s"))
    said = []
    for name, value, unit in figures:
        words = "memory" if name == BANDWIDTH else name
        sheet = promises.get(name)
        promised = f" (datasheet: {for_people(sheet, unit)})" if sheet else ""
        said.append(f"{words} {for_people(value, unit)}{promised}")
    return f"{peak.device}: {', '.join(said)}"
