"""Judges: rules, rounds, scoring."""
