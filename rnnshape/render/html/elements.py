"""HTML as elements, so that any text is escaped and all tags are closed.

>>> markup(element("p", "a < b & ", element("code", "<script>", class_="role")))
'<p>a &lt; b &amp; <code class="role">&lt;script&gt;</code></p>'
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias
from xml.etree.ElementTree import Element, tostring

from rnnshape.render.plain_text import xml

if TYPE_CHECKING:
    from collections.abc import Iterable

    Child: TypeAlias = "Element | str | None"


def element(tag: str, *children: Child, **attributes: str | bool | None) -> Element:
    """An element with texts and elements as children.

    None as a child, and None or False as an attribute, are left out.  ``class_`` becomes ``class``, and ``data_copy``
    becomes ``data-copy``.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            made.set(name.rstrip("_").replace("_", "-"), xml(name if value is True else value))
    last: Element | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                made.text = (made.text or "") + xml(child)
            else:
                last.tail = (last.tail or "") + xml(child)
        elif child is not None:
            made.append(child)
            last = child
    return made


def unbroken(text: str) -> list[Child]:
    """The text with each shape, such as ``(2, 8)``, as an element without line breaks inside.

    >>> [markup(one) if isinstance(one, Element) else one for one in unbroken("((2, 8), (2, 8))")]
    ['(', '<span class="shape">(2, 8)</span>', ', ', '<span class="shape">(2, 8)</span>', ')']
    """
    return [
        element("span", part, class_="shape") if number % 2 else part
        for number, part in enumerate(_SHAPE.split(text))
        if part
    ]


_SHAPE = re.compile(r"(\(\w+(?:, \w+)*,?\))")


def markup(one: Element) -> str:
    """The element as HTML."""
    return tostring(one, encoding="unicode", method="html")


def section(title: str, body: Iterable[Element], level: int, name: str | None = None) -> Element:
    """A section under a heading of this level."""
    return element("section", element(f"h{level}", title), *body, class_=name)


def folded(
    title: str, body: Iterable[Element], level: int, *, name: str | None = None, opened: bool = False
) -> Element:
    """A section that the reader can open and close."""
    summary = element("summary", element(f"h{level}", title))
    return element("details", summary, *body, class_=name, open=opened)
