"""The page of findings: a section for each code; its wrong example has the finding, its right example has none."""

from __future__ import annotations

import re

import pytest

from rnnshape.scan.codes import CODES, section
from rnnshape.scan.one import scan_text
from rnnshape.scan.texts import Text
from tests import ROOT
from tests.scan.test_corpus import failed_at
from tests.shared.pages import PAGES

PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {
    title.split()[0]: re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for title, text in SECTIONS.items()
}


def test_each_code_has_its_section() -> None:
    assert list(SECTIONS) == list(CODES)
    for code, known in CODES.items():
        told = " ".join(SECTIONS[code].split())
        assert told.startswith(f"*{known.severity.capitalize()}.* {known.happens} {known.do}")
        assert f"| [{code}](#{section(code).partition('#')[2]}) | {known.severity} | {known.happens} |" in PAGE
        assert len(EXAMPLES[code]) == 2


def test_each_ignore_on_a_page_has_codes_and_severities() -> None:
    lists = [found for page in PAGES for found in re.findall(r"\bignore = \[(.*?)\]", page.read_text(encoding="utf-8"))]
    words = {word.strip(' "') for found in lists for word in found.split(",")}
    assert {"cudnn", "info"} <= words <= {*CODES, *(known.severity for known in CODES.values())}


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_is_found_and_the_right_one_is_not(code: str) -> None:
    wrong, right = (scan_text(Text("page.py", example)).findings for example in EXAMPLES[code])
    assert ([finding.code for finding in wrong], right) == ([code], ())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", CODES)
def test_keras_agrees(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = (failed_at(example, monkeypatch) for example in EXAMPLES[code])
    assert right is None
    assert (wrong is not None) == (CODES[code].severity == "error" and code != "contract")
