"""Our records of what MLPerf published: a log as a run, a system's description as a system.

What the official files leave out is ``unknown`` or nil here: nothing is made up.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Any

from harness.events import EventLog
from harness.records import Division, Mode, Number, Run, RunStatus, Scenario
from harness.system import (
    Accelerator,
    Availability,
    Declared,
    HarnessVersion,
    Processor,
    Software,
    System,
)
from rules.mlperf.log import OfficialRun
from rules.mlperf.terms import OfficialBenchmark

NO_WORKLOAD = "0" * 64
"""In place of the digest of a workload's folder: theirs is not one of ours."""

_UNKNOWN = "unknown"
_MEMORY = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([KMGTP]?)(i?)B?", re.IGNORECASE)
_MOST_ACCELERATORS = 20_000


def slug(name: str) -> str:
    """``name`` as an identifier of ours."""
    found = re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).lstrip("._-")[:64]
    return found or "unnamed"


def to_system(name: str, submitter: str, description: Mapping[str, Any]) -> System:
    """An official description as far as our record has a place for it."""

    def text(field: str) -> str:
        value = description.get(field)
        return str(value)[:500] if isinstance(value, str | int | float) and value != "" else ""

    nodes = max(1, _whole(text("number_of_nodes")))
    per_node = _whole(text("host_processors_per_node"))
    cores, threads = (_whole(text(f"host_processor_{of}_count")) for of in ("core", "vcpu"))
    accelerator = Accelerator(
        model=text("accelerator_model_name") or _UNKNOWN,
        memory_bytes=memory_bytes(text("accelerator_memory_capacity")),
        driver=_UNKNOWN,
    )
    count = min(nodes * _whole(text("accelerators_per_node")), _MOST_ACCELERATORS)
    return System(
        declared=Declared(
            id=slug(name),
            name=text("system_name") or name,
            organisation=submitter,
            availability=_availability(text("status")),
            notes=f"{nodes} nodes; framework: {text('framework') or _UNKNOWN}",
        ),
        processor=Processor(
            model=text("host_processor_model_name") or _UNKNOWN,
            architecture=_UNKNOWN,
            sockets=per_node or None,
            cores=cores * per_node or None,
            threads=threads,
            governor=None,
            frequency_max_hz=None,
        ),
        memory_bytes=memory_bytes(text("host_memory_capacity")),
        accelerators=(accelerator,) * count,
        software=Software(
            os=text("operating_system") or _UNKNOWN,
            kernel=_UNKNOWN,
            container=None,
            python=_UNKNOWN,
            framework=None,
            blas=None,
            thread_variables={},
            packages={},
        ),
        harness=HarnessVersion(version="none", commit=None, clean=None),
    )


def _availability(status: str) -> Availability:
    begins = status.lower().partition(" ")[0]
    if begins == "available":
        return "available"
    return "preview" if begins == "preview" else "research"


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,7}", text.strip()) else 0


def memory_bytes(text: str) -> int:
    """``text`` as ``2.3 TB`` or ``189471 MiB`` in bytes; nil where it says nothing."""
    found = _MEMORY.match(text)
    if not found:
        return 0
    power = " KMGTP".index(found[2].upper() or " ")
    unit: int = (1024 if found[3] else 1000) ** power
    return round(float(found[1]) * unit)


def to_run(official: OfficialRun, benchmark: str, terms: OfficialBenchmark, system: System) -> Run:
    """What a log says of its run; ``official.file`` makes the run's id."""
    log = official.log
    stop, last, seed = log.last("run_stop"), log.last("eval_accuracy"), log.first("seed")
    status = stop.metadata.get("status") if stop else None
    timed = official.timed
    elapsed_ms = timed[1].time_ms - timed[0].time_ms if timed else -1
    return Run(
        id=hashlib.sha256(official.file.encode()).hexdigest()[:32],
        workload=benchmark,
        workload_sha256=NO_WORKLOAD,
        scenario=Scenario.TRAIN,
        mode=Mode.TRAINING,
        division=division_of(official),
        status=_status(status),
        error=None if status == "success" else f"the status in its log is {str(status)[:100]!a}",
        seeds={"run": seed.value}
        if seed and _sound(seed.value) and _whole_seed(seed.value)
        else {},
        hyperparameters=_hyperparameters(log, terms),
        system_sha256=system.digest,
        started_ms=timed[0].time_ms if timed else log.events[0].time_ms if log.events else 0,
        duration_ns=elapsed_ms * 1_000_000 if elapsed_ms >= 0 else None,
        quality=float(last.value) if last and _sound(last.value) else None,
        samples=last.samples_count if last else None,
    )


def division_of(official: OfficialRun) -> Division:
    """The division that a log names; closed, which asks for more, where it names none."""
    named = official.log.first("submission_division")
    return Division.OPEN if named and named.value == "open" else Division.CLOSED


def _whole_seed(value: Number) -> bool:
    return isinstance(value, int) and value >= 0


def _status(status: object) -> RunStatus:
    known = {"success": RunStatus.COMPLETE, "aborted": RunStatus.ABORTED}
    return known.get(status, RunStatus.FAILED) if isinstance(status, str) else RunStatus.FAILED


def _hyperparameters(log: EventLog, benchmark: OfficialBenchmark) -> dict[str, Number]:
    """The first value of each key that the checker asks for and that is a sound number."""
    events = ((key, log.first(key)) for key in benchmark.keys if key != "eval_accuracy")
    return {key: event.value for key, event in events if event and _sound(event.value)}


def _sound(value: Any) -> bool:
    """Whether our records can hold ``value``: a finite number below 2^53, and not minus zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**53 and (value != 0 or math.copysign(1, value) > 0)
