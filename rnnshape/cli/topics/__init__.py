"""The topics of ``rnnshape help``: one text file for each; lists in them come from the tables.

The first line of a file is its title.  Examples follow a ``$``; the tests run them.  ``quirks`` is an exact copy of
``docs/keras-quirks.md``, because the installed package has no ``docs``.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

_OF_LAYERS = ("expressions", "checks", "masks", "states", "weights", "cudnn", "keras-3")
NAMES = (*_OF_LAYERS, "yaml", "formats", "exit-codes", "quirks")
"""The topics, in the order of the list."""
_HERE = Path(__file__).parent
_COLUMNS = 78


def text(topic: str | None) -> str:
    """The text of a topic; the list of topics for None."""
    if topic is not None:
        return _filled(_read(topic))
    titles = [f"  {name:<12} {_read(name).splitlines()[0].removeprefix('# ')}" for name in NAMES]
    return "\n".join(
        ["rnnshape help TOPIC", "", *titles, "", "rnnshape help COMMAND shows the options of a command", ""]
    )


def _read(topic: str) -> str:
    return (_HERE / f"{topic}.txt").read_text(encoding="utf-8")


def _filled(template: str) -> str:
    """The text with its placeholders replaced by lists."""
    for name, made in (
        ("{classes}", _classes),
        ("{exit_codes}", _exit_codes),
        ("{formats}", _formats),
        ("{initial_states}", _initial_states),
    ):
        if name in template:
            template = template.replace(name, made())
    return template


def _classes() -> str:
    from rnnshape.layers import TABLE

    return _paragraph("  ", ", ".join(TABLE))


def _exit_codes() -> str:
    from rnnshape.errors import EXIT_CODES

    return "\n".join(_paragraph(f"  {code:<3}  ", meaning) for code, meaning in EXIT_CODES.items())


def _formats() -> str:
    from rnnshape.render import COMPARISON_FORMATS, FORMATS, ROWS_FORMATS, SCAN_FORMATS

    by_command = {"a layer, show": FORMATS, "compare": COMPARISON_FORMATS, "batch": ROWS_FORMATS, "scan": SCAN_FORMATS}
    return "\n".join(_paragraph(f"  {what:<13}  ", ", ".join(formats)) for what, formats in by_command.items())


def _initial_states() -> str:
    from rnnshape.spec.options import INITIAL_STATE

    *others, last = INITIAL_STATE.kind.texts  # type: ignore[attr-defined]
    return f"{', '.join(others)} or {last}"


def _paragraph(lead: str, body: str) -> str:
    return "\n".join(wrap(body, _COLUMNS, initial_indent=lead, subsequent_indent=" " * len(lead)))
