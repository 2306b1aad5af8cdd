"""Energy of the processors' packages and of their memory, counted by RAPL, through powercap."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.telemetry.kernel_file import KernelFile
from harness.telemetry.log import Reading
from harness.telemetry.sampler import Presence, reason

ROOT = Path("/sys/class/powercap")
_PERMIT = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


class Rapl:
    """Joules since some moment, a total a package; AMD's processors count under Intel's name.

    The hardware's counter wraps within minutes at full power; the totals here go on. See the
    kernel's Documentation/power/powercap/powercap.rst.
    """

    name = "rapl"

    def __init__(self, root: Path = ROOT) -> None:
        folders = sorted(root.glob("intel-rapl:*"), key=_numbers)
        self._counters = {
            "package_energy_j": [_Counter(f) for f in folders if _domain(f).startswith("package")],
            "dram_energy_j": [_Counter(f) for f in folders if _domain(f) == "dram"],
        }
        self._gaps: dict[str, str] = {}

    def available(self) -> bool:
        """Whether a package counts; counters that may not be read are gaps."""
        return bool(self._counters["package_energy_j"])

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        if not self.available():
            why = f"no energy counter in {ROOT} (a virtual machine, or no driver)"
            return Presence(self.name, False, why, "on real hardware: sudo modprobe intel_rapl_msr")
        why = _trouble(self._counters["package_energy_j"])
        if why:
            return Presence(self.name, False, why, _PERMIT if why == "permission denied" else "")
        packages = len(self._counters["package_energy_j"])
        memory = " and of memory" if self._counters["dram_energy_j"] else ""
        return Presence(self.name, True, f"energy of {packages} processor package(s){memory}")

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        self._gaps = {}
        return {
            quantity: self._totals(quantity, counters)
            for quantity, counters in self._counters.items()
            if counters
        }

    def _totals(self, quantity: str, counters: "Sequence[_Counter]") -> Reading:
        """An entry a counter; none, and a gap's reason, for one that cannot be read."""
        entries: list[float | None] = []
        for counter in counters:
            try:
                entries.append(counter.joules())
            except (OSError, ValueError) as error:
                entries.append(None)
                self._gaps[quantity] = reason(error)
        return tuple(entries)


class _Counter:
    """One domain's energy, unwrapped."""

    def __init__(self, folder: Path) -> None:
        self._energy = KernelFile(folder / "energy_uj")
        self._range = KernelFile(folder / "max_energy_range_uj")
        self._last: int | None = None
        self._total = 0

    def joules(self) -> float:
        """The total, which never falls; OSError or ValueError where it cannot be read."""
        now = self._energy.number()
        step = now if self._last is None else now - self._last
        if step < 0:  # wrapped: the counter went to its range's end and began anew
            step += self._range.number()
        self._last, self._total = now, self._total + max(0, step)
        return self._total / 1e6


def _domain(folder: Path) -> str:
    try:
        return (folder / "name").read_text("utf-8").strip()
    except OSError:
        return ""


def _numbers(folder: Path) -> list[int]:
    """``intel-rapl:1:0`` as ``[1, 0]``, so that the tenth package does not follow the first."""
    return [int(word) for word in folder.name.split(":")[1:] if word.isdecimal()]


def _trouble(counters: Sequence[_Counter]) -> str:
    """Why the first counter cannot be read; empty if it can."""
    try:
        counters[0].joules()
    except (OSError, ValueError) as error:
        return reason(error)
    return ""
