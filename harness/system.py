"""The description of a machine: found out, never typed in, but for what no machine can know."""

import hashlib
import os
import platform
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil
from pydantic import Field, ValidationError

from harness import __version__
from harness.errors import LevelfieldError, UsageError
from harness.price import Grid, Price
from harness.records import Identifier, Record

_SYS = Path("/sys/devices/system/cpu/cpu0")
_PACKAGES = (
    "numpy", "scipy", "torch", "onnxruntime", "safetensors", "scikit-learn", "pydantic", "psutil",
)  # fmt: skip
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Availability = Literal["available", "preview", "research"]


class Processor(Record):
    """The host's processors."""

    model: str
    architecture: str
    sockets: int | None
    cores: int | None
    """Physical cores."""
    threads: int
    """Hardware threads that this process may use."""
    governor: str | None
    """Frequency governor, none where the machine does not tell."""
    frequency_max_hz: int | None


class Accelerator(Record):
    """One accelerator, as NVML describes it."""

    model: str
    memory_bytes: int
    driver: str


class Framework(Record):
    """The numerical framework that the workload runs on, as it describes itself."""

    name: str
    version: str
    build: str
    """Its build flags, one line."""
    threads: int


class Software(Record):
    """Operating system to libraries."""

    os: str
    kernel: str
    container: str | None
    python: str
    framework: Framework | None
    blas: str | None
    thread_variables: dict[str, str]
    packages: dict[str, str]


class HarnessVersion(Record):
    """Which Levelfield measured."""

    version: str
    commit: str | None
    clean: bool | None
    """Whether the checkout had no local changes; none where it is no checkout."""


class Declared(Record):
    """What ``system.toml`` adds."""

    id: Identifier
    """Short name for addresses, as ``laptop-7840u``."""
    name: str
    organisation: str
    availability: Availability = "research"
    notes: str = ""
    price: Price | None = None
    grid: Grid | None = None


class System(Record):
    """A machine's description."""

    record: Literal["levelfield/system/v1"] = Field(default="levelfield/system/v1", alias="schema")
    declared: Declared | None
    """None where the submitter gave no ``system.toml``."""
    processor: Processor
    memory_bytes: int
    accelerators: tuple[Accelerator, ...]
    software: Software
    harness: HarnessVersion

    @property
    def digest(self) -> str:
        """SHA-256 of the description as ``system.json`` holds it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def id(self) -> str:
        """Short name for addresses."""
        return self.declared.id if self.declared else "undeclared"

    @property
    def name(self) -> str:
        """A name for people: declared, else made from the hardware."""
        if self.declared:
            return self.declared.name
        return f"{self.processor.threads} threads of {self.processor.model}"


def find_system(declared: Declared | None, framework: Framework | None) -> System:
    """Describe this machine. ``framework`` comes from the workloads, which alone import it."""
    return System(
        declared=declared,
        processor=_processor(),
        memory_bytes=psutil.virtual_memory().total,
        accelerators=find_accelerators(),
        software=_software(framework),
        harness=find_harness(),
    )


def read_declared(path: Path) -> Declared:
    """Read ``system.toml``; `LevelfieldError` names the field that is wrong."""
    try:
        return Declared.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; name your file") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LevelfieldError(f"{path}: not TOML: {error}; mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise LevelfieldError(f"{path}: {field}: {what}; mend the file") from error


def _processor() -> Processor:
    frequency = _read(_SYS / "cpufreq/cpuinfo_max_freq")
    return Processor(
        model=_cpu_model(),
        architecture=platform.machine(),
        sockets=_sockets(),
        cores=psutil.cpu_count(logical=False),
        threads=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        governor=_read(_SYS / "cpufreq/scaling_governor"),
        frequency_max_hz=int(frequency) * 1000 if frequency and frequency.isdecimal() else None,
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return None


def _cpuinfo(field: str) -> list[str]:
    text = _read(Path("/proc/cpuinfo")) or ""
    pairs = (line.partition(":") for line in text.splitlines())
    return [value.strip() for name, _, value in pairs if name.strip() == field]


def _cpu_model() -> str:
    return next(iter(_cpuinfo("model name")), platform.processor() or "unknown")


def _sockets() -> int | None:
    return len(set(_cpuinfo("physical id"))) or None


def find_accelerators() -> tuple[Accelerator, ...]:
    """Every accelerator that answers NVML; empty where there is no NVML.

    One without memory of its own has the host's.
    """
    import pynvml

    from harness.telemetry.nvidia import Driver

    driver = Driver()
    found = []
    for device in driver.devices:
        memory = device.ask("memory", lambda h: int(pynvml.nvmlDeviceGetMemoryInfo(h).total))
        if memory == "not supported":
            memory = psutil.virtual_memory().total
        if not isinstance(memory, str):
            found.append(
                Accelerator(model=device.model, memory_bytes=memory, driver=driver.version)
            )
    return tuple(found)


def _software(framework: Framework | None) -> Software:
    return Software(
        os=_os_name(),
        kernel=platform.release(),
        container=_container(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        framework=framework,
        blas=_blas(),
        thread_variables={n: os.environ[n] for n in _THREAD_VARIABLES if n in os.environ},
        packages={name: version for name in _PACKAGES if (version := _version(name))},
    )


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _container() -> str | None:
    """The kind of container, found as systemd and Docker mark it; none outside one."""
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    return _read(Path("/run/systemd/container"))


def _blas() -> str | None:
    """The linear algebra library that numpy was built with."""
    import numpy

    build = numpy.show_config(mode="dicts")
    found = build.get("Build Dependencies", {}).get("blas", {}) if build else {}
    return f"{found['name']} {found.get('version', '')}".strip() if "name" in found else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def find_harness() -> HarnessVersion:
    """Version, and commit and cleanliness where Levelfield runs from a git checkout."""
    root = Path(__file__).resolve().parent.parent
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    changes = _git(root, "status", "--porcelain") if commit else None
    return HarnessVersion(
        version=__version__, commit=commit, clean=None if changes is None else changes == ""
    )


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
