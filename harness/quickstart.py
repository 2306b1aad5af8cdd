"""The first experience: which commands `levelfield quickstart` types, and where things go."""

from collections.abc import Iterator
from pathlib import Path

_SYSTEM_TOML = """\
# What no machine can know of itself. Change it to describe yours.
id = "my-machine"
name = "My machine"
organisation = "{submitter}"
availability = "research"   # available, preview or research
# What it costs and what it runs on: the tables [price] and [grid], see docs/energy.md.
"""
_WORKLOAD = "image_classification"
_SCENARIOS = ("train", "single_stream", "offline")


class Quickstart:
    """One pass over the whole line in folder ``out``; each further pass takes the next number."""

    def __init__(self, out: Path, submitter: str, *, make_key: bool) -> None:
        self._out = out
        self._submitter = submitter
        self._make_key = make_key
        self._system = out / "system.toml"
        number = 1
        while (out / "runs" / str(number)).exists() or (out / "bundles" / str(number)).exists():
            number += 1
        self._runs = out / "runs" / str(number)
        self.bundle = out / "bundles" / str(number)
        self.site = out / "site" / "index.html"

    def steps(self) -> Iterator[tuple[list[str], int]]:
        """The words of each command in order, and how many commands there are."""
        self._out.mkdir(parents=True, exist_ok=True)
        if not self._system.exists():
            self._system.write_text(_SYSTEM_TOML.format(submitter=self._submitter), "utf-8")
        steps = [self._run(scenario) for scenario in _SCENARIOS]
        steps += [self._pack(), ["check", str(self.bundle)]]
        if self._make_key:
            steps.append(["keygen", "--organisation", self._submitter])
        steps += [["sign", str(self.bundle)], ["verify", str(self.bundle)], self._publish()]
        for step in steps:
            yield step, len(steps)

    def _run(self, scenario: str) -> list[str]:
        out = str(self._runs / scenario)
        return ["run", _WORKLOAD, "--scenario", scenario, "--system", str(self._system),
                "--out", out]  # fmt: skip

    def _pack(self) -> list[str]:
        runs = [str(self._runs / scenario) for scenario in _SCENARIOS]
        return ["pack", *runs, "--submitter", self._submitter, "--out", str(self.bundle)]

    def _publish(self) -> list[str]:
        earlier = (path for path in (self._out / "bundles").glob("*") if path.name.isdecimal())
        bundles = [*sorted(earlier, key=lambda path: int(path.name)), self.bundle]
        return ["publish", *map(str, bundles), "--out", str(self.site.parent)]
