"""Imported bundles made ready for the pages: judged in both readings, their logs cut down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from harness.events import Event, EventLog, many_logs
from portal.imported_terms import Imported, ImportedResult, as_card, as_points, as_round, asked
from portal.imported_terms import in_samples as to_samples
from portal.listing import OFFICIAL, Published
from rules.mlperf.log import OfficialResult
from rules.mlperf.official import DirectoryVerdict, official_reading
from rules.mlperf.strict import STRICT_RULES, check
from rules.mlperf.strict_terms import StrictBenchmark, StrictTerms, read_strict_terms
from rules.mlperf.terms import OfficialBenchmark
from rules.rule import Finding, Report
from rules.submission import Entry, RunEvidence
from submissions.attestation import appraise
from submissions.bundle import Bundle
from submissions.keys import Keyring
from submissions.mlperf_imported import ImportedRound, official_results

_MILESTONES = frozenset(
    ("cache_clear", "init_start", "init_stop", "run_start", "run_stop", "eval_accuracy", "seed",
     "status", "train_samples", "eval_samples", "submission_benchmark", "submission_division",
     "submission_org", "submission_platform", "submission_status", "global_batch_size")
)  # fmt: skip

_EVERY = frozenset(("run_start", "run_stop", "eval_accuracy"))
"""Of which every line is kept; of the other milestones, the first with each value."""


def read_imported(imported: ImportedRound, keyring: Keyring) -> Iterator[Published]:
    """The bundles of ``imported``, each with what both readings say of it.

    A submitter's logs are in memory at a time. Of each log remain a run's milestones, its
    hyperparameters and the lines that findings point to.
    """
    strict = read_strict_terms(imported.terms.name)
    with many_logs():
        for _, folders in groupby(imported.bundles, key=lambda folder: folder.parent):
            bundles = [Bundle.open(folder) for folder in folders]
            results = [official_results(bundle) for bundle in bundles]
            everything = [result for own in results for result in own]
            found = check(everything, imported.terms, imported.points, strict)
            for bundle, own in zip(bundles, results, strict=True):
                yield _published(imported, strict, bundle, own, found, keyring)


def _published(
    imported: ImportedRound,
    strict: StrictTerms,
    bundle: Bundle,
    results: Sequence[OfficialResult],
    found: Sequence[Finding],
    keyring: Keyring,
) -> Published:
    origin = bundle.submission.origin
    assert origin is not None  # or there would be no official results
    judged = {one.benchmark: _result(imported, strict, one) for one in results}
    findings = (
        *(finding for one in judged.values() for finding in _official(one.verdict)),
        *_own(found, origin.submitter, origin.system),
    )
    against = {finding.rule for finding in findings}
    report = Report(
        round=imported.terms.name,
        findings=findings,
        passed=tuple(number for number in STRICT_RULES if number not in against),
        not_applicable=(),
    )
    entries = tuple(
        _shortened(
            entry,
            imported.terms.benchmarks[entry.result.workload],
            strict.benchmarks[entry.result.workload],
            _lines(findings),
        )
        for entry in bundle.submission.entries
    )
    about = Imported(origin.statement, origin.source, results[0].description, judged)
    verification = appraise(bundle, keyring)
    slim = replace(bundle, submission=replace(bundle.submission, entries=entries))
    return Published(slim, report, verification, about)


def _result(imported: ImportedRound, strict: StrictTerms, result: OfficialResult) -> ImportedResult:
    name = result.benchmark
    benchmark, facts = imported.terms.benchmarks[name], strict.benchmarks[name]
    points = imported.points.get(name, {})
    return ImportedResult(
        round=as_round(imported.terms, benchmark),
        card=as_card(name, benchmark, facts),
        points=as_points(points, benchmark, facts),
        verdict=official_reading(result, imported.terms, points),
        asked=asked(benchmark),
    )


def _official(verdict: DirectoryVerdict) -> Iterator[Finding]:
    """Why the official tools refuse a result."""
    for reason in verdict.rejected:
        yield Finding(
            rule=OFFICIAL,
            severity="error",
            file=f"results/{verdict.benchmark}/train",
            line=None,
            expected=None,
            found=None,
            message=f"the official tools refuse it: {reason}",
        )


def _own(found: Sequence[Finding], submitter: str, system: str) -> Iterator[Finding]:
    """Those of a submitter's findings that are of one bundle's files, or of no bundle's."""
    folder = f"{submitter}/{system}/"
    for finding in found:
        if finding.file.startswith(folder):
            yield finding.model_copy(update={"file": finding.file.removeprefix(folder)})
        elif finding.file == submitter:
            yield finding


def _lines(findings: Sequence[Finding]) -> Mapping[str, set[int]]:
    pointed: dict[str, set[int]] = {}
    for finding in findings:
        if finding.line is not None:
            pointed.setdefault(finding.file, set()).add(finding.line)
    return pointed


def _shortened(
    entry: Entry,
    benchmark: OfficialBenchmark,
    facts: StrictBenchmark,
    pointed: Mapping[str, set[int]],
) -> Entry:
    """``entry`` with logs of the lines that pages show, which give samples where it is epochs."""
    wanted = _MILESTONES | benchmark.keys.keys()
    return replace(
        entry,
        runs=tuple(
            _short(run, wanted, pointed.get(run.file("events.log"), set()), benchmark, facts)
            for run in entry.runs
        ),
    )


def _short(
    evidence: RunEvidence,
    wanted: frozenset[str],
    pointed: set[int],
    benchmark: OfficialBenchmark,
    facts: StrictBenchmark,
) -> RunEvidence:
    said: dict[tuple[str, object], Event] = {}
    for event in evidence.log.events:
        if event.key in wanted and event.key not in _EVERY:
            # Each of a thousand processes may say it; the page needs to say it once.
            said.setdefault((event.key, repr(event.value)), event)
    first = {event.line for event in said.values()}
    kept = (
        e for e in evidence.log.events if e.key in _EVERY or e.line in first or e.line in pointed
    )
    log = EventLog(
        tuple(_in_samples(event, benchmark, facts) for event in kept), evidence.log.broken
    )
    last = log.last("eval_accuracy")
    run = evidence.run.model_copy(update={"samples": last.samples_count if last else None})
    return replace(evidence, run=run, log=log)


def _in_samples(event: Event, benchmark: OfficialBenchmark, facts: StrictBenchmark) -> Event:
    place = event.metadata.get(benchmark.unit)
    if (
        event.key != "eval_accuracy"
        or isinstance(place, bool)
        or not isinstance(place, int | float)
    ):
        return event
    if not 0 <= place < 2**20 * facts.train_samples:
        return event
    samples = to_samples(place, benchmark, facts)
    return event.replaced(metadata={**event.metadata, "samples_count": samples})
