"""The control group that this process runs in: what held it back, and its memory."""

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.telemetry.kernel_file import Group, KernelFile, take
from harness.telemetry.log import Reading
from harness.telemetry.sampler import Presence

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def own_folders(
    controller: str, root: Path = ROOT, membership: Path = MEMBERSHIP
) -> tuple[Path, ...]:
    """This process's group for ``cpu`` or ``memory`` and those above it, the nearest first.

    Version 1 has a tree a controller, version 2 one tree for all; see cgroups(7). In a container
    the tree may begin at the container's own group, whatever path the kernel tells.
    """
    try:
        lines = [line.split(":", 2) for line in membership.read_text("utf-8").splitlines()]
    except OSError:
        return ()
    found = {names: path for _, names, path in (line for line in lines if len(line) == 3)}
    for names, path in found.items():
        if controller in names.split(","):
            mount = root / names
            return _chain(mount if mount.is_dir() else root / controller, path)
    unified = root / "unified"
    return _chain(unified if unified.is_dir() else root, found[""]) if "" in found else ()


def _chain(mount: Path, path: str) -> tuple[Path, ...]:
    parts = [part for part in path.split("/") if part]
    folders = [mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
    if ".." in parts or not folders[0].is_dir():
        folders = [mount]
    return tuple(folder for folder in folders if folder.is_dir())


class Cgroup:
    """Time throttled by a processor quota, summed over cores and over the groups above; memory.

    A group has only some of the files: the quantities of those that it lacks are left out.
    """

    name = "cgroup"

    def __init__(self, root: Path = ROOT, membership: Path = MEMBERSHIP) -> None:
        stats = [folder / "cpu.stat" for folder in own_folders("cpu", root, membership)]
        self._stats = [KernelFile(path) for path in stats if _throttles(path)]
        self._memory: list[tuple[str, KernelFile]] = []
        self._kills: KernelFile | None = None
        folders = own_folders("memory", root, membership)
        if folders:
            self._find_memory(folders[0])
        self._gaps: dict[str, str] = {}

    def _find_memory(self, folder: Path) -> None:
        """Names of version 2 first, then of version 1."""
        names = {
            "memory_used_bytes": ("memory.current", "memory.usage_in_bytes"),
            "memory_peak_bytes": ("memory.peak", "memory.max_usage_in_bytes"),
        }
        for quantity, files in names.items():
            there = [folder / file for file in files if (folder / file).exists()]
            self._memory += [(quantity, KernelFile(path)) for path in there[:1]]
        events = [folder / file for file in ("memory.events", "memory.oom_control")]
        self._kills = next((KernelFile(path) for path in events if path.exists()), None)

    def available(self) -> bool:
        """Whether the group has any counter."""
        return bool(self._stats or self._memory)

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        if not self.available():
            why = f"no counters of this process's control group below {ROOT}"
            return Presence(self.name, False, why)
        what = [
            *(["throttling by a processor quota"] if self._stats else []),
            *(["memory of the control group"] if self._memory else []),
        ]
        return Presence(self.name, True, ", ".join(what))

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        values, self._gaps = take(self._groups())
        return values

    def _groups(self) -> list[Group]:
        groups: list[Group] = []
        if self._stats:
            groups.append((("throttled_s", "throttled_periods"), self._throttling))
        for quantity, file in self._memory:
            groups.append(((quantity,), _reading(quantity, file)))
        if self._kills:
            groups.append((("oom_kills",), _kills(self._kills)))
        return groups

    def _throttling(self) -> dict[str, Reading]:
        seconds, periods = 0.0, 0
        for file in self._stats:
            counts = _counts(file.text())
            # Version 2 counts microseconds, version 1 nanoseconds, each by a name of its own.
            nanoseconds = counts.get("throttled_time")
            seconds += counts["throttled_usec"] / 1e6 if nanoseconds is None else nanoseconds / 1e9
            periods += counts["nr_throttled"]
        return {"throttled_s": seconds, "throttled_periods": periods}


def _throttles(path: Path) -> bool:
    """Whether a group's ``cpu.stat`` tells of throttling; version 2's root does not."""
    try:
        return "nr_throttled" in path.read_text("utf-8")
    except PermissionError:
        return True  # a gap that the log should tell
    except OSError:
        return False


def _reading(quantity: str, file: KernelFile) -> Callable[[], dict[str, Reading]]:
    return lambda: {quantity: int(file.text())}


def _kills(file: KernelFile) -> Callable[[], dict[str, Reading]]:
    return lambda: {"oom_kills": _counts(file.text())["oom_kill"]}


def _counts(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {name: int(value) for name, value in pairs}
