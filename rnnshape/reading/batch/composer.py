r"""Composes nodes with places from PyYAML's events, in one pass and without recursion.

YAML is read as people expect: ``on``, ``no``, ``none`` and dates stay text, and ``1e-3`` is a number.  A duplicate key
and too many repeated aliases, which plain YAML allows, are mistakes with a place.  PyYAML's constructor is not used: it
drops the places, keeps the last of two equal keys, and recurses as deep as the file is nested.  Its parser in C is not
used either: it reads about 1 % of broken files differently, so the result would depend on the machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml

from rnnshape.reading.batch.scalars import KINDS, resolve
from rnnshape.reading.places import Mistake, Node, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 50
MAX_REPEATED = 100_000
"""The most values that all aliases of a file together may repeat."""
MAX_MISTAKES = 100
_TAG = "tag:yaml.org,2002:"
_LINE_BREAK = re.compile(r"[\r\n]")
_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_COLON = re.compile(r"\s*:")
_WORD = re.compile(r"[^\s,\[\]{}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
DEEP = f"too deep: at most {MAX_DEPTH} levels"
HALF = "half of a surrogate pair is not a character"
_KEYS = "all keys of a mapping start in the same column"
_DASHES = "all dashes of a list start in the same column"

# Part of PyYAML's message; our message; whether to point at the start of the construct.  {} is the character there.
_SYNTAX = (
    ("mapping values are not", f"': ' is not allowed here: put text that contains it in quotes; {_KEYS}", False),
    ("find expected ':'", "no ':' after this key: write 'key: value', and close every bracket and quote above", True),
    ("found unexpected", "this quote is never closed", True),
    ("but got", "this bracket is not closed, a comma is missing, or text that contains brackets needs quotes", True),
    ("cannot start any token", "a value cannot start with {}: put it in quotes", False),
    ("the node content", "a value is missing before {}: write it, or put the text in quotes", False),
    ("but found '<block ", f"this indentation matches no line above: {_KEYS}, {_DASHES}", False),
    (
        "but found '{'",
        "a second object starts here: JSON Lines are one object on each line, and are read from standard input",
        False,
    ),
    ("but found '?'", f"a key is not allowed here: {_KEYS}, and a list contains only items", False),
    ("but found '-'", f"a list item is not allowed here: {_DASHES}, and a mapping contains only keys", False),
    ("<block end>, but found", "the value ends before this: put the whole text in one pair of quotes", False),
    ("but found '<scalar>'", "the value ends before this: put the whole text in one pair of quotes", False),
    ("sequence entries are not", "a list item is not allowed here: start it on a line of its own", False),
    (
        "expected a comment or a line break",
        "after | or > the text begins on the next line; to begin it here, put it in quotes",
        False,
    ),
    ("unknown escape", r"unknown escape: write \\ for a backslash in double quotes, or use single quotes", False),
)


def quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    node: Node
    anchor: str | None
    flow: bool
    written: list[Node] = field(default_factory=list)  # the first two nodes in it
    key: tuple[Node, bool] | None = None  # a key without its value yet, and whether it is '<<'
    merge_key: Node | None = None
    merged: list[Node] = field(default_factory=list)


class Composer:
    """Makes nodes from events.  Every mistake is collected; the node ``blank`` replaces a wrong value."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []
        self.root: Node | None = None
        self.blank = Node(0, 0)
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}  # None: its value is still open
        self.repeated = 0

    def run(self) -> Node | None:
        """The root of the document; None if there is none."""
        for event in self.events():
            if not self.take(event):
                break
        if not self.mistakes and (self.root is None or (self.root.value is None and self.root.end == self.root.start)):
            self.mistake(0, 0, "the file is empty: it must contain one YAML document")
        return self.root

    def events(self) -> Iterator[yaml.Event]:
        """PyYAML's events, in order, up to the first error."""
        text = self.source.text
        if found := list(islice(yaml.SafeLoader.NON_PRINTABLE.finditer(text), MAX_MISTAKES)):
            for each in found:
                name = f"U+{ord(each[0]):04X} is a control character"
                self.mistake(*each.span(), f"{name}: the only control characters allowed are tabs and line breaks")
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
        """Add a mistake for an error of PyYAML, with a clearer message."""
        problem = (error.problem or "it cannot be read").replace(repr("\0"), "the end of the text")
        message, began = next((row[1:] for row in _SYNTAX if row[0] in problem), (f"not YAML: {problem}", False))
        mark = (error.context_mark if began else None) or error.problem_mark
        at = mark.index if mark else 0
        character = self.source.text[at : at + 1]
        if character == "\t":
            message = "a tab is not allowed here: YAML uses spaces to indent and separate"
        word = _WORD.match(self.source.text, at)
        message = message.replace("{}", repr(character) if character else "the end")
        self.mistake(at, word.end() if word else at + 1, message)

    def take(self, event: Any) -> bool:  # Any: the types say that an event may lack its marks
        """Handle one event; return whether to continue."""
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
                    self.mistake(start, end, DEEP)
                    return False
            case yaml.CollectionEndEvent():
                self.add(self.close(self.open.pop(), end))
            case yaml.DocumentStartEvent() if self.root:
                self.mistake(start, end, "a second document starts here: a file contains one")
                return False
        if len(self.mistakes) < MAX_MISTAKES:
            return True
        self.mistake(start, end, "too many errors: the rest was not read")
        return False

    def add(self, node: Node, *, merges: bool = False) -> None:
        """Add a finished node to its parent, or make it the root."""
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
        """Add a key and its value to a mapping; the values of '<<' are kept until the mapping ends."""
        children = parent.node.children
        assert isinstance(children, dict)
        if key is self.blank:
            return
        if not isinstance(key.value, str):
            kind = KINDS[type(key.value if key.children is None else key.children)]
            self.mistake(key.start, key.end, f"a key is a name, not {kind}: put it in quotes if you mean the text")
        elif first := parent.merge_key if merges else children.get(key.value, (None,))[0]:
            here, there = (self.source.place(node.start, node.end) for node in (key, first))
            where = f"line {there.line}" if there.line < here.line else f"column {there.column}"
            advice = "merge a list, '<<: [*a, *b]'" if merges else "keep one"
            message = f"key {quoted(key.value)} appears twice, first in {where}: {advice}"
            self.mistake(key.start, key.end, message, first)
        elif merges:
            parent.merge_key = key
            sources = value.children if isinstance(value.children, list) else [value]
            parent.merged = [source for source in sources if isinstance(source.children, dict)]
            if any(not isinstance(source.children, dict) and source is not self.blank for source in sources):
                self.mistake(
                    key.start, key.end, "'<<' merges mappings: write an alias of a mapping, or a list of aliases"
                )
        else:
            children[key.value] = key, value
            if parent.flow and value.start == value.end and not _COLON.match(self.source.text, key.end):
                # A comma ends plain text, as in {layer: LSTM(8, unroll=True)}.
                self.mistake(key.start, key.end, "no ':' after this key: put text that contains a comma in quotes")

    def close(self, done: _Open, end: int) -> Node:
        """The finished node of a list or mapping."""
        node = done.node
        if isinstance(node.children, dict):
            merged: dict[str, tuple[Node, Node]] = {}
            for source in done.merged:  # the first source wins, and the mapping's own keys win over all
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
        """The end of a list or mapping in block style on its first line, without a comment."""
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
            message = f"no anchor {quoted('&' + name)} is defined above"
        elif node is None:
            message = f"this alias is inside its own anchor {quoted('&' + name)} and would never end"
        elif len(self.open) + node.height > MAX_DEPTH:
            message = DEEP
        elif self.repeated > MAX_REPEATED:
            return self.blank  # reported once
        else:
            self.repeated += node.size
            if self.repeated <= MAX_REPEATED:
                return node
            message = f"the aliases of this file repeat too many values: at most {MAX_REPEATED:,} in all"
        self.mistake(start, end, message)
        return self.blank

    def scalar(self, event: Any) -> Node:
        """The node of a scalar; a scalar in quotes, or with the tag !!str, is a text."""
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
                self.mistake(start, end, HALF)
        node = Node(start, end, resolve(text) if event.style is None and event.tag is None else text)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def own_start(self, event: Any) -> int:
        """The start of a value, after an anchor and a tag on the same line."""
        start: int = event.start_mark.index
        properties = _PROPERTIES.match(self.source.text, start) if event.anchor or event.tag else None
        return properties.end() if properties else start

    def check_tag(self, event: Any, own: str) -> None:
        """Reject every tag except that of the node's own kind: others create objects, or change the value."""
        if event.tag not in (None, "!", _TAG + own):
            start = self.source.text.index("!", event.start_mark.index)
            end = start + len(self.source.text[start:].split(maxsplit=1)[0])
            self.mistake(start, end, f"tag {quoted(self.source.text[start:end])} is not allowed: remove it")
