"""A module imports only from its own room or a lower one, for type checking too.

The order is the table under "Structure" in CONTRIBUTING.md; the top row is the lowest room.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "rnnshape"


def order() -> dict[str, int]:
    """The height of each room in the order."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Structure\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`[a-z_]+(?:/|\.py)`(?:, )?)+) \|", text, re.MULTILINE)
    return {name: height for height, row in enumerate(rows) for name in re.findall(r"`([a-z_]+)(?:/|\.py)`", row)}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of the package that a tree imports, also inside functions and for type checking."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inside)


def arrows(sources: dict[str, str]) -> dict[str, set[str]]:
    return {module: set(imported(ast.parse(text))) - {module} for module, text in sources.items()}


def room(module: str) -> str:
    """The room of a module: its folder in the package, or the module itself if it is not in a folder."""
    return module.split(".")[1] if "." in module else "__init__"


def upward(drawn: dict[str, set[str]]) -> list[str]:
    """The imports against the order."""
    height = order()
    return [
        f"{module} -> {other}"
        for module, others in drawn.items()
        for other in sorted(others)
        if height[room(other)] > height[room(module)]
    ]


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}


def test_every_room_has_its_place_in_the_table(sources: dict[str, str]) -> None:
    assert {room(module) for module in sources} == order().keys()


def test_no_arrow_runs_back_up(sources: dict[str, str]) -> None:
    assert not upward(arrows(sources))


def test_there_is_no_circle(sources: dict[str, str]) -> None:
    TopologicalSorter(arrows(sources)).prepare()


def test_these_tests_can_fail(sources: dict[str, str]) -> None:
    late = "def later():\n    from rnnshape.render import notebook\n"
    assert upward(arrows({**sources, "rnnshape.spec.spec": late})) == ["rnnshape.spec.spec -> rnnshape.render"]
    circle = {**sources, "rnnshape.layers.scan": "from rnnshape.layers.masking import Mask\n"}
    with pytest.raises(CycleError):
        TopologicalSorter(arrows(circle)).prepare()


def test_the_tests_mirror_the_rooms() -> None:
    """A test is in the folder of its room."""
    folders = {path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders - {"docs", "project"} <= order().keys()
