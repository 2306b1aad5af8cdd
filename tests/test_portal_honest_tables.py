"""Utilisation side by side, the bar of where the time went, chips of constraints."""

from dataclasses import replace

from portal_example import inference_run, published, system, training_run
from test_portal_telemetry_figures import log_of

from harness.events import Event, EventLog
from harness.records import Mode, Peak, Scenario
from portal.constraint_chips import chips, chips_of_all
from portal.listing import list_results
from portal.machine_view import machine_view
from portal.phase_bar import PhaseBar, phase_bar, phase_bars, phase_rows
from portal.utilisation_table import utilisation_table


def test_the_flattering_counter_stands_beside_the_honest_ones() -> None:
    log = log_of("nvml", "utilisation", (0.98, 1.0))
    tensor = log_of("gpm", "tensor_activity", (0.05, 0.07))
    both = type(log)(log.samples + tensor.samples)
    rows = utilisation_table({1: (both, 0, 1000), 2: (log, 0, 1000)}, {2: 0.031})
    assert [(row.name, row.values) for row in rows] == [
        ("GPU utilisation (NVML)", ("99.0 %", "99.0 %")),
        ("Tensor activity", ("6.00 %", "–")),
        ("MFU", ("–", "3.10 %")),
    ]
    assert all(row.meaning.endswith(".") for row in rows)


def test_nothing_measured_no_rows() -> None:
    assert utilisation_table({1: (log_of("host", "swap_used_bytes", 1), 0, 10)}, {}) == []


def test_the_bar_adds_up_and_names_what_took_most() -> None:
    bar = phase_bar(2, "x", {"data": 1.0, "compute": 8.0, "copy": 0.0, "idle": 1.0})
    assert bar is not None
    assert [part.name for part in bar.parts] == ["data", "compute", "idle"]
    assert sum(part.width for part in bar.parts) == 100
    assert bar.sentence == "compute took 80.0 % of 10.0 s, data 10.0 %, idle 10.0 %."


def test_bars_are_read_from_the_log_and_nonsense_has_none() -> None:
    def bars(*events: tuple[float, dict[str, object]]) -> list[PhaseBar]:
        evidence, files = training_run(1, 4.0)
        last = evidence.log.events[-1]
        added = tuple(Event(last.time_ms, "phase_time", v, m, line=99) for v, m in events)
        log = EventLog(evidence.log.events + added)
        runs = [(replace(evidence, log=log), files)]
        return phase_bars(list_results([published(system("a", "acme"), runs)])[0])

    compute: dict[str, object] = {"phase": "compute", "includes": ["data", "<b>", 7]}
    (bar,) = bars((3.0, compute), (1.0, {"phase": "idle"}))
    assert (bar.title, bar.held) == ("Run 1", ("data",))
    assert phase_rows([bar]) == [("compute", "3.00 s (75.0 %)"), ("idle", "1.00 s (25.0 %)")]
    assert bars((3.0, {"phase": "<b>"})) == bars() == []


def test_no_time_no_bar() -> None:
    assert phase_bar(1, "x", {}) is None
    assert phase_bar(1, "x", {"idle": 0.0}) is None


def test_constraints_in_words_and_unknown_or_senseless_ones_left_out() -> None:
    found = chips({"gpu_power_limit_w": 300, "cpu_quota_cores": 1.5, "cpu_affinity": 1, "<b>": 1})
    assert found == ("power cap 300 W", "CPU quota 1.5 cores", "pinned to 1 core")
    assert chips({"memory_limit_bytes": 10**400, "gpu_sm_clock_hz": -1}) == ()


def test_each_chip_once() -> None:
    runs = [{"gpu_power_limit_w": 300}, {"gpu_power_limit_w": 300, "cpu_quota_cores": 2}, {}]
    assert chips_of_all(runs) == ("power cap 300 W", "CPU quota 2 cores")


def test_mfu_stands_among_the_counters_of_its_run() -> None:
    peak = Peak(device="a", flops={"fp32": 1e12}, bandwidth_bytes_per_s=1e9, measured_ms=0)
    runs = [
        inference_run(number, Scenario.OFFLINE, mode, 0.09, peak=peak)
        for number, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1)
    ]
    (listing,) = list_results([published(system("a", "acme"), runs)])
    view = machine_view(listing)
    (mfu,) = [row.values for row in view.counters if row.name == "MFU"]
    assert view.numbers == (1, 2)
    assert mfu[0].endswith(" %")
    assert mfu[1] == "–"
    assert view.no_mfu == ""
    (without,) = list_results([published(system("a", "acme"), [training_run(1, 4.0)])])
    assert "no peak of this machine" in machine_view(without).no_mfu
