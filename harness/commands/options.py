"""What the commands share: options, the order of groups, and how a result is printed."""

import json
from pathlib import Path
from typing import Any

import click

HOME = Path(click.get_app_dir("levelfield", force_posix=True))
KEY = HOME / "id_ed25519"
KEYRING = HOME / "keyring.json"

as_json = click.option("--json", "to_json", is_flag=True, help="Print the result as JSON.")
bundle_argument = click.argument("bundle", type=click.Path(path_type=Path))
large_option = click.option("--large", is_flag=True,
                            help="You trust it: take gigabytes of memory if need be.")  # fmt: skip

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Keeps the commands in the order of the work, not of the alphabet; each knows ``-h``."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """As click's, with the help options of the whole."""
        cmd.context_settings = HELP
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands as they were added."""
        return list(self.commands)


def example(*lines: str) -> str:
    """An epilogue that shows how a command is typed."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def count(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def emit(value: Any) -> None:
    """Print ``value`` as JSON on standard output."""
    click.echo(json.dumps(value, indent=2))


def tell(line: str) -> None:
    """Print news on standard error."""
    click.echo(line, err=True)
