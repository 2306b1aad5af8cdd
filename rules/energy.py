"""TELE rule on energies: what was measured within one boundary against another."""

from collections.abc import Iterator

from harness.telemetry.energy import Boundary, energies
from rules.case import Problem, RunCase
from rules.registry import rule
from rules.telemetry import sampled, telemetry_problem

_NARROWER = (Boundary.PACKAGE, Boundary.BOARD)
_AGREE = 0.95  # meters are calibrated to some per cent
_WHOLE = 0.99


@rule("TELE-16", on="run", when=sampled(("meter", "power_w")))
def the_wall_holds_the_rest(case: RunCase) -> Iterator[Problem]:
    """At the wall a machine took no less than its processors and accelerators did (a warning).

    The external meter's energy over the timed window, with its uncertainty, is at least 95 % of
    what RAPL and NVML counted together, less theirs. Judged where each covers the window.
    """
    line = case.timeline
    assert line is not None
    found = {
        one.boundary: one
        for one in energies(case.evidence.telemetry, line.start_ms, line.stop_ms)
        if one.covered >= _WHOLE
    }
    wall, parts = found.get(Boundary.WALL), [found[b] for b in _NARROWER if b in found]
    if wall is None or not parts:
        return
    least = sum(part.joules - part.uncertainty_j for part in parts)
    if wall.joules + wall.uncertainty_j < _AGREE * least:
        yield telemetry_problem(
            case,
            "the meter counted less than the machine's own parts: is it on the right plug?",
            expected=f"at least {least:.4g} J ({' and '.join(part.source for part in parts)})",
            found=f"{wall.joules:.4g} J",
        )
