"""Measures what a device can reach: arithmetic in each precision, and memory copies."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from harness.peak import BANDWIDTH, DATASHEETS
from harness.records import Peak
from harness.system import System
from workloads.framework import default_device, settle_threads

_SECONDS = 1.5
"""For the tries of one kind of work, after a first one that does not count."""
_LEAST_TRIES = 3
_TOGETHER = 10
"""Products or copies in a try on an accelerator, so that starting them costs next to nothing."""
_KINDS = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


@dataclass(frozen=True)
class Size:
    """How large what is tried is."""

    product: int
    """Rows and columns of the matrices; 8 times the channels of the convolution."""
    copy_bytes: int = 2**29
    """Far beyond the caches of processors and accelerators."""


@dataclass(frozen=True)
class Rate:
    """Of several tries: work done per second."""

    best: float
    spread: float
    """How far the median lay below the best, as a share of it."""


def device_text(system: System) -> str:
    """The device that runs on this machine, ``system``, use by default, as a `Peak` names it."""
    if default_device().type == "cuda":
        return str(torch.cuda.get_device_name(0))
    settle_threads()
    threads = torch.get_num_threads()
    return f"{system.processor.model}, {threads} thread{'' if threads == 1 else 's'}"


def measure_peak(
    system: System, measured_ms: int, size: Size | None = None, seconds: float = _SECONDS
) -> Peak:
    """Measure the default device of this machine, ``system``, with as many threads as runs use.

    It takes about 10 s. ``measured_ms`` is the wall time to note. A CPU is tried in fp32
    and bf16, an accelerator in tf32 and fp16 as well.
    """
    device, text = default_device(), device_text(system)
    size = size or Size(8192 if device.type == "cuda" else 2048)
    names = list(_KINDS) if device.type == "cuda" else ["fp32", "bf16"]
    rates = {name: arithmetic(name, device, size.product, seconds) for name in names}
    memory = copies(device, size.copy_bytes, seconds)
    return Peak(
        device=text,
        flops={name: rate.best for name, rate in rates.items()},
        bandwidth_bytes_per_s=memory.best,
        measured_ms=measured_ms,
        spread={name: rate.spread for name, rate in {**rates, BANDWIDTH: memory}.items()},
        datasheet=DATASHEETS.get(text, {}),
    )


def arithmetic(precision: str, device: torch.device, size: int, seconds: float) -> Rate:
    """Operations per second of large matrix products; a multiply and add are two.

    On a CPU of large convolutions, too, and the better of both. Another library does them, and
    may know the processor better: on a Zen 5, fp32 products reach less than half of what
    convolutions do.
    """
    products = _products(precision, device, size, seconds)
    if device.type == "cuda":
        return products
    return max(products, _convolutions(precision, size // 8, seconds), key=lambda rate: rate.best)


def _products(precision: str, device: torch.device, size: int, seconds: float) -> Rate:
    kind = _KINDS[precision]
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    out = torch.empty_like(a)
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    try:
        return _tried(lambda: torch.mm(a, b, out=out), 2 * size**3, device, seconds)
    finally:
        torch.set_float32_matmul_precision(allowed)


def _convolutions(precision: str, channels: int, seconds: float) -> Rate:
    """Of 3x3 on the CPU, without padding, whose products with nought a library may leave out."""
    images, side = 8, 32
    last, kind = torch.channels_last, _KINDS[precision]
    x = torch.randn(images, channels, side + 2, side + 2).to(kind, memory_format=last)
    weight = torch.randn(channels, channels, 3, 3).to(kind, memory_format=last)
    amount = 2 * images * side**2 * 9 * channels**2
    return best_of(lambda: functional.conv2d(x, weight), amount, seconds)


def copies(device: torch.device, size: int, seconds: float) -> Rate:
    """Bytes per second, read and written, of copies of ``size`` bytes in the device's memory."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return _tried(lambda: target.copy_(source), 2 * size, device, seconds)


def _tried(work: Callable[[], object], amount: int, device: torch.device, seconds: float) -> Rate:
    if device.type != "cuda":
        return best_of(work, amount, seconds)

    def together() -> None:
        for _ in range(_TOGETHER):
            work()
        torch.cuda.synchronize(device)

    return best_of(together, _TOGETHER * amount, seconds)


def best_of(
    work: Callable[[], object],
    amount: int,
    seconds: float,
    now: Callable[[], float] = time.perf_counter,
) -> Rate:
    """The rate of ``work``, which does ``amount``: once unmeasured, then again for ``seconds``."""
    work()
    rates: list[float] = []
    end = now() + seconds
    while len(rates) < _LEAST_TRIES or now() < end:
        begun = now()
        work()
        rates.append(amount / (now() - begun))
    best = max(rates)
    return Rate(best, 1 - statistics.median(rates) / best)
