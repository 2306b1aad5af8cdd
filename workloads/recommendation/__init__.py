"""Recommendation: a DLRM with a cross network on generated clicks (full: on Criteo's logs)."""
