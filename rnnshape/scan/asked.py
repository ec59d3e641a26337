"""The function ``rnnshape.scan``: scan files and folders from Python.

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
    """Scan files and folders for problems of RNN layers; return a ``Scanned`` for each file.  The code is not run.

    Its ``findings`` have ``path``, ``line``, ``code``, ``severity`` and ``message``; ``to_dict()`` returns the data
    of ``rnnshape scan -f jsonl``.  With ``layers``, ``found`` has the layers and models of each file.  ``select`` and
    ``ignore`` are codes or severities, as on the command line; the project's pyproject.toml is used too.

    Raises:
        Invalid: a path does not exist, or a code is unknown.
    """
    files = [fspath(path) for path in paths]
    chosen = chosen_for(files, tuple(select), tuple(ignore))
    return [chosen.of(scan_file(file, layers=layers)) for file in gathered(files)]


def chosen_for(paths: Sequence[str], select: tuple[str, ...], ignore: tuple[str, ...]) -> Chosen:
    """The selection of findings: ``select`` (else the project's) without ``ignore`` and the project's ``ignore``.

    The project is that of the first path.

    Raises:
        Invalid: a code is unknown.
    """
    if problems := [*unknown(select, "select"), *unknown(ignore, "ignore")]:
        raise Invalid(problems)
    first = Path(paths[0]) if paths else Path()
    project = of_project(first if first.is_dir() else first.parent)
    return Chosen(select or project.select, (*ignore, *project.ignore))
