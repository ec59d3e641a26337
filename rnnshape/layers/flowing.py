"""Follows tensors and masks through a graph of layer calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.layers.attention import unmasks
from rnnshape.layers.base import Answer, Given, Leaf, flat
from rnnshape.layers.casting import reaching
from rnnshape.layers.input_mask import reaches
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.wires import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Weight
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Graph


class Step(Struct):
    """A call with its input and the answer of theory."""

    call: Call
    node: Node
    given: Given
    answer: Answer


class Flowing:
    """The tensors of the calls that are followed so far, and the masks attached to them."""

    def __init__(self, graph: Graph, given: Given, inputs: dict[str, Leaf]) -> None:
        self.graph = graph
        self.given = given
        self.tensors: dict[str, Any] = dict(inputs)
        self.masks: dict[Wire, Mask | None] = {Wire(graph.entries[0].name): given.mask}
        # The first call of each layer, and the weights that it creates.
        self.built: dict[str, tuple[Call, Sequence[Weight]]] = {}
        self.numbers = {name: number for number, (name, _) in enumerate(graph.layers, 1)}

    def steps(self) -> Iterator[Step]:
        """Each call with its answer, in order."""
        for call in self.graph.calls:
            layer = self.graph.by_name[call.layer]
            own = self.reaching(call)
            answer = self.answer(call, own)
            self.add(call, answer)
            yield Step(call, layer, own, answer)

    def at(self, wire: Wire) -> Leaf:
        """The tensor of a wire; of a result with several, the first."""
        returned: Leaf = at(self.tensors[wire.source], wire.path)
        return returned

    def reaching(self, call: Call) -> Given:
        """The input of a call."""
        first, *others = map(self.at, call.inputs)
        node = self.graph.by_name[call.layer]
        mask, *masks = (reaching(self._mask(call, wire), self.at(wire).dtype, node) for wire in call.inputs)
        return replace(
            self.given,
            dims=first.dims,
            dtype=first.dtype,
            letter=f"H{self.numbers[call.layer]}" if len(self.numbers) > 1 else "H",
            mask=mask,
            initial="random" if call.initial_state is not None else None,
            raw=call.inputs[0].source in {entry.name for entry in self.graph.entries},
            others=tuple((leaf.dims, leaf.dtype) for leaf in others),
            masks=tuple(masks),
            scores=node.cls.kind == "merge" and bool(call.results),
        )

    def _mask(self, call: Call, wire: Wire) -> Mask | None:
        """The mask that a call finds on a tensor; that of the first input is not attached to it."""
        is_first = wire == Wire(self.graph.entries[0].name)
        return None if is_first and not reaches(self.graph, call) else self.masks.get(wire)

    def answer(self, call: Call, own: Given) -> Answer:
        """The result of a call; a state of a cell or of a stack of cells is returned alone if it is passed alone.

        From ``keras/src/layers/rnn/gru.py: GRUCell.call`` and ``stacked_rnn_cells.py: StackedRNNCells.call``.
        """
        layer, states = self.graph.by_name[call.layer], call.initial_state
        answer: Answer = layer.cls.theory(layer, own)
        if layer.cls.kind == "cell" and states is not None:
            after = flat(answer.states)
            return replace(answer, returned=(answer.outputs[0], after[0] if isinstance(states, Wire) else after))
        if asked() < KERAS_3 or not isinstance(states, tuple) or isinstance(answer.returned, Leaf):
            return answer
        count = len(answer.returned) - len(states)
        if count < 1:  # the states are not returned, or too many are passed, which is another error
            return answer
        passed = zip(answer.returned[count:], states, strict=True)
        formed = [
            item[0] if isinstance(state, Wire) and isinstance(item, list) and len(item) == 1 else item
            for item, state in passed
        ]
        returned = type(answer.returned)([*answer.returned[:count], *formed])
        changed: Answer = replace(answer, returned=returned)
        return changed

    def add(self, call: Call, answer: Answer) -> None:
        """Add the result of a call; its mask is attached to the outputs, not to the states."""
        self.tensors[call.name] = answer.returned
        mask = answer.mask and answer.mask.passed_on()
        for index in range(len(answer.outputs)):
            self.masks[Wire(call.name, () if isinstance(answer.returned, Leaf) else (index,))] = mask
        for wire in call.inputs:
            if unmasks(self.graph.by_name[call.layer], self.at(wire).dtype):
                self.masks[wire] = None


def at(returned: Any, path: tuple[int, ...]) -> Any:
    """The tensor at a path of a result; if there are several, the first."""
    for index in path:
        returned = returned[index]
    while not isinstance(returned, Leaf):
        returned = returned[0]
    return returned
