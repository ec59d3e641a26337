"""Imports the modules of the user's own layers and cells; only here, and their code runs only in the lab.

Modules are found as by ``python -m``: first in the current directory.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Refused, RnnshapeError, nearest
from rnnshape.lab.blame import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KIND = "code"
"""The kind of an error in the user's own code."""


def class_of(name: str, modules: Sequence[str]) -> Any:
    """The class of this name, from the first module that has it.

    Raises:
        RnnshapeError: a module cannot be imported, or none has the class.
    """
    imported = [*map(module_of, modules)]
    for module in imported:
        if (found := getattr(module, name, None)) is not None:
            return found
    there = [word for module in imported for word, value in vars(module).items() if isinstance(value, type)]
    what = f"--import {' and '.join(modules)}: there is no class {name}{nearest(name, there)}"
    raise RnnshapeError(what, f"name the module that has {name}; --import can be repeated", kind=KIND)


def module_of(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            what = f"--import {name}: there is no module {error.name} here or among the installed packages"
            raise RnnshapeError(what, "run it in the folder that has the module", kind=KIND) from None
        where = _line(
            error, lambda frame: not str(frame.f_globals.get("__name__")).startswith(("importlib", "rnnshape"))
        )
        raise RnnshapeError(f"--import {name} raises {_said(error)}{where}", kind=KIND) from error


@contextlib.contextmanager
def running(modules: tuple[str, ...]) -> Iterator[None]:
    """Make the user's modules importable, and send what they print to standard error.

    An exception of their code becomes an error with its line.
    """
    if not modules:
        yield
        return
    here = os.getcwd()  # noqa: PTH109  sys.path contains text
    sys.path.insert(0, here)
    packages = {name.partition(".")[0] for name in modules}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except RnnshapeError:
        raise
    except (Exception, SystemExit) as error:
        where = _line(error, lambda frame: str(frame.f_globals.get("__name__")).partition(".")[0] in packages)
        if not where and not isinstance(error, SystemExit):
            raise
        raise Refused(f"your code raises {_said(error)}{where}", kind=KIND) from error
    finally:
        sys.path.remove(here)


def _line(error: BaseException, theirs: Any) -> str:
    """The innermost line of the user's code in the traceback: ``" (cells.py, line 12, in call)"``."""
    if isinstance(error, SyntaxError):
        return ""  # its message has the line
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if theirs(frame):
            code = frame.f_code
            return f" ({Path(code.co_filename).name}, line {line}, in {code.co_name})"
    return ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {reason(error)}"
