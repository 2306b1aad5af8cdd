"""Invented organisations and the machines that they offer, drawn from one generator."""

from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from harness import __version__
from harness.price import Grid, Price
from harness.records import Peak
from harness.system import (
    Accelerator,
    Declared,
    Framework,
    HarnessVersion,
    Processor,
    Software,
    System,
)

Source = Literal["rapl", "nvml", "meter"]


class Organisation(NamedTuple):
    """Somebody who submits; nobody of that name exists."""

    id: str
    name: str
    product: str


ORGANISATIONS = (
    Organisation("boreal", "Boreal Systems", "Taiga"),
    Organisation("kestrel", "Kestrel Laboratories", "Windhover"),
    Organisation("tidewater", "Tidewater Cloud", "Estuary"),
    Organisation("rakneverk", "Norrlands Räkneverk AB", "Älvkraft"),
    Organisation("beichen", "北辰计算科技", "天枢"),
    Organisation("ufuq", "شركة الأفق للحوسبة", "نجم"),
    Organisation("volna", "Южный вычислитель", "Волна"),
    Organisation("hotaru", "ほたる計算機工業", "ほたる"),
    Organisation("saltmarsh", "Institute for the Comparative Measurement of Very Large and Very "
                 "Small Computing Machinery at Lower Saltmarsh", "Reference machine"),
    Organisation("quarry-hill", "Quarry Hill & Daughters", "Granite"),
    Organisation("ninefold", "Ninefold Compute", "Ennead"),
    Organisation("lumenforge", "Lumen Forge <beta>", "Anvil"),
)  # fmt: skip
_COUNTS = (1, 1, 2, 4, 8, 8, 8, 16, 64, 256, 512)
_SHARED = 0.45
"""By what power of their number several accelerators are faster than one."""
_READ = "2026-09-15"


@dataclass(frozen=True)
class Machine:
    """A system with what it is worth."""

    submitter: str
    system: System
    speed: float
    """Beside the two processor cores on which the workloads' references were measured."""
    noise: float
    """Deviation of the logarithm of a run's time."""
    watts: float
    """Of everything that ``source`` measures, at work."""
    source: Source | None
    """What measures power; none if nothing does."""
    peak: Peak | None

    @property
    def devices(self) -> int:
        """How many entries its readings have."""
        return len(self.system.accelerators) or self.system.processor.sockets or 1


def machines(random: Random, count: int) -> list[Machine]:
    """``count`` different machines, those of an organisation one after the other."""
    return [
        _machine(random, ORGANISATIONS[number % len(ORGANISATIONS)], number)
        for number in range(count)
    ]


def _machine(random: Random, organisation: Organisation, number: int) -> Machine:
    accelerators = random.choice(_COUNTS) if random.random() < 0.75 else 0
    model = f"{organisation.product} {random.choice('ABCDE')}{random.randint(1, 9) * 100}"
    speed = random.uniform(3, 9) * accelerators**_SHARED if accelerators else random.uniform(0.7, 4)
    processor = _processor(random, sockets=1 if accelerators < 2 else 2)
    name = f"{model}, {accelerators} accelerators" if accelerators > 1 else model
    system = System(
        declared=Declared(
            id=f"{organisation.id}-{number}",
            name=f"{name} ({processor.model})" if number % 3 == 0 else name,
            organisation=organisation.name,
            availability=random.choice(("available", "available", "preview", "research")),
            price=_price(random, speed) if random.random() < 0.5 else None,
            grid=_grid(random) if random.random() < 0.3 else None,
        ),
        processor=processor,
        memory_bytes=random.choice((32, 128, 512, 2048)) * 2**30,
        accelerators=(
            Accelerator(
                model=model, memory_bytes=random.choice((24, 80, 141)) * 2**30, driver="570.86"
            ),
        )
        * accelerators,
        software=_software(random),
        harness=HarnessVersion(version=__version__, commit="5e" * 20, clean=True),
    )
    return Machine(
        submitter=organisation.id,
        system=system,
        speed=speed,
        noise=random.choice((0.003, 0.01, 0.03)),
        watts=(accelerators or processor.sockets or 1) * random.uniform(90, 600),
        source=_source(random, accelerators),
        peak=_peak(random, model, speed) if random.random() < 0.6 else None,
    )


def _source(random: Random, accelerators: int) -> Source | None:
    """Of many accelerators a log would be long, so theirs is read at the wall."""
    if random.random() < 0.35:
        return None
    if accelerators > 8 or random.random() < 0.2:
        return "meter"
    return "nvml" if accelerators else "rapl"


def _processor(random: Random, sockets: int) -> Processor:
    cores = sockets * random.choice((8, 32, 64, 96))
    return Processor(
        model=f"Quern {random.choice((5100, 7300, 9600))} {cores // sockets}-Core Processor",
        architecture=random.choice(("x86_64", "x86_64", "aarch64")),
        sockets=sockets,
        cores=cores,
        threads=2 * cores,
        governor="performance",
        frequency_max_hz=random.choice((3_700_000_000, 5_100_000_000)),
    )


def _software(random: Random) -> Software:
    torch = random.choice(("2.13.0", "2.13.1"))
    return Software(
        os=random.choice(("Debian GNU/Linux 13", "Ubuntu 24.04.3 LTS")),
        kernel="6.12.48",
        container=random.choice((None, "docker")),
        python="CPython 3.12.8",
        framework=Framework(name="torch", version=torch, build="AVX2, OpenMP", threads=8),
        blas="mkl 2024.2, 8 threads",
        thread_variables={"OMP_NUM_THREADS": "8"},
        packages={"numpy": "2.1.0", "torch": torch},
    )


def _price(random: Random, speed: float) -> Price:
    owned = random.random() < 0.5
    return Price(
        amount=round((2500 if owned else 0.4) * random.uniform(0.6, 1.6) * speed, 2),
        currency=random.choice(("USD", "USD", "USD", "EUR")),
        kind="owned" if owned else "on_demand",
        amortisation_years=4.0 if owned else None,
        source="https://example.org/prices",
        date=_READ,
    )


def _grid(random: Random) -> Grid:
    region, grams = random.choice((("Sweden", 25.0), ("Germany", 344.0), ("Texas (ERCOT)", 390.0)))
    return Grid(g_co2_per_kwh=grams, region=region, source="https://example.org/grids", date=_READ)


def _peak(random: Random, device: str, speed: float) -> Peak:
    """So much that an MFU comes out as it does on real machines."""
    flops = 1.6e11 * speed * random.uniform(0.9, 2.5)
    return Peak(
        device=device,
        flops={"fp32": flops, "bf16": 2 * flops, "int8": 4 * flops},
        bandwidth_bytes_per_s=4e10 * speed,
        measured_ms=1_789_000_000_000,
    )
