"""Answers in GitHub's Markdown, for issues and pull requests, with the parts of the table view."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from rnnshape.render.columns import cells, header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, TextIO

    from rich.console import RenderableType

    from rnnshape.render import View
    from rnnshape.render.blocks import Cell, Grid
    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from rnnshape.report.rows import Tally

# Characters with a meaning in Markdown; names are the user's text.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
_CODE = ("code", "role")


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write one Report; the environment is in a closed section at the end."""
    from rnnshape.render import ending, table
    from rnnshape.render.marks import marks_for

    marks = marks_for(stream)
    hint = report.error and report.error.hint
    pieces = [
        _title(report.expression),
        _lines(table.context(report, marks).plain.splitlines()),
        *_blocks(*ending.verdict(report, marks)),
        *([f"Hint: {_escaped(hint)}\n"] if hint else []),
        *(text for part in table.parts(report, view, marks) for text in _blocks(*part.drawn)),
        *_blocks(ending.footer(report)),
        _environment(report.environment),
    ]
    stream.write("\n".join(pieces))


def write_comparison(compared: Compared, stream: TextIO) -> None:
    """Write a comparison in the same form as a Report."""
    from rnnshape.render import comparison
    from rnnshape.render.marks import marks_for

    marks = marks_for(stream)
    pieces = [
        _title(compared.comparison.title),
        _lines(comparison.context(compared, marks).plain.splitlines()),
        *_blocks(*comparison.ending(compared, marks)),
        *(f"Hint: {_quoted(label)}: {_escaped(hint)}\n" for label, hint in comparison.hints(compared)),
        *_blocks(*comparison.parts(compared, marks)),
        _environment(compared.sides[0].report.environment),
    ]
    stream.write("\n".join(pieces))


def write_rows(rows: Tally, stream: TextIO, view: View) -> None:
    """Write a table of all rows and a line that counts them."""
    names = header(view)
    stream.write(_line(names) + _line(["---"] * len(names)))
    for fields in rows.drawn(partial(cells, view=view)):
        stream.write(_line(map(_escaped, fields)))
        stream.flush()
    stream.write(f"\n{rows}\n")


def write_audit(rows: Tally, stream: TextIO, view: View) -> None:
    """Write the tables of an audit, and its disagreements."""
    from rnnshape.render import audit
    from rnnshape.render.marks import marks_for

    stream.write("\n".join(_blocks(*audit.parts(rows, marks_for(stream)))))


def _blocks(*drawn: RenderableType) -> Iterator[str]:
    """The Markdown of each block of the table view."""
    # Imported here, because rows do not need Rich.
    from rnnshape.render.blocks import Grid, Pairs, Words, blocks

    for block in blocks(*drawn):
        match block:
            case Grid():
                yield _table(block)
            case Pairs(rows):
                yield "".join(f"- **{_escaped(word.text)}** {_cell(what)}\n" for word, what in rows)
            case Words(text, style):
                yield _words(text, style)


def _words(text: str, style: str) -> str:
    if "\n" in text:
        return _fenced(text)
    return f"**{_escaped(text)}**\n" if style == "head" else f"{_escaped(text)}\n"


def _table(grid: Grid) -> str:
    rule = ["---:" if head.right else "---" for head in grid.head]
    lines = [_line(_escaped(head.text) for head in grid.head), _line(rule)]
    lines += [
        _line(_cell(cell).replace("|", "\\|") if _code(cell) else _cell(cell) for cell in row) for row in grid.rows
    ]
    title = f"**{_escaped(grid.title)}**\n\n" if grid.title else ""
    caption = f"\n{_escaped(grid.caption)}\n" if grid.caption else ""
    return f"{title}{''.join(lines)}{caption}"


def _title(text: str) -> str:
    return f"### {_quoted(text)}\n"


def _lines(texts: Iterable[str]) -> str:
    """Lines with hard line breaks."""
    return "\\\n".join(map(_escaped, texts)) + "\n"


def _environment(facts: Mapping[str, Any]) -> str:
    """Versions and device in a closed section."""
    rows = "".join(_line([_escaped(name), _escaped(str(value))]) for name, value in facts.items() if value is not None)
    table = _line(["environment", ""]) + _line(["---", "---"]) + rows
    return f"<details><summary>Environment</summary>\n\n{table}\n</details>\n"


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |\n"


def _code(cell: Cell) -> bool:
    return cell.style in _CODE and bool(cell.text.strip())


def _cell(cell: Cell) -> str:
    return _quoted(cell.text) if _code(cell) else _escaped(cell.text)


def _quoted(text: str) -> str:
    """Text as code, with enough backticks around it.

    >>> _quoted("LSTM(8)"), _quoted("a`b")
    ('`LSTM(8)`', '``a`b``')
    """
    text = " ".join(text.split())
    fence = "`" * (1 + _backticks(text))
    # Blanks at the edges are not shown; they separate a backtick of the text from the fence.
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{edge}{text}{edge}{fence}"


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + _backticks(text))
    return f"{fence}text\n{text}\n{fence}\n"


def _backticks(text: str) -> int:
    """The length of the longest sequence of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
