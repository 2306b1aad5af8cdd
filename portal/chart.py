"""A figure as plain dicts for plotly.js, with a caption that states its finding and a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

SERIES = ("#1c8f6d", "#d17a1f", "#5a78d6", "#b0509a", "#7c8a2c", "#2b93b5", "#c04f4a", "#8a6fc4")
"""Mid-tones that keep 3:1 against the light and the dark page."""
REFERENCE = "#8a8f8c"
"""Of targets and bounds."""
POINTS = 400
MOST = 8
"""Series that are drawn at first; further ones wait in the legend, or stand in the table alone."""
_FEW_DECADES = 3
QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Band:
    """A stretch of the horizontal axis that is shaded, with its name in the legend."""

    name: str
    start: float
    stop: float
    colour: str
    opacity: float = 0.12
    label: str = ""
    """A word or two at its upper edge."""

    def shape(self, *, in_legend: bool) -> dict[str, Any]:
        """The band as plotly.js takes it."""
        found: dict[str, Any] = {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": self.start,
            "x1": self.stop,
            "y0": 0,
            "y1": 1,
            "fillcolor": self.colour,
            "opacity": self.opacity,
            "layer": "below",
            "line": {"width": 0},
            "name": self.name,
            "showlegend": in_legend,
        }
        label = {"text": self.label, "textposition": "top center"}
        return found | {"label": label} if self.label else found


@dataclass(frozen=True)
class Figure:
    """A chart that loses nothing without JavaScript: caption and table say it all."""

    id: str
    title: str
    caption: str
    traces: tuple[dict[str, Any], ...]
    x_title: str
    y_title: str
    table_caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    """How to read it, where that is not plain."""
    log_x: bool = False
    log_y: bool = False
    bands: tuple[Band, ...] = ()
    from_zero: bool = False
    """Whether both axes begin at zero, so that slopes can be compared."""
    x_names: tuple[str, ...] = ()
    y_names: tuple[str, ...] = ()
    """What stands at 0, 1, … of an axis in place of numbers; of the upright one, from the top."""
    x_ticks: tuple[float, ...] = ()
    """Where a logarithmic horizontal axis is labelled, in place of round numbers."""
    direct: bool = False
    """Whether names stand beside the marks: a legend is then needed on narrow screens only."""

    def plot(self) -> dict[str, Any]:
        """The figure as plotly.js takes it; the page adds the theme's colours."""
        layout: dict[str, Any] = {
            "xaxis": self._axis(self.x_title, "x", logarithmic=self.log_x) | named(self.x_names),
            "yaxis": self._axis(self.y_title, "y", logarithmic=self.log_y) | named(self.y_names),
            "margin": {"l": 56, "r": 16, "t": 12, "b": 48},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hovermode": "closest",
        }
        if self.y_names:
            layout["yaxis"]["range"] = [len(self.y_names) - 0.5, -0.5]
        if self.direct:
            layout["meta"] = {"direct": True}
        if self.bands:
            names = [band.name for band in self.bands]
            layout["shapes"] = [
                band.shape(in_legend=names.index(band.name) == at)
                for at, band in enumerate(self.bands)
            ]
        return {"data": at_first(self.traces), "layout": layout}

    def _axis(self, title: str, name: str, *, logarithmic: bool) -> dict[str, Any]:
        axis: dict[str, Any] = {"title": {"text": title}, "automargin": True}
        if self.from_zero:
            axis["rangemode"] = "tozero"
        if logarithmic:
            values = [value for trace in self.traces for value in trace[name]]
            ticks = [*self.x_ticks] if name == "x" and self.x_ticks else log_ticks(values)
            text = [f"{tick:,.15g}" for tick in ticks]
            axis |= {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": text}
        return axis


def named(names: tuple[str, ...]) -> dict[str, Any]:
    """An axis on which ``names`` stand at 0, 1, …; nothing without names."""
    if not names:
        return {}
    return {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": [-0.5, len(names) - 0.5],
        "zeroline": False,
        "showgrid": False,
    }


def at_first(traces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """``traces``, those of them beyond `MOST` series hidden until the reader asks for them."""
    seen, found = 0, []
    for trace in traces:
        series = trace.get("showlegend", True) and not _is_reference(trace)
        seen += series
        found.append(trace | {"visible": "legendonly"} if series and seen > MOST else trace)
    return found


def _is_reference(trace: dict[str, Any]) -> bool:
    """Whether a trace is a bound, a target or a frontier, which stay."""
    return bool(trace.get("line", {}).get("color") == REFERENCE)


def log_ticks(values: list[float]) -> list[float]:
    """Round numbers for a logarithmic axis: 1, 2 and 5 of each power of ten, else powers alone."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    digits = (1, 2, 5) if high - low <= _FEW_DECADES else (1,)
    return [float(f"{digit}e{power}") for power in range(low, high + 1) for digit in digits]


def line(
    name: str,
    x: list[float],
    y: list[float],
    colour: str,
    *,
    dash: str = "solid",
    shape: str = "linear",
    markers: bool = False,
) -> dict[str, Any]:
    """A line through points."""
    return {
        "type": "scatter",
        "mode": "lines+markers" if markers else "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2, "dash": dash, "shape": shape},
    }


def marks(
    name: str, x: list[float], y: list[float], colour: str, symbol: str, labels: list[str]
) -> dict[str, Any]:
    """Points, each with its label beside it."""
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": x,
        "y": y,
        "text": labels,
        "textposition": "middle left",
        "marker": {"color": colour, "size": 10, "symbol": symbol},
    }


def floats(x: NDArray[Any], y: NDArray[Any]) -> tuple[list[float], list[float]]:
    """Rounded to six digits: a chart shows no more, and the page stays small."""
    return [shown(v) for v in x], [shown(v) for v in y]


def shown(value: float) -> float:
    """``value`` to six digits."""
    return float(f"{value:.6g}")


def has_enough(samples: int, share: float) -> bool:
    """Whether a quantile is worth showing: it takes 100 / (1 - share) samples."""
    return samples >= samples_for(share)


def samples_for(share: float) -> int:
    """Samples without which the quantile ``share`` is not shown."""
    return round(100 / (1 - share))
