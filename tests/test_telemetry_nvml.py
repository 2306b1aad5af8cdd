import os

import psutil
import pynvml
import pytest
from fake_nvml import (
    HOT,
    MEMORY_BYTES,
    POWER_CAP,
    FakeDevice,
    FakeNvml,
    lost_log,
    lying_log,
    throttled_log,
)

from harness.system import find_accelerators
from harness.telemetry.nvml import Nvml, gpu_constraints, throttle_names, throttles

CONTRACT = {
    "utilisation", "memory_utilisation", "memory_used_bytes", "power_w", "energy_j",
    "sm_clock_hz", "memory_clock_hz", "temperature_c", "throttle_reasons", "pcie_tx_bytes_per_s",
    "pcie_rx_bytes_per_s", "ecc_errors", "other_processes", "power_limit_w",
}  # fmt: skip


def test_every_quantity_is_read_in_base_units() -> None:
    with FakeNvml([FakeDevice()]) as fake:
        nvml = Nvml(fake.now_ns)
        assert nvml.available()
        nvml.read()
        fake.advance(10)
        values = nvml.read()
        assert nvml.gaps() == {}
    assert values.keys() == CONTRACT
    assert values["power_w"] == (620.0,)
    assert values["power_limit_w"] == (700.0,)
    assert values["energy_j"] == (pytest.approx(123_456.789 + 620.0),)
    assert values["utilisation"] == (0.99,)
    assert values["sm_clock_hz"] == (1_980_000_000,)
    assert values["pcie_rx_bytes_per_s"] == (1_200_000_000,)
    assert values["memory_used_bytes"] == (96 * 2**30,)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "libnvidia-ml.so.1 not found"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "different versions"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "no permission"),
        (pynvml.NVML_ERROR_MEMORY, "Insufficient Memory"),
    ],
)
def test_a_driver_that_does_not_start_is_told_with_what_to_do(code: int, said: str) -> None:
    with FakeNvml([FakeDevice()], init_error=code):
        presence = Nvml().presence()
        assert not Nvml().available()
        assert gpu_constraints() == {}
        assert find_accelerators() == ()
    assert not presence.present
    assert said in presence.what
    assert presence.advice


def test_a_driver_without_a_card_is_no_source() -> None:
    with FakeNvml([]) as fake:
        nvml = Nvml()
        assert not nvml.available()
        assert "no card" in nvml.presence().what
        del nvml
        assert fake.initialised == 0


def test_what_is_there_and_what_is_missing_is_told_in_one_line() -> None:
    refused = {"nvmlDeviceGetTotalEnergyConsumption": pynvml.NVML_ERROR_NOT_SUPPORTED}
    with FakeNvml([FakeDevice(), FakeDevice()]):
        assert Nvml().presence().what == "2 x NVIDIA H200, driver 570.133.20: every quantity"
    with FakeNvml([FakeDevice(errors=refused)]):
        presence = Nvml().presence()
        assert presence.present
        assert presence.what.endswith("without energy_j (not supported)")
    with FakeNvml([FakeDevice(lost_at=0)]):
        presence = Nvml().presence()
        assert not presence.present
        assert "restart" in presence.advice


def test_what_is_not_supported_is_asked_for_once_and_told_every_time() -> None:
    function = "nvmlDeviceGetTotalEccErrors"
    device = FakeDevice(errors={function: pynvml.NVML_ERROR_NOT_SUPPORTED})
    with FakeNvml([device, FakeDevice()]) as fake:
        nvml = Nvml(fake.now_ns)
        for _ in range(3):
            assert nvml.read()["ecc_errors"] == (None, 0)
            assert nvml.gaps()["ecc_errors"] == "not supported"
        assert fake.calls.count((function, 0)) == 1
        assert fake.calls.count((function, 1)) == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_NO_PERMISSION, "permission denied"),
        (pynvml.NVML_ERROR_TIMEOUT, "read failed"),
        (pynvml.NVML_ERROR_UNKNOWN, "read failed"),
    ],
)
def test_a_failed_reading_is_tried_again(code: int, reason: str) -> None:
    device = FakeDevice(errors={"nvmlDeviceGetPowerUsage": code})
    with FakeNvml([device]) as fake:
        nvml = Nvml(fake.now_ns)
        assert nvml.read()["power_w"] == (None,)
        assert nvml.gaps()["power_w"] == reason
        device.errors = {}
        assert nvml.read()["power_w"] == (620.0,)
        assert "power_w" not in nvml.gaps()


def test_a_lost_card_leaves_gaps_from_then_on_and_the_other_goes_on() -> None:
    with FakeNvml([FakeDevice(), FakeDevice(lost_at=2)]) as fake:
        nvml = Nvml(fake.now_ns)
        nvml.read()
        fake.advance(2)
        values = nvml.read()
        assert nvml.gaps().keys() == CONTRACT
        assert nvml.gaps()["power_w"] == "device lost"
        fake.calls.clear()
        nvml.read()
        assert {device for _, device in fake.calls} == {0}
    assert values["power_w"] == (620.0, None)
    pcie = values["pcie_tx_bytes_per_s"]
    assert isinstance(pcie, tuple)
    assert pcie[1] is None


@pytest.mark.parametrize(
    "device",
    [FakeDevice(reloaded_at=3), FakeDevice(energy_mj=2**32 - 150_000, wraps_at_mj=2**32)],
)
def test_an_energy_counter_that_falls_is_a_gap_from_there(device: FakeDevice) -> None:
    with FakeNvml([device]) as fake:
        nvml = Nvml(fake.now_ns)
        read = []
        for _ in range(6):
            gap = nvml.read()["energy_j"] == (None,)
            read.append((gap, nvml.gaps().get("energy_j")))
            fake.advance()
    assert read == [(False, None)] * 3 + [(True, "counter unreadable")] * 3


def test_pcie_is_asked_at_most_once_a_reading_and_each_counter_once_a_second() -> None:
    with FakeNvml([FakeDevice(), FakeDevice()]) as fake:
        nvml = Nvml(fake.now_ns)
        asked = []
        for _ in range(20):
            fake.calls.clear()
            nvml.read()
            asked.append([name for name, _ in fake.calls].count("nvmlDeviceGetPcieThroughput"))
            fake.advance()
    assert asked == ([1] * 4 + [0] * 6) * 2


def test_only_processes_that_are_not_ours_count() -> None:
    child = psutil.Popen(["sleep", "60"])
    try:
        with FakeNvml([FakeDevice(others=(child.pid, os.getppid()))]):
            assert Nvml().read()["other_processes"] == (1,)
            # To the child we are one of two others; to our parent nobody is.
            assert Nvml(owner=child.pid).read()["other_processes"] == (2,)
            assert Nvml(owner=os.getppid()).read()["other_processes"] == (0,)
    finally:
        child.kill()
        child.wait()


def test_processes_of_another_namespace_are_a_gap() -> None:
    with FakeNvml([FakeDevice(others=(2**30,))]):
        nvml = Nvml()
        assert nvml.read()["other_processes"] == (None,)
        assert nvml.gaps()["other_processes"] == "processes not visible"


def test_reasons_have_names_and_only_some_slow_down() -> None:
    harmless = (
        pynvml.nvmlClocksEventReasonGpuIdle
        | pynvml.nvmlClocksEventReasonApplicationsClocksSetting
        | pynvml.nvmlClocksEventReasonDisplayClockSetting
    )
    assert throttles(harmless) == ()
    assert throttle_names(harmless) == (
        "gpu_idle", "applications_clocks_setting", "display_clock_setting",
    )  # fmt: skip
    assert throttles(harmless | POWER_CAP | HOT) == ("sw_power_cap", "hw_thermal_slowdown")
    assert len(throttles(pynvml.nvmlClocksEventReasonAll)) == 6
    assert throttle_names(1 << 63) == ("bit_63",)
    assert throttle_names(-1) == ()


def test_lowered_limits_are_found_the_tightest_of_all_cards() -> None:
    capped = FakeDevice(power_limit_w=300.0, application_clock_mhz=1200)
    with FakeNvml([FakeDevice(), FakeDevice(power_limit_w=500.0), capped]) as fake:
        assert gpu_constraints() == {"gpu_power_limit_w": 300.0, "gpu_sm_clock_hz": 1_200_000_000}
        assert fake.initialised == 0
    refused = {"nvmlDeviceGetApplicationsClock": pynvml.NVML_ERROR_NOT_SUPPORTED}
    with FakeNvml([FakeDevice(errors=refused, application_clock_mhz=1200)]):
        assert gpu_constraints() == {}


def test_accelerators_are_described_but_for_those_that_do_not_answer() -> None:
    shared = FakeDevice(errors={"nvmlDeviceGetMemoryInfo": pynvml.NVML_ERROR_NOT_SUPPORTED})
    with FakeNvml([FakeDevice(), FakeDevice(lost_at=0), shared]) as fake:
        card, sharing = find_accelerators()
        assert fake.initialised == 0
    assert (card.model, card.memory_bytes) == ("NVIDIA H200", MEMORY_BYTES)
    assert card.driver == "570.133.20"
    assert sharing.memory_bytes == psutil.virtual_memory().total


def test_the_scripted_runs_show_what_they_are_named_for() -> None:
    masks = [value for _, value in throttled_log(10_000, 14_000).series("nvml", "throttle_reasons")]
    assert masks == [(0,)] * 20 + [(HOT,)] * 20 + [(0,)] * 21
    power = lost_log(10_000, 14_000).series("nvml", "power_w")
    assert power[29] == (11_900, (620.0, 620.0))
    assert power[30] == (12_000, (620.0, None))
    log = lying_log(10_000, 14_000)
    assert log.series("nvml", "utilisation")[30][1] == (1.0,)
    assert log.series("gpm", "sm_activity")[30][1] == (0.05,)
