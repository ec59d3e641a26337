"""The reader of batch files: what YAML and JSON Lines mean, where it stands, and how mistakes are told."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnshape.errors import INVALID, RnnshapeError
from rnnshape.reading.batch.documents import MAX_DEPTH, MAX_MISTAKES, read_json_line, read_yaml
from rnnshape.reading.places import MAX_BYTES, Place, Source, Unreadable

if TYPE_CHECKING:
    from rnnshape.reading.places import Document, Path, Plain

EXAMPLE = """\
# the classic walk
defaults: &defaults
  input: [2, 3, 4]   # a shape
runs:
- name: "naïve 漢字"
  <<: *defaults
  layer: 'Bidirectional(GRU(1, activation=''relu''))'
  matrix: {units: [1, 8], return_state: [true, false]}
  expect:
    output: [N, T, 2H]
    checks:
    - output[:, -1, :] == state_h
  note: |
    two
    lines
- layer: lstm
  seed: 1e-3
  mask:
"""


def yaml(text: str) -> Document:
    return read_yaml(text.encode(), "runs.yaml")


def told(text: str | bytes) -> list[str]:
    """The mistakes of a YAML file, each ``line:column: message``."""
    with pytest.raises(Unreadable) as caught:
        read_yaml(text.encode() if isinstance(text, str) else text, "f")
    return [f"{m.place.line}:{m.place.column}: {m.message}" for m in caught.value.mistakes]


def told_of_json(line: str | bytes) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        read_json_line(line, "<stdin>", 7)
    return [f"{m.place.line}:{m.place.column}: {m.message}" for m in caught.value.mistakes]


def under(document: Document, place: Place) -> str:
    """The text that a place marks."""
    return document.source.line(place.line)[place.column - 1 : place.end_column - 1]


def paths(data: Plain, path: Path = ()) -> list[tuple[Path, Plain]]:
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(path, data), *(found for key, value in children for found in paths(value, (*path, key)))]


# What it means


def test_the_example_is_plain_data_in_the_order_written() -> None:
    data = yaml(EXAMPLE).data
    assert data == {
        "defaults": {"input": [2, 3, 4]},
        "runs": [
            {
                "input": [2, 3, 4],
                "name": "naïve 漢字",
                "layer": "Bidirectional(GRU(1, activation='relu'))",
                "matrix": {"units": [1, 8], "return_state": [True, False]},
                "expect": {"output": ["N", "T", "2H"], "checks": ["output[:, -1, :] == state_h"]},
                "note": "two\nlines\n",
            },
            {"layer": "lstm", "seed": 0.001, "mask": None},
        ],
    }
    assert list(data["runs"][0]) == ["input", "name", "layer", "matrix", "expect", "note"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("on", "on"), ("Off", "Off"), ("yes", "yes"), ("NO", "NO"), ("y", "y"), ("n", "n"),
        ("null", None), ("~", None), ("", None), ("NULL", None), ("none", "none"), ("None", "None"),
        ("8", 8), ("-8", -8), ("+8", 8), ("0", 0), ("9" * 30, int("9" * 30)), ("1" * 5000, "1" * 5000),
        ("010", "010"), ("0x1F", "0x1F"), ("0o17", "0o17"), ("0b1", "0b1"), ("1_000", "1_000"), ("1:30", "1:30"),
        ("1e-3", 0.001), ("1E3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-1.5e+2", -150.0), ("1e999", math.inf),
        (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf), ("inf", "inf"), ("nan", "nan"), (".", "."), ("1e", "1e"),
        ("2024-01-02", "2024-01-02"), ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"), ("=", "="), ("<<", "<<"),
        ("110;111", "110;111"), ("2H", "2H"), ("_", "_"), ("٣", "٣"),
        ("'8'", "8"), ('"true"', "true"), ("''", ""), ("!!str 8", "8"), ("! 8", "8"), ("!!str", ""), ("|-\n  8", "8"), (">-\n  a\n  b", "a b"),
        ('"\\ud83d\\ude00"', "😀"), ('"\\x41\\n"', "A\n"),
        ("!!seq [1]", [1]), ("!!map {a: 1}", {"a": 1}), ("[]", []), ("{}", {}), ("[a, [b]]", ["a", ["b"]]),
    ],
)  # fmt: skip
def test_what_a_value_means(written: str, meant: object) -> None:
    value = yaml(f"key: {written}\n").data["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_nan() -> None:
    assert math.isnan(yaml("key: .NaN").data["key"])


@pytest.mark.parametrize("key", ["on", "off", "yes", "no", "y", "N", "none", "011", "1:30", "a b", "2024-01-02", "="])
def test_a_plain_key_is_the_text_as_written(key: str) -> None:
    assert yaml(f"{key}: 1").data == {key: 1}


@pytest.mark.parametrize(
    ("written", "key"), [("'1'", "1"), ('"true"', "true"), ("'<<'", "<<"), ("!!str 1", "1"), ("? k\n", "k")]
)
def test_a_key_in_quotes_is_a_name(written: str, key: str) -> None:
    assert yaml(f"{written}: 1").data == {key: 1}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: &x [1, {b: 2}]\nc: *x\n", {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ("a: &x k\n*x : 1\n", {"a": "k", "k": 1}),
        ("a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
        (
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}",
            {"a": {"p": 1}, "b": {"p": 2, "q": 2}, "c": {"p": 1, "q": 2}},
        ),
        ("a: &x {p: 1}\nb: &y {<<: *x}\nc: {<<: *y, r: 1}", {"a": {"p": 1}, "b": {"p": 1}, "c": {"p": 1, "r": 1}}),
        ("<<: {a: 1}\nb: 2", {"a": 1, "b": 2}),
    ],
)
def test_anchors_and_merges(text: str, data: Plain) -> None:
    assert yaml(text).data == data


def test_an_alias_shares_no_object_with_its_anchor() -> None:
    data = yaml("a: &x [1]\nb: *x\n").data
    data["a"].append(2)
    assert data["b"] == [1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_encodings_and_line_breaks_change_nothing(encoding: str, line_break: str) -> None:
    document = read_yaml(EXAMPLE.replace("\n", line_break).encode(encoding), "f")
    assert document.data == yaml(EXAMPLE).data
    for path, _ in paths(document.data):
        assert document.place(path) == yaml(EXAMPLE).place(path)


# Where it stands


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        ((), 2, "defaults: &defaults"),
        (("defaults", "input"), 3, "[2, 3, 4]"),
        (("defaults", "input", 1), 3, "3"),
        (("runs",), 5, '- name: "naïve 漢字"'),
        (("runs", 0), 5, 'name: "naïve 漢字"'),
        (("runs", 0, "name"), 5, '"naïve 漢字"'),
        (("runs", 0, "input", 2), 3, "4"),
        (("runs", 0, "matrix", "return_state", 1), 8, "false"),
        (("runs", 0, "expect"), 10, "output: [N, T, 2H]"),
        (("runs", 0, "expect", "output", 2), 10, "2H"),
        (("runs", 0, "note"), 13, "|"),
        (("runs", 1, "seed"), 17, "1e-3"),
        (("runs", 1, "mask"), 18, ""),
        (("runs", 1, "nowhere", 3), 16, "layer: lstm"),
        (("runs", 7), 5, '- name: "naïve 漢字"'),
    ],
)
def test_the_place_of_a_value(path: Path, line: int, text: str) -> None:
    document = yaml(EXAMPLE)
    place = document.place(path)
    assert (place.line, under(document, place)) == (line, text)


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        (("runs",), 4, "runs"),
        (("runs", 0, "name"), 5, "name"),
        (("runs", 0, "input"), 3, "input"),
        (("runs", 0, "matrix", "units"), 8, "units"),
        (("runs", 0, "matrix", "units", 1), 8, "8"),
    ],
)
def test_the_place_of_a_key(path: Path, line: int, text: str) -> None:
    document = yaml(EXAMPLE)
    place = document.place(path, key=True)
    assert (place.line, under(document, place)) == (line, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a: &x [1] # c", "[1]"), ("a: !!str 8 # c", "8"), ("a: 'x' # c", "'x'"), ("a: x y # c", "x y"), ("a: 'x\n  y'", "'x"), ("a: [1,\n 2]", "[1,")],
)  # fmt: skip
def test_a_place_is_the_value_alone(text: str, value: str) -> None:
    document = yaml(text)
    assert under(document, document.place(("a",))) == value


@pytest.mark.parametrize("written", ["LSTM(bad)", "'LSTM(bad)'", '"LSTM(bad)"', "&x LSTM(bad)", "!!str  'LSTM(bad)'"])
def test_a_place_inside_a_text(written: str) -> None:
    document = yaml(f"runs:\n- layer: {written}\n")
    place = document.inner(("runs", 0, "layer"), 5, 8)
    assert (place.line, under(document, place)) == (2, "bad")


def test_a_place_inside_single_quotes_counts_each_doubled_quote_once() -> None:
    document, path = yaml(EXAMPLE), ("runs", 0, "layer")
    value = "Bidirectional(GRU(1, activation='relu'))"
    for word in ("GRU", "relu", "))"):
        at = value.index(word)
        assert under(document, document.inner(path, at, at + len(word))) == word


def test_a_place_past_the_end_of_a_text_is_one_character_wide() -> None:
    document = yaml("a: 'LSTM('")
    assert document.inner(("a",), 5, 5) == Place(1, 10, 11)
    assert document.inner(("a",), 500, 600) == Place(1, 10, 11)


@pytest.mark.parametrize("written", ["|\n  LSTM(bad)", "LSTM\n  (bad)", '"LSTM\\x28bad)"', "8"])
def test_what_is_not_written_as_it_reads_has_one_place(written: str) -> None:
    document = yaml(f"a: {written}\n")
    assert document.inner(("a",), 5, 8) == document.place(("a",))


# How a mistake looks


def test_a_mistake_is_shown_as_actionlint_shows_it() -> None:
    with pytest.raises(Unreadable) as caught:
        yaml("runs:\n- units: 1\n  name: x\n  units: 2 # again\n  2: 3\n")
    error = caught.value
    assert isinstance(error, RnnshapeError)
    assert error.exit_code == INVALID
    assert error.mistakes[0].also == Place(2, 3, 8)
    assert str(error) == (
        "runs.yaml:4:3: key 'units' appears twice, first in line 2: keep one\n"
        "  |\n"
        "4 |   units: 2 # again\n"
        "  |   ^~~~~\n"
        "runs.yaml:5:3: a key is a name, not a number: put it in quotes if you mean the text\n"
        "  |\n"
        "5 |   2: 3\n"
        "  |   ^"
    )


@pytest.mark.parametrize(
    ("line", "place", "shown"),
    [
        ("\ta: \tbad", Place(1, 6, 9), "1 |     a:     bad\n  |            ^~~"),
        ("漢字: bad", Place(1, 5, 8), "1 | 漢字: bad\n  |       ^~~"),
        ("e\u0301: 漢字", Place(1, 5, 7), "1 | e\u0301: 漢字\n  |    ^~~~"),
        ("\x1b[31m\u202e: b", Place(1, 8, 9), "1 | �[31m�: b\n  |        ^"),
        ("a: b", Place(1, 5, 6), "1 | a: b\n  |     ^"),
        ("a" * 100, Place(1, 100, 101), f"1 | {'a' * 100}\n  | {' ' * 99}^"),
    ],
)
def test_the_caret_stands_under_the_place(line: str, place: Place, shown: str) -> None:
    assert Source("f", line).show(place, "m") == f"f:1:{place.column}: m\n  |\n{shown}"


@pytest.mark.parametrize("at", [0, 30, 99, 100, 500, 970, 996])
def test_a_long_line_is_shown_around_the_place(at: int) -> None:
    line = "-" * at + "bad!" + "-" * (996 - at)
    _, _, shown, caret = Source("f", line).show(Place(1, at + 1, at + 5), "m").split("\n")
    assert len(shown) <= len("1 | ") + 106
    assert shown[caret.index("^") :].startswith("bad!")
    assert caret.endswith("^~~~")
    _, _, shown, caret = Source("f", line).show(Place(1, at + 1, 2000), "m").split("\n")
    assert len(caret) <= len(shown)


def test_a_place_ends_with_its_first_line() -> None:
    assert yaml("a: [1,  \n 2]").place(("a",)) == Place(1, 4, 7)
    assert yaml("a: 'x  \r\n  y'").place(("a",)) == Place(1, 4, 6)


def test_an_empty_line_is_not_shown() -> None:
    assert Source("f", "a:\n  \n").show(Place(2, 1, 2), "m") == "f:2:1: m"


def test_a_line_number_of_any_width() -> None:
    assert Source("f", "\n" * 99 + "a: 1").show(Place(100, 1, 2), "m") == "f:100:1: m\n    |\n100 | a: 1\n    | ^"


# What cannot be read

TWICE = "appears twice, first in"
COLUMN = "all keys of a mapping start in the same column"
DASHES = "all dashes of a list start in the same column"
TAB = "a tab is not allowed here: YAML uses spaces to indent and separate"
ENDED = "the value ends before this: put the whole text in one pair of quotes"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", ["1:1: the file is empty: it must contain one YAML document"]),
        ("# only\n", ["1:1: the file is empty: it must contain one YAML document"]),
        ("---\n", ["1:1: the file is empty: it must contain one YAML document"]),
        ("a: 1\n---\nb: 2", ["2:1: a second document starts here: a file contains one"]),
        ("a: 1\na: 2\na: 3", [f"2:1: key 'a' {TWICE} line 1: keep one", f"3:1: key 'a' {TWICE} line 1: keep one"]),
        ("{a: 1, 'a': 2}", [f"1:8: key 'a' {TWICE} column 2: keep one"]),
        ("<<: {a: 1}\n<<: {b: 1}", [f"2:1: key '<<' {TWICE} line 1: merge a list, '<<: [*a, *b]'"]),
        ("<<: 3", ["1:1: '<<' merges mappings: write an alias of a mapping, or a list of aliases"]),
        ("<<: [{a: 1}, [b]]", ["1:1: '<<' merges mappings: write an alias of a mapping, or a list of aliases"]),
        ("a: *b", ["1:4: no anchor '&b' is defined above"]),
        ("<<: *b\n*b : 1", ["1:5: no anchor '&b' is defined above", "2:1: no anchor '&b' is defined above"]),
        ("a: &a [*a]", ["1:8: this alias is inside its own anchor '&a' and would never end"]),
        ("a: &a {<<: *a}", ["1:12: this alias is inside its own anchor '&a' and would never end"]),
        ("1: a", ["1:1: a key is a name, not a number: put it in quotes if you mean the text"]),
        ("1.5: a", ["1:1: a key is a name, not a number: put it in quotes if you mean the text"]),
        ("true: a", ["1:1: a key is a name, not true or false: put it in quotes if you mean the text"]),
        ("~: a", ["1:1: a key is a name, not nothing (null): put it in quotes if you mean the text"]),
        ("? \n: a", ["1:2: a key is a name, not nothing (null): put it in quotes if you mean the text"]),
        ("{: a}", ["1:2: a value is missing before ':': write it, or put the text in quotes"]),
        ("[a]: b", ["1:1: a key is a name, not a list: put it in quotes if you mean the text"]),
        ("x: {{a}}", [
            "1:5: a key is a name, not a mapping: put it in quotes if you mean the text",
            "1:6: no ':' after this key: put text that contains a comma in quotes",
        ]),
        ("x: {layer: LSTM(8, unroll=True)}", ["1:20: no ':' after this key: put text that contains a comma in quotes"]),
        ("a: !!python/object:os.system x", ["1:4: tag '!!python/object:os.system' is not allowed: remove it"]),
        ("a: &x !mine [1]\nb: !!int 3\nc: !!str {d: 1}", [
            "1:7: tag '!mine' is not allowed: remove it",
            "2:4: tag '!!int' is not allowed: remove it",
            "3:4: tag '!!str' is not allowed: remove it",
        ]),
        ('a: "\\ud800"', ["1:4: half of a surrogate pair is not a character"]),
        ("a: \x07\n\x01", [
            "1:4: U+0007 is a control character: the only control characters allowed are tabs and line breaks",
            "2:1: U+0001 is a control character: the only control characters allowed are tabs and line breaks",
        ]),
        (b"a: 1\nb: \xe9t\xe9\n", ["2:4: not UTF-8: 0xe9 at byte 8 (counted from 0); save the file as UTF-8"]),
        (b"\xff\xfea", ["1:1: not UTF-16-LE: 0x61 at byte 2 (counted from 0); save the file as UTF-8"]),
        ("a:\n\tb: 1", [f"2:1: {TAB}"]),
        ("a:\t1", [f"1:3: {TAB}"]),
        ("a: b: c", [f"1:5: ': ' is not allowed here: put text that contains it in quotes; {COLUMN}"]),
        ("a: 1\n  b: 2", [f"2:4: ': ' is not allowed here: put text that contains it in quotes; {COLUMN}"]),
        ("runs:\n- a: 1\n b: 2", [f"3:2: this indentation matches no line above: {COLUMN}, {DASHES}"]),
        ("  a: 1\nb: 2", [f"2:1: this indentation matches no line above: {COLUMN}, {DASHES}"]),
        ("- a\nb: 1", [f"2:1: a key is not allowed here: {COLUMN}, and a list contains only items"]),
        ("b: 1\n- a", [f"2:1: a list item is not allowed here: {DASHES}, and a mapping contains only keys"]),
        ("a: - 1", ["1:4: a list item is not allowed here: start it on a line of its own"]),
        ("a: 1\nfoo\nb: 2", ["2:1: no ':' after this key: write 'key: value', and close every bracket and quote above"]),
        ("a: [1, 2\nb: 3", ["1:4: this bracket is not closed, a comma is missing, or text that contains brackets needs quotes"]),
        ("a: {x: 1\nb: 3", ["1:4: this bracket is not closed, a comma is missing, or text that contains brackets needs quotes"]),
        ("a: 'x\nb: 2", ["1:4: this quote is never closed"]),
        ('a: "x\n---\n"', ["1:4: this quote is never closed"]),
        ("a: @x", ["1:4: a value cannot start with '@': put it in quotes"]),
        ("a: [,]", ["1:5: a value is missing before ',': write it, or put the text in quotes"]),
        ("a: 'x' y", [f"1:8: {ENDED}"]),
        ("'a' 'b'", [f"1:5: {ENDED}"]),
        ('a: "\\q"', [r"1:6: unknown escape: write \\ for a backslash in double quotes, or use single quotes"]),
        ('a: "\\UFFFFFFFF"', ["1:7: not YAML: this number is too large"]),
        (f"%YAML 1.{'1' * 9999}\n---\na", ["1:9: not YAML: this number is too large"]),
        ("a: &", ["1:5: not YAML: expected alphabetic or numeric character, but found the end of the text"]),
        ("a: 1\na: 2\nb: [", [f"2:1: key 'a' {TWICE} line 1: keep one", "3:5: a value is missing before the end: write it, or put the text in quotes"]),
    ],
)  # fmt: skip
def test_what_yaml_is_refused(text: str | bytes, mistakes: list[str]) -> None:
    assert told(text) == mistakes


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[a, {b: "])
def test_depth_is_bounded(opening: str) -> None:
    (mistake,) = told(opening * 100_000)
    assert mistake.endswith(f": too deep: at most {MAX_DEPTH} levels")


def test_the_deepest_that_is_allowed() -> None:
    data = yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    assert json.dumps(data) == "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert told("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ["1:51: too deep: at most 50 levels"]
    line = '{"a": ' + "[" * 49 + "]" * 49 + "}"
    assert read_json_line(line, "f", 1).data == json.loads(line)


def test_depth_counts_through_aliases() -> None:
    chain = "- &a0 [x]\n" + "".join(f"- &a{i} [*a{i - 1}]\n" for i in range(1, 80))
    assert "50:9: too deep: at most 50 levels" in told(chain)


def test_a_bomb_of_aliases_is_told_once() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 40)
    )
    assert told(bomb) == ["5:45: the aliases of this file repeat too many values: at most 100,000 in all"]
    merged = "a0: &a0 {p: 1, q: 2}\n" + "".join(
        f"a{i}: &a{i} {{r{i}: *a{i - 1}, <<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 40)
    )
    assert len(told(merged)) == 1


def test_many_honest_aliases_are_read() -> None:
    document = yaml("d: &d {input: [2, 3, 4], seed: 0}\nruns:\n" + "- <<: *d\n" * 5000)
    assert document.data["runs"][4999] == {"input": [2, 3, 4], "seed": 0}


def test_a_large_file_is_refused_before_it_is_read() -> None:
    assert told(b"\xff" * (MAX_BYTES + 1)) == [
        "1:1: too large: 2,097,153 bytes, at most 2,097,152; use 'matrix:' or JSON Lines for more runs"
    ]
    assert told_of_json(b" " * (MAX_BYTES + 1))[0].startswith("7:1: too large: ")


def test_reading_stops_after_a_hundred_mistakes() -> None:
    mistakes = told("a: 1\n" * 50_000)
    assert len(mistakes) == MAX_MISTAKES + 1
    assert mistakes[-1].endswith(": too many errors: the rest was not read")
    assert len(told("\x01" * 50_000)) == MAX_MISTAKES


def test_long_texts_in_a_message_are_shortened() -> None:
    (mistake,) = told(f"{'a' * 200}: 1\n{'a' * 200}: 1\n")
    assert mistake == f"2:1: key '{'a' * 57}...' {TWICE} line 1: keep one"


# JSON Lines

LINE = '{"name": "é😀", "layer": "GRU(bad)", "input": [2, 3, 4], "mask": null, "dropout": 1e-1, "esc": "a\\"b"}'


@pytest.mark.parametrize("line", [LINE, LINE + "\n", LINE + "\r\n", LINE.encode(), b"\xef\xbb\xbf" + LINE.encode()])
def test_a_line_of_json(line: str | bytes) -> None:
    document = read_json_line(line, "<stdin>", 12)
    assert document.data == json.loads(LINE)
    for path, text in [
        (("layer",), '"GRU(bad)"'),
        (("input", 1), "3"),
        (("input",), "[2, 3, 4]"),
        (("name",), '"é😀"'),
    ]:
        place = document.place(path)
        assert (place.line, under(document, place)) == (12, text)
    assert under(document, document.place(("input",), key=True)) == '"input"'
    assert under(document, document.inner(("layer",), 4, 7)) == "bad"
    assert document.inner(("esc",), 1, 2) == document.place(("esc",))
    assert (
        document.source.show(document.place(("mask",)), "m").split("\n")[0] == f"<stdin>:12:{LINE.index('null') + 1}: m"
    )


def test_an_odd_line_of_json_has_one_place() -> None:
    document = read_json_line('{"a":\t[1]}', "f", 3)
    assert document.data == {"a": [1]}
    assert document.place(("a", 0)) == Place(3, 1, 11)


@pytest.mark.parametrize(
    ("line", "mistakes"),
    [
        ("", ["7:1: nothing to read: each line must be one JSON object"]),
        (" \r\n", ["7:1: nothing to read: each line must be one JSON object"]),
        ("[1]", ["7:1: each line is one JSON object, not a list"]),
        ('"lstm"', ["7:1: each line is one JSON object, not a text"]),
        ("null", ["7:1: each line is one JSON object, not nothing (null)"]),
        ('{"a": 1, "b": {"c": 1, "c": 2}, "a": 2}', [f"7:24: key 'c' {TWICE} column 16: keep one", f"7:33: key 'a' {TWICE} column 2: keep one"]),
        ('{"a": 1,\t"a": 2}', ["7:1: key 'a' appears twice: keep one"]),
        ('{"a": NaN, "b": [-Infinity, "NaN"]}', ["7:7: JSON has no NaN: write a number or null", "7:18: JSON has no -Infinity: write a number or null"]),
        ('{"a": ' + "1" * 5000 + "}", ["7:7: 5,000 digits are too many: at most 1,000"]),
        ('{"a": ' + "[" * 100_000, ["7:56: too deep: at most 50 levels"]),
        ('{"a": "\\ud800"}', ["7:8: not JSON: half of a surrogate pair is not a character; each line is one JSON object"]),
        (b'{"a": "\xff"}', ["7:8: not UTF-8: 0xff at byte 7 (counted from 0); save the file as UTF-8"]),
        ('{"a": "\ud800"}', ["7:8: not UTF-8: 0xed at byte 7 (counted from 0); save the file as UTF-8"]),
    ],
)  # fmt: skip
def test_what_json_is_refused(line: str | bytes, mistakes: list[str]) -> None:
    assert told_of_json(line) == mistakes


@pytest.mark.parametrize(
    ("line", "column"), [("{'a': 1}", 2), ('{"a": True}', 7), ('{"a": 1} {}', 10), ('{"a": "x', 7), ('{"a": 1', 8)]
)
def test_what_is_not_json_says_so_where_it_ends_to_be(line: str, column: int) -> None:
    (mistake,) = told_of_json(line)  # the words between are Python's, and change with it
    assert mistake.startswith(f"7:{column}: not JSON: ")
    assert mistake.endswith("; each line is one JSON object")


def test_brackets_and_nan_inside_texts_are_text() -> None:
    line = json.dumps({"a": "[" * 100, "b": 'NaN \\" {', "c": "1" * 2000})
    assert read_json_line(line, "f", 1).data == json.loads(line)


# Whatever comes

PIECES = [
    *"\t\n\r :-?,[]{}#&*!|>'\"%@`aé漢😀\\<~0.\x00\x07\x85\u2028\ufeff",
    ": ",
    "- ",
    "<<: ",
    "*d",
    "&d ",
    "!!x ",
    "---\n",
    "\\u",
    "\ud800",
]


def check_places(document: Document) -> None:
    lines = document.source.text.count("\n") + document.source.text.count("\r") + 1
    for path, value in paths(document.data):
        for place in (document.place(path), document.place(path, key=True)):
            first = document.source.first_line
            assert first <= place.line < first + lines
            assert 1 <= place.column < place.end_column
            document.source.show(place, "m")
        if isinstance(value, str):
            document.inner(path, 1, 2)


def read_or_refuse(data: bytes) -> None:
    """Nothing but ``Unreadable`` may come out, and it can be shown."""
    for read in (lambda: read_yaml(data, "f"), lambda: read_json_line(data, "f", 3)):
        try:
            document = read()
        except Unreadable as error:
            shown = str(error)
        else:
            check_places(document)
            continue
        assert shown.startswith("f:")
        shown.encode()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refuse(data)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_punctuation_is_read_or_refused(text: str) -> None:
    read_or_refuse(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("text", [EXAMPLE, LINE])
def test_a_file_with_slips_is_read_or_refused(text: str) -> None:
    rng = random.Random(0)
    for _ in range(1000):
        letters = list(text)
        for _ in range(rng.randint(1, 4)):
            at, other = rng.randrange(len(letters)), rng.randrange(len(letters))
            match rng.randrange(4):
                case 0:
                    letters[at] = rng.choice(PIECES)
                case 1:
                    letters.insert(at, rng.choice(PIECES))
                case 2:
                    del letters[at : at + rng.randint(1, 8)]
                case _:
                    letters[at:at] = letters[other : other + rng.randint(1, 30)]
        read_or_refuse("".join(letters).encode("utf-8", "surrogatepass"))


# YAML wants a key within 1,024 characters of its colon; escaped, a letter may take twelve.
KEYS = st.text(max_size=50)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(KEYS, PLAIN, max_size=5), st.booleans())
@pytest.mark.slow
def test_json_means_the_same_read_as_json_and_as_yaml(data: dict[str, Plain], ascii_only: bool) -> None:
    line = json.dumps(data, ensure_ascii=ascii_only)
    document = read_json_line(line, "f", 1)
    assert document.data == data
    check_places(document)
    if ascii_only and "\\u007f" not in line and "\x7f" not in line:
        assert yaml(line).data == data
