"""Measured peaks: where the machine's own is kept, and what vendors promise of some devices."""

from pathlib import Path

from pydantic import ValidationError

from harness.cache import cache_folder
from harness.errors import LevelfieldError
from harness.records import Peak

BANDWIDTH = "bandwidth_bytes_per_s"
"""What memory's figure is called where it stands among those of precisions."""

# Dense matrix products, so half of what a sheet marks "with sparsity"; fp32 is without tensor
# cores. By the names that NVIDIA's driver gives.
DATASHEETS: dict[str, dict[str, float]] = {
    # NVIDIA H100 Tensor Core GPU datasheet, column H100 SXM.
    "NVIDIA H100 80GB HBM3": {
        "fp32": 67e12, "tf32": 494.5e12, "fp16": 989.5e12, "bf16": 989.5e12, BANDWIDTH: 3.35e12,
    },
    # NVIDIA H200 Tensor Core GPU datasheet, column H200 SXM.
    "NVIDIA H200": {
        "fp32": 67e12, "tf32": 494.5e12, "fp16": 989.5e12, "bf16": 989.5e12, BANDWIDTH: 4.8e12,
    },
    # NVIDIA A100 Tensor Core GPU datasheet, columns A100 40GB SXM and A100 80GB SXM.
    "NVIDIA A100-SXM4-40GB": {
        "fp32": 19.5e12, "tf32": 156e12, "fp16": 312e12, "bf16": 312e12, BANDWIDTH: 1.555e12,
    },
    "NVIDIA A100-SXM4-80GB": {
        "fp32": 19.5e12, "tf32": 156e12, "fp16": 312e12, "bf16": 312e12, BANDWIDTH: 2.039e12,
    },
    # NVIDIA Blackwell architecture technical brief, HGX B200, per GPU.
    "NVIDIA B200": {"fp16": 2250e12, "bf16": 2250e12, BANDWIDTH: 8e12},
    # NVIDIA L4 Tensor Core GPU datasheet.
    "NVIDIA L4": {
        "fp32": 30.3e12, "tf32": 60e12, "fp16": 121e12, "bf16": 121e12, BANDWIDTH: 300e9,
    },
    # NVIDIA Ada GPU architecture whitepaper, GeForce RTX 4090; products add up in 32 bits.
    "NVIDIA GeForce RTX 4090": {
        "fp32": 82.6e12, "tf32": 82.6e12, "fp16": 165.2e12, "bf16": 165.2e12, BANDWIDTH: 1008e9,
    },
}  # fmt: skip


def keep_peak(peak: Peak) -> Path:
    """Keep ``peak`` in place of an earlier one; return the file."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(peak.to_json(), "utf-8")
        draft.replace(path)
    except OSError as error:
        raise LevelfieldError(
            f"{path}: the peak cannot be kept: {error.strerror}; set XDG_CACHE_HOME to a folder "
            "that can be written"
        ) from error
    return path


def read_peak() -> Peak | None:
    """The peak that was kept last; none if none was. `LevelfieldError` where the file is spoilt."""
    path = _path()
    try:
        return Peak.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error.strerror}; mend its permissions"
        ) from error
    except ValidationError as error:
        raise LevelfieldError(
            f"{path}: not a measured peak; delete the file, or measure again with "
            "levelfield doctor --peak"
        ) from error


def peak_of(device: str) -> Peak | None:
    """The kept peak if it is of ``device``, else none; errors as `read_peak`."""
    peak = read_peak()
    return peak if peak and peak.device == device else None


def told(peak: Peak, now_ms: int) -> str:
    """``peak`` and its age in one line."""
    figures = [f"{name} {_rate(name, value)}" for name, value in peak.flops.items()]
    figures.append(f"memory {_rate(BANDWIDTH, peak.bandwidth_bytes_per_s)}")
    return f"{', '.join(figures)} on {peak.device}, measured {_ago(now_ms - peak.measured_ms)}"


def rows(peak: Peak) -> list[list[str]]:
    """For a table: name, best try, how far the median lay below it, datasheet, best over that."""
    found = []
    for name, best in {**peak.flops, BANDWIDTH: peak.bandwidth_bytes_per_s}.items():
        promised = peak.datasheet.get(name)
        found.append(
            [
                "memory copy" if name == BANDWIDTH else f"arithmetic, {name}",
                _rate(name, best),
                f"{peak.spread[name]:.1%}" if name in peak.spread else "—",
                _rate(name, promised) if promised else "—",
                f"{best / promised:.0%}" if promised else "—",
            ]
        )
    return found


def _path() -> Path:
    return cache_folder() / "peak.json"


def _rate(name: str, value: float) -> str:
    unit = "B/s" if name == BANDWIDTH else "FLOP/s"
    size, prefix = (1e12, "T") if value >= 1e12 else (1e9, "G")
    return f"{value / size:,.3g} {prefix}{unit}" if value < 1000 * size else f"{value:.3g} {unit}"


def _ago(passed_ms: int) -> str:
    minutes = passed_ms // 60_000
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now" if minutes == 0 else "by a clock that was ahead of this one"
