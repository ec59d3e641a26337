"""How the site is made of these pages: ``sphinx-build -W docs site``, without network."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape.version import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
_PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _PROJECT["name"]
version = release = __version__
extensions = ["myst_parser"]
# The anchors of headings are those of GitHub, where the same pages are read.
myst_heading_anchors = 3
# "--values" is an option, not a dash.
smartquotes = False
html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Read a page as GitHub does not: see ``_read``."""
    app.connect("source-read", _read)


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    """Take what is for the site out of its comment, and make files of the links that leave ``docs/``.

    On GitHub nobody sees ``<!-- site: … -->``: contents, and a page that is put in.  There a link leads to any file of
    the repository; here a file that is no page of the site is handed out.
    """
    folder = (HERE / page).parent

    def linked(link: re.Match[str]) -> str:
        inside = (folder / link[1]).resolve().is_relative_to(HERE)
        return link[0] if inside else f"](path:{link[1]})"

    text = re.sub(r"<!-- site:\n(.*?)-->", r"\1", source[0], flags=re.DOTALL)
    source[0] = re.sub(r"\]\((\.\./[^)#]+)\)", linked, text)
