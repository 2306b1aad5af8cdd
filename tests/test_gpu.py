"""The NVIDIA sources on a real card."""

import itertools
import time
from collections.abc import Iterator

import pytest
import torch

from harness.telemetry.gpm import Gpm
from harness.telemetry.log import Reading
from harness.telemetry.nvml import Nvml, throttle_names

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not (Nvml().available() and torch.cuda.is_available()), reason="no NVIDIA card for torch"
    ),
]
PLAUSIBLE = {
    "utilisation": (0, 1),
    "memory_utilisation": (0, 1),
    "memory_used_bytes": (1e6, 1e12),
    "power_w": (5, 2000),
    "power_limit_w": (20, 2000),
    "energy_j": (0, 1e12),
    "sm_clock_hz": (1e8, 5e9),
    "memory_clock_hz": (1e8, 2e10),
    "temperature_c": (5, 110),
    "throttle_reasons": (0, 2**64),
    "pcie_tx_bytes_per_s": (0, 2e11),
    "pcie_rx_bytes_per_s": (0, 2e11),
    "ecc_errors": (0, 1e6),
    "other_processes": (0, 1000),
}


def first(reading: Reading) -> float:
    assert isinstance(reading, tuple)
    assert reading[0] is not None
    return reading[0]


def load(seconds: float) -> Iterator[None]:
    """Matrix products on the card for so long, handing back ten times a second."""
    matrix = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    start = time.monotonic()
    while (now := time.monotonic()) - start < seconds:
        while time.monotonic() - now < 0.1:
            matrix @ matrix
            torch.cuda.synchronize()
        yield


def test_every_quantity_is_plausible_or_a_gap_with_its_reason() -> None:
    nvml = Nvml()
    for _ in load(3):
        values = nvml.read()
    assert values.keys() == PLAUSIBLE.keys()
    for name, (least, most) in PLAUSIBLE.items():
        if name not in nvml.gaps():
            assert least <= first(values[name]) <= most, name
    assert nvml.presence().present


def test_energy_is_power_over_time() -> None:
    nvml = Nvml()
    if "energy_j" in (nvml.read(), nvml.gaps())[1]:
        pytest.skip("no energy counter")
    readings = []
    for _ in load(10):
        values = nvml.read()
        readings.append((time.monotonic(), first(values["energy_j"]), first(values["power_w"])))
    steady = readings[20:]  # power is an average over up to a second: its rise is left out
    spans = [(b[0] - a[0], (a[2] + b[2]) / 2) for a, b in itertools.pairwise(steady)]
    by_power = sum(seconds * watts for seconds, watts in spans)
    assert steady[-1][1] - steady[0][1] == pytest.approx(by_power, rel=0.1)


def test_a_card_that_multiplies_matrices_has_busy_tensor_cores() -> None:
    gpm = Gpm()
    if not gpm.presence().present:
        pytest.skip(gpm.presence().what)
    seen = []
    for _ in load(3):
        seen.append(gpm.read())
    assert gpm.gaps() == {}
    for name in ("sm_activity", "sm_occupancy", "tensor_activity", "dram_bandwidth_utilisation"):
        assert 0 < first(seen[-1][name]) <= 1.01, name
    assert first(seen[-1]["sm_activity"]) > 0.5
    assert first(seen[-1]["tensor_activity"]) > 0.3


def test_the_reasons_of_a_busy_card_are_known() -> None:
    nvml = Nvml()
    for _ in load(1):
        mask = nvml.read()["throttle_reasons"]
    names = throttle_names(int(first(mask)))
    assert not [name for name in names if name.startswith("bit_")]
    assert "gpu_idle" not in names
