"""Gives each expression without a value a letter: an identifier that no other expression in the text has."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.known import KnownNames, identifier
from rnnshape.reading.code.literals import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.reading.code.syntax import Source

# Letters and names that theory uses itself.
_OWN = re.compile(r"[A-Z][a-z]?\d*(?:_\d+)*")
_TAKEN = {"output", "state", "mask", "x", "i", "empty"}


class Letters(KnownNames):
    """The names of one text; ``letters`` has the letter of each expression, by its text."""

    def __init__(self, source: Source, let: Mapping[str, Any]) -> None:
        super().__init__(source, let)
        self.letters: dict[str, str] = {}

    def let_of(self, tree: ast.expr, letter: str) -> Any:
        """The value that ``--let`` gives an expression, by its letter or its text; ``MISSING`` without one."""
        for key in (letter, self.source.said(tree)):
            if key in self.let:
                self.used.add(key)
                return self.let[key]
        return MISSING

    def letter(self, tree: ast.expr) -> str:
        """The name of an expression: an identifier that no other expression in the text has."""
        said = self.source.said(tree).removeprefix("self.")  # an attribute keeps the argument of its name
        # A required argument in an unknown ** gets a name of its own.
        if isinstance(tree, ast.Name) and said != tree.id:
            said = f"{said}[{tree.id!r}]"
        if said in self.letters:
            return self.letters[said]
        letter = self._assigned_name(tree)
        if _OWN.fullmatch(letter):
            letter = letter.lower()
        if letter in _TAKEN:
            letter += "_"
        if letter in self.letters.values():
            letter = identifier(said)
        while letter in self.letters.values():
            letter += "_2"
        self.letters[said] = letter
        return letter

    def _assigned_name(self, tree: ast.expr) -> str:
        """The name of an expression; for ``X.shape[1]`` and ``len(words)`` the name that it is assigned to, if any."""
        name = self.plain_name(tree)
        if isinstance(tree, ast.Name | ast.Attribute) or tree not in self.names_of:
            return name
        by_number = isinstance(tree, ast.Subscript) and name != getattr(tree.slice, "value", None)
        anonymous = by_number or name == identifier(self.source.said(tree))
        return self.plain_name(self.names_of[tree]) if anonymous else name
