"""What the names in a text stand for: sizes (``LSTM(latent_dim)``), rates, and choices (``return_sequences=flag``).

A size that the text does not give is a letter of its own, and a small number stands for it that no other size has.
A choice that it does not give stays open: ``Names.open`` says which values there are.
"""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnshape.layers.arguments import REQUIRED, OneOf
from rnnshape.layers.kinds import Flag, Maybe, Named, Number, Sizes, Whole
from rnnshape.layers.stand_ins import Rate, Size
from rnnshape.layers.wires import Graph
from rnnshape.reading.code.literals import (
    BUILT_IN,
    CASTS,
    CHOSEN,
    HUGE,
    MISSING,
    SIGNS,
    applied,
    arithmetic,
    compared,
    dictionary,
    entry,
    item,
    joined,
    plain,
    signed,
    sliced,
    whole,
)
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import Node
    from rnnshape.reading.code.syntax import Source, Span

# What changes neither the structure nor the kernel: the default stands for it.
_IDLE = {"seed", "trainable", "implementation", "autocast", "lora_rank", "lora_alpha", "unit_forget_bias"}
_MOST_CHOICES = 3
_RATE = 0.5
_PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
# Theory has these letters and names itself.
_OWN = re.compile(r"[A-Z][a-z]?\d*(?:_\d+)*")
_TAKEN = {"output", "state", "mask", "x", "i", "empty"}
_LEVELS = {"+": 0, "-": 0, "*": 1, "//": 1}
_ATOM = 2
_MOST_STEPS = 20


class _Part(NamedTuple):
    """A part of a size: its number, its Python text, how tight that binds, and whether a name is in it."""

    value: int
    text: str
    level: int = _ATOM
    named: bool = False


class Open(NamedTuple):
    """A choice that the text leaves open: its name, its values, and where it stands."""

    key: str
    values: tuple[Any, ...]
    span: Span


class Held(NamedTuple):
    """What the names of the text hold at one place of it."""

    bound: dict[str, Any]
    trees: dict[str, ast.expr]


class Names:
    """The names of one text.

    ``let`` has values that are given beside the text; ``bound`` those that the text assigns, which change as it is
    read; ``taken`` the sizes that no name may get; ``modules`` those that may hold a class that is not known.
    ``notes`` says what stands for what, ``open`` which choices were met that nothing decides, with their values and
    their places.
    """

    def __init__(
        self, source: Source, let: Mapping[str, Any], taken: Iterable[int] = (), modules: tuple[str, ...] = ()
    ) -> None:
        self.source = source
        self.let = dict(let)
        self.modules = modules
        self.bound: dict[str, Any] = {}
        self.trees: dict[str, ast.expr] = {}
        self.used: set[str] = set()
        self.stands: dict[str, int | float] = {}
        self.notes: list[str] = []
        # How many layers or tensors are in a list of them.
        self.count: Callable[[ast.expr], int | None] = lambda tree: None
        self.open: dict[str, tuple[tuple[Any, ...], ast.expr]] = {}
        self._letters: dict[str, str] = {}
        self._taken = set(taken)

    @property
    def now(self) -> Held:
        """What the names hold where the text is read now."""
        return Held(dict(self.bound), dict(self.trees))

    @contextmanager
    def at(self, then: Held | None) -> Iterator[None]:
        """Within it the names hold what they held then."""
        now = self.bound, self.trees
        self.bound, self.trees = now if then is None else then
        try:
            yield
        finally:
            self.bound, self.trees = now

    def reads(self, tree: ast.expr) -> bool:
        """Whether what stands there is no literal, and may stand for a value."""
        if isinstance(tree, ast.List | ast.Tuple):
            return any(map(self.reads, tree.elts))
        if isinstance(tree, ast.UnaryOp) and not isinstance(tree.op, ast.Not):
            return not isinstance(tree.operand, ast.Constant) and self.reads(tree.operand)
        return not isinstance(tree, ast.Constant | ast.Dict | ast.Set | ast.Starred | ast.Lambda | ast.JoinedStr)

    def resolved(self, tree: ast.expr, steps: int = _MOST_STEPS) -> ast.expr:
        """What a name was last bound to in the text, where that is no plain value; else what stands there.

        Of a choice that is decided it is the side that is taken, of a dictionary or list the entry that is asked for.
        """
        for left in reversed(range(steps)):
            bound: ast.expr | None = None
            match tree:
                case ast.Name() | ast.Attribute():
                    bound = self.trees.get(self.source.said(tree))
                case ast.NamedExpr(value=value):
                    bound = value
                case ast.IfExp(test=test, body=body, orelse=orelse) if (holds := self.known(test)) is not MISSING:
                    bound = body if holds else orelse
                case ast.Subscript(value=held, slice=key):
                    bound = entry(self.resolved(held, left), self.known(key), self.known)
                case ast.Call(func=ast.Name(id="getattr"), args=[of, key, *_]):
                    name = self.known(key)
                    if isinstance(name, str) and name.isidentifier():
                        bound = ast.copy_location(ast.Attribute(of, name, ast.Load()), tree)
            if bound is None:
                break
            tree = bound
        return tree

    def value(self, argument: Argument, tree: ast.expr) -> Any:
        """The value of an argument that is given by a name; None with a mistake told."""
        known = self.known(tree)
        kind = argument.kind.of if isinstance(argument.kind, Maybe) else argument.kind
        if known is None and not argument.kind.accepts(None):
            known = MISSING  # the default of a function that the text does not call
        if known is not MISSING and not (isinstance(kind, Whole | Number | Sizes) and self.lettered(tree)):
            return self._checked(argument, known, tree)
        if argument.name in _IDLE:
            return self._default(argument, tree)
        if isinstance(kind, Whole | Sizes):
            return self._sizes(argument, kind, tree)
        if isinstance(kind, Number):
            return self._rate(argument, tree)
        if isinstance(kind, Flag | OneOf) and isinstance(tree, ast.IfExp):
            decided = self.choose(tree.test, (True, False), "this condition")
            return None if decided is None else self.value(argument, tree.body if decided else tree.orelse)
        if isinstance(kind, Flag):
            return self._choice(argument, tree, (False, True))
        if isinstance(kind, OneOf) and not isinstance(kind, Named):
            return self._choice(argument, tree, kind.values)
        return self._default(argument, tree)

    def known(self, tree: ast.expr) -> Any:
        """The value that ``let`` or an assignment gives, or that literal arithmetic has; ``MISSING`` without one."""
        match tree:
            case ast.Constant(value=value):
                return value
            case ast.List() | ast.Tuple() | ast.Dict() | ast.JoinedStr():
                return whole(tree, self.known)
            case ast.UnaryOp(op=op, operand=operand):
                return signed(op, self.known(operand))
            case ast.BinOp(left=left, op=sign, right=right):
                return arithmetic(sign, self.known(left), self.known(right))
            case ast.Compare(left=left, ops=[compare], comparators=[right]):
                return compared(compare, self.known(left), self.known(right))
            case ast.BoolOp(op=op, values=values):
                return joined(op, [self.known(value) for value in values])
            case ast.NamedExpr() | ast.IfExp() if (decided := self.resolved(tree)) is not tree:
                return self.known(decided)
            case ast.Call() if (value := self._computed(tree)) is not MISSING:
                return value
        return self._given(tree)

    def _computed(self, tree: ast.Call) -> Any:
        """What one of Python's own functions gives for known values."""
        name = called(tree)
        if name == "dict" and isinstance(tree.func, ast.Name):
            keys = [None if keyword.arg is None else ast.Constant(keyword.arg) for keyword in tree.keywords]
            values = [*tree.args, *(keyword.value for keyword in tree.keywords)]
            return dictionary(zip([*[None] * len(tree.args), *keys], values, strict=True), self.known)
        if name == "get" and isinstance(tree.func, ast.Attribute) and 1 <= len(tree.args) <= 2 and not tree.keywords:
            held, default = self.known(tree.func.value), self.known(tree.args[1]) if tree.args[1:] else None
            return item(held, self.known(tree.args[0]), default) if isinstance(held, dict) else MISSING
        if name not in BUILT_IN or tree.keywords or not tree.args:
            return MISSING
        if name == "len" and (count := self.count(tree.args[0])) is not None:
            return count
        return self._of_numbers(name, [self.known(value) for value in tree.args])

    def _of_numbers(self, name: str, values: list[Any]) -> Any:
        if MISSING in values:
            return MISSING
        if name == "len" and len(values) == 1:
            return len(values[0]) if isinstance(values[0], tuple | list | dict | str) else MISSING
        if name in (*CHOSEN, "sum") and len(values) == 1 and isinstance(values[0], tuple) and len(values[0]) > 1:
            values = [*values[0]]
        if not all(map(plain, values)):
            return MISSING
        if name == "sum":
            return sum(values)
        if name in CASTS:
            return CASTS[name](values[0]) if len(values) == 1 else MISSING
        return CHOSEN[name](values) if name in CHOSEN and len(values) > 1 else MISSING

    def _given(self, tree: ast.expr) -> Any:
        """The value of a name, an attribute or an item."""
        text = self.source.said(tree)
        for key in (text, self._plain_name(tree)):
            if key in self.bound and self.bound[key] is not MISSING:
                return self.bound[key]
            if key in self.let:
                self.used.add(key)
                return self.let[key]
        if isinstance(tree, ast.Subscript) and isinstance(where := tree.slice, ast.Slice):
            ends = (where.lower, where.upper, where.step)
            return sliced(self.known(tree.value), [None if end is None else self.known(end) for end in ends])
        if isinstance(tree, ast.Subscript):
            return item(self.known(tree.value), self.known(tree.slice))
        return MISSING

    def lettered(self, tree: ast.expr) -> bool:
        """Whether a size keeps its letter: the text does not give its number, though ``let`` may."""
        calls = (part for part in ast.walk(tree) if isinstance(part, ast.Call))
        functions = {id(call.func) for call in calls if called(call) in BUILT_IN}
        for part in ast.walk(tree):
            if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and id(part) not in functions:
                return not self._assigned(part)
        return False

    def _assigned(self, tree: ast.expr) -> bool:
        """Whether the text gives it a value, or what it is an item or an attribute of."""
        if any(key in self.bound for key in (self.source.said(tree), self._plain_name(tree))):
            return True
        return isinstance(tree, ast.Subscript | ast.Attribute) and self._assigned(tree.value)

    def size(self, tree: ast.expr, first: int | None = None) -> int | None:
        """The number of a size, with its letter where a name is in it; None where it cannot be one.

        ``first`` is what is tried first for a name that nothing gives.
        """
        part = self._part(tree, first, whole=False)
        if part is None:
            return None
        return Size(part.value, part.text) if part.named else part.value

    def _sizes(self, argument: Argument, kind: Whole | Sizes, tree: ast.expr) -> Any:
        first = 2 if isinstance(kind, Sizes) else None
        trees = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        before = len(self.source.problems)
        values = tuple(self.size(each, first) for each in trees)
        if len(self.source.problems) > before:
            return None
        if None in values:
            return self._wrong(f"{argument.name} must be {argument.kind.allowed}", tree)
        value = values if isinstance(tree, ast.List | ast.Tuple) else values[0]
        small = [size for size in values if isinstance(size, Size) and size < 1]
        if small and not argument.kind.accepts(value):
            stands = ", ".join(f"{name}={number}" for name, number in self.stands.items())
            what = f"{argument.name} is {small[0].text} = {int(small[0])} with {stands}"
            return self._wrong(f"{what}: give another value with --let", tree)
        return self._checked(argument, value, tree)

    def _checked(self, argument: Argument, value: Any, tree: ast.expr) -> Any:
        value = tuple(value) if isinstance(value, list) else value
        if argument.kind.accepts(value):
            return value
        shown = "" if isinstance(tree, ast.Constant) else f" ({self.source.said(tree)} is {value!r})"
        return self._wrong(f"{argument.name} {argument.kind.refusal(value)}{shown}", tree)

    def _shape(self, argument: Argument, tree: ast.expr) -> Any:
        """A required argument that no number is, such as the shape of Reshape: names may be among its sizes."""
        if isinstance(tree, ast.List | ast.Tuple):
            sizes = tuple(-1 if self.known(each) == -1 else self.size(each) for each in tree.elts)
            if argument.kind.accepts(sizes):
                return sizes
        known = self.known(tree)
        if known is not MISSING:
            return self._checked(argument, known, tree)
        return self._wrong(f"{argument.name} must be {argument.kind.allowed}: write it out", tree)

    def _default(self, argument: Argument, tree: ast.expr) -> Any:
        if argument.default is REQUIRED:
            return self._shape(argument, tree)
        self.notes.append(f"{argument.name}={self.source.said(tree)} is not read: {argument.default!r} is used instead")
        return argument.default

    def _rate(self, argument: Argument, tree: ast.expr) -> Any:
        """A rate that is not known is taken as one that drops something."""
        letter = self._letter(tree)
        given = self._let(tree, letter)
        if given is MISSING and (given := self.known(tree)) is None:
            given = MISSING
        value = _RATE if given is MISSING else given
        if type(value) not in (int, float) or not argument.kind.accepts(value):
            return self._wrong(f"{argument.name} {argument.kind.refusal(value)} ({letter} is {value!r})", tree)
        self.stands[letter] = value
        if given is MISSING:
            self.notes.append(f"{letter} is not given: {_RATE} stands for it; --let {letter}=… sets it")
        return Rate(value, letter)

    def _choice(self, argument: Argument, tree: ast.expr, values: tuple[Any, ...]) -> Any:
        return self.choose(tree, values, argument.name)

    def choose(self, tree: ast.expr, values: tuple[Any, ...], what: str = "") -> Any:
        """One of a few values: the one that is given, or the first, and the choice stays open."""
        key = self._letter(tree)
        given = self._let(tree, key)
        if given is not MISSING:
            if any(given is value or (given == value and type(given) is type(value)) for value in values):
                return given
            allowed = ", ".join(map(repr, values))
            return self._wrong(f"{what} must be one of {allowed} ({key} is {given!r})", tree)
        if len(values) > _MOST_CHOICES:
            choices = ", ".join(
                str(value).lower() if isinstance(value, str | None) else repr(value) for value in values
            )
            text = f"{what}={self.source.said(tree)} is not given: add --let {key}=…, one of {choices}"
            return self._wrong(text, tree)
        self.open.setdefault(key, (values, tree))
        return values[0]

    def left_open(self) -> tuple[Open, ...]:
        """The choices that nothing decides, in the order in which they are met."""
        return tuple(Open(key, values, self.source.place(tree)) for key, (values, tree) in self.open.items())

    @property
    def there(self) -> tuple[str, ...]:
        """The names that a value may be given for, and those that one was given for."""
        return tuple(dict.fromkeys((*self._letters.values(), *self.used)))

    def standing_in(self, node: Node) -> tuple[tuple[str, int | float], ...]:
        """The number of each name that stands in an argument of the layer or within it."""
        texts = [value.text for part in node.walk() for _, given in part.given for value in _each(given)]
        words = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
        return tuple((name, value) for name, value in self.stands.items() if name in words)

    def _wrong(self, message: str, tree: ast.expr) -> Any:
        """Tell a mistake; there is no value then."""
        self.source.wrong(message, tree)

    def _let(self, tree: ast.expr, letter: str) -> Any:
        for key in (letter, self.source.said(tree)):
            if key in self.let:
                self.used.add(key)
                return self.let[key]
        return MISSING

    # -- sizes ----------------------------------------------------------------------------------

    def _part(self, tree: ast.expr, first: int | None, *, whole: bool) -> _Part | None:
        """A part of a size; inside ``int(…)`` a division gives a whole number (``whole``)."""
        if isinstance(tree, ast.Constant):
            return _Part(tree.value, str(tree.value)) if type(tree.value) is int else None
        if isinstance(tree, ast.BinOp):
            return self._combined(tree, first, whole=whole)
        if isinstance(tree, ast.Call) and called(tree) == "int" and len(tree.args) == 1:
            return self._part(tree.args[0], first, whole=True)
        if isinstance(tree, ast.Call) and called(tree)[:1].isupper():
            return None
        if not isinstance(tree, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.IfExp):
            return None
        known = self.known(tree)
        if known is not MISSING and known is not None and not self.lettered(tree):
            return _Part(known, str(known)) if type(known) is int else None
        letter = self._letter(tree)
        value = self._stands(tree, letter, first)
        return None if value is None else _Part(value, letter, named=True)

    def _combined(self, tree: ast.BinOp, first: int | None, *, whole: bool) -> _Part | None:
        sign = "//" if whole and isinstance(tree.op, ast.Div) else SIGNS.get(type(tree.op))
        if sign is None:
            if isinstance(tree.op, ast.Div):
                what = f"{self.source.said(tree.left)} // {self.source.said(tree.right)}"
                self.source.wrong(f"a division gives a float, which is no size: write {what}", tree)
            return None
        left = self._part(tree.left, first, whole=whole)
        right = self._part(tree.right, first, whole=whole)
        if left is None or right is None or (sign == "//" and not right.value):
            return None
        value = applied(sign, left.value, right.value)
        if abs(value) > HUGE:
            return None
        level = _LEVELS[sign]
        # Subtraction and division are read from the left.
        first_text = left.text if left.level >= level and not (sign == "*" and "//" in left.text) else f"({left.text})"
        tight = right.level > level or (right.level == level and sign in "+*" and "//" not in right.text)
        text = f"{first_text}{sign}{right.text if tight else f'({right.text})'}"
        named = left.named or right.named
        return _Part(value, text, level, named) if named else _Part(value, str(value))

    def _stands(self, tree: ast.expr, letter: str, first: int | None) -> int | None:
        """The number that stands for a name."""
        if letter in self.stands:
            value = self.stands[letter]
            return value if isinstance(value, int) else None
        given = self._let(tree, letter)
        if given is MISSING:  # round(units / 2) of units that is given
            given = self.known(tree)
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
        self.notes.append(f"{what} is not given: {value} stands for it; --let {letter}=… sets it")
        return value

    def _letter(self, tree: ast.expr) -> str:
        """The name of what stands there: an identifier that nothing else in the text has."""
        said = self.source.said(tree)
        if isinstance(tree, ast.Name) and said != tree.id:  # what stands behind **, under the name that is needed
            said = f"{said}[{tree.id!r}]"
        if said in self._letters:
            return self._letters[said]
        letter = self._plain_name(tree)
        if _OWN.fullmatch(letter):
            letter = letter.lower()
        if letter in _TAKEN:
            letter += "_"
        if letter in self._letters.values():
            letter = _identifier(said)
        while letter in self._letters.values():
            letter += "_2"
        self._letters[said] = letter
        return letter

    def _plain_name(self, tree: ast.expr) -> str:
        """``latent_dim``, ``units`` of ``self.units`` and ``params["units"]``, ``shape_1`` of ``x.shape[1]``."""
        match tree:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)) if key.isidentifier():
                return key
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as index)):
                return f"{self._plain_name(value)}_{index}"
        return _identifier(self.source.said(tree))


def _each(value: Any) -> Iterator[Size | Rate]:
    """The numbers with a name in an argument."""
    if isinstance(value, Size | Rate):
        yield value
    elif isinstance(value, Graph):
        yield from _each(tuple(entry.sizes for entry in value.entries))
    elif isinstance(value, tuple):
        for item in value:
            yield from _each(item)


def _identifier(text: str) -> str:
    words = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:30].strip("_")
    return words if words.isidentifier() else f"size_{words}"
