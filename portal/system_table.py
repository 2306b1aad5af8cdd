"""A system's description as rows of a table."""

from collections.abc import Iterator

from harness.price import Price
from harness.system import System
from portal.quantities import for_people
from portal.rendering import plural


def system_rows(system: System) -> list[tuple[str, str]]:
    """``(name, value)`` of everything that the description holds; absent values are left out."""
    return [row for _, rows in system_groups(system) for row in rows]


def system_groups(system: System) -> list[tuple[str, list[tuple[str, str]]]]:
    """The rows of `system_rows` under three headings."""
    groups = (
        ("Declared", _declared(system)),
        ("Hardware", _hardware(system)),
        ("Software", _software(system)),
    )
    return [(title, [(name, value) for name, value in rows if value]) for title, rows in groups]


def _declared(system: System) -> Iterator[tuple[str, str]]:
    declared = system.declared
    if declared is None:
        yield "Declared", "nothing"
        return
    yield "Organisation (declared)", declared.organisation
    yield "Availability (declared)", declared.availability
    if declared.price is not None:
        yield "Price (declared)", _price(declared.price)
        yield "Source of the price", declared.price.source
    if declared.grid is not None:
        grid = declared.grid
        carbon = f"{grid.g_co2_per_kwh:,g} g/kWh, {grid.region} ({grid.date})"
        yield "Carbon of its electricity (declared)", carbon
        yield "Source of the carbon intensity", grid.source
    yield "Notes (declared)", declared.notes


def _price(price: Price) -> str:
    amount = f"{price.amount:,.2f} {price.currency}"
    if price.amortisation_years is None:
        return f"{amount} an hour, on demand ({price.date})"
    return (
        f"{amount}, owned, over {price.amortisation_years:g} years "
        f"at {price.utilisation:.0%} utilisation ({price.date})"
    )


def _hardware(system: System) -> Iterator[tuple[str, str]]:
    processor = system.processor
    yield "Processor", f"{processor.model} ({processor.architecture})"
    counts = (
        (processor.sockets, "socket"),
        (processor.cores, "physical core"),
        (processor.threads, "available hardware thread"),
    )
    yield "Processors", ", ".join(plural(n, what) for n, what in counts if n is not None)
    yield "Frequency governor", processor.governor or ""
    if processor.frequency_max_hz:
        yield "Highest frequency", str(for_people(processor.frequency_max_hz, "Hz"))
    yield "Memory", str(for_people(system.memory_bytes, "B"))
    yield (
        "Accelerators",
        "; ".join(
            f"{each.model}, {for_people(each.memory_bytes, 'B')}, driver {each.driver}"
            for each in system.accelerators
        )
        or "none",
    )


def _software(system: System) -> Iterator[tuple[str, str]]:
    software, harness = system.software, system.harness
    yield "Operating system", f"{software.os}, kernel {software.kernel}"
    yield "Container", software.container or ""
    yield "Python", software.python
    if software.framework:
        framework = software.framework
        yield "Framework", f"{framework.name} {framework.version}, threads: {framework.threads}"
        yield "Framework build", framework.build
    yield "BLAS", software.blas or ""
    yield "Thread settings", _pairs(software.thread_variables, "=")
    yield "Packages", _pairs(software.packages, " ")
    yield "Levelfield", f"{harness.version}, {_checkout(system)}"


def _pairs(values: dict[str, str], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in sorted(values.items()))


def _checkout(system: System) -> str:
    if system.harness.commit is None:
        return "not run from a checkout"
    state = "with local changes" if system.harness.clean is False else "clean"
    return f"commit {system.harness.commit[:12]}, {state}"
