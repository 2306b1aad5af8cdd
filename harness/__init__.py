"""Measures one run: records, clock, drivers, event log, telemetry, system description, the CLI."""

__version__ = "0.1.0"
