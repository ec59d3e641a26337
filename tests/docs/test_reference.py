"""The reference is that of this version: made anew it is the same, and nothing of it is missing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rnnshape import errors
from rnnshape.schema.comparison import comparison
from rnnshape.schema.file import batch_file
from rnnshape.schema.report import report
from tests.shared import reference
from tests.shared.pages import REFERENCE, anchors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_is_what_is_made_now(name: str, request: pytest.FixtureRequest) -> None:
    path, made = REFERENCE / name, reference.PAGES[name]()
    if request.config.getoption("--rewrite-golden"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, f"{name} is stale: --rewrite-golden makes it anew"


def test_no_other_page_stands_there() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(reference.PAGES)


def test_every_command_has_its_heading() -> None:
    assert set(reference.commands()) <= anchors((REFERENCE / "cli.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", reference.commands())
def test_every_option_is_there(name: str) -> None:
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    for parameter in reference.commands()[name].params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", section), f"{name} {option}"


def test_the_help_is_the_one_that_is_printed(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("lstm", "compare", "schema"):
        printed = re.sub(r"^Usage: .*?rnnshape\b", "Usage: rnnshape", run(name, "--help").out)
        assert printed.rstrip() == reference.help_of(name).rstrip()


def test_the_exit_codes_are_those_of_the_code() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    assert set(errors.EXIT_CODES) == codes > {0, 1, 2, 3, 130}


@pytest.mark.parametrize(
    ("page", "schema"), [("yaml.md", batch_file()), ("report.md", report()), ("report.md", comparison())],
    ids=["file", "report", "comparison"],
)  # fmt: skip
def test_every_key_and_every_value_of_the_schema_is_there(page: str, schema: dict[str, Any]) -> None:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    missing = [word for word in set(words(schema)) if not re.search(rf"[`.]{re.escape(word)}`", text)]
    assert missing == []


def words(schema: Any) -> Iterator[str]:
    """Every name of a property and every value of an enumeration, wherever it stands."""
    if isinstance(schema, list):
        for item in schema:
            yield from words(item)
    if isinstance(schema, dict):
        yield from (name for name, one in schema.get("properties", {}).items() if one is not False)
        yield from (json.dumps(value).strip('"') for value in schema.get("enum", ()) if value not in ("none", "None"))
        for item in schema.values():
            yield from words(item)


def test_what_is_looked_for_is_found() -> None:
    """The test above looks for more than a handful of words."""
    assert {"layer", "units", "merge_mode", "include", "ineligible", "mixed_float16"} <= set(words(batch_file()))
    assert {"observed", "decided_by", "unrolled"} <= set(words(report()))
