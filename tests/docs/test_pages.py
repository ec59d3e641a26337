"""The pages say what is so: every command, program, file and flag on them is tried.

``--rewrite-golden`` writes what is printed into the page.
"""

from __future__ import annotations

import doctest
import io
import json
import re
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import yaml

from rnnshape.layers import TABLE
from tests import ROOT
from tests.shared.pages import DOCS, OPTIONAL, PAGES, Block, Shell, answered, blocks, comparable, name, prose, replaced
from tests.shared.releases import legacy, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

LANGUAGES = {"console", "python", "pycon", "yaml", "json", "sh", "text", "{include}", "{toctree}"}
RUN = ("console", "python", "pycon")
# Pages whose blocks other tests run, each by itself: tests/docs/test_quirks.py and tests/scan/test_findings_page.py.
ELSEWHERE = ("keras-quirks.md", "findings.md")


def having(*languages: str) -> list[Path]:
    """The pages with a block of these languages."""
    return [
        page for page in PAGES if page.name not in ELSEWHERE and blocks(page.read_text(encoding="utf-8"), *languages)
    ]


@pytest.fixture
def shell(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    shell = Shell(run, monkeypatch)
    yield shell
    shell.close()


# They show what only the newest release answers: cuDNN's rules and notes, a mask on the output, RMSNormalization.
OF_THE_NEWEST = {
    f"{page}.md"
    for page in ("batch", "contributing", "cudnn", "masks", "models", "paste", "pipelines", "questions", "quickstart")
}
MARKS = {**dict.fromkeys(OF_THE_NEWEST, newest), "keras-versions.md": legacy}
SHOWN = [pytest.param(page, marks=MARKS.get(page.name, ())) for page in having(*RUN)]


@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_a_page_shows_what_comes_of_it(page: Path, shell: Shell, request: pytest.FixtureRequest) -> None:
    """Its blocks, in order and in one folder: commands, Python, and the files that they read."""
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    shown: list[tuple[Block, str]] = []
    # What a page lays into the table of layers is gone after it.
    with pytest.MonkeyPatch.context() as patch, mock.patch.dict(TABLE):
        patch.chdir(shell.folder)
        for block in blocks(text, *RUN, "yaml", "json"):
            shell.write(block)
            told = now(block, shell, names)
            shown.append((block, block.text if told is None else told))
    if request.config.getoption("--rewrite-golden"):
        for block, told in reversed(shown):
            text = replaced(text, block, told)
        page.write_text(text, encoding="utf-8")
    else:
        for block, told in shown:
            assert comparable(block.text) == comparable(told)
    if shell.missing:
        pytest.skip(f"all held but what needs {', '.join(sorted(shell.missing))}: not on this machine")


def now(block: Block, shell: Shell, names: dict[str, object]) -> str | None:
    """The block with what comes of it now; None where nothing was tried."""
    if block.language == "console":
        return answered(block, shell)
    if block.language == "pycon":
        return retold(block.text, names)
    if block.language == "python":
        try:
            exec(compile(block.text, "page", "exec"), names)  # noqa: S102  the page's own code
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                raise
            shell.missing.add(error.name)
    return None


@pytest.mark.parametrize("page", having("console"), ids=name)
def test_a_console_block_is_commands_and_what_they_print(page: Path) -> None:
    """No line is lost: what stands before the first command would never be held against anything."""
    for block in blocks(page.read_text(encoding="utf-8"), "console"):
        assert block.text.startswith("$ "), f"no command stands above:\n{block.text}"
        assert any("rnnshape" in command for command in block.commands), f"nothing is asked:\n{block.text}"


def retold(text: str, names: dict[str, object]) -> str:
    """An interactive session with what it prints now; a traceback in the short form of doctest."""
    pieces = []
    for part in doctest.DocTestParser().parse(text):
        if isinstance(part, str):
            pieces.append(part)
            continue
        with redirect_stdout(io.StringIO()) as out:
            try:
                exec(compile(part.source, "page", "single"), names)  # noqa: S102  the page's own code
            except Exception as error:  # noqa: BLE001  whatever is raised is shown
                print("Traceback (most recent call last):\n    ...", *format_exception_only(error), sep="\n", end="")
        first, *others = part.source.splitlines()
        pieces += [f">>> {first}\n", *(f"... {line}".rstrip() + "\n" for line in others), out.getvalue()]
    return "".join(pieces)


@pytest.mark.parametrize("page", having("yaml", "json"), ids=name)
def test_the_data_of_a_page_is_right(page: Path, tmp_path: Path) -> None:
    """YAML and JSON can be read; a file of runs is one to the schema and to the reader."""
    import jsonschema

    from rnnshape.reading.batch.runs import from_files
    from rnnshape.schema.file import batch_file

    for block in blocks(page.read_text(encoding="utf-8"), "yaml", "json"):
        if block.language == "json":
            json.loads(block.text)
            continue
        data = yaml.safe_load(block.text)
        if isinstance(data, dict) and data.keys() & {"runs", "defaults"}:
            jsonschema.validate(data, batch_file())
            path = tmp_path / "page.yaml"
            path.write_text(block.text, encoding="utf-8")
            assert list(from_files([str(path)]))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_block_says_what_it_is(page: Path) -> None:
    """A block of an unknown language, or one that is not seen as a block, would be tried by no test."""
    text = page.read_text(encoding="utf-8")
    found = blocks(text)
    assert {block.language for block in found} <= LANGUAGES
    assert len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)) == 2 * len(found)


_FILE = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|md|yaml|toml))\b[^`\n]*`")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_files_that_are_named_exist(page: Path) -> None:
    """Those of this repository and of Keras; the folder ``rnnshape/`` in front may be left out."""
    keras = Path(str(find_spec("keras").origin)).parent / "src"  # type: ignore[union-attr]
    roots = [ROOT, ROOT / "rnnshape", keras]
    named = _FILE.findall(prose(page.read_text(encoding="utf-8")))
    assert [file for file in named if not any((root / file).exists() for root in roots)] == []


def test_the_recipes_of_ci_run(shell: Shell) -> None:
    """What they ask of rnnshape, on the contracts of their page; the rest is GitHub's and GitLab's."""
    recipes = blocks((DOCS / "ci.md").read_text(encoding="utf-8"), "yaml")
    for block in recipes:
        shell.write(block)
    asked = {command for block in recipes for command in commands_of(yaml.safe_load(block.text))}
    assert len(asked) >= 3
    for command in asked:
        assert shell(f"{command} > out; echo $?") == "0\n", command


def commands_of(recipe: Any) -> Iterator[str]:
    """The command lines of rnnshape in a recipe; the hook gets its file."""
    if isinstance(recipe, str) and recipe.startswith("rnnshape "):
        yield recipe if ".yaml" in recipe else f"{recipe} contracts.yaml"
    for inner in recipe.values() if isinstance(recipe, dict) else recipe if isinstance(recipe, list) else ():
        yield from commands_of(inner)


# A word with a blank behind it: ``rnnshape/cli`` is a folder.
_ASKED = re.compile(r"(?:^|[\s`|(=/])rnnshape ((?:[a-z][\w-]*|--\w[\w-]*)\b[^`\n|;)]*)")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_flags_that_are_named_exist(page: Path) -> None:
    """Also where a command is not run: in the text, in a table, in a recipe for another machine."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", prose(text))
    spans += [line for line in prose(text).splitlines() if line.startswith("    ")]
    spans += [command for block in blocks(text, "console") for command in block.commands]
    spans += [line for block in blocks(text, "sh", "yaml") for line in block.text.splitlines()]
    wrong = [f"rnnshape {words}: {said}" for span in spans for words in _ASKED.findall(span) for said in unknown(words)]
    assert wrong == []


def unknown(words: str) -> list[str]:
    """What of a command line does not exist: its command, or a flag."""
    import typer.main

    from rnnshape.cli.app import application

    command, *rest = re.sub(r"\s#.*", "", words).split()
    if command in ("LAYER", "--version", "--help", "--install-completion", "--show-completion"):
        return []
    group = typer.main.get_command(application([command]))
    if command not in group.commands:
        return ["no such command"]
    options = {
        option
        for parameter in group.commands[command].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = [re.split(r"[=\[\]]", word)[0].rstrip(".,:") for word in rest if re.match(r"-{1,2}[a-z]", word)]
    return [f"no {flag}" for flag in given if flag not in {*options, "--help", "-h"}]


def test_the_tests_above_can_fail(shell: Shell) -> None:
    """A page that is wrong in every way is told so."""
    page = "```console\n$ rnnshape lstm --predict -f json | jq .params\n25\n\n$ rnnshape dense --units 0\nfine\n```\n"
    (block,) = blocks(page, "console")
    told = answered(block, shell)
    assert told is None or "| jq .params\n24\n" in told
    assert "must be" in str(shell("rnnshape dense --units 0"))
    assert shell("rnnshape lstm --predict -f jsonl | wc -l; echo $?") == "1\n0\n"
    assert shell("rnnshape dense --units 0 2> /dev/null; echo $?") == "2\n"
    with pytest.raises(AssertionError, match="no program kj"):
        shell("rnnshape lstm --predict | kj")
    assert "kj" not in OPTIONAL
    assert unknown("lstm --units 8 --unit 9") == ["no --unit"]
    assert unknown("lsmt --units 8") == ["no such command"]
    assert retold(">>> 1 + 1\n3\n", {}) == ">>> 1 + 1\n2\n"
    assert comparable("│ ✓ 0   │ ✗ 0.27 │ 1.2e-08 │ 96 │") == "│ ✓ 0 │ ✗ 0.1 │ 0.1 │ 96 │"
