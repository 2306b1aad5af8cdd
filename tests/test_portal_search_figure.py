"""The search as a figure: shapes for verdicts, steps through what held."""

from portal_example import search

from harness.capacity import Probe
from portal.search_figure import frontier, search_figure

MS = 1_000_000


def _probe(rate: float, percentile_ns: int, verdict: str = "valid") -> Probe:
    return (
        search()
        .probes[0]
        .model_copy(update={"rate": rate, "percentile_ns": percentile_ns, "verdict": verdict})
    )


def test_the_frontier_is_what_held_and_nothing_beats() -> None:
    probes = [
        _probe(100, 5 * MS),
        _probe(50, 6 * MS),  # slower at a lower rate
        _probe(200, 9 * MS),
        _probe(150, 9 * MS),  # no better than at a higher rate
        _probe(300, 4 * MS, "invalid"),
    ]
    assert [(p.rate, p.percentile_ns) for p in frontier(probes)] == [(100, 5 * MS), (200, 9 * MS)]


def test_it_rises_before_it_goes_on() -> None:
    edge = next(t for t in search_figure(search()).traces if t["name"] == "Frontier")
    assert edge["line"]["shape"] == "vh"
    assert edge["x"] == sorted(edge["x"])
    assert edge["y"] == sorted(edge["y"])


def test_verdicts_differ_in_shape_and_colour() -> None:
    traces = search_figure(search()).traces
    shapes = {t["name"]: (t["marker"]["symbol"], t["marker"]["color"])
              for t in traces if t["mode"] == "markers"}  # fmt: skip
    assert list(shapes) == ["Valid", "Invalid", "Unsure", "Confirmed", "Not confirmed"]
    assert len({symbol for symbol, _ in shapes.values()}) == 5
    assert len({shapes[name][1] for name in ("Valid", "Invalid", "Unsure")}) == 3


def test_the_bound_and_the_conclusion() -> None:
    figure = search_figure(search())
    assert figure.traces[0]["name"] == "Bound 15.0 ms"
    assert figure.caption.startswith("Found 400 queries per second: ")
    assert len(figure.rows) == len(search().probes)
    assert figure.rows[-1][-1] == "valid, full length"


def test_a_probe_without_queries_stands_in_the_table_alone() -> None:
    empty = search().probes[0].model_copy(update={"queries": 0, "over_bound": 0})
    alone = search().model_copy(update={"probes": (empty,), "found": None})
    figure = search_figure(alone)
    assert [trace["name"] for trace in figure.traces] == ["Bound 15.0 ms"]
    assert len(figure.rows) == 1
