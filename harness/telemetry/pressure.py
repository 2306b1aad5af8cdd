"""Linux pressure stall information: time lost to waiting for processor, memory and disk."""

import errno
from collections.abc import Mapping
from pathlib import Path

from harness.telemetry.kernel_file import Group, KernelFile, take
from harness.telemetry.log import Reading
from harness.telemetry.sampler import Presence

_KINDS = (("cpu", ("some",)), ("memory", ("some", "full")), ("io", ("some", "full")))


class Pressure:
    """Seconds since boot in which some, or all, tasks of the machine were held up.

    Totals of the kernel's Documentation/accounting/psi.rst, which are in microseconds.
    """

    name = "pressure"

    def __init__(self, root: Path = Path("/proc/pressure")) -> None:
        self._files = {kind: KernelFile(root / kind) for kind, _ in _KINDS}
        self._gaps: dict[str, str] = {}

    def available(self) -> bool:
        """Whether the kernel keeps the totals; one that may not be read is a gap."""
        try:
            self._files["cpu"].text()
        except OSError as error:
            return error.errno in (errno.EACCES, errno.EPERM)
        return True

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        try:
            self._files["cpu"].text()
        except PermissionError:
            why = f"permission denied: {self._files['cpu'].path}"
            return Presence(self.name, False, why, "run as a user who may read it")
        except OSError:
            why = "the kernel keeps no pressure totals"
            return Presence(self.name, False, why, "start Linux 4.20 or later with psi=1")
        return Presence(self.name, True, "time that tasks waited for processor, memory and disk")

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        values, self._gaps = take(self._group(kind, shares) for kind, shares in _KINDS)
        return values

    def _group(self, kind: str, shares: tuple[str, ...]) -> Group:
        def read() -> dict[str, Reading]:
            totals = _totals(self._files[kind].text())
            return {f"{kind}_{share}_s": totals[share] for share in shares}

        return tuple(f"{kind}_{share}_s" for share in shares), read


def _totals(text: str) -> dict[str, float]:
    """Seconds by share from lines like ``some avg10=0.00 avg60=0.00 avg300=0.00 total=1234``."""
    lines = (line.partition(" ") for line in text.splitlines())
    return {share: int(rest.rpartition("total=")[2]) / 1e6 for share, _, rest in lines}
