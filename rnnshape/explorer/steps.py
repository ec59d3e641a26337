"""What is on the screen, as data: the expression as text, the run's options, and what the reader makes of both.

>>> step = read("LSTM(8)", {"time": 5})
>>> step.spec.input
(2, 5, 4)
>>> step.with_layer(step.layer.but(return_state=True)).text
'LSTM(8, return_state=True)'
>>> read("LSTM(8, unit=3)").problems[0].span
(8, 14)

The text and the options are one Spec.  An edit changes the layer that the text was read to and writes it again.  A step
that cannot be read keeps the problems with their places; its ``layer`` is there as soon as the expression by itself
is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, foreseen
from rnnshape.layers import release
from rnnshape.reading import make
from rnnshape.reading.code.expression import parse
from rnnshape.spec.data import to_data
from rnnshape.spec.masks import MASK, written
from rnnshape.spec.options import BATCH, DIMENSIONS, INPUT, INTO, KEPT, KERAS, LETTERS, TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rnnshape.layers import Node
    from rnnshape.spec import Spec
    from rnnshape.spec.masks import Rows

Options = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Step:
    """One state of the screen.

    ``layer`` is what the text was read to (None: it cannot be read), ``spec`` the question with its options (None:
    there are ``problems``).  The spans of the problems point into ``source``, which is the text as the reader saw it.
    ``idle`` are the problems of options that mean nothing for this layer: they are left out, and come back with a layer
    that takes them.  ``declares`` says that the text has more than the layer: a call, or the shape of its input.
    """

    text: str
    options: Options = ()
    layer: Node | None = None
    spec: Spec | None = None
    problems: tuple[Problem, ...] = ()
    source: str = ""
    idle: tuple[Problem, ...] = ()
    declares: bool = False

    def option(self, name: str) -> Any:
        """The value that an option was given, None where it was not."""
        return dict(self.options).get(name)

    def with_text(self, text: str) -> Step:
        """The step with another expression, as somebody types it."""
        return read(text, dict(self.options))

    def with_layer(self, layer: Node) -> Step:
        """The step with an edited layer, written as the canonical expression.

        A layer that the reader rejects stays, so that its fields can take the edit back.
        """
        step = read(layer.text, self._said())
        return step if step.layer is not None else replace(step, layer=layer)

    def with_option(self, name: str, value: Any) -> Step:
        """The step with another value of one option; None takes it away.

        A mask keeps the steps that it has when time or batch grow or shrink.
        """
        options = {**self._said(), name: value}
        if name in _PLACES and (shape := options.get(INPUT.name)):
            letters = () if self.spec is None else self.spec.letters
            del options[name]
            if LETTERS_OF[name] in letters and value is not None:
                place = letters.index(LETTERS_OF[name])
                options[INPUT.name] = (*shape[:place], value, *shape[place + 1 :])
        step = self._read_again(options)
        if name not in (BATCH.name, TIME.name, INPUT.name) or self.spec is None or self.spec.mask is None:
            return step
        options[MASK.name] = _fitted(self.spec.mask, step)
        return self._read_again(options)

    def with_mask(self, rows: Rows) -> Step:
        """The step with this mask; none where every step of every sample is valid."""
        return self.with_option(MASK.name, None if all(map(all, rows)) else written(rows))

    def _read_again(self, options: Mapping[str, Any]) -> Step:
        return read(self.layer.text if self.declares and self.layer is not None else self.text, options)

    def _said(self) -> dict[str, Any]:
        """The options, and what the text says in a call or an input: the canonical expression has no place for that."""
        options = dict(self.options)
        if self.spec is None or self.layer is None or not self.declares:
            return options
        spec = self.spec
        for option in KEPT:
            if (value := getattr(spec, option.name)) != option.default:
                options.setdefault(option.name, value)
        if spec.mask is not None:
            options.setdefault(MASK.name, written(spec.mask))
        if INPUT.name in options or read(self.layer.text, options).input == spec.input:
            return options
        if set(spec.letters) <= set(LETTERS.values()):
            sizes = dict(zip(spec.letters, spec.input, strict=True))
            return options | {option.name: sizes[letter] for option, letter in LETTERS.items() if letter in sizes}
        return {name: value for name, value in options.items() if name not in _PLACES} | {INPUT.name: spec.input}

    @property
    def input(self) -> tuple[int, ...]:
        """The whole shape of the input, empty where it is not known."""
        return () if self.spec is None else self.spec.input

    def size(self, option: str) -> int | None:
        """The size that ``batch``, ``time`` or ``channels`` stand for; None where the input has no such axis."""
        sizes = {} if self.spec is None else dict(zip(self.spec.letters, self.spec.input, strict=True))
        return sizes.get(LETTERS_OF[option])


LETTERS_OF = {option.name: letter for option, letter in LETTERS.items()}
_PLACES = tuple(option.name for option in DIMENSIONS)
# What stands in no expression and in no call: the fields have it.
_RUN = (INPUT, MASK, INTO, *KEPT)


def read(text: str, options: Mapping[str, Any] | None = None) -> Step:
    """What the reader makes of a text and options; what is wrong is in the step, and nothing is raised."""
    asked = {name: value for name, value in (options or {}).items() if value is not None}
    kept = tuple(asked.items())
    try:
        with release.of(asked.get(KERAS.name)):
            parsed = parse(text)
    except Exception as error:  # noqa: BLE001  one text that cannot be read does not end the rest
        return _failed(Step(text, kept), error)
    layer, called = parsed.node, parsed.called
    declares = parsed.fed is not None or bool(called.options or called.spans) or called.named_mask is not None
    try:
        spec, idle = _made(text, asked)
    except Exception as error:  # noqa: BLE001  as above
        return _failed(Step(text, kept, layer), error)
    return Step(text, kept, layer, spec, source=text, idle=tuple(idle), declares=declares)


def read_spec(spec: Spec) -> Step:
    """The step that asks what a Spec asks, such as one that was read from a file.

    >>> from rnnshape.reading import make
    >>> step = read_spec(make("y = LSTM(8)(keras.Input((7, 2)))"))
    >>> step.text, step.options
    ('LSTM(8)', (('input', (2, 7, 2)),))
    """
    data = to_data(spec)
    said = {option.name: data[option.name] for option in _RUN if option.name in data}
    shape = tuple(said.pop(INPUT.name))
    step = read(spec.layer.text, said)
    return step if step.input == shape else read(spec.layer.text, {INPUT.name: shape, **said})


def _failed(step: Step, error: Exception) -> Step:
    if isinstance(error, Invalid):
        return replace(step, problems=error.problems, source=error.text or step.text)
    return replace(step, problems=(Problem("", foreseen(error).message),), source=step.text)


def _made(text: str, options: Mapping[str, Any]) -> tuple[Spec, list[Problem]]:
    """The Spec, and the problems of options without which there is one."""
    try:
        return make(text, options), []
    except Invalid as error:
        idle = [problem for problem in error.problems if problem.key in options]
        if not idle:
            raise
        names = {problem.key for problem in idle}
        spec, more = _made(text, {name: value for name, value in options.items() if name not in names})
        return spec, [*idle, *more]


def _fitted(mask: Rows, step: Step) -> str | None:
    """The mask cut or filled up with valid steps, so that it fits the input."""
    batch, time = step.size(BATCH.name), step.size(TIME.name)
    if batch is None or time is None:
        return written(mask)
    rows = [(*row[:time], *(True,) * (time - len(row))) for row in mask[:batch]]
    rows += [(True,) * time] * (batch - len(rows))
    return None if all(map(all, rows)) else written(tuple(rows))


@dataclass(frozen=True)
class History:
    """The steps up to now, and those that were undone.

    >>> walk = History(read("LSTM(8)")).to(read("GRU(8)"))
    >>> walk.undone.now.text, walk.undone.redone.now.text
    ('LSTM(8)', 'GRU(8)')
    """

    now: Step
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    def to(self, step: Step, *, replacing: bool = False) -> History:
        """One step on; ``replacing`` takes the place of the present one, as each key of one piece of typing does."""
        past = self.past if replacing else (*self.past, self.now)
        return self if step == self.now else History(step, past)

    @property
    def undone(self) -> History:
        """One step back; the same where there is none."""
        return History(self.past[-1], self.past[:-1], (self.now, *self.future)) if self.past else self

    @property
    def redone(self) -> History:
        """The step that was undone last; the same where there is none."""
        return History(self.future[0], (*self.past, self.now), self.future[1:]) if self.future else self

    @classmethod
    def of(cls, steps: Iterable[Step]) -> History:
        """The first of these steps, with the others ahead: what a walk is."""
        first, *others = steps
        return cls(first, (), tuple(others))
