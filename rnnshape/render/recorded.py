"""The table view as SVG, made by Rich's recorder: a single file with a dark and a light palette.

The view is exported once for each palette.  Rich numbers the styles in order of use, so both exports have the same
numbers if all colours of a palette are different.
"""

from __future__ import annotations

import re
from html import unescape
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape
from zlib import crc32

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.theme import Theme

from rnnshape.render import comparison, summary, table
from rnnshape.render.marks import UNICODE
from rnnshape.render.plain_text import put, xml
from rnnshape.render.terminal import THEME, UNBOUNDED

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import RenderableType

    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from rnnshape.report.rows import Tally


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write the picture of one Report."""
    put(svg(table.draw(report, view), report.expression), stream)


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write the picture of a batch: the summary and every failure in full."""
    put(svg(summary.draw(rows, view), "rnnshape batch"), stream)


def write_comparison(compared: Compared, stream: TextIO) -> None:
    """Write the picture of a comparison."""
    put(svg(comparison.draw(compared, UNICODE), compared.comparison.title), stream)


def svg(drawn: RenderableType, title: str) -> str:
    """The picture of a renderable, as wide as its widest line."""
    console = Console(
        file=StringIO(), record=True, theme=THEME, highlight=False, markup=False, emoji=False, width=UNBOUNDED
    )
    # Dim text is too pale in a picture; the palettes use grey for it.
    console.push_theme(Theme({"faint": "white"}, inherit=False))
    lines = console.render_lines(drawn, pad=False)
    # One cell more on each side, because Rich leaves little room at the edges.
    console.width = 2 + max(sum(segment.cell_length for segment in line) for line in lines)
    console.print(drawn)
    # The style names must be unique, because one page may contain several pictures.
    own = f"rnnshape-{crc32(repr(lines).encode()):08x}"
    dark = console.export_svg(theme=_DARK, clear=False, code_format="{styles}", unique_id=own)
    # Rich uses ``str.format`` on the template, so braces must be escaped.
    form = _FORM.replace("[[dark]]", _braced(dark)).replace("[[title]]", _braced(escape(title)))
    drawing = console.export_svg(theme=_LIGHT, code_format=form, unique_id=own, font_aspect_ratio=_ASPECT)
    return xml(_LENGTH.sub(_in_cells, drawing))


def _in_cells(text: re.Match[str]) -> str:
    """The text length in cells; Rich counts characters, which is wrong for wide ones."""
    said = unescape(text[2])
    return f'textLength="{float(text[1]) / len(said) * (cell_len(said) or len(said)):g}"{text[0][text[0].index(" ") :]}'


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _palette(ground: int, text: int, *colours: int) -> TerminalTheme:
    """A palette; ``colours`` are black, red, green, yellow, blue, magenta, cyan and white."""
    rgb = [(colour >> 16, colour >> 8 & 255, colour & 255) for colour in (ground, text, *colours)]
    return TerminalTheme(rgb[0], rgb[1], rgb[2:])


# Menlo, DejaVu, Liberation and SF Mono are 0.6 as wide as high.  With a height of 21 instead of Rich's 20, the vertical
# lines of a box have no gaps.
_ASPECT = 0.6 * 21 / 20
_LIGHT = _palette(0xFFFFFF, 0x1C2430, 0x000000, 0xB3261E, 0x1A7F37, 0x8A5A00, 0x0B57D0, 0x8E3A9D, 0x0B6E80, 0x59636E)
_DARK = _palette(0x12161C, 0xDCE3EA, 0x0A0C0F, 0xFF8A80, 0x5CD67F, 0xE8B84A, 0x8AB4F8, 0xD9A0E8, 0x62CFE0, 0x9DA7B1)
_LENGTH = re.compile(r'textLength="([^"]+)"[^>]*>([^<]+)')
_FORM = files(__package__).joinpath("picture.svg").read_text(encoding="utf-8")
