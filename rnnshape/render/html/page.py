"""Put elements into a whole page, or into a fragment for another page; the templates are beside this module."""

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
    """A page that contains its style and script and loads nothing; its content security policy forbids more."""
    # One element at a time, because the page of a batch may be long.
    return Template(_file("page.html")).substitute(
        title=markup(element("title", f"{title} · rnnshape")),
        style=_file("style.css") + _file("page.css"),
        script=_file("page.js"),
        body="\n".join(map(markup, body)),
    )


def fragment(body: Iterable[Element]) -> str:
    """A fragment for another page; its style affects nothing outside it."""
    style = element("style", _file("style.css"))
    return markup(element("div", style, *body, class_="rnnshape"))


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
