"""Which files are read: those that are named, and the Python files and notebooks of folders, as git sees them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape.errors import Invalid, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENDINGS = (".py", ".ipynb")
STDIN = "-"
_LEFT_OUT = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"}


def gathered(paths: Iterable[str]) -> list[str]:
    """Every file once, in the order of the paths; those of a folder sorted.

    A folder within a git repository is read as git sees it: what git ignores is left out.  Elsewhere hidden
    folders, virtual environments and build folders are.

    Raises:
        Invalid: a path is not there.
    """
    found: dict[str, None] = {}
    missing = []
    for path in paths:
        if path == STDIN or Path(path).is_file():
            found[path] = None
        elif Path(path).is_dir():
            found |= dict.fromkeys(_in_folder(path))
        else:
            missing.append(Problem(f"PATH {path}", "is no file and no folder"))
    if missing:
        raise Invalid(missing)
    return list(found)


def _in_folder(folder: str) -> list[str]:
    names = _by_git(folder)
    return sorted(_walked(folder) if names is None else names)


def _by_git(folder: str) -> list[str] | None:
    """The files that git tracks or would track; None without a repository, and for a folder that git ignores."""
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--")
    found = _git(folder, *listed, *(f"*{ending}" for ending in ENDINGS))
    if found is None or (not found and _git(folder, "check-ignore", "-q", ".") is not None):
        return None
    names = (os.fsdecode(name) for name in found.split(b"\0") if name)
    return [path for name in names if Path(path := _beside(folder, name)).is_file()]


def _git(folder: str, *words: str) -> bytes | None:
    """What git prints; None where it fails or is not there."""
    try:
        # No shell, and the folder is what -C takes.
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, check=True, timeout=60).stdout  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None


def _walked(folder: str) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _left_out(root, name)]
        yield from (_beside(root, name) for name in files if name.endswith(ENDINGS))


def _left_out(root: str, name: str) -> bool:
    return name.startswith(".") or name in _LEFT_OUT or (Path(root) / name / "pyvenv.cfg").exists()


def _beside(folder: str, name: str) -> str:
    """The name of a file in a folder, as a person would write it."""
    return os.path.normpath(Path(folder, name))
