"""The house's direction, read off the syntax trees: harness <- workloads <- rules <- …"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ["harness", "workloads", "rules", "submissions", "portal"]
SOURCES = sorted(path for package in ORDER for path in (ROOT / package).rglob("*.py"))
COMPOSITION_ROOT = [ROOT / "harness/cli.py", *(ROOT / "harness/commands").glob("*.py")]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def wrong_imports(path: Path, names: list[str]) -> list[str]:
    """Imports of ``path`` that look right, or at the composition root."""
    here = ORDER.index(path.relative_to(ROOT).parts[0])
    heads = [(name, name.partition(".")[0]) for name in names]
    right = [name for name, head in heads if head in ORDER and ORDER.index(head) > here]
    torch = [name for name, head in heads if head == "torch" and ORDER[here] != "workloads"]
    return (
        right
        + torch
        + [name for name in names if name.startswith(("harness.cli", "harness.commands"))]
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_left(path: Path) -> None:
    if path not in COMPOSITION_ROOT:
        assert wrong_imports(path, list(imports(path))) == []


def test_the_check_catches_each_kind() -> None:
    path = ROOT / "harness/clock.py"
    assert wrong_imports(path, ["rules.round", "torch", "harness.cli", "json"]) == [
        "rules.round",
        "torch",
        "harness.cli",
    ]
    assert wrong_imports(ROOT / "workloads/catalogue.py", ["torch", "harness.card"]) == []


@pytest.mark.parametrize("path", COMPOSITION_ROOT, ids=lambda path: path.name)
def test_the_composition_root_imports_inside_bodies(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    top = [n.module for n in tree.body if isinstance(n, ast.ImportFrom) and n.module]
    assert [m for m in top if m.partition(".")[0] in ORDER[1:]] == []


def test_every_module_has_a_docstring_and_a_name_that_says_something() -> None:
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path
        assert path.stem not in {"utils", "common", "base", "constants", "manager", "helpers"}


def test_nothing_catches_everything() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{path}:{node.lineno}"
                caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                assert not caught & {"Exception", "BaseException"}, f"{path}:{node.lineno}"
