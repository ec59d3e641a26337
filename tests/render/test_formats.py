"""Every format contains the whole Report, and is valid for the programs that read it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs

import rnnshape
from rnnshape.reading.batch.data import from_data
from rnnshape.render import COMPARISON_FORMATS, FORMATS, View, comparison_renderer, renderer, rows_renderer
from rnnshape.report.checks import Check
from rnnshape.report.rows import Tally
from rnnshape.structure import leaves
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rnnshape.report import Report
    from rnnshape.report.comparison import Compared
    from tests.conftest import Ran

HOSTILE = "a | b <script>alert('1')</script> & &amp; `c` ]]> {d} $e \\ \x00"
STATES = {"return_sequences": True, "return_state": True}
DRAWN = ("table", "markdown", "html", "svg")
ALL = View(values=True, weights=True, cost=True, cudnn=True)


def _reports() -> Iterator[tuple[str, Report]]:
    lstm = rnnshape.explore("lstm", units=8, **STATES)
    yield "lstm", lstm
    yield "predicted", rnnshape.predict("bidirectional", merge_mode=None, **STATES)
    yield "cell", rnnshape.explore("lstm-cell")
    yield "stack", rnnshape.explore("LSTM(8, return_sequences=True) | GRU(3, return_state=True)")
    yield "wired", rnnshape.explore("lstm", return_state=True, units=8, into="LSTM(8)")
    yield "refused", rnnshape.explore("lstm", dtype="bfloat16")
    yield "ineligible", rnnshape.explore("gru", activation="relu")
    expect = {"output": ["N", 9], "params": 1, "checks": ["output == output", "output != output"]}
    yield "broken", rnnshape.explore(from_data({"name": "b", "layer": "LSTM(8)", "input": [2, 3, 4], "expect": expect}))
    yield "disagreeing", structs.replace(lstm, weighed=structs.replace(lstm.weighed, observed=()))
    belief = Check(HOSTILE, guaranteed=True, holds=False, exact=False, max_abs_diff=None, why=HOSTILE)
    named = replace(lstm.spec, name=HOSTILE)
    yield "hostile", structs.replace(lstm, spec=named, checks=(belief,), notes=(HOSTILE,), warnings=(HOSTILE,))


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return dict(_reports())


NAMES = ["lstm", "predicted", "cell", "stack", "wired", "refused", "ineligible", "broken", "disagreeing", "hostile"]


@pytest.fixture(scope="module")
def compared() -> Compared:
    return rnnshape.compare("LSTM(8)", "GRU(8, return_state=True)", "LSTM(8, dtype='bfloat16')", timing=True)


def written(report: Report, form: str, view: View = ALL) -> str:
    stream = io.StringIO()
    renderer(form)(report, stream, view)
    return stream.getvalue()


class Page(HTMLParser):
    """The texts of a page; fails for unbalanced tags and for anything that a browser would load."""

    VOID = ("meta", "link", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.code: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "srcset", "action", "data", "poster"):
                assert (tag, value) == ("link", "data:,")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        into = self.code if self.open and self.open[-1] in ("style", "script") else self.texts
        into.append(data)


def picture(text: str) -> str:
    """The texts of an SVG, in order."""
    texts = ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314  our own
    return " ".join((one.text or "").replace("\N{NO-BREAK SPACE}", " ") for one in texts)


def read(text: str, form: str) -> str:
    """The texts of a document, without markup."""
    if form == "html":
        text = " ".join(Page(text).texts)
    elif form == "svg":
        text = picture(text)
    elif form == "markdown":
        text = re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)
    return plain(text)


def plain(text: str) -> str:
    """The text without blanks, fences and escapes, which differ between formats."""
    return re.sub(r"[\s\x00\N{REPLACEMENT CHARACTER}`\\]+", "", text)


def told(report: Report) -> Iterator[str]:
    """All texts that every format must contain."""
    yield report.expression
    yield report.unpacking
    yield from (f"{tensor.role}" for tensor in leaves(report.structure))
    for check in report.checks:
        yield from (check.check, check.why)
    for line in report.expectations:
        yield from (line.expect, line.expected, line.got)
    yield from (weight.name for weight in report.weights)
    yield from (part.expression for part in report.flow)
    yield from (rule.rule for rule in report.cudnn.rules if "\n" not in rule.rule and not rule.rule.count(": "))
    yield from report.notes
    yield report.cost.formula.replace("*", "·")
    if report.error:
        yield report.error.message
    if report.wiring:
        yield report.wiring.unpacking


# Rich takes seconds to record a picture.
PICTURES_LATER = [pytest.param(form, marks=pytest.mark.slow) if form == "svg" else form for form in DRAWN]


@pytest.mark.parametrize("form", PICTURES_LATER)
@pytest.mark.parametrize("name", some(NAMES, 2))
def test_every_format_has_the_whole_answer(name: str, form: str, reports: dict[str, Report]) -> None:
    said = read(written(reports[name], form), form)
    missing = [text for text in told(reports[name]) if plain(text) not in said]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_and_markdown_have_the_hint_and_the_warnings(name: str, reports: dict[str, Report]) -> None:
    report = reports[name]
    for form in ("html", "markdown"):
        said = read(written(report, form), form)
        assert all(plain(warning) in said for warning in report.warnings)
        assert not (report.error and report.error.hint) or plain(report.error.hint) in said


def test_the_names_above_are_those_of_the_reports(reports: dict[str, Report]) -> None:
    assert list(reports) == NAMES
    assert {report.ok for report in reports.values()} == {True, False}


# A page


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_balanced_and_loads_nothing(name: str, reports: dict[str, Report]) -> None:
    text = written(reports[name], "html")
    page = Page(text)
    assert text.startswith("<!doctype html>\n")
    assert page.tags.count("script") == page.tags.count("style") == page.tags.count("h1") == 1
    for code in page.code:
        assert not re.search(r"https?:|url\(|@import|@font-face|\bimport\(|fetch\(", code)
    assert "default-src 'none'" in text


def test_every_header_cell_has_a_scope(reports: dict[str, Report]) -> None:
    text = written(reports["lstm"], "html")
    assert re.findall(r"<th(?=[ >])(?![^>]* scope=)[^>]*>", text) == []
    assert '<th scope="row">' in text
    assert '<th scope="col">' in text


def test_a_flag_opens_its_section(reports: dict[str, Report]) -> None:
    text = written(reports["lstm"], "html", View(cost=True))
    assert '<details class="cost" open="open">' in text
    assert '<details class="weights">' in text


def test_a_sign_that_the_encoding_lacks_becomes_a_reference(reports: dict[str, Report]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    for form in ("html", "svg"):
        renderer(form)(reports["lstm"], stream, View())
    stream.flush()
    assert b"&#10003;" in raw.getvalue()


# A picture


@pytest.mark.parametrize("name", some(NAMES, 5))
def test_a_picture_is_well_formed_and_loads_nothing(name: str, reports: dict[str, Report]) -> None:
    text = written(reports[name], "svg")
    root = ET.fromstring(text)  # noqa: S314  our own
    assert {url for url in re.findall(r"url\(([^)]*)\)", text) if not url.startswith("#")} == set()
    assert not re.search(r"https?:", text.replace('xmlns="http://www.w3.org/2000/svg"', "", 1))
    assert not {element.tag.split("}")[1] for element in root.iter()} & {"script", "image", "use", "foreignObject"}


def test_a_picture_has_a_dark_palette(reports: dict[str, Report]) -> None:
    light, dark = written(reports["disagreeing"], "svg").split("@media (prefers-color-scheme: dark)")
    rule = re.compile(r"-(r\d+) \{ fill: (#\w+)")
    by_day, by_night = dict(rule.findall(light)), dict(rule.findall(dark))
    assert by_day.keys() == by_night.keys()
    assert not set(by_day.values()) & set(by_night.values())


def test_a_picture_is_as_wide_as_its_widest_line(reports: dict[str, Report]) -> None:
    root = ET.fromstring(written(reports["lstm"], "svg", View()))  # noqa: S314  our own
    widest = max(map(len, written(reports["lstm"], "table", View()).splitlines()))
    assert 12.6 * widest < float(root.get("width", "")) < 12.6 * (widest + 5)


def test_a_wide_character_has_the_width_of_two(run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text("runs: [{name: 漢字 & é, layer: lstm}]\n")
    root = ET.fromstring(run("batch", str(tmp_path / "wide.yaml"), "--predict", "-f", "svg").out)  # noqa: S314
    (name,) = [one for one in root.iter("{http://www.w3.org/2000/svg}text") if "漢" in (one.text or "")]
    before, said, after = re.split(r"(漢字\S+&\S+é)", (name.text or "").replace("\N{NO-BREAK SPACE}", "~"))
    cells = len(before) + len(said) + 2 + len(after)
    assert float(name.get("textLength", "")) == pytest.approx(12.6 * cells, abs=0.01)


# Markdown


def columns(line: str) -> int:
    return len(re.split(r"(?<!\\)\|", line.strip())) - 2


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_markdown_has_as_many_cells_in_every_row(name: str, reports: dict[str, Report]) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", written(reports[name], "markdown"), re.MULTILINE)
    assert len(blocks) >= 3
    for block in blocks:
        head, rule, *rows = block.splitlines()
        assert re.fullmatch(r"\|( ---:? \|)+", rule)
        assert {columns(line) for line in (head, rule, *rows)} == {columns(head)}
        assert rows


def test_markdown_has_no_html_except_closed_sections(reports: dict[str, Report]) -> None:
    text = re.sub(r"`[^\n]*`|\\.", "", written(reports["hostile"], "markdown"))
    assert re.findall(r"<[^>]*>", text) == ["<details>", "<summary>", "</summary>", "</details>"]


# Comparisons, batches, notebooks


@pytest.mark.parametrize("form", [form for form in DRAWN if form in COMPARISON_FORMATS])
def test_every_format_has_the_whole_comparison(form: str, compared: Compared) -> None:
    stream = io.StringIO()
    comparison_renderer(form)(compared, stream)
    said = read(stream.getvalue(), form)
    texts = [compared.comparison.title, "Time per call"]
    for side in compared.sides:
        texts += [side.variant.label, *side.tensors, *(check.check for check in side.report.checks)]
        texts += [side.report.error.message] if side.report.error else []
    texts += [pair.why for pair in compared.pairs if pair.role != "structure"]
    assert [text for text in texts if plain(text) not in said] == []


def test_the_page_of_a_comparison_has_the_hint_of_one_side(compared: Compared) -> None:
    for form in ("html", "markdown"):
        stream = io.StringIO()
        comparison_renderer(form)(compared, stream)
        (error,) = [side.report.error for side in compared.errors]
        assert error is not None
        assert plain(error.hint or "?") in read(stream.getvalue(), form)


def test_the_page_of_a_batch_has_every_run_also_invalid_ones(run: Callable[..., Ran], tmp_path: Path) -> None:
    file = tmp_path / "runs.yaml"
    file.write_text(
        f"runs:\n- {{name: {json.dumps(HOSTILE)}, layer: lstm, units: 8, return_state: true}}\n"
        "- {name: second, layer: 'LSTM(8', expect: {error: invalid}}\n"
        "- {name: third, layer: gru, expect: {params: 1}}\n"
    )
    former = tmp_path / "former.jsonl"
    run("batch", str(file), "-f", "jsonl", "-o", str(former))
    ran = run("batch", str(file), "-f", "html", "--resume", str(former))
    page = Page(ran.out)
    said = plain(" ".join(page.texts))
    assert page.tags.count("tbody") > page.tags.count("h1") == 1
    for text in (HOSTILE, "second", "third", "3 runs, 2 ok, 1 failed", "params: expected 1, got", "output == state_h"):
        assert plain(text) in said, text
    assert ran.out.count('<tbody class="ok">') == 2
    assert ran.out.count('<tbody class="failed">') == 1


def test_the_page_of_no_run_at_all_is_a_page() -> None:
    for form in ("html", "svg", "markdown"):
        stream = io.StringIO()
        rows_renderer(form)(Tally(row for row in ()), stream, View())
        assert plain("0 runs, 0 ok, 0 failed") in read(stream.getvalue(), form)


def test_a_notebook_shows_a_fragment_whose_style_is_local(reports: dict[str, Report], compared: Compared) -> None:
    for answer in (*reports.values(), compared):
        text = answer._repr_html_()
        page = Page(text)
        assert not set(page.tags) & {"html", "head", "body", "main", "script", "h1", "h2", "link", "meta"}
        (style,) = page.code
        rules = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
        selectors = re.findall(r"([^{};]+)\{", rules)
        assert len(selectors) > 20
        for selector in ",".join(selectors).split(","):
            assert ".rnnshape" in selector or selector.strip().startswith("@media"), selector


def test_an_answer_loads_its_drawing_only_when_it_is_shown() -> None:
    code = (
        "import sys, rnnshape; report = rnnshape.predict('lstm'); report.to_dict()\n"
        "print([name for name in sys.modules if name.startswith('rnnshape.render.')])\n"
        "report._repr_html_(); print('rnnshape.render.html.report' in sys.modules, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True False"]


def test_the_command_line_loads_no_format_before_it_is_asked_for() -> None:
    code = (
        "import sys; sys.argv = ['rnnshape', 'lstm', '--help']; from rnnshape.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('rnnshape.render.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_every_format_is_tried() -> None:
    assert set(FORMATS) - set(DRAWN) == {"json", "jsonl", "code"}
