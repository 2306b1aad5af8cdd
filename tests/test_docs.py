"""The documents agree with the program: commands parse, the reference is current, links resolve."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harness.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "RULES.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")]
PAGES += ROOT.glob("workloads/*/README.md")


def shown_commands(page: Path) -> list[str]:
    """Lines of a page's console blocks, and ``levelfield …`` in running text with arguments."""
    blocks = re.findall(r"```(?:console|shell)\n(.*?)```", page.read_text("utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


COMMANDS = [(page.name, line) for page in PAGES for line in shown_commands(page)]


def parse(words: list[str], group: click.Group = cli) -> None:
    """Parse a command line down to the command within its groups; run nothing."""
    command = group.commands[words[0]]
    if isinstance(command, click.Group):
        parse(words[1:], command)
    else:
        command.make_context(words[0], words[1:]).close()


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[list[str], click.Command]]:
    """Each command with its words, groups before what is in them."""
    for name, command in group.commands.items():
        words = (*path, name)
        yield list(words), command
        if isinstance(command, click.Group):
            yield from every_command(command, words)


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_shown_command_is_one_that_parses(page: str, line: str) -> None:
    words = shlex.split(line)
    assert words[0] == "levelfield", page
    parse(words[1:])


def test_commands_are_shown() -> None:
    assert len(COMMANDS) >= 10


def test_examples_in_help_parse() -> None:
    for name, command in every_command():
        lines = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
        assert lines, f"{name} has no example"
        for line in lines:
            words = shlex.split(line)
            assert words[: len(name) + 1] == ["levelfield", *name]
            parse(words[1:])


def test_every_command_and_option_is_explained() -> None:
    for name, command in every_command():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize(("script", "page"), [("commands", "commands"), ("suite", "workloads")])
def test_a_page_that_is_printed_is_current(script: str, page: str) -> None:
    spec = importlib.util.spec_from_file_location(script, ROOT / f"docs/{script}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / f"docs/{page}.md").read_text("utf-8") == module.render(), (
        f"run: python docs/{script}.py > docs/{page}.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
