r"""A YAML document, or one line of JSON Lines, read into plain data that knows its places.

>>> read_yaml(b"runs:\n- {layer: lstm, units: 8}\n", "runs.yaml").data
{'runs': [{'layer': 'lstm', 'units': 8}]}
>>> read_json_line('{"layer": "lstm", "units": 8}', "<stdin>", 1).data
{'layer': 'lstm', 'units': 8}

YAML is read as people mean it: ``on``, ``no``, ``none`` and dates stay text, ``1e-3`` is a number, and
what YAML's own rules would hide (a key written twice, a bomb of aliases) is a mistake with its place.
The data is made from PyYAML's events, in one pass without recursion: its own constructor forgets the
places, keeps the last of two equal keys, and goes as deep as the file says.  The parser in C is left
out: it reads some 1 % of broken files otherwise, so a file's meaning would depend on the machine.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml

from rnnshape.batch.places import Document, Mistake, Node, Scalar, Source, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 50
MAX_REPEATED = 100_000
"""Values that the aliases of a file may repeat, all together."""
MAX_MISTAKES = 100
MAX_DIGITS = 1000
"""Python makes no number, and prints none, of more than some thousands."""

# YAML 1.2's core rules for plain text, less hexadecimal and octal; "011" is a mask and keeps its zero.
_INT = re.compile(rf"[-+]?(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})")
_FLOAT = re.compile(r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_WORDS: dict[str, Scalar] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_KINDS = {
    type(None): "nothing (null)",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a mapping",
}
_TAG = "tag:yaml.org,2002:"
_LINE_BREAK = re.compile(r"[\r\n]")
_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_COLON = re.compile(r"\s*:")
_WORD = re.compile(r"[^\s,\[\]{}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_TOKEN = re.compile(
    # The end of a string is optional, so that one that never ends is not searched for again and again.
    rf'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{{]|[\]}}]|[0-9]{{{MAX_DIGITS + 1},}}|-?Infinity|NaN',
    re.DOTALL,
)

_DEEP = f"too deep: at most {MAX_DEPTH} levels"
_HALF = "half of a surrogate pair is no character"
_KEYS = "one mapping's keys start in one column"
_DASHES = "one list's dashes start in one column"

# What PyYAML says; what it means, mostly; whether to point at where it began.  {} is the character at the place.
_SYNTAX = (
    ("mapping values are not", f"': ' cannot stand here: put a text that holds it in quotes; {_KEYS}", False),
    ("find expected ':'", "no ':' after this key: write 'key: value', and close every bracket and quote above", True),
    ("found unexpected", "the quote that opens here is never closed", True),
    ("but got", "the bracket that opens here is not closed, or a comma is missing in it", True),
    ("cannot start any token", "a value cannot start with {}: put it in quotes", False),
    ("the node content", "a value is missing before {}: write it, or put the text in quotes", False),
    ("but found '<block ", f"the indentation fits nothing above: {_KEYS}, {_DASHES}", False),
    ("but found '?'", f"a key cannot stand here: {_KEYS}, and a list holds items only", False),
    ("but found '-'", f"a list's item cannot stand here: {_DASHES}, and a mapping holds keys only", False),
    ("<block end>, but found", "the value ended before this: put the whole of a text in one pair of quotes", False),
    ("but found '<scalar>'", "the value ended before this: put the whole of a text in one pair of quotes", False),
    ("sequence entries are not", "a list's item cannot stand here: start it on a line of its own", False),
    ("unknown escape", r"unknown escape: write \\ for a backslash in double quotes, or use single quotes", False),
)


def read_yaml(data: bytes, name: str) -> Document:
    """The one YAML document in these bytes.

    Raises ``Unreadable`` with every mistake; what follows one of syntax cannot be read.
    """
    composer = _Composer(Source.decode(data, name))
    root = composer.run()
    if root is None or composer.mistakes:
        raise Unreadable(composer.source, composer.mistakes)
    return Document(composer.source, root.plain(), lambda _: root)


def read_json_line(line: bytes | str, name: str, number: int) -> Document:
    """The JSON object in line ``number`` of JSON Lines; its places are found when they are asked for.

    Raises ``Unreadable``: also for a key written twice, and for NaN and Infinity, which JSON lacks.
    """
    raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    source = Source.decode(raw.rstrip(b"\r\n"), name, number)
    if mistakes := list(islice(_json_traps(source), MAX_MISTAKES)):
        raise Unreadable(source, mistakes)
    try:
        data, twice = _load_json(source.text)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        mistake = Mistake(source.place(error.pos, error.pos + 1), f"not JSON: {problem}; each line is one JSON object")
        raise Unreadable(source, [mistake]) from None
    whole = source.place(0, len(source.text))
    if twice:
        composer = _Composer(source)  # it finds the same keys, with their places, unless the line is an odd one
        composer.run()
        mistakes = [mistake for mistake in composer.mistakes if mistake.also]
        raise Unreadable(source, mistakes or [Mistake(whole, f"key {_quoted(twice[0])} is written twice: keep one")])
    if not isinstance(data, dict):
        raise Unreadable(source, [Mistake(whole, f"each line is one JSON object, not {_KINDS[type(data)]}")])
    return Document(source, data, _json_nodes)


def _load_json(text: str) -> tuple[Any, list[str]]:
    """What the text says, and the keys that it says twice."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return made

    data = json.loads(text, object_pairs_hook=unique)
    if "\\u" in text:
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise json.JSONDecodeError(_HALF, text, text.index("\\u")) from None
    return data, twice


def _json_traps(source: Source) -> Iterator[Mistake]:
    """What Python's JSON reader lets pass, or falls over."""
    text = source.text
    if not text.strip():
        yield Mistake(source.place(0, 1), "nothing is written here: each line is one JSON object")
    if len(text) <= MAX_DIGITS and text.count("[") + text.count("{") <= MAX_DEPTH and not re.search("NaN|Inf", text):
        return  # nearly every line
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        start, end = token.span()
        first = text[start]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            yield Mistake(source.place(start, end), _DEEP)
            return
        if first.isdigit():
            yield Mistake(source.place(start, end), f"{end - start:,} digits are too many: at most {MAX_DIGITS:,}")
        elif first in "-IN":
            yield Mistake(source.place(start, end), f"JSON has no {token[0]}: write a number or null")


def _json_nodes(source: Source) -> Node:
    """The places in a line of JSON, which is YAML too; the whole line if it is not (a tab, a key of 2,000 letters)."""
    return _Composer(source).run() or Node(0, len(source.text))


def resolve(text: str) -> Scalar:
    """What plain text, without quotes, means.

    >>> [resolve(text) for text in ("8", "1e-3", "true", "null", "no", "none", "011", "1_000", "1:30", "2H")]
    [8, 0.001, True, None, 'no', 'none', '011', '1_000', '1:30', '2H']
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    anchor: str | None
    flow: bool
    written: list[Node] = field(default_factory=list)  # the first two nodes in it
    key: tuple[Node, bool] | None = None  # what waits for its value, and whether it is '<<'
    merge_key: Node | None = None
    merged: list[Node] = field(default_factory=list)


class _Composer:
    """Events in, nodes out.  Every mistake is noted; ``blank`` then stands for what is wrong."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []
        self.root: Node | None = None
        self.blank = Node(0, 0)
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}  # None: its value is still open
        self.repeated = 0

    def run(self) -> Node | None:
        """The document's root, or None when there is none to speak of."""
        for event in self.events():
            if not self.take(event):
                break
        if not self.mistakes and (self.root is None or (self.root.value is None and self.root.end == self.root.start)):
            self.mistake(0, 0, "nothing is written here: a file holds one YAML document")
        return self.root

    def events(self) -> Iterator[yaml.Event]:
        """What PyYAML meets in the text, one after the other, up to the first thing that it cannot read."""
        text = self.source.text
        if found := list(islice(yaml.SafeLoader.NON_PRINTABLE.finditer(text), MAX_MISTAKES)):
            for each in found:
                name = f"U+{ord(each[0]):04X} is a control character"
                self.mistake(*each.span(), f"{name}: only tabs and line breaks may stand in a text file")
            return
        loader = yaml.SafeLoader(text)
        try:
            while loader.check_event():
                yield loader.get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            self.syntax(error)
        except (ValueError, OverflowError):  # "\UFFFFFFFF", or %YAML 1.<a million digits>: Python's own errors
            self.mistake(loader.index, loader.index + 1, "not YAML: this number is too large")

    def mistake(self, start: int, end: int, message: str, also: Node | None = None) -> None:
        other = self.source.place(also.start, also.end) if also else None
        self.mistakes.append(Mistake(self.source.place(start, end), message, other))

    def syntax(self, error: yaml.MarkedYAMLError) -> None:
        """Say what PyYAML says in words that help."""
        problem = (error.problem or "it cannot be read").replace(repr("\0"), "the end of the text")
        message, began = next((row[1:] for row in _SYNTAX if row[0] in problem), (f"not YAML: {problem}", False))
        mark = (error.context_mark if began else None) or error.problem_mark
        at = mark.index if mark else 0
        character = self.source.text[at : at + 1]
        if character == "\t":
            message = "a tab cannot stand here: YAML indents and separates with spaces"
        word = _WORD.match(self.source.text, at)
        message = message.replace("{}", repr(character) if character else "the end")
        self.mistake(at, word.end() if word else at + 1, message)

    def take(self, event: Any) -> bool:  # Any: the types say that an event may lack its marks
        """Take one event, and say whether to go on."""
        start, end = event.start_mark.index, event.end_mark.index
        match event:
            case yaml.ScalarEvent():
                plain = event.style is None and event.tag is None
                self.add(self.scalar(event), merges=plain and event.value == "<<")
            case yaml.AliasEvent():
                self.add(self.repeat(str(event.anchor), start, end))
            case yaml.CollectionStartEvent():
                mapping = isinstance(event, yaml.MappingStartEvent)
                self.check_tag(event, "map" if mapping else "seq")
                children: dict[str, tuple[Node, Node]] | list[Node] = {} if mapping else []
                node = Node(self.own_start(event), end, children=children)
                self.open.append(_Open(node, event.anchor, bool(event.flow_style)))
                if event.anchor:
                    self.anchors[event.anchor] = None
                if len(self.open) > MAX_DEPTH:
                    self.mistake(start, end, _DEEP)
                    return False
            case yaml.CollectionEndEvent():
                self.add(self.close(self.open.pop(), end))
            case yaml.DocumentStartEvent() if self.root:
                self.mistake(start, end, "a second document starts here: a file holds one")
                return False
        if len(self.mistakes) < MAX_MISTAKES:
            return True
        self.mistake(start, end, "too many mistakes: what follows was not read")
        return False

    def add(self, node: Node, *, merges: bool = False) -> None:
        """Put a finished node where it belongs."""
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if len(parent.written) < 2:
            parent.written.append(node)
        if isinstance(parent.node.children, list):
            parent.node.children.append(node)
        elif parent.key is None:
            parent.key = node, merges
        else:
            (key, merges), parent.key = parent.key, None
            self.pair(parent, key, node, merges=merges)

    def pair(self, parent: _Open, key: Node, value: Node, *, merges: bool) -> None:
        """Put a key and its value into a mapping, or what '<<' names aside for the mapping's end."""
        children = parent.node.children
        assert isinstance(children, dict)
        if key is self.blank:
            return
        if not isinstance(key.value, str):
            kind = _KINDS[type(key.value if key.children is None else key.children)]
            self.mistake(key.start, key.end, f"a key is a name, not {kind}: put it in quotes if it is meant as one")
        elif first := parent.merge_key if merges else children.get(key.value, (None,))[0]:
            here, there = (self.source.place(node.start, node.end) for node in (key, first))
            where = f"line {there.line}" if there.line < here.line else f"column {there.column}"
            advice = "merge a list, '<<: [*a, *b]'" if merges else "keep one"
            message = f"key {_quoted(key.value)} is written twice, first in {where}: {advice}"
            self.mistake(key.start, key.end, message, first)
        elif merges:
            parent.merge_key = key
            sources = value.children if isinstance(value.children, list) else [value]
            parent.merged = [source for source in sources if isinstance(source.children, dict)]
            if any(not isinstance(source.children, dict) and source is not self.blank for source in sources):
                self.mistake(key.start, key.end, "'<<' merges mappings: write an alias of one, or a list of such")
        else:
            children[key.value] = key, value
            if parent.flow and value.start == value.end and not _COLON.match(self.source.text, key.end):
                # What a comma in plain text makes of {layer: LSTM(8, unroll=True)}.
                self.mistake(key.start, key.end, "no ':' after this key: put a text that holds a comma in quotes")

    def close(self, done: _Open, end: int) -> Node:
        """The node of a list or mapping whose end has come."""
        node = done.node
        if isinstance(node.children, dict):
            merged: dict[str, tuple[Node, Node]] = {}
            for source in done.merged:  # the first one named wins, and the mapping's own keys over all
                assert isinstance(source.children, dict)
                for key, pair in source.children.items():
                    merged.setdefault(key, pair)
            node.children = merged | node.children
            inside = [value for _, value in node.children.values()]
        else:
            inside = node.children or []
        node.size = 1 + sum(child.size for child in inside)
        node.height = 1 + max((child.height for child in inside), default=0)
        node.end = end if done.flow else self.first_line_end(node.start, done.written)
        if done.anchor:
            self.anchors[done.anchor] = node
        return node

    def first_line_end(self, start: int, written: list[Node]) -> int:
        """Where a list or mapping in block style ends on the line it starts on, without the comment there."""
        word = _WORD.match(self.source.text, start)
        end = word.end() if word else start + 1
        for node in written:
            if node.start < start or _LINE_BREAK.search(self.source.text, start, node.start):
                break  # the anchor of an alias, or the next line
            end = node.end
        return end

    def repeat(self, name: str, start: int, end: int) -> Node:
        """The node that an alias repeats."""
        node = self.anchors.get(name)
        if name not in self.anchors:
            message = f"nothing above is named {_quoted('&' + name)}"
        elif node is None:
            message = f"this stands inside what {_quoted('&' + name)} names, and would never end"
        elif len(self.open) + node.height > MAX_DEPTH:
            message = _DEEP
        elif self.repeated > MAX_REPEATED:
            return self.blank  # it is said once
        else:
            self.repeated += node.size
            if self.repeated <= MAX_REPEATED:
                return node
            message = f"the aliases of this file repeat too many values: at most {MAX_REPEATED:,} in all"
        self.mistake(start, end, message)
        return self.blank

    def scalar(self, event: Any) -> Node:
        """The node of a scalar; what stands in quotes, or has the tag !!str, is a text."""
        self.check_tag(event, "str")
        text: str = event.value
        end = event.end_mark.index
        start = min(self.own_start(event), end)
        if event.style in ("|", ">"):
            header = _BLOCK_HEADER.match(self.source.text, start)
            end = header.end() if header else start + 1
        if _SURROGATE.search(text):  # "\ud83d\ude00", as JSON writes it
            try:
                text = text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                self.mistake(start, end, _HALF)
        node = Node(start, end, resolve(text) if event.style is None and event.tag is None else text)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def own_start(self, event: Any) -> int:
        """Where a value itself starts, after the anchor and the tag that stand before it on its line."""
        start: int = event.start_mark.index
        properties = _PROPERTIES.match(self.source.text, start) if event.anchor or event.tag else None
        return properties.end() if properties else start

    def check_tag(self, event: Any, own: str) -> None:
        """Refuse every tag but that of a node's own kind: others name objects to make, or change what is written."""
        if event.tag not in (None, "!", _TAG + own):
            start = self.source.text.index("!", event.start_mark.index)
            end = start + len(self.source.text[start:].split(maxsplit=1)[0])
            self.mistake(start, end, f"tag {_quoted(self.source.text[start:end])} is not allowed: leave it out")
