"""Prints docs/commands.md from the help of the commands: redirect its output there."""

import click

from harness.cli import cli


def render() -> str:
    """Every command's help text as one Markdown page."""
    parts = ["# Commands\n\nWhat `levelfield COMMAND --help` says, for every command.\n"]
    root = click.Context(cli, info_name="levelfield", terminal_width=80)
    for name, command in cli.commands.items():
        context = click.Context(
            command, info_name=name, parent=root, terminal_width=80, **command.context_settings
        )
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(render(), end="")
