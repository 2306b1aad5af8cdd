"""What a run's page says of it."""

from portal_example import further_scenarios, inference_run, training_run

from harness.records import Mode, Peak, Scenario
from portal.run_facts import run_facts


def test_a_server_run_tells_its_schedule_and_its_lateness() -> None:
    run = next(e for e, _ in further_scenarios(1.0) if e.run.scenario is Scenario.SERVER)
    facts = dict(run_facts(run))
    assert facts["Target rate"] == "400.0 queries/s"
    assert facts["Bound on latency"] == "15.0 ms"
    assert facts["Precision"] == "fp32"
    assert facts["Lateness of the generator"].startswith("p50 20.")


def test_an_audit_names_its_doubt_and_its_run() -> None:
    audit = next(e for e, _ in further_scenarios(1.0) if e.run.audit)
    facts = dict(run_facts(audit))
    assert facts["Audit"] == "sampled answers"
    assert len(facts["Audited run"]) == 32


def test_closed_loops_and_training_have_no_lateness() -> None:
    closed, _ = inference_run(1, Scenario.SINGLE_STREAM, Mode.PERFORMANCE, 1.0)
    for evidence in (closed, training_run(1, 4.0)[0]):
        assert "Lateness of the generator" not in dict(run_facts(evidence))


def test_the_measured_peak_stands_beside_the_datasheets() -> None:
    peak = Peak(
        device="NVIDIA L4",
        flops={"fp32": 2.5e13, "fp8": 2e14},
        bandwidth_bytes_per_s=2.5e11,
        measured_ms=0,
        datasheet={"fp32": 9e13, "fp8": 9e14},  # a bundle's own is not believed
    )
    run, _ = inference_run(1, Scenario.OFFLINE, Mode.PERFORMANCE, 1.0, peak=peak)
    assert dict(run_facts(run))["Measured peak"] == (
        "NVIDIA L4: fp32 25.0 TFLOP/s (datasheet: 30.3 TFLOP/s), fp8 200 TFLOP/s, "
        "memory 233 GiB/s (datasheet: 279 GiB/s)"
    )
