"""Every link of a page leads somewhere: to a file of the repository, and to a heading on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import ROOT
from tests.shared.pages import DOCS, PAGES, REFERENCE, anchors, links, name

if TYPE_CHECKING:
    from pathlib import Path

LINKED = [*PAGES, *sorted(REFERENCE.glob("*.md")), *sorted((ROOT / "benchmarks").rglob("*.md"))]


@pytest.mark.parametrize("page", LINKED, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert broken(page.read_text(encoding="utf-8"), page) == []


def broken(text: str, page: Path) -> list[str]:
    """The links of this page's text that lead nowhere; an address elsewhere is not looked up."""
    here = [link for link in links(text) if "://" not in link and not link.startswith("mailto:")]
    return [link for link in here if not _leads(link, text, page)]


def _leads(link: str, text: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    if path:
        target = (page.parent / path).resolve()
        if not (target.exists() and target.is_relative_to(ROOT)):
            return False
        text = target.read_text(encoding="utf-8") if target.suffix == ".md" else ""
    return not anchor or anchor in anchors(text)


def test_every_page_can_be_reached_from_the_first() -> None:
    """By links, as a reader on GitHub goes; the site's side bar has the rest of them too."""
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            near = (
                (page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text(encoding="utf-8"))
            )
            waiting += [path for path in near if path.suffix == ".md" and DOCS in path.parents]
    assert reached == set(DOCS.rglob("*.md"))


def test_a_broken_link_is_seen() -> None:
    text = """# Here
    [a](quickstart.md) [b](quickstrat.md) [c](quickstart.md#install) [d](quickstart.md#instal) `[e](no.md)`
    [f](https://example.org) [g](#here) [h](#there) [i](../../outside.md) [j](../configs/sweep.yaml#x)
    """
    wrong = ["quickstrat.md", "quickstart.md#instal", "#there", "../../outside.md", "../configs/sweep.yaml#x"]
    assert broken(text, DOCS / "index.md") == wrong
    assert anchors("# What's new?\n## A `b` c\n## A b c\n```\n# no\n```\n") == {"whats-new", "a-b-c", "a-b-c-1"}
