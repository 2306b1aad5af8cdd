import gc

import pynvml
import pytest
from fake_nvml import FakeDevice, FakeNvml

from harness.telemetry.gpm import Gpm


def test_shares_are_of_the_interval_since_the_last_reading() -> None:
    device = FakeDevice(sm_activity=lambda tick: 80.0 if tick % 2 else 40.0)
    with FakeNvml([device]) as fake:
        gpm = Gpm()
        assert gpm.available()
        assert gpm.read()["sm_activity"] == (None,)
        assert gpm.gaps()["sm_activity"] == "not read yet"
        seen = []
        for ticks in (1, 1, 4, 1):
            fake.advance(ticks)
            seen.append(gpm.read()["sm_activity"])
        assert gpm.gaps() == {}
    assert seen == [(0.8,), (0.4,), (pytest.approx(0.6),), (0.8,)]


def test_every_metric_is_a_share() -> None:
    with FakeNvml([FakeDevice()]) as fake:
        gpm = Gpm()
        gpm.read()
        fake.advance()
        assert gpm.read() == {
            "sm_activity": (0.915,),
            "sm_occupancy": (0.44,),
            "tensor_activity": (0.57,),
            "dram_bandwidth_utilisation": (0.52,),
        }


def test_an_older_card_beside_a_newer_one_is_a_gap_in_its_place() -> None:
    with FakeNvml([FakeDevice(gpm=False), FakeDevice()]) as fake:
        gpm = Gpm()
        gpm.read()
        fake.advance()
        assert gpm.read()["tensor_activity"] == (None, 0.57)
        assert gpm.gaps()["tensor_activity"] == "not supported"
    with FakeNvml([FakeDevice(gpm=False)]):
        assert not Gpm().available()
        assert "Hopper" in Gpm().presence().what


def test_an_interval_without_a_tick_is_a_gap_not_a_number() -> None:
    with FakeNvml([FakeDevice()]):
        gpm = Gpm()
        gpm.read()
        assert gpm.read()["sm_activity"] == (None,)
        assert gpm.gaps()["sm_activity"] == "read failed"


def test_after_a_failed_reading_the_interval_reaches_back_to_the_last_good_one() -> None:
    device = FakeDevice(sm_activity=lambda tick: 10.0 * tick)
    with FakeNvml([device]) as fake:
        gpm = Gpm()
        gpm.read()
        fake.advance()
        device.errors = {"nvmlGpmSampleGet": pynvml.NVML_ERROR_TIMEOUT}
        assert gpm.read()["sm_activity"] == (None,)
        assert gpm.gaps()["sm_activity"] == "read failed"
        device.errors = {}
        fake.advance()
        assert gpm.read()["sm_activity"] == (pytest.approx(0.15),)


def test_a_lost_card_leaves_gaps() -> None:
    with FakeNvml([FakeDevice(), FakeDevice(lost_at=1)]) as fake:
        gpm = Gpm()
        gpm.read()
        fake.advance()
        assert gpm.read()["sm_activity"] == (0.915, None)
        assert gpm.gaps()["sm_activity"] == "device lost"


def test_counters_kept_for_the_administrator_are_told_with_what_to_do() -> None:
    denied = {"nvmlGpmSampleGet": pynvml.NVML_ERROR_NO_PERMISSION}
    with FakeNvml([FakeDevice(errors=denied)]):
        presence = Gpm().presence()
    assert not presence.present
    assert presence.what == "permission denied"
    assert "NVreg_RestrictProfilingToAdminUsers" in presence.advice


def test_without_a_driver_there_is_no_source() -> None:
    with FakeNvml([], init_error=pynvml.NVML_ERROR_LIBRARY_NOT_FOUND):
        gpm = Gpm()
        assert not gpm.available()
        assert "no NVIDIA driver" in gpm.presence().what


def test_buffers_and_library_are_given_back() -> None:
    with FakeNvml([FakeDevice()]) as fake:
        gpm = Gpm()
        gpm.read()
        gpm.read()
        assert (fake.open_buffers, fake.initialised) == (2, 1)
        del gpm
        gc.collect()
        assert (fake.open_buffers, fake.initialised) == (0, 0)
