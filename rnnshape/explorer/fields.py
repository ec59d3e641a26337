"""The fields of the explorer: which arguments and run options have one, of which kind and in which group.

>>> from rnnshape.explorer.steps import read
>>> [group.title for group in groups(read("Bidirectional(LSTM(8))"))]
['Bidirectional(LSTM(8))', 'layer: LSTM(8)', 'Input', 'Call']
>>> units = groups(read("LSTM(8)"))[0].fields[0]
>>> units.argument.name, units.control, units.text, units.argument.told
('units', 'text', '8', 'H, the hidden size. Default: 1.')
>>> units.meant("9"), units.meant("2.5")
((9, None), ('2.5', 'must be a whole number, 1 or more'))

All of it comes from the table, so a new argument of a layer needs no change here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.explorer.edits import places
from rnnshape.layers.arguments import REQUIRED, Argument, Flag, OneOf
from rnnshape.layers.sequential import takes_states
from rnnshape.spec.masks import MASKING
from rnnshape.spec.options import (
    BATCH,
    CALLS,
    CHANNELS,
    DEVICE,
    DTYPE,
    EXECUTION,
    INITIAL_STATE,
    INPUT,
    INTO,
    KERAS,
    LETTERS,
    SEED,
    TIME,
    TRAINING,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.explorer.edits import Path
    from rnnshape.explorer.steps import Step

SWITCH, CHOICE, TEXT = "switch", "choice", "text"


@dataclass(frozen=True)
class Field:
    """One argument with its value; ``path`` is the path of its layer, None for an option of the run."""

    argument: Argument
    value: Any
    path: Path | None = None

    @property
    def control(self) -> str:
        """``SWITCH``, ``CHOICE`` or ``TEXT``."""
        if isinstance(self.argument.kind, Flag):
            return SWITCH
        return CHOICE if isinstance(self.argument.kind, OneOf) else TEXT

    @property
    def text(self) -> str:
        """The value as text; empty for None."""
        if self.value is None:
            return ""
        return ",".join(map(str, self.value)) if isinstance(self.value, tuple) else str(self.value)

    @property
    def choices(self) -> list[tuple[str, Any]]:
        """The texts and values of a choice, including the current value if that is another one, such as an object."""
        kind = self.argument.kind
        assert isinstance(kind, OneOf)
        values = kind.values if kind.accepts(self.value) and self.value in kind.values else (*kind.values, self.value)
        return [(str(value), value) for value in values]

    def meant(self, text: str) -> tuple[Any, str | None]:
        """The value of a text, and why it is not allowed; None if it is allowed."""
        if not text.strip() and self.argument.default is not REQUIRED:
            return self.argument.default, None
        value = self.argument.kind.from_text(text.strip())
        return value, None if self.argument.kind.accepts(value) else self.argument.kind.refusal(value)


@dataclass(frozen=True)
class Group:
    """Fields under one title; ``path`` is the path of their layer, None for options of the run."""

    title: str
    path: Path | None
    fields: tuple[Field, ...]


def groups(step: Step) -> tuple[Group, ...]:
    """The layers, outermost first, and the options of the run; empty if the expression cannot be read."""
    if step.layer is None:
        return ()
    layers = [
        Group(_where(path) + part.short, path, tuple(Field(argument, part[argument.name], path) for argument in shown))
        for path, part in places(step.layer)
        if (shown := [argument for argument in part.cls.arguments if _offered(argument)]) or not path
    ]
    return (*layers, Group("Input", None, tuple(_of_input(step))), Group("Call", None, tuple(_of_call(step))))


def _offered(argument: Argument) -> bool:
    """Whether an argument has a field: those with a flag, and required ones."""
    return argument.flag or (argument.default is REQUIRED and argument.usual is not REQUIRED)


def _where(path: Path) -> str:
    """The prefix of a nested layer's title: its argument, or its number in a stack."""
    if not path:
        return ""
    last = path[-1]
    return f"{last + 1}: " if isinstance(last, int) else f"{last}: "


def _of_input(step: Step) -> Iterator[Field]:
    """Fields for N, T and C if the input has them; for the whole shape if it has other axes."""
    assert step.layer is not None
    letters = step.layer.cls.letters(step.layer, len(step.input) or None)
    for option in (BATCH, TIME, CHANNELS):
        if LETTERS[option] in letters:
            given = step.option(option.name)
            yield Field(option, step.size(option.name) or given or option.default)
    if not set(letters) <= set(LETTERS.values()):
        yield Field(INPUT, step.input or step.option(INPUT.name))
    if "T" in letters and step.layer.cls.kind != "graph" and step.layer.cls.tokens(step.layer) is None:
        yield Field(MASKING, step.option(MASKING.name))


def _of_call(step: Step) -> Iterator[Field]:
    """Fields for the run options that apply to this layer."""
    assert step.layer is not None
    recurrent = any(map(takes_states, step.layer.in_turn))
    if recurrent or step.layer.cls.kind == "cell":
        yield _run_field(step, INITIAL_STATE)
    if recurrent:
        yield _run_field(step, CALLS)
        yield _run_field(step, INTO)
    for option in (TRAINING, SEED, DTYPE, EXECUTION, DEVICE, KERAS):
        yield _run_field(step, option)


def _run_field(step: Step, option: Argument) -> Field:
    """The field of an option: its given value, else that of the Spec (it may come from the text), else the default."""
    given = step.option(option.name)
    if given is None and step.spec is not None and option not in (INTO, DTYPE):
        given = getattr(step.spec, option.name)
    return Field(option, option.default if given is None else given)
