"""``rnnshape.scan``: files and folders from Python, as data.

>>> import rnnshape
>>> [one.file for one in rnnshape.scan("rnnshape/scan/asked.py")]
['rnnshape/scan/asked.py']
"""

from __future__ import annotations

from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape.errors import Invalid
from rnnshape.scan.files import gathered
from rnnshape.scan.one import scan_file
from rnnshape.scan.settings import Chosen, of_project, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from rnnshape.scan.finding import Scanned


def scan(
    *paths: str | PathLike[str], layers: bool = False, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> list[Scanned]:
    """What will go wrong in the RNN layers of files and folders, a ``Scanned`` for each file; nothing is run.

    Its ``findings`` have ``path``, ``line``, ``code``, ``severity`` and ``message``, and ``to_dict()`` gives the data
    of ``rnnshape scan -f jsonl``.  With ``layers`` its ``found`` has what each file makes.  ``select`` and ``ignore``
    are codes or severities, as on the command line; what they leave open is from the project's pyproject.toml.

    Raises:
        Invalid: a path is not there, or a code is unknown.
    """
    files = [fspath(path) for path in paths]
    chosen = chosen_for(files, tuple(select), tuple(ignore))
    return [chosen.of(scan_file(file, layers=layers)) for file in gathered(files)]


def chosen_for(paths: Sequence[str], select: tuple[str, ...], ignore: tuple[str, ...]) -> Chosen:
    """Which findings are told: those asked for, and what is left open as the project of the first path has it.

    Raises:
        Invalid: a code is unknown.
    """
    if problems := [*unknown(select, "select"), *unknown(ignore, "ignore")]:
        raise Invalid(problems)
    first = Path(paths[0]) if paths else Path()
    project = of_project(first if first.is_dir() else first.parent)
    return Chosen(select or project.select, (*ignore, *project.ignore))
