"""Every telemetry source, in the order in which a tick reads them."""

from harness.telemetry.cgroup import Cgroup
from harness.telemetry.gpm import Gpm
from harness.telemetry.host import Host
from harness.telemetry.meter import Meter
from harness.telemetry.nvml import Nvml
from harness.telemetry.pressure import Pressure
from harness.telemetry.rapl import Rapl
from harness.telemetry.sampler import Source


def all_sources(meter: str | None = None) -> list[Source]:
    """The sources of a run; the sampler leaves out those that this machine has not.

    ``meter`` is the command or the file of an external power meter; see `Meter` for its errors.
    """
    sources: list[Source] = [Host(), Pressure(), Cgroup(), Rapl(), Nvml(), Gpm()]
    return [*sources, Meter(meter)] if meter else sources
