"""Bundles for the portal's tests, in memory: two rounds, a refused result, hostile names."""

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from harness.answers import Answer
from harness.capacity import Probe, Search
from harness.card import ReferenceConvergencePoint
from harness.clock import SimulatedClock
from harness.events import EventWriter, parse_events
from harness.phases import Phase, log_phases
from harness.price import Grid, Price
from harness.queries import QueryLog, new_log, query_log_bytes
from harness.records import (
    METRIC_OF,
    Audit,
    Division,
    InferenceSettings,
    Mode,
    Number,
    Result,
    Run,
    RunStatus,
    Scenario,
)
from harness.system import (
    Accelerator,
    Declared,
    Framework,
    HarnessVersion,
    Processor,
    Software,
    System,
)
from harness.telemetry.log import Reading, Sample, TelemetryLog
from portal.listing import Published
from rules.round import Round, read_round
from rules.rule import Finding, Report
from rules.scoring import score
from rules.submission import Entry, RunEvidence, Submission
from submissions.attestation import Signatory, Verification
from submissions.bundle import Bundle
from submissions.manifest import Manifest, bundle_id, describe
from workloads.catalogue import load_card, load_points

WORKLOAD = "image_classification"
HOSTILE = "<script>alert('x')</script>&\"=1+1"
MS = 1_000_000
PRICE = Price(
    amount=12_500, currency="USD", kind="owned", amortisation_years=4,
    source="https://example.org/price", date="2026-11-01",
)  # fmt: skip
HOSTILE_GRID = Grid(
    g_co2_per_kwh=1.0,
    region=HOSTILE,
    source="https:///<script>alert(1)</script>",
    date="2026-11-01",
)
RATES = {Scenario.SERVER: 400.0, Scenario.INTERACTIVE: 400.0}
_SETTINGS = InferenceSettings(min_duration_ns=3_000 * MS, min_query_count=64)


def _settings(scenario: Scenario, slowness: float) -> InferenceSettings:
    bounds: dict[Scenario, dict[str, int]] = {
        Scenario.MULTI_STREAM: {"samples_per_query": 8},
        Scenario.SERVER: {"latency_bound_ns": 15 * MS},
        Scenario.INTERACTIVE: {"ttft_bound_ns": 15 * MS, "tpot_bound_ns": 4 * MS},
    }
    rate = {"target_rate": RATES[scenario] / slowness} if scenario in RATES else {}
    return _SETTINGS.model_copy(update=bounds.get(scenario, {}) | rate)


@dataclass(frozen=True)
class FakeBundle:
    """What the portal asks of a bundle, without a folder."""

    submission: Submission
    manifest: Manifest
    files: dict[str, bytes] = field(repr=False)
    attestations: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        return self.submission.bundle_id

    def read(self, path: str) -> bytes:
        return self.files[path]


def system(name: str, organisation: str, **declared: Any) -> System:
    """A machine of no particular kind."""
    return System(
        declared=Declared(id="box", name=name, organisation=organisation, **declared),
        processor=Processor(
            model="Example CPU 7840",
            architecture="x86_64",
            sockets=1,
            cores=8,
            threads=16,
            governor="performance",
            frequency_max_hz=5_100_000_000,
        ),
        memory_bytes=32 * 2**30,
        accelerators=(Accelerator(model="Example GPU", memory_bytes=24 * 2**30, driver="560.1"),),
        software=Software(
            os="Debian GNU/Linux 12",
            kernel="6.1.0",
            container="docker",
            python="CPython 3.11.7",
            framework=Framework(name="torch", version="2.13.0", build="AVX2, OpenMP", threads=8),
            blas="mkl 2024.2, 8 threads",
            thread_variables={"OMP_NUM_THREADS": "8"},
            packages={"numpy": "2.1.0", "torch": "2.13.0"},
        ),
        harness=HarnessVersion(version="0.1.0", commit="ab" * 20, clean=True),
    )


def _run(number: int, scenario: Scenario, mode: Mode, division: Division, **values: Any) -> Run:
    identity = hashlib.sha256(f"{number}{scenario}{mode}{values}".encode()).hexdigest()
    return Run(
        id=identity[:32],
        workload=WORKLOAD,
        workload_sha256="1" * 64,
        scenario=scenario,
        mode=mode,
        division=division,
        status=values.pop("status", RunStatus.COMPLETE),
        system_sha256="2" * 64,
        started_ms=1_790_000_000_000 + number * 60_000,
        **values,
    )


def _telemetry(clock: SimulatedClock, seconds: float, watts: float) -> TelemetryLog:
    """Two readings a second of a host and, unless it draws nothing, of one accelerator."""
    start = clock.wall_ms() - int(seconds * 1000)
    steps = range(int(seconds * 2) + 2)  # the last after the window
    return TelemetryLog(
        tuple(sample for step in steps for sample in _tick(start + step * 500, step, watts))
    )


def _tick(time_ms: int, step: int, watts: float) -> list[Sample]:
    host: dict[str, Reading] = {
        "cpu_utilisation": (0.9, 0.75 + 0.001 * step),
        "cpu_frequency_hz": (4.1e9, 4.0e9),
        "memory_used_bytes": 3 * 2**30,
        "disk_read_bytes": 2**20 * step,
        "network_sent_bytes": None,
    }
    board: dict[str, Reading] = {
        "utilisation": (0.98,),
        "power_w": (watts + 8.0 * (step % 3 - 1),),
        "energy_j": (watts * 0.5 * step + 1e6,),
        "sm_clock_hz": (1.98e9,),
        "memory_clock_hz": (2.6e9,),
        "temperature_c": (min(74.0, 41.0 + 2.0 * step),),
    }
    inside: dict[str, Reading] = {
        "sm_activity": (0.41,),
        "tensor_activity": (0.07,),
        "dram_bandwidth_utilisation": (0.19,),
    }
    sources = {"host": host} | ({"nvml": board, "gpm": inside} if watts else {})
    return [Sample(time_ms=time_ms, source=name, values=v) for name, v in sources.items()]


def training_run(
    number: int,
    seconds: float,
    *,
    converges: bool = True,
    name: str = "",
    pace: float = 1.0,
    watts: float = 0.0,
    limits: dict[str, Number] | None = None,
) -> tuple[RunEvidence, dict[str, bytes]]:
    """One training whose quality rises towards the card's target in 8 evaluations."""
    card, clock, stream = load_card(WORKLOAD), SimulatedClock(), io.StringIO()
    target, facts = card.training.target, card.training
    hyperparameters: dict[str, Number] = {
        key: spec.default for key, spec in facts.hyperparameters.items()
    }
    if pace != 1.0:
        changed = next(key for key, v in hyperparameters.items() if isinstance(v, float))
        hyperparameters[changed] = hyperparameters[changed] * pace
    writer = EventWriter(stream, clock)
    writer.event("submission_benchmark", WORKLOAD)
    writer.event("submission_org", name or "acme")
    writer.event("seed", 1000 + number)
    for key, value in hyperparameters.items():
        writer.event(key, value)
    writer.start("init_start")
    clock.advance(240 * MS)
    writer.stop("init_stop")
    writer.start("run_start")
    quality = 0.0
    for step in range(1, 9):
        clock.advance(int(seconds / 8 * 1e9))
        shortfall = 0.004 if not converges or step < 8 else 0.0
        quality = target.value - shortfall - 0.6 * (8 - step) ** 2 / 64
        writer.start("eval_start", None, samples_count=step * 1500)
        writer.event("eval_accuracy", quality, samples_count=step * 1500)
        writer.stop("eval_stop", None, samples_count=step * 1500)
    status = RunStatus.COMPLETE if converges else RunStatus.ABORTED
    if watts:
        shares = {Phase.COMPUTE: 0.7, Phase.DATA: 0.16, Phase.EVALUATION: 0.09, Phase.IDLE: 0.05}
        log_phases(writer, {phase: share * seconds for phase, share in shares.items()})
    writer.stop("run_stop", None, status="success" if converges else "aborted")
    log = stream.getvalue().encode()
    run = _run(
        number,
        Scenario.TRAIN,
        Mode.TRAINING,
        Division.CLOSED,
        status=status,
        error=None if converges else "the card's limit was reached below the target",
        seeds={"run": 1000 + number},
        hyperparameters=hyperparameters,
        duration_ns=int(seconds * 1e9),
        quality=quality,
        samples=12_000,
        constraints=limits or {},
    )
    path = f"results/{WORKLOAD}/train/run_{number}"
    telemetry = _telemetry(clock, seconds, watts)
    return RunEvidence(path, run, parse_events(log), None, None, telemetry), _files(path, log, run)


def reference_of(samples: int) -> tuple[ReferenceConvergencePoint, ...]:
    """A reference whose runs all converge after ``samples``, at the example's batch size."""
    size = load_card(WORKLOAD).training.hyperparameters["global_batch_size"].default
    return (
        ReferenceConvergencePoint(
            global_batch_size=int(size),
            samples_to_converge=(samples,) * 4,
            seeds=(0, 1, 2, 3),
            hyperparameters={},
            measured_on="here",
        ),
    )


def _files(path: str, log: bytes, run: Run) -> dict[str, bytes]:
    return {f"{path}/events.log": log, f"{path}/run.json": run.to_json().encode()}


def inference_run(
    number: int, scenario: Scenario, mode: Mode, latency_ms: float, **facts: Any
) -> tuple[RunEvidence, dict[str, bytes]]:
    """2,048 queries (multi_stream: 1,024 of 8), log-normal latencies from a fixed seed."""
    clock, stream = SimulatedClock(), io.StringIO()
    queries = _queries(scenario, latency_ms)
    writer = EventWriter(stream, clock)
    writer.event("submission_benchmark", WORKLOAD)
    writer.event("seed", 7)
    writer.start("run_start")
    clock.advance(int(queries["completed"].max()))
    writer.stop("run_stop", None, status="success")
    log = stream.getvalue().encode()
    accuracy, watts = mode is Mode.ACCURACY, facts.pop("watts", 0.0)
    run_seconds = float(queries["completed"].max()) / 1e9
    run = _run(
        number,
        scenario,
        mode,
        Division.CLOSED,
        seeds={"order": 7},
        settings=_settings(scenario, facts.pop("slowness", 1.0)),
        sut="example.sut:Eager",
        precision=facts.pop("precision", "fp32"),
        duration_ns=int(queries["completed"].max()),
        quality=0.991 if accuracy else None,
        samples=len(queries),
        **facts,
    )
    path = f"results/{WORKLOAD}/{scenario}/run_{number}"
    answers = (Answer(sample=0, answer=1),) if accuracy else None
    files = _files(path, log, run) | {f"{path}/queries.npy": query_log_bytes(queries)}
    telemetry = _telemetry(clock, run_seconds, watts)
    return RunEvidence(path, run, parse_events(log), queries, answers, telemetry), files


def _queries(scenario: Scenario, latency_ms: float) -> QueryLog:
    rows = 8192 if scenario is Scenario.MULTI_STREAM else 2048
    taken = np.random.default_rng(5).lognormal(np.log(latency_ms * MS), 0.2, rows).astype(np.int64)
    queries = new_log(len(taken))
    queries["query"] = np.arange(len(taken))
    queries["completed"] = np.cumsum(taken)
    if scenario is Scenario.SINGLE_STREAM:
        queries["scheduled"] = queries["completed"] - taken
    if scenario is Scenario.MULTI_STREAM:
        queries["query"] //= 8
        queries["scheduled"] = ((queries["completed"] - taken)[::8]).repeat(8)
    queries["issued"] = queries["scheduled"]
    if scenario.open_loop:
        late = np.random.default_rng(6).lognormal(np.log(0.02 * MS), 0.5, len(taken))
        queries["scheduled"] = np.arange(len(taken)) * 2 * MS
        queries["issued"] = queries["scheduled"] + late.astype(np.int64)
        queries["completed"] = queries["issued"] + taken
    if scenario is Scenario.INTERACTIVE:
        queries["first_token"] = queries["issued"] + taken // 4
        queries["tokens"] = 3 + np.arange(len(taken)) % 5
    return queries


def search(slowness: float = 1.0) -> Search:
    """Thirteen probes of a server, from too low through too high to one that holds."""
    rates = (50, 100, 200, 400, 1600, 800, 566, 476, 437, 456, 428, 418, 413, 400)
    probes = []
    for number, rate in enumerate(rates):
        share = rate / 430
        percentile = round((4 + 5 * share**6 if share < 1 else 6 * share**5 + 9) * MS)
        verdict = "valid" if rate <= 418 else "unsure" if rate == 428 else "invalid"
        last = number == len(rates) - 1
        full = number >= len(rates) - 2
        probes.append(
            Probe(
                rate=rate / slowness,
                duration_ns=(60_000 if full else 2_000) * MS,
                queries=rate * (60 if full else 2),
                over_bound=rate * 2 if verdict == "invalid" else 0,
                percentile_ns=percentile,
                lateness_p99_ns=50_000,
                verdict="invalid" if full and not last else verdict,  # type: ignore[arg-type]
                confirming=full,
            )
        )
    return Search(
        scenario=Scenario.SERVER,
        what="target_rate",
        bound_ns=15 * MS,
        percentile=0.99,
        probes=tuple(probes),
        found=rates[-1] / slowness,
    )


_Runs = list[tuple[RunEvidence, dict[str, bytes]]]


def published(
    machine: System,
    runs: _Runs,
    *,
    round_name: str = "practice",
    findings: tuple[Finding, ...] = (),
    signed: bool = True,
    submitter: str = "acme",
) -> Published:
    """A bundle of ``runs``, claimed honestly, with the findings that a check is said to have."""
    files = {path: data for _, held in runs for path, data in held.items()}
    manifest = Manifest(
        round=round_name,
        nonce="0" * 32,
        submitter=submitter,
        files=tuple(describe(path, files[path]) for path in sorted(files)),
    )
    digest = hashlib.sha256(manifest.to_bytes() + machine.to_json().encode()).hexdigest()
    submission = Submission(
        bundle_id=bundle_id(digest),
        manifest_sha256=digest,
        submitter=submitter,
        round=round_name,
        system=machine,
        system_sha256="2" * 64,
        entries=tuple(_entries([evidence for evidence, _ in runs], read_round(round_name))),
    )
    fake = cast(Bundle, FakeBundle(submission, manifest, files))
    report = Report(
        round=round_name,
        findings=findings,
        passed=("SYS-1", "LOG-1", "TRAIN-1", "AUDIT-1"),
        not_applicable=("INF-1",),
    )
    verification = Verification(
        bundle_id=submission.bundle_id,
        level="L1" if signed else "L0",
        signed_by=(Signatory(organisation=submitter, key_id="3f2a" * 16),) if signed else (),
        steps=("3. One envelope, one signature.",),
    )
    return Published(fake, report, verification)


def _entries(runs: list[RunEvidence], terms: Round) -> list[Entry]:
    entries = []
    for scenario in dict.fromkeys(evidence.run.scenario for evidence in runs):
        held = tuple(evidence for evidence in runs if evidence.run.scenario is scenario)
        result = Result(
            workload=WORKLOAD,
            scenario=scenario,
            division=held[0].run.division,
            metric=METRIC_OF[scenario],
            value=score(scenario, held, terms, load_points(WORKLOAD)),
            runs=tuple(evidence.path.rpartition("/")[2] for evidence in held),
        )
        settings = held[0].run.settings
        rate = settings.target_rate if settings else None
        found = search(RATES[scenario] / rate) if rate and scenario is Scenario.SERVER else None
        entries.append(Entry(f"results/{WORKLOAD}/{scenario}", result, held, found))
    return entries


def all_scenarios(speed: float, watts: float = 0.0, **limits: Number) -> _Runs:
    """Trainings and two inference scenarios of a machine that is ``speed`` times as slow.

    Its accelerator draws ``watts``; without any it has none.
    """
    runs = [
        training_run(n, s * speed, watts=watts, limits=limits)
        for n, s in enumerate((9.1, 8.2, 8.6, 8.4, 8.9), 1)
    ]
    for scenario, latency in ((Scenario.SINGLE_STREAM, 1.2), (Scenario.OFFLINE, 0.09)):
        for number, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1):
            facts = {"watts": watts, "constraints": limits}
            runs.append(inference_run(number, scenario, mode, latency * speed, **facts))
    return runs


def further_scenarios(slowness: float, precision: str = "fp32") -> _Runs:
    """The other inference scenarios, with audits of server."""
    runs: _Runs = []
    for scenario in (Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.INTERACTIVE):
        facts = {"slowness": slowness, "precision": precision}
        runs += [
            inference_run(number, scenario, mode, 4.0 * slowness, **facts)
            for number, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1)
        ]
    audited = runs[2][0].run.id
    for number, audit in enumerate((Audit.SAMPLED_ANSWERS, Audit.REPEATED_SAMPLE), 3):
        facts = {"slowness": slowness, "audit": audit, "audited_run": audited}
        runs.append(inference_run(number, Scenario.SERVER, Mode.AUDIT, 4.0 * slowness, **facts))
    return runs


def finding(severity: Any = "error", line: int | None = 6, scenario: str = "train") -> Finding:
    """Something that a check might say of the first run of ``scenario``."""
    return Finding(
        rule="TRAIN-3",
        severity=severity,
        file=f"results/{WORKLOAD}/{scenario}/run_1/events.log",
        line=line,
        expected="0.985",
        found=HOSTILE,
        message="the run stopped below its quality target",
    )


def audit_finding() -> Finding:
    """Something that a check might say of the audit for cached results."""
    return Finding(
        rule="AUDIT-4",
        severity="error",
        file=f"results/{WORKLOAD}/server/run_4/queries.npy",
        line=None,
        expected="at most 10 % faster",
        found="8.1 times as fast",
        message="one sample over and over is answered faster: results are cached",
    )


def example() -> list[Published]:
    """Six bundles: five in a real round, one with a refusal, one of practice with hostile names."""
    laptop = system("Laptop 7840U", "Acme Computing", availability="available")
    server = system("Rack server with two sockets", "Initech", price=PRICE, availability="preview")
    hostile = system(HOSTILE, HOSTILE, notes=HOSTILE, grid=HOSTILE_GRID)
    failing = [training_run(1, 9.0), training_run(2, 20.0, converges=False), training_run(3, 9.5)]
    return [
        published(laptop, all_scenarios(1.0, 220.0), round_name="2026.1"),
        published(server, all_scenarios(0.81, 290.0, gpu_power_limit_w=300), round_name="2026.1",
                  submitter="initech",
                  findings=(finding("warning", None),)),
        published(laptop, failing, round_name="2026.1", findings=(finding(),), signed=False),
        published(laptop, further_scenarios(1.0), round_name="2026.1",
                  findings=(audit_finding(),)),
        published(laptop, further_scenarios(0.8, "int8"), round_name="2026.1"),
        published(hostile, [training_run(n, 8.0 + n, name=HOSTILE, pace=1.25) for n in (1, 2, 3)]),
    ]  # fmt: skip
