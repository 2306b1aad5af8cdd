"""Charts of one run's telemetry: power, clocks, temperature, utilisation; the window shaded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.telemetry.log import TelemetryLog
from portal.chart import POINTS, REFERENCE, SERIES, Band, Figure, shown
from portal.quantities import for_people
from portal.telemetry_series import Series, rates, series_of, thinned
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence


@dataclass(frozen=True)
class _Line:
    """A quantity of the log, and what a reader calls it."""

    source: str
    quantity: str
    words: str
    over: str = ""
    """What its entries are, where only their mean is drawn."""
    total: bool = False
    """A total, whose growth per second is drawn."""


@dataclass(frozen=True)
class _Chart:
    id: str
    title: str
    unit: str
    """As `for_people` takes it."""
    scale: float
    y_title: str
    lines: tuple[_Line, ...]


_CHARTS = (
    _Chart(
        "power",
        "Power",
        "W",
        1.0,
        "power in W",
        (
            _Line("meter", "power_w", "At the wall"),
            _Line("nvml", "power_w", "Board"),
            _Line("rapl", "package_energy_j", "Processor package", total=True),
            _Line("rapl", "dram_energy_j", "Memory", total=True),
        ),
    ),
    _Chart(
        "clocks",
        "Clocks",
        "Hz",
        1e-9,
        "clock in GHz",
        (
            _Line("nvml", "sm_clock_hz", "GPU cores"),
            _Line("nvml", "memory_clock_hz", "GPU memory"),
            _Line("host", "cpu_frequency_hz", "Processor", over="cores"),
        ),
    ),
    _Chart(
        "temperature",
        "Temperature",
        "°C",
        1.0,
        "temperature in °C",
        (_Line("nvml", "temperature_c", "GPU"),),
    ),
    _Chart(
        "utilisation",
        "Utilisation",
        "%",
        100.0,
        "share in %",
        (
            _Line("nvml", "utilisation", "GPU utilisation (NVML)"),
            _Line("gpm", "sm_activity", "SM activity"),
            _Line("gpm", "tensor_activity", "Tensor activity"),
            _Line("gpm", "dram_bandwidth_utilisation", "Memory bandwidth"),
            _Line("host", "cpu_utilisation", "Processor", over="cores"),
        ),
    ),
)


def telemetry_figures(evidence: RunEvidence, disturbed: Sequence[Band] = ()) -> list[Figure]:
    """The charts that the run has readings for; empty without a timed window.

    ``disturbed`` are stretches in seconds since run_start.
    """
    window = timed_window_ms(evidence.log)
    if window is None:
        return []
    found = ((chart, _series(evidence.telemetry, chart)) for chart in _CHARTS)
    return [_figure(chart, named, window, disturbed) for chart, named in found if named]


def _series(log: TelemetryLog, chart: _Chart) -> list[tuple[str, Series]]:
    """Every series of the chart with the name that its line has."""
    found = []
    for wanted in chart.lines:
        for one in series_of(log, wanted.source, wanted.quantity, wanted.over):
            drawn = rates(one, wanted.quantity) if wanted.total else one
            name = f"{wanted.words}, {one.entry}" if one.entry else wanted.words
            if any(value is not None for _, value in drawn.points):
                found.append((name, drawn))
    return found


def _figure(
    chart: _Chart,
    named: Sequence[tuple[str, Series]],
    window: tuple[int, int],
    disturbed: Sequence[Band],
) -> Figure:
    start, stop = window
    timed = Band("Timed window", 0.0, (stop - start) / 1e3, REFERENCE)
    return Figure(
        id=chart.id,
        title=chart.title,
        caption=" ".join((*_sentences(chart, named, window), *_disturbance(disturbed))),
        traces=tuple(
            _trace(name, one, chart.scale, start, SERIES[at % len(SERIES)])
            for at, (name, one) in enumerate(named)
        ),
        x_title="seconds since run_start",
        y_title=chart.y_title,
        table_caption="Each line over the timed window",
        headers=("Line", "Lowest", "Mean", "Highest", "Readings", "Gaps"),
        rows=tuple(_row(chart, name, one, window) for name, one in named),
        bands=(timed, *disturbed),
    )


def _trace(name: str, one: Series, scale: float, start_ms: int, colour: str) -> dict[str, Any]:
    points = thinned(one.points, POINTS)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [shown((time_ms - start_ms) / 1e3) for time_ms, _ in points],
        "y": [None if value is None else shown(value * scale) for _, value in points],
        "line": {"color": colour, "width": 2},
        "connectgaps": False,
    }


def _sentences(
    chart: _Chart, named: Sequence[tuple[str, Series]], window: tuple[int, int]
) -> Iterator[str]:
    for name, one in named:
        values = one.within(*window)
        if not values:
            yield f"{name}: no reading within the timed window."
            continue
        mean = one.mean(*window) or 0.0
        say = _speaker(chart)
        low, high = say(min(values)), say(max(values))
        steady = f"{name}: {low} throughout."
        yield steady if low == high else f"{name}: {say(mean)} on average, {low} to {high}."


def _disturbance(disturbed: Sequence[Band]) -> Iterator[str]:
    if disturbed:
        yield (
            "Shaded darker: "
            + "; ".join(f"{band.label} {band.name.lower()}" for band in disturbed[:_NAMED])
            + (f"; and {len(disturbed) - _NAMED} more." if len(disturbed) > _NAMED else ".")
        )


def _row(chart: _Chart, name: str, one: Series, window: tuple[int, int]) -> tuple[str, ...]:
    values, say = one.within(*window), _speaker(chart)
    gaps = sum(v is None and window[0] <= t <= window[1] for t, v in one.points)
    if not values:
        return (name, "–", "–", "–", "0", f"{gaps:,}")
    figures = (min(values), one.mean(*window) or 0.0, max(values))
    return (name, *map(say, figures), f"{len(values):,}", f"{gaps:,}")


def _speaker(chart: _Chart) -> Callable[[float], str]:
    if chart.unit == "°C":
        return lambda value: f"{value:.0f} °C"
    return lambda value: str(for_people(value, chart.unit))


_NAMED = 4
