"""The host's own counters through psutil: processors, memory, disk and network traffic."""

from collections.abc import Mapping

import psutil

from harness.telemetry.log import Reading
from harness.telemetry.sampler import Presence


class Host:
    """CPU use per core (share of the interval since the last reading), memory, I/O totals."""

    name = "host"

    def __init__(self) -> None:
        psutil.cpu_percent(percpu=True)  # the first reading has no interval to look back on

    def available(self) -> bool:
        """Always."""
        return True

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        return Presence(self.name, True, "processors, memory, disk and network")

    def gaps(self) -> Mapping[str, str]:
        """None yet."""
        return {}

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        return {
            "cpu_utilisation": tuple(
                round(percent / 100, 4) for percent in psutil.cpu_percent(percpu=True)
            ),
            "cpu_frequency_hz": _frequencies(),
            "memory_used_bytes": _memory_used(),
            **_traffic(),
        }


def _frequencies() -> Reading:
    frequencies = psutil.cpu_freq(percpu=True) if hasattr(psutil, "cpu_freq") else None
    return tuple(f.current * 1e6 for f in frequencies) if frequencies else None


def _memory_used() -> int:
    memory = psutil.virtual_memory()
    return int(memory.total - memory.available)


def _traffic() -> dict[str, Reading]:
    """Totals since boot; the difference over a window is what was moved in it."""
    disk, network = psutil.disk_io_counters(), psutil.net_io_counters()
    return {
        "disk_read_bytes": disk.read_bytes if disk else None,
        "disk_write_bytes": disk.write_bytes if disk else None,
        "network_received_bytes": network.bytes_recv if network else None,
        "network_sent_bytes": network.bytes_sent if network else None,
    }
