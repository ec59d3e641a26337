"""Parses the pasted text, finds places in it and collects its problems; helpers for syntax trees."""

from __future__ import annotations

import ast
import re
import warnings
from itertools import accumulate
from typing import TypeAlias

from rnnshape.errors import Problem

Tree: TypeAlias = ast.expr | ast.keyword | ast.stmt | ast.alias
Span: TypeAlias = tuple[int, int]


class Unknown(Problem, frozen=True):
    """A class, a name or an argument that is unknown here but may be right where the code was copied."""


class Rejected(Problem, frozen=True):
    """Something that Keras rejects; other problems may only be too much for this reader."""


class Source:
    """One text; problems are collected, not raised, so that all are reported at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self.problems: list[Problem] = []

    def _offset(self, line: int, column: int) -> int:
        """Characters from the beginning of the text; ``ast`` counts columns in bytes of UTF-8."""
        if line > len(self.lines):
            return len(self.text)
        own = self.lines[line - 1]
        inside = column if own.isascii() else len(own.encode(errors="replace")[:column].decode(errors="ignore"))
        return self.starts[line - 1] + inside

    def wrong(self, message: str, tree: Tree) -> None:
        self.wrong_at(message, self.place(tree))

    def wrong_at(self, message: str, span: Span) -> None:
        self.problems.append(Problem("", message, span))

    def rejected(self, message: str, tree: Tree) -> None:
        """Report what Keras rejects."""
        self.problems.append(Rejected("", message, self.place(tree)))

    def unknown(self, message: str, tree: Tree) -> None:
        """Report that a layer is unknown."""
        self.problems.append(Unknown("", message, self.place(tree)))

    def set_aside(self, since: int) -> None:
        """Make the problems since then ``Unknown``, so that only their statement is left out, not the whole text."""
        self.problems[since:] = [Unknown(one.key, one.message, one.span) for one in self.problems[since:]]

    def place(self, tree: Tree) -> Span:
        """The half-open range of characters that a part of the text takes."""
        end = self._offset(tree.end_lineno or tree.lineno, tree.end_col_offset or 0)
        return self._offset(tree.lineno, tree.col_offset), end

    def said(self, tree: Tree) -> str:
        """A part of the text as it was written, in one line."""
        return " ".join(self.text[slice(*self.place(tree))].split())

    def body(self) -> list[ast.stmt]:
        """The statements of the text; empty after an error if it is not Python."""
        if (odd := re.search("[\ud800-\udfff]", self.text)) is not None:
            self.wrong_at("this is not valid UTF-8", odd.span())
            return []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as "\d" in a string
                body = ast.parse(self.text).body
        except SyntaxError as error:
            place = self._offset(error.lineno or 1, 0) + max((error.offset or 1) - 1, 0)
            place = min(place, max(len(self.text) - 1, 0))
            self.problems.append(Problem("", f"invalid Python: {error.msg}", (place, place + 1)))
        except (RecursionError, MemoryError):  # of the parser itself
            self.problems.append(Problem("", "this is nested too deeply: write it in several statements"))
        except ValueError as error:
            self.problems.append(Problem("", f"invalid Python: {error}"))
        else:
            if (deep := _too_deep(body)) is None:
                return body
            self.wrong("this is nested too deeply: write it in several statements", deep)
        return []


_DEEPEST = 100


def _too_deep(body: list[ast.stmt]) -> ast.expr | None:
    """The first expression that nests too deep; layers joined by ``|`` do not nest."""
    left: list[tuple[ast.AST, int]] = [(statement, 0) for statement in body]
    while left:
        node, depth = left.pop()
        if depth > _DEEPEST and isinstance(node, ast.expr):
            return node
        beside = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)
        left += [(child, depth + (not beside)) for child in ast.iter_child_nodes(node)]
    return None


def joined(tree: ast.expr) -> list[ast.expr]:
    """The parts of ``a | b | c``, in order and without recursion."""
    parts: list[ast.expr] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        parts.append(tree.right)
        tree = tree.left
    return [tree, *reversed(parts)]


def dotted(tree: ast.expr) -> str | None:
    """The name with its prefix, ``tf.keras.layers.LSTM``; None if the expression is not a name."""
    names: list[str] = []
    while isinstance(tree, ast.Attribute):
        names.append(tree.attr)
        tree = tree.value
    return ".".join([tree.id, *reversed(names)]) if isinstance(tree, ast.Name) else None


def called(tree: ast.expr) -> str:
    """The last name of a called function: ``zeros`` of ``tf.zeros((2, 8))``; empty for any other expression."""
    function = tree.func if isinstance(tree, ast.Call) else None
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def made_array(sizes: tuple[int | None, ...], place: ast.expr) -> ast.expr:
    """``zeros`` of a shape, at a place of the text."""
    shape = ast.Tuple([ast.Constant(size) for size in sizes], ast.Load())
    made = ast.copy_location(ast.Call(ast.Name("zeros", ast.Load()), [shape], []), place)
    return ast.fix_missing_locations(made)


def made_input(said: list[ast.keyword], place: ast.expr) -> ast.expr:
    """``Input`` with what is said of it elsewhere, at a place of the text."""
    made = ast.copy_location(ast.Call(ast.Name("Input", ast.Load()), [], said), place)
    return ast.fix_missing_locations(made)
