"""Help in colour: bold headings, cyan commands and options; only on a terminal, and not if ``NO_COLOR`` is set."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from typer._click.formatting import HelpFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


class Coloured(HelpFormatter):
    """The plain help with colours; the layout is that of the plain text."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, _bold("Usage:") + " ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_bold(heading))

    def write_dl(self, rows: Sequence[tuple[str, str]], *layout: Any, **more: Any) -> None:
        super().write_dl([(_named(name), text) for name, text in rows], *layout, **more)


def wanted() -> bool:
    """Whether help is in colour: the same conditions as for tables, but without importing Rich."""
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not dumb


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m"


def _cyan(text: str) -> str:
    return f"\033[36m{text}\033[0m"


def _named(name: str) -> str:
    """Colour the names of an option but not its metavar; colour all of a command or an argument."""
    return _OPTION.sub(lambda found: _cyan(found[0]), name) if name.startswith("-") else _cyan(name)
