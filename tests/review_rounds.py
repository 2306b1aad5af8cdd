"""A round's folder with the keys of three organisations, a chair and the log's keeper."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner
from run_folders import write_inference_run

from harness.cli import cli
from harness.records import Mode, Scenario
from submissions.bundle import Bundle
from submissions.keys import KeyRole, add_to_keyring, generate
from submissions.pack import pack
from submissions.replication import write_replication

ORGANISATIONS: dict[str, tuple[KeyRole, ...]] = {
    "acme": ("submit",),
    "lab": ("review", "replicate"),
    "uni": ("review",),
    "both": ("submit", "review"),
    "chair": ("root",),
    "keeper": ("log",),
}
ROUND = Path("submissions/rounds/practice")


@dataclass(frozen=True)
class Spoken:
    """What a command said and how it ended."""

    code: int
    text: str


class Play:
    """A results repository in ``folder``, which must be the current one, and who acts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for organisation, roles in ORGANISATIONS.items():
            key = generate(folder / "keys" / organisation, organisation)
            add_to_keyring(folder / ROUND / "keyring.json", organisation, key, roles)
        self.does(f"log init {ROUND} --round practice --origin a.example/p", "keeper")

    def says(self, command: str, by: str, *more: str) -> Spoken:
        """Run ``levelfield command`` with the key of ``by``."""
        words = [*command.split(), *more, "--key", str(self.key(by))]
        return self.run(words)

    def does(self, command: str, by: str, *more: str) -> str:
        """As `says`, which must succeed; what was printed."""
        spoken = self.says(command, by, *more)
        assert spoken.code == 0, spoken.text
        return spoken.text

    def run(self, words: Sequence[str]) -> Spoken:
        done = CliRunner().invoke(cli, list(words))
        code, text = done.exit_code, done.output
        if done.exception and not isinstance(done.exception, SystemExit):
            code, text = getattr(done.exception, "exit_code", 3), str(done.exception)
        return Spoken(code, text)

    def key(self, organisation: str) -> Path:
        return self.folder / "keys" / organisation

    @property
    def log(self) -> tuple[str, str]:
        """The option with which what is said is appended at once."""
        return "--log-key", str(self.key("keeper"))

    def pack(self, name: str, submitter: str = "acme") -> Bundle:
        """A signed bundle of offline inference."""
        runs = self.folder / f"runs-{name}"
        for mode in (Mode.PERFORMANCE, Mode.ACCURACY):
            write_inference_run(runs / mode, Scenario.OFFLINE, mode)
        bundle = pack([runs], submitter, "practice", self.folder / name)
        self.does(f"sign {bundle.root}", submitter)
        return bundle

    def replica(self, original: Bundle) -> Bundle:
        """The replication of ``original`` by the lab."""
        modes = [Mode.PERFORMANCE, Mode.ACCURACY, Mode.PERFORMANCE, Mode.PERFORMANCE]
        runs = [self.folder / f"replica-runs/{number}" for number in range(len(modes))]
        for run, mode in zip(runs, modes, strict=True):
            write_inference_run(run, Scenario.OFFLINE, mode)
        out = self.folder / "replica"
        return write_replication(
            runs[:2], runs[2:], original, "toy/offline", "lab", out, despite_differences=False
        )[0]

    def held(self, bundle: Bundle) -> Path:
        """Where a bundle lies in the round's folder."""
        return self.folder / ROUND / bundle.manifest.submitter / bundle.id
