"""The parts of the table view as HTML: tables, definition lists and paragraphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.render import ending
from rnnshape.render.blocks import Block, Cell, Grid, Pairs, Words, blocks
from rnnshape.render.html.elements import element, folded, section, unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from rich.console import RenderableType

    from rnnshape.render.html.elements import Child

_CODE = ("code", "role")


def part(
    *drawn: RenderableType, level: int, name: str | None = None, fold: bool = False, opened: bool = False
) -> Element:
    """One part of the table view under its title.  ``fold`` makes a section that can be closed, ``opened`` opens it."""
    title, rest = _titled(list(blocks(*drawn)))
    body = [one for block in rest for one in _block(block, level + 1)]
    if fold:
        return folded(title, body, level, name=name, opened=opened)
    return section(title, body, level, name) if title else element("section", *body, class_=name)


def _titled(all_blocks: list[Block]) -> tuple[str, list[Block]]:
    """The title (of the first table, or the heading above it), and the blocks without it."""
    match all_blocks:
        case [Grid() as first, *others]:
            return first.title, [first._replace(title=""), *others]
        case [Words(text, "head"), *others]:
            return text, others
    return "", all_blocks


def _block(block: Block, level: int) -> Iterator[Element]:
    match block:
        case Grid():
            if block.title:
                yield element(f"h{level}", block.title)
            yield element("div", table(block), class_="scroll")
            if block.caption:
                yield element("p", block.caption, class_="faint")
        case Pairs():
            yield pairs(block)
        case Words(text, style):
            yield element("pre" if "\n" in text else "p", text, class_=style or None)


def said(*drawn: RenderableType, level: int = 3) -> list[Element]:
    """The elements of renderables, without a section."""
    return [one for block in blocks(*drawn) for one in _block(block, level)]


def table(grid: Grid) -> Element:
    """A table; the cells of the first column with a name are the row headers."""
    heads = [element("th", head.text, scope="col", class_=_number(head.right)) for head in grid.head]
    named = next((place for place, head in enumerate(grid.head) if head.text), 0)
    rows = [
        element(
            "tr",
            *(
                element("th", *shown(one), scope="row")
                if place == named
                else element("td", *shown(one), class_=_number(grid.head[place].right))
                for place, one in enumerate(row)
            ),
        )
        for row in grid.rows
    ]
    head = element("thead", element("tr", *heads)) if any(head.text for head in grid.head) else None
    return element("table", head, element("tbody", *rows))


def _number(right: bool) -> str | None:
    return "number" if right else None


def pairs(block: Pairs) -> Element:
    """A definition list; lines to paste get a copy button."""
    items = []
    for word, what in block.rows:
        copied = True if word.text in ending.COPIED else None
        items += [element("dt", word.text), element("dd", *shown(what, copied=copied))]
    return element("dl", *items)


def shown(cell: Cell, *, copied: bool | None = None) -> list[Child]:
    """A cell's text in its style; code becomes a ``code`` element."""
    tag = "code" if cell.style in _CODE else "span"
    if not cell.style and not copied:
        return unbroken(cell.text)
    return [element(tag, cell.text, class_=cell.style or None, data_copy=copied)]
