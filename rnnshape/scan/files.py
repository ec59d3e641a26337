"""Find the files to scan: named files, and the Python files and notebooks in folders, as listed by git."""

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
    """Every file once, in the order of the paths; the files of a folder are sorted.

    In a git repository, ignored files are left out.  Elsewhere, hidden folders, virtual environments and build
    folders are left out.

    Raises:
        Invalid: a path does not exist.
    """
    found: dict[str, None] = {}
    missing = []
    for path in paths:
        if path == STDIN or Path(path).is_file():
            found[path] = None
        elif Path(path).is_dir():
            names = _by_git(path)
            found |= dict.fromkeys(sorted(_walked(path) if names is None else names))
        else:
            missing.append(Problem(path, "there is no such file or folder"))
    if missing:
        raise Invalid(missing)
    return list(found)


def _by_git(folder: str) -> list[str] | None:
    """The tracked and untracked files that git does not ignore; None outside a repository or in an ignored folder."""
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--")
    found = _git(folder, *listed, *(f"*{ending}" for ending in ENDINGS))
    if found is None or (not found and _git(folder, "check-ignore", "-q", ".") is not None):
        return None
    names = (os.fsdecode(name) for name in found.split(b"\0") if name)
    return [path for name in names if Path(path := _beside(folder, name)).is_file()]


def _git(folder: str, *words: str) -> bytes | None:
    """The output of git; None if it fails or is not installed."""
    try:
        # Safe: no shell, and the folder is the value of -C.
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
    """The normalized path of a file in a folder."""
    return os.path.normpath(Path(folder, name))
