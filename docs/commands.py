"""Prints docs/commands.md from the help of the commands: redirect its output there."""

from collections.abc import Iterator

import click

from harness.cli import cli


def render() -> str:
    """Every command's help text as one Markdown page."""
    parts = ["# Commands\n\nWhat `levelfield COMMAND --help` says, for every command.\n"]
    root = click.Context(cli, info_name="levelfield", terminal_width=80)
    for context in contexts(root):
        name = context.command_path.removeprefix("levelfield ")
        parts.append(f"## {name}\n\n```text\n{context.command.get_help(context)}\n```\n")
    return "\n".join(parts)


def contexts(group: click.Context) -> Iterator[click.Context]:
    """A context for each command of ``group``, those of a group in it after the group itself."""
    assert isinstance(group.command, click.Group)
    for name, command in group.command.commands.items():
        context = click.Context(
            command, info_name=name, parent=group, terminal_width=80, **command.context_settings
        )
        yield context
        if isinstance(command, click.Group):
            yield from contexts(context)


if __name__ == "__main__":
    print(render(), end="")
