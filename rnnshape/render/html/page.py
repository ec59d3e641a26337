"""A whole page, or a fragment of another one, around elements: the files beside this module are put into it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from rnnshape.render.html.elements import element, markup

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element


def page(title: str, body: Iterable[Element]) -> str:
    """A page that loads nothing: style and script are in it, and its policy forbids all else."""
    # The elements are written one by one: the page of a batch may be long.
    return Template(_file("page.html")).substitute(
        title=markup(element("title", f"{title} · rnnshape")),
        style=_file("style.css") + _file("page.css"),
        script=_file("page.js"),
        body="\n".join(map(markup, body)),
    )


def fragment(body: Iterable[Element]) -> str:
    """A piece of a page that is not ours: its style reaches nothing outside it."""
    style = element("style", _file("style.css"))
    return markup(element("div", style, *body, class_="rnnshape"))


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
