"""System and telemetry as tables."""

from dataclasses import replace

from portal_example import PRICE, published, system, training_run

from harness.telemetry.log import Sample, TelemetryLog
from portal.listing import list_results
from portal.system_table import system_rows
from portal.telemetry_table import telemetry_table
from rules.scoring import timed_window_ms


def test_a_system_in_peoples_units() -> None:
    rows = dict(system_rows(system("a", "acme", price=PRICE)))
    assert rows["Memory"] == "32.0 GiB"
    assert rows["Processors"] == "1 socket, 8 physical cores, 16 available hardware threads"
    assert (
        rows["Price (declared)"]
        == "12,500.00 USD, owned, over 4 years at 100% utilisation (2026-11-01)"
    )
    assert rows["Levelfield"] == "0.1.0, commit abababababab, clean"


def test_what_is_absent_is_left_out_and_nothing_declared_is_said() -> None:
    machine = system("a", "acme").model_copy(update={"declared": None, "accelerators": ()})
    rows = dict(system_rows(machine))
    assert rows["Declared"] == "nothing"
    assert rows["Accelerators"] == "none"
    assert "Price (declared)" not in rows


def test_telemetry_has_a_column_a_run_and_totals_as_increases() -> None:
    runs = [training_run(1, 4.0), training_run(2, 4.0)]
    (listing,) = list_results([published(system("a", "acme"), runs)])
    table = telemetry_table(listing)
    assert table is not None
    assert table["headers"] == ("Quantity", "Run 1", "Run 2")
    rows = {row[0]: row[1] for row in table["rows"]}
    assert rows["host: memory used"] == "3.00 GiB (3.00 GiB)"
    assert rows["host: disk read, moved"] == "8.00 MiB"
    assert "host: network sent, moved" not in rows


def test_no_readings_no_table() -> None:
    evidence, files = training_run(1, 4.0)
    silent = replace(evidence, telemetry=TelemetryLog(()))
    (listing,) = list_results([published(system("a", "acme"), [(silent, files)])])
    assert telemetry_table(listing) is None


def test_totals_of_all_entries_in_words_and_a_mask_is_no_number() -> None:
    evidence, files = training_run(1, 4.0)
    window = timed_window_ms(evidence.log)
    assert window is not None
    samples = tuple(
        Sample(
            time_ms=window[0] + 500 * step,
            source=source,
            values={quantity: reading},
        )
        for source, quantity, readings in (
            ("nvml", "energy_j", ((5.0, 1.0), (9.0, 3.0), (2.0, 4.0))),
            ("nvml", "throttle_reasons", ((4,), (4,), (4,))),
            ("pressure", "io_full_s", (1.0, 1.5, 1.5)),
        )
        for step, reading in enumerate(readings)
    )
    log = TelemetryLog(samples)
    runs = [(replace(evidence, telemetry=log), files)]
    (listing,) = list_results([published(system("a", "acme"), runs)])
    table = telemetry_table(listing)
    assert table is not None
    assert table["rows"] == [
        ("nvml: energy, in the window", "7.00 J"),
        ("pressure: all waited for io, in the window", "500 ms"),
    ]
