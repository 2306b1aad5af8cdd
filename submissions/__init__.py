"""Custody: bundles, attestations, keys."""
