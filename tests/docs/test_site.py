"""The pages become a site, without a warning: a page that no contents name and a link that leads nowhere are two."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import ROOT
from tests.shared.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

for needed in ("sphinx", "myst_parser", "furo"):
    pytest.importorskip(needed, reason='the site needs the extra "docs": pip install -e ".[docs]"')


def built(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """``sphinx-build -W docs site``."""
    command = [sys.executable, "-m", "sphinx", "-W", "-q", source, site]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = built(DOCS, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert all((tmp_path / page).exists() for page in pages)
    # What it shows comes from itself, not from the network.
    loaded = [
        part for page in pages for part in (tmp_path / page).read_text(encoding="utf-8").split("<") if "src=" in part
    ]
    assert loaded
    assert not [part for part in loaded if "//" in part]
