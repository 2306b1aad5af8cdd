"""Every telemetry source, in the order in which a tick reads them."""

from harness.telemetry.cgroup import Cgroup
from harness.telemetry.gpm import Gpm
from harness.telemetry.host import Host
from harness.telemetry.meter import Meter
from harness.telemetry.nvml import Nvml
from harness.telemetry.pressure import Pressure
from harness.telemetry.rapl import Rapl
from harness.telemetry.sampler import Source


def all_sources(meter: str | None = None, owner: int | None = None) -> list[Source]:
    """The sources of a run; the sampler leaves out those that this machine has not.

    ``meter`` is the command or the file of an external power meter; see `Meter` for its errors.
    ``owner`` is the process that is measured: it and all that it started are not "others". This
    one if none.
    """
    sources: list[Source] = [
        Host(owner=owner),
        Pressure(),
        Cgroup(),
        Rapl(),
        Nvml(owner=owner),
        Gpm(),
    ]
    return [*sources, Meter(meter)] if meter else sources
