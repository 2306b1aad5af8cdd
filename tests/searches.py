"""Searches for the capacity, for tests that carry or show them."""

from harness.capacity import Probe, Search
from harness.records import Scenario

MS = 1_000_000


def searched(scenario: Scenario) -> Search:
    """A search of one probe, which held."""
    probe = Probe(
        rate=10.0,
        duration_ns=20 * MS,
        queries=700,
        over_bound=0,
        percentile_ns=MS,
        lateness_p99_ns=0,
        verdict="valid",
        confirming=True,
    )
    return Search(
        scenario=scenario,
        what="target_rate",
        bound_ns=2 * MS,
        percentile=0.99,
        probes=(probe,),
        found=10.0,
    )
