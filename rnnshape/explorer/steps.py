"""The state of the screen as data: the expression as text, the run's options, and the Spec read from both.

>>> step = read("LSTM(8)", {"time": 5})
>>> step.spec.input
(2, 5, 4)
>>> step.with_layer(step.layer.but(return_state=True)).text
'LSTM(8, return_state=True)'
>>> read("LSTM(8, unit=3)").problems[0].span
(8, 14)

Text and options together give one Spec.  An edit changes the layer and writes it as text again.  A step that cannot be
read has problems with their places; it has a ``layer`` if the expression alone is valid.
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

    ``layer`` is the layer in the text (None: it cannot be read), ``spec`` the question with its options (None:
    there are ``problems``).  The spans of the problems refer to ``source``, the text that the reader parsed.
    ``idle`` are the problems of options that do not apply to this layer: they are ignored until a layer accepts them.
    ``declares`` is true if the text has more than the layer: a call, or the shape of its input.
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
        """The given value of an option; None if it is not given."""
        return dict(self.options).get(name)

    def with_text(self, text: str) -> Step:
        """The step with another expression."""
        return read(text, dict(self.options))

    def with_layer(self, layer: Node) -> Step:
        """The step with an edited layer, written as the canonical expression.

        If the reader rejects it, the step still has the layer, so that the user can undo the edit in its fields.
        """
        step = read(layer.text, self._all_options())
        return step if step.layer is not None else replace(step, layer=layer)

    def with_option(self, name: str, value: Any) -> Step:
        """The step with another value of one option; None removes it.

        If time or batch changes, the mask is cut or padded with valid steps.
        """
        options = {**self._all_options(), name: value}
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
        """The step with this mask; without a mask if all steps are valid."""
        return self.with_option(MASK.name, None if all(map(all, rows)) else written(rows))

    def _read_again(self, options: Mapping[str, Any]) -> Step:
        return read(self.layer.text if self.declares and self.layer is not None else self.text, options)

    def _all_options(self) -> dict[str, Any]:
        """The options, with those that the text sets in a call or an input, which the canonical expression lacks."""
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
            sizes = spec.sizes
            return options | {option.name: sizes[letter] for option, letter in LETTERS.items() if letter in sizes}
        return {name: value for name, value in options.items() if name not in _PLACES} | {INPUT.name: spec.input}

    @property
    def input(self) -> tuple[int, ...]:
        """The whole shape of the input; empty if it is unknown."""
        return () if self.spec is None else self.spec.input

    def size(self, option: str) -> int | None:
        """The size of ``batch``, ``time`` or ``channels``; None if the input has no such axis."""
        return None if self.spec is None else self.spec.sizes.get(LETTERS_OF[option])


LETTERS_OF = {option.name: letter for option, letter in LETTERS.items()}
_PLACES = tuple(option.name for option in DIMENSIONS)
# The options that are not written in the expression; the fields show them.
_RUN = (INPUT, MASK, INTO, *KEPT)


def read(text: str, options: Mapping[str, Any] | None = None) -> Step:
    """Read a text and options into a step; problems are in the step, nothing is raised."""
    asked = {name: value for name, value in (options or {}).items() if value is not None}
    kept = tuple(asked.items())
    try:
        with release.of(asked.get(KERAS.name)):
            parsed = parse(text)
    except Exception as error:  # noqa: BLE001  a bug in the reader must not end the explorer
        return _failed(Step(text, kept), error)
    layer, called = parsed.node, parsed.called
    declares = parsed.fed is not None or bool(called.options or called.spans) or called.named_mask is not None
    try:
        spec, idle = _made(text, asked)
    except Exception as error:  # noqa: BLE001  as above
        return _failed(Step(text, kept, layer), error)
    return Step(text, kept, layer, spec, source=text, idle=tuple(idle), declares=declares)


def read_spec(spec: Spec) -> Step:
    """The step of a Spec, such as one read from a file.

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
    """The Spec, and the problems of options that had to be ignored."""
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
    """The mask, cut or padded with valid steps to fit the input."""
    batch, time = step.size(BATCH.name), step.size(TIME.name)
    if batch is None or time is None:
        return written(mask)
    rows = [(*row[:time], *(True,) * (time - len(row))) for row in mask[:batch]]
    rows += [(True,) * time] * (batch - len(rows))
    return None if all(map(all, rows)) else written(tuple(rows))


@dataclass(frozen=True)
class History:
    """The current step with the steps before it and the undone steps after it.

    >>> walk = History(read("LSTM(8)")).to(read("GRU(8)"))
    >>> walk.undone.now.text, walk.undone.redone.now.text
    ('LSTM(8)', 'GRU(8)')
    """

    now: Step
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    def to(self, step: Step, *, replacing: bool = False) -> History:
        """Go to a new step; ``replacing`` replaces the current one, as consecutive keystrokes do."""
        past = self.past if replacing else (*self.past, self.now)
        return self if step == self.now else History(step, past)

    @property
    def undone(self) -> History:
        """One step back; unchanged if there is none."""
        return History(self.past[-1], self.past[:-1], (self.now, *self.future)) if self.past else self

    @property
    def redone(self) -> History:
        """One step forward; unchanged if there is none."""
        return History(self.future[0], (*self.past, self.now), self.future[1:]) if self.future else self

    @classmethod
    def of(cls, steps: Iterable[Step]) -> History:
        """A history at the first of these steps, with the others in its future."""
        first, *others = steps
        return cls(first, (), tuple(others))
