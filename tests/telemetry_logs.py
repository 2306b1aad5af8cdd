"""Telemetry logs in memory: of a machine with nothing in its way, and with single things wrong."""

from collections.abc import Callable, Mapping

from harness.telemetry.log import Reading, Sample, TelemetryLog

Shape = Callable[[float], Reading]
"""A quantity's reading so many seconds after the log's start."""

STEADY: dict[str, Shape] = {
    "host.cpu_utilisation": lambda _: (0.9, 0.7),
    "host.cpu_frequency_hz": lambda _: (3.1e9, 2.9e9),
    "host.memory_used_bytes": lambda _: 3 * 2**30,
    "host.cpu_busy_s": lambda t: 1000 + 1.6 * t,
    "host.own_cpu_s": lambda t: 5 + 1.55 * t,
    "host.cpu_steal_s": lambda t: 3 + 0.02 * t,
    "host.swap_in_bytes": lambda t: 4096 * round(t),
    "host.swap_out_bytes": lambda _: 0,
    "pressure.memory_full_s": lambda t: 0.5 + 0.001 * t,
    "cgroup.throttled_s": lambda _: 7.0,
    "rapl.package_energy_j": lambda t: (100 + 30 * t,),
    "nvml.utilisation": lambda _: (0.95,),
    "nvml.power_w": lambda _: (500.0,),
    "nvml.power_limit_w": lambda _: (700.0,),
    "nvml.energy_j": lambda t: (1e5 + 500 * t,),
    "nvml.temperature_c": lambda _: (61,),
    "nvml.throttle_reasons": lambda _: (1,),
    "nvml.other_processes": lambda _: (0,),
    "gpm.sm_activity": lambda _: (0.8,),
    "sampler.late_s": lambda _: 0.0002,
    "sampler.took_s": lambda _: 0.001,
}


def steady_log(
    start_ms: int,
    stop_ms: int,
    changes: Mapping[str, Shape] | None = None,
    interval_ms: int = 100,
    margin_ms: int = 200,
) -> TelemetryLog:
    """Ten times a second, a margin beyond both ends, with ``changes`` of some quantities."""
    shapes: dict[str, dict[str, Shape]] = {}
    for quantity, shape in {**STEADY, **(changes or {})}.items():
        source, _, name = quantity.partition(".")
        shapes.setdefault(source, {})[name] = shape
    return TelemetryLog(
        tuple(
            Sample(
                time_ms=time_ms,
                source=source,
                values={name: at((time_ms - start_ms) / 1000) for name, at in named.items()},
            )
            for time_ms in range(start_ms - margin_ms, stop_ms + margin_ms + 1, interval_ms)
            for source, named in shapes.items()
        )
    )


def between(start_s: float, stop_s: float, then: Reading, otherwise: Reading) -> Shape:
    """``then`` from ``start_s`` up to ``stop_s``, ``otherwise`` before and after."""
    return lambda t: then if start_s <= t < stop_s else otherwise


def grown(rate: float, start_s: float, stop_s: float, more: float, origin: float = 1000) -> Shape:
    """A counter that grows by ``rate`` a second, and by ``more`` in addition within a stretch."""
    return lambda t: origin + rate * t + more * max(0.0, min(t, stop_s) - start_s)
