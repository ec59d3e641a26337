"""Makes stand-ins for values that the code does not give: sizes (``LSTM(latent_dim)``), rates, choices (``flag``).

An unknown size is shown as a letter of its own, and gets a small number that no other size has.  An unknown choice
stays open: ``Names.open`` has its possible values.
"""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnshape.layers.stand_ins import Rate, Size
from rnnshape.layers.wires import Graph
from rnnshape.reading.code.letters import Letters
from rnnshape.reading.code.literals import HUGE, MISSING, SIGNS, applied
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import Node
    from rnnshape.reading.code.syntax import Source, Span

_MOST_CHOICES = 3
# The functions of a tuner: hp.Int("units", 8, 64).
_TUNED = ("Int", "Choice", "Fixed")
_RATE = 0.5
_PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
_LETTERED = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.IfExp | ast.BoolOp | ast.BinOp | ast.UnaryOp
_LEVELS = {"+": 0, "-": 0, "*": 1, "//": 1}
_ATOM = 2
_STANDS = " is not given: "


class _Part(NamedTuple):
    """A part of a size: its number, its Python text, the precedence of its operator, and whether it has a name."""

    value: int
    text: str
    level: int = _ATOM
    named: bool = False


class Open(NamedTuple):
    """A choice that the code leaves open: its name, its possible values, and its place."""

    key: str
    values: tuple[Any, ...]
    span: Span


class Names(Letters):
    """The names of one text, with stand-ins for those without a value.

    ``taken`` has the sizes that no stand-in may have, ``modules`` those that may contain an unknown class.
    ``stands`` has the number of each name, ``notes`` the notes about them, and ``open`` the open choices with their
    values and places.
    """

    def __init__(
        self, source: Source, let: Mapping[str, Any], taken: Iterable[int] = (), modules: tuple[str, ...] = ()
    ) -> None:
        super().__init__(source, let)
        self.modules = modules
        self.stands: dict[str, int | float] = {}
        self.notes: list[str] = []
        # What the code tests: a choice in "if units:" does not give the size units.
        self.tested: set[str] = set()
        self.open: dict[str, tuple[tuple[Any, ...], ast.expr]] = {}
        self._taken = set(taken)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing that is read in this context leaves a note or a stand-in."""
        before = [*self.notes], {**self.stands}, {**self.open}, {**self.letters}, {*self._taken}
        try:
            yield
        finally:
            self.notes, self.stands, self.open, self.letters, self._taken = before

    def left_open(self) -> tuple[Open, ...]:
        """The open choices, in the order in which they are read."""
        return tuple(Open(key, values, self.source.place(tree)) for key, (values, tree) in self.open.items())

    @property
    def there(self) -> tuple[str, ...]:
        """The names that ``--let`` can set, and those that it sets."""
        return tuple(dict.fromkeys((*self.letters.values(), *self.used)))

    def standing_in(self, node: Node) -> tuple[tuple[str, int | float], ...]:
        """The number of each name in an argument of the layer or of a layer in it."""
        texts = [value.text for part in node.walk() for _, given in part.given for value in _each(given)]
        words = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
        return tuple((name, value) for name, value in self.stands.items() if name in words)

    def notes_about(self, texts: Iterable[str]) -> list[str]:
        """The notes, except those about sizes and rates that are in none of the texts."""
        own = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
        return [note for note in self.notes if _STANDS not in note or note.partition(" ")[0] in own]

    # -- choices and rates ----------------------------------------------------------------------

    def choose(self, tree: ast.expr, values: tuple[Any, ...], what: str) -> Any:
        """One of a few values: the given one, or the first, and the choice stays open; None after an error."""
        key = self.letter(tree)
        given = self.let_of(tree, key)
        if given is not MISSING:
            if any(given is value or (given == value and type(given) is type(value)) for value in values):
                return given
            allowed = ", ".join(map(repr, values))
            self.source.wrong(f"{what} must be one of {allowed} ({key} is {given!r})", tree)
            return None
        if len(values) > _MOST_CHOICES:
            shown = [str(value).lower() if isinstance(value, str | None) else repr(value) for value in values]
            ways = f"--let {key}=…, one of {', '.join(shown)}"
            self.source.wrong(f"{what}={self.source.said(tree)} is not given: add {ways}", tree)
            return None
        self.open.setdefault(key, (values, tree))
        return values[0]

    def condition(self, test: ast.expr) -> Any:
        """Whether an unknown condition holds; it is an open choice."""
        return self.choose(test, (True, False), "this condition")

    def decided(self, tree: ast.expr) -> ast.expr:
        """The expression, or one side of a conditional one; an unknown condition or key is an open choice."""
        made = self.resolved(tree)
        if isinstance(made, ast.IfExp):
            holds = self.condition(made.test)
            return self.decided(made.body if holds else made.orelse)
        if isinstance(made, ast.Subscript) and (items := self.items_of(made)):
            key = self.choose(made.slice, tuple(items), "this key")
            return self.decided(items[key]) if key in items else made
        return made

    def items_of(self, tree: ast.expr) -> dict[Any, ast.expr]:
        """The items of the dictionary of which an expression is one: of ``{"lstm": LSTM, "gru": GRU}[kind]``."""
        held = self.resolved(tree.value) if isinstance(tree, ast.Subscript) else None
        if not isinstance(held, ast.Dict):
            return {}
        keys = [MISSING if key is None else self.known(key) for key in held.keys]
        return {} if MISSING in keys else dict(zip(keys, held.values, strict=True))

    def rate(self, argument: Argument, tree: ast.expr) -> Any:
        """A rate; an unknown one becomes one that drops something."""
        letter = self.letter(tree)
        given = self.let_of(tree, letter)
        if given is MISSING and (given := self.known(tree)) is None:
            given = MISSING
        value = _RATE if given is MISSING else given
        if type(value) not in (int, float) or not argument.kind.accepts(value):
            self.source.wrong(f"{argument.name} {argument.kind.refusal(value)} ({letter} is {value!r})", tree)
            return None
        self.stands[letter] = value
        if given is MISSING:
            self.notes.append(f"{letter}{_STANDS}{_RATE} is used instead; --let {letter}=… sets it")
        return Rate(value, letter)

    # -- sizes ----------------------------------------------------------------------------------

    def size(self, tree: ast.expr, first: int | None = None) -> int | None:
        """The number of a size, with its letter if it contains a name; None if the expression cannot be a size.

        ``first`` is the preferred stand-in for a name without a value.
        """
        part = self._part(tree, first, whole=False)
        if part is None:
            return None
        return Size(part.value, part.text) if part.named else part.value

    def whole(self, tree: ast.expr, size: int | None) -> int | None:
        """The same size; one stand-in for the whole expression if a division by stand-ins makes it 0."""
        given = isinstance(size, Size) and any(name in self.let for name in re.findall(r"[A-Za-z_]\w*", size.text))
        if not isinstance(size, Size) or size > 0 or given or "//" not in size.text:
            return size
        letter = self.letter(tree)
        value = self._stands(tree, letter, None)
        return None if value is None else Size(value, letter)

    def _part(self, tree: ast.expr, first: int | None, *, whole: bool) -> _Part | None:
        """A part of a size; with ``whole``, inside ``int(…)``, a division gives a whole number."""
        if isinstance(tree, ast.Constant):
            return _Part(tree.value, str(tree.value)) if type(tree.value) is int else None
        if isinstance(tree, ast.BinOp) and not self._is_one(tree):
            return self._combined(tree, first, whole=whole)
        if isinstance(tree, ast.Call) and called(tree) == "int" and len(tree.args) == 1:
            return self._cast(tree, first)
        if isinstance(tree, ast.Call) and called(tree)[:1].isupper() and called(tree) not in _TUNED:
            return None
        if isinstance(tree, ast.UnaryOp) and not isinstance(tree.operand, ast.BinOp):
            return None
        return self._lettered(tree, first, whole=whole) if isinstance(tree, _LETTERED) else None

    def _cast(self, tree: ast.Call, first: int | None) -> _Part | None:
        """``int(n / 2)``; ``int(0.8 * n)`` has a letter, because no text in whole numbers computes it."""
        (inner,) = tree.args
        if tree in self.names_of:
            self.names_of.setdefault(inner, self.names_of[tree])
        floats = any(isinstance(part, ast.Constant) and type(part.value) is float for part in _operands(inner))
        return (None if floats else self._part(inner, first, whole=True)) or self._lettered(tree, first, whole=True)

    def _is_one(self, tree: ast.BinOp) -> bool:
        """Whether an operation has a single letter: ``2**n``, or ``size = len(words) + 1`` with the name ``size``."""
        if type(tree.op) not in (*SIGNS, ast.Div):
            return True
        opaque = [part for part in _operands(tree) if not isinstance(part, ast.Constant)]
        return tree in self.names_of and all(isinstance(part, ast.Call) for part in opaque)

    def _lettered(self, tree: ast.expr, first: int | None, *, whole: bool) -> _Part | None:
        """An expression that gets a letter, unless its value is known."""
        known = self.known(tree)
        if known is not MISSING and known is not None and not self.lettered(tree):
            known = int(known) if whole and type(known) is float else known
            return _Part(known, str(known)) if type(known) is int else None
        letter = self.letter(tree)
        value = self._stands(tree, letter, first)
        return None if value is None else _Part(value, letter, named=True)

    def _combined(self, tree: ast.BinOp, first: int | None, *, whole: bool) -> _Part | None:
        sign = "//" if whole and isinstance(tree.op, ast.Div) else SIGNS.get(type(tree.op))
        if sign is None:
            if isinstance(tree.op, ast.Div):
                what = f"{self.source.said(tree.left)} // {self.source.said(tree.right)}"
                self.source.wrong(f"a division gives a float, which is not a size: write {what}", tree)
            return None
        left = self._part(tree.left, first, whole=whole)
        right = self._part(tree.right, first, whole=whole)
        if left is None or right is None or (sign == "//" and not right.value):
            return None
        value = applied(sign, left.value, right.value)
        if abs(value) > HUGE:
            return None
        level = _LEVELS[sign]
        # Subtraction and division associate to the left.
        first_text = left.text if left.level >= level and not (sign == "*" and "//" in left.text) else f"({left.text})"
        tight = right.level > level or (right.level == level and sign in "+*" and "//" not in right.text)
        text = f"{first_text}{sign}{right.text if tight else f'({right.text})'}"
        named = left.named or right.named
        return _Part(value, text, level, named) if named else _Part(value, str(value))

    def _stands(self, tree: ast.expr, letter: str, first: int | None) -> int | None:
        """The number of a name: the given one, or a stand-in."""
        if letter in self.stands:
            value = self.stands[letter]
            return value if isinstance(value, int) else None
        given = self.let_of(tree, letter)
        if given is MISSING:  # such as round(units / 2) with a given units
            given = self.known(tree)
        if type(given) is bool and self.source.said(tree) in self.tested:
            given = MISSING
        if given is not MISSING and given is not None:
            if type(given) is not int:
                self.source.wrong(f"{letter} must be a whole number here, not {given!r}", tree)
                return None
            self.stands[letter] = given
            return given
        value = first if first is not None else next((n for n in _PRIMES if n not in self._taken), _PRIMES[-1] + 2)
        self._taken.add(value)
        self.stands[letter] = value
        said = self.source.said(tree)
        what = letter if said == letter else f"{letter} ({said})"
        self.notes.append(f"{what}{_STANDS}{value} is used instead; --let {letter}=… sets it")
        return value


def _operands(tree: ast.expr) -> list[ast.expr]:
    return [*_operands(tree.left), *_operands(tree.right)] if isinstance(tree, ast.BinOp) else [tree]


def _each(value: Any) -> Iterator[Size | Rate]:
    """The named sizes and rates in an argument."""
    if isinstance(value, Size | Rate):
        yield value
    elif isinstance(value, Graph):
        yield from _each(tuple(entry.sizes for entry in value.entries))
    elif isinstance(value, tuple):
        for item in value:
            yield from _each(item)
