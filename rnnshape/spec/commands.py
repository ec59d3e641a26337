"""The commands that name a layer: its class, the choices inside it, its options.

``rnn`` and ``bidirectional`` contain another layer, which is a choice (``--cell gru``).  An option goes to every layer
of the composition that takes it: ``--units`` to the cell, ``--return-state`` to the RNN, ``--dtype`` to both.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import TABLE, Node
from rnnshape.layers.arguments import REQUIRED, Argument, Nested, OneOf
from rnnshape.layers.sequential import takes_states
from rnnshape.spec.masks import MASK, MASKING
from rnnshape.spec.options import CALLS, IMPORT, INITIAL_STATE, INTO, LET, LETTERS, RUN_OPTIONS, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.node import LayerClass

CHOICES = {
    "cell": {"lstm": "LSTMCell", "gru": "GRUCell", "simple-rnn": "SimpleRNNCell"},
    "recurrent": {"lstm": "LSTM", "gru": "GRU", "simple-rnn": "SimpleRNN", "rnn": "RNN"},
}


class Command(Struct, frozen=True, dict=True):
    """A command of the shell: its name, its layer class, its help, and the arguments without an option."""

    name: str
    cls: LayerClass
    help: str
    without: frozenset[str] = frozenset()

    @cached_property
    def options(self) -> dict[str, Argument]:
        """Every layer option of the command, choices first, by name."""
        found: dict[str, Argument] = {}
        for argument in _options(self.cls):
            if argument.name not in self.without:
                found.setdefault(argument.name, argument)
        return found

    @cached_property
    def run_options(self) -> tuple[Argument, ...]:
        """The options of a run that apply to this layer: a cell has no time axis, Dense no state."""
        letters = self.cls.letters(self.node({}), None)
        idle = {option.name for option, letter in LETTERS.items() if letter not in letters} | {LET.name, IMPORT.name}
        if not takes_states(self.node({})):
            idle |= {INTO.name, CALLS.name, MASKING.name}
            if self.cls.kind != "cell":
                idle.add(INITIAL_STATE.name)
        if TIME.name in idle:
            idle |= {MASK.name, MASKING.name}
        return tuple(option for option in RUN_OPTIONS if option.name not in idle)

    def node(self, values: Mapping[str, Any]) -> Node:
        """The layer with these options.

        Raises:
            Invalid: an option that no layer of this composition takes.
        """
        used: set[str] = set()
        node = self._compose(self.cls, values, used)
        if problems := [self._idle(name, node) for name in values if name not in used]:
            raise Invalid(problems)
        return node

    def _compose(self, layer: LayerClass, values: Mapping[str, Any], used: set[str]) -> Node:
        chosen = dict(_required(layer))
        for name, value in values.items():
            if name in layer.by_name and layer.by_name[name].flag:
                chosen[name] = value
                used.add(name)
        for name, choices in _inner(layer):
            inner = TABLE[choices.get(values.get(name, "lstm"), next(iter(choices.values())))]
            chosen[name] = self._compose(inner, values, used)
            used.add(name)
        return Node.of(layer, chosen)

    def _idle(self, name: str, node: Node) -> Problem:
        inside = " and ".join(part.name for part in node.walk())
        owners = [cls.name for cls in TABLE.values() if name in cls.by_name]
        return Problem(name, f"does not apply to {inside}; it belongs to {' and '.join(owners) or 'no layer'}")


@cache
def _required(layer: LayerClass) -> dict[str, Any]:
    """The values that a command uses for the required arguments of a layer."""
    return {argument.name: argument.cli_default for argument in layer.arguments if argument.default is REQUIRED}


@cache
def _inner(layer: LayerClass) -> tuple[tuple[str, dict[str, str]], ...]:
    """The arguments that are another layer or a cell, each with its choices."""
    return tuple((argument.name, choices) for argument in layer.arguments if (choices := _choices(argument)))


def _choices(argument: Argument) -> dict[str, str]:
    if isinstance(argument.kind, Nested) and argument.default is REQUIRED:
        return CHOICES.get(argument.kind.role, {})
    return {}


def _options(layer: LayerClass) -> Iterator[Argument]:
    inner = []
    for argument in layer.arguments:
        if choices := _choices(argument):
            yield Argument(argument.name, OneOf(tuple(choices)), "lstm", argument.help, True)
            inner += [TABLE[name] for name in choices.values()]
        elif argument.flag:
            yield argument
    for cls in inner:
        yield from _options(cls)


COMMANDS = {
    command.name: command
    for command in (
        Command("lstm", TABLE["LSTM"], "Show what an LSTM returns."),
        Command("gru", TABLE["GRU"], "Show what a GRU returns."),
        Command("simple-rnn", TABLE["SimpleRNN"], "Show what a SimpleRNN returns."),
        Command("lstm-cell", TABLE["LSTMCell"], "Show what one step of an LSTMCell returns."),
        Command("gru-cell", TABLE["GRUCell"], "Show what one step of a GRUCell returns."),
        Command("simple-rnn-cell", TABLE["SimpleRNNCell"], "Show what one step of a SimpleRNNCell returns."),
        Command("rnn", TABLE["RNN"], "Show what RNN(cell) returns."),
        Command(
            "bidirectional",
            TABLE["Bidirectional"],
            "Show what a Bidirectional layer returns.",
            # Bidirectional sets it for the backward layer, and rejects a layer that has it already.
            without=frozenset({"go_backwards"}),
        ),
        *(
            Command(f"conv-lstm{rank}d", TABLE[f"ConvLSTM{rank}D"], f"Show what a ConvLSTM{rank}D returns.")
            for rank in (1, 2, 3)
        ),
        Command("embedding", TABLE["Embedding"], "Show what an Embedding returns."),
        Command("dense", TABLE["Dense"], "Show what a Dense layer returns."),
    )
}
