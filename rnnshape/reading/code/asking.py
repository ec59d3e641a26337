"""What a program asks: the layers that it makes, its models, and its calls, as a stack or as a graph."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import MODEL, Node
from rnnshape.layers.catalog import snake
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.wires import Call, Entry, Graph, Wire, result
from rnnshape.reading.code.calling import Called
from rnnshape.reading.code.chain import Step, beside, in_turn, stacked
from rnnshape.reading.code.declared import Declared, agreed, warnings_of
from rnnshape.reading.code.made import Applied, Layer, Model, Tensor, behind, tensors_in, whole
from rnnshape.reading.code.parsed import Parsed
from rnnshape.reading.code.tensors import makes
from rnnshape.reading.identifiers import free

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.stand_ins import Size
    from rnnshape.reading.code.values import Values


def asked(values: Values) -> list[Parsed]:
    """What the text makes and does not use itself, in order; beside recurrent layers nothing else is asked about."""
    groups = _groups([made for made in values.made if isinstance(made, Applied)], values.outputs)
    groups = [_in_models(group, values) for group in groups]
    found: list[tuple[int, Layer | Model | list[Applied]]] = [
        (values.made.index(made), made)
        for made in values.made
        if isinstance(made, Layer | Model) and not made.used and not (isinstance(made, Model) and not made.layers)
    ]
    found += [(values.made.index(group[0]), group) for group in groups]
    found.sort(key=lambda pair: pair[0])
    # A class that is not known may be an optimizer: it counts where another layer holds it, or it is called.
    idle = [what for _, what in found if isinstance(what, Layer) and what.node.cls.kind == IMPORTED]
    recurrent = [what for _, what in found if what not in idle and any(map(_loops, _nodes(what)))] or idle
    return [_Asking(values).parsed(what) for what in recurrent or [what for _, what in found]]


def _groups(calls: list[Applied], outputs: list[list[Tensor]]) -> list[list[Applied]]:
    """The calls that hang together: by a tensor, by a layer that they share, or by the model that returns them."""
    groups: list[tuple[set[int], list[Applied]]] = []
    for call in calls:
        returned = (tensors for tensors in outputs if any(tensor.call is call for tensor in tensors))
        keys = {id(call), id(call.layer), *map(id, returned)}
        for tensor in (*call.inputs, *tensors_in(call.states)):
            keys.add(id(tensor.call) if tensor.call is not None else id(tensor))
        joined = [group for group in groups if group[0] & keys]
        merged = set(keys).union(*(group[0] for group in joined))
        members = [one for group in joined for one in group[1]]
        groups = [group for group in groups if group not in joined]
        groups.append((merged, sorted([*members, call], key=calls.index)))
    return [members for _, members in groups]


def _in_models(calls: list[Applied], values: Values) -> list[Applied]:
    """The calls without those that a model made after them leaves out, as Keras does; a recurrent layer stays."""
    returned = [tensor for tensors in values.outputs for tensor in tensors if tensor.call in calls]
    if not returned:
        return calls
    needed = behind([*returned, *(Tensor(call=call) for call in calls if _loops(call.node))])
    left_out = [call for call in calls if id(call) in values.modelled - needed]
    for call in left_out:
        values.note(f"{call.node.text} is not part of the model: what the model returns does not use it", call.tree)
    return [call for call in calls if call not in left_out]


class _Asking:
    """Makes what is asked out of the values of a program."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.source = values.source

    def parsed(self, what: Layer | Model | list[Applied]) -> Parsed:
        """One answer that is asked for."""
        if isinstance(what, Layer):
            said = self.values.layers.declared.of(what.tree)
            return self._parsed(what.node, [what.tree], said, Called(), name=what.name)
        if isinstance(what, Model):
            trees = [layer.tree for layer in what.layers]
            return self._parsed(whole(what), trees, what.said, Called(), name=what.name)
        if _is_chain(what) and not self._outputs(what):
            return self._chain(what)
        return self._graph(what)

    def _chain(self, calls: list[Applied]) -> Parsed:
        """Calls that follow one another are the stack of their layers."""
        steps = [Step(call.node, call.tree, call.called) for call in calls]
        trees = [step.tree for step in steps]
        said = [*self._fed(calls[0].inputs[0]), *self._says(calls[0])]
        name = calls[-1].layer.name if len(calls) == 1 else None
        return self._parsed(
            stacked(steps), trees, said, beside(steps, self.source), targets=calls[-1].targets, name=name
        )

    def _fed(self, tensor: Tensor) -> list[Declared]:
        return [] if tensor.root is None else [Declared(self._sizes(tensor), tensor.root)]

    def _says(self, call: Applied) -> Sequence[Declared]:
        """What the layer of a call says of its input."""
        if isinstance(call.layer, Model):
            return call.layer.said
        return self.values.layers.declared.of(call.layer.tree)

    def _parsed(
        self,
        node: Node,
        trees: list[ast.expr],
        said: Sequence[Declared],
        called: Called,
        *,
        targets: int | None = None,
        name: str | None = None,
    ) -> Parsed:
        values, names = self.values, self.values.names
        # What stands behind a class that is not known is no part of the stack.
        at = trees if node.cls is MODEL else [part for tree in trees for part in in_turn(tree)][: len(node.in_turn)]
        warned = [one for one in values.layers.declared.warned if any(_within(one, tree) for tree in trees)]
        notes = (*values.notes, *names.notes, *values.layers.objects.notes, *warnings_of(warned, said))
        return Parsed(
            node,
            self.source.text,
            targets,
            called,
            tuple(map(self.source.place, at)),
            agreed(said, self.source),
            tuple(dict.fromkeys(notes)),
            names.standing_in(node),
            names.left_open(),
            names.there,
            name,
        )

    # -- graphs ---------------------------------------------------------------------------------

    def _graph(self, calls: list[Applied]) -> Parsed:
        taken: set[str] = set()
        layers: dict[int, str] = {}
        for call in calls:
            if id(call.layer) not in layers:
                layers[id(call.layer)] = free(call.layer.name or _short(call.node), taken)
        words: dict[int, str] = {}
        for call in calls:
            layer = layers[id(call.layer)]
            words[id(call)] = layer if layer not in words.values() else free(layer, taken)
        entries = self._entries(calls, taken)
        wired = _Wires(words, {id(tensor): entry.name for tensor, entry in entries})
        graph = Graph(
            tuple(entry for _, entry in entries),
            tuple({layers[id(call.layer)]: call.node for call in calls}.items()),
            tuple(
                Call(
                    words[id(call)],
                    layers[id(call.layer)],
                    tuple(map(wired.wire, call.inputs)),
                    wired.states(call.states),
                    call.results,
                )
                for call in calls
            ),
            tuple(_own_names(calls, words, taken)),
            tuple(map(wired.wire, self._outputs(calls))),
        )
        first, (tensor, _) = calls[0], entries[0]
        said = [*self._fed(tensor), *(self._says(first) if first.inputs[0] is tensor else ())]
        trees = [call.tree for call in calls]
        training = {"training": True} if any(call.called.options.get("training") for call in calls) else {}
        node = Node.of(MODEL, {"graph": graph})
        return self._parsed(node, trees, said, Called(training))

    def _outputs(self, calls: list[Applied]) -> list[Tensor]:
        """What the only model of these calls returns; none where there are several, or it is what the last returns."""
        fed = [tensor for call in calls for tensor in call.inputs if tensor.call is None]
        models = [outputs for outputs in self.values.outputs if any(tensor.call in calls for tensor in outputs)]
        if len(models) != 1 or not all(tensor.call in calls or tensor in fed for tensor in models[0]):
            return []
        (first, *others) = models[0]
        return [] if not others and first.call is calls[-1] and not first.path else models[0]

    def _entries(self, calls: list[Applied], taken: set[str]) -> list[tuple[Tensor, Entry]]:
        """The inputs of the calls, in the order in which they are used."""
        found: dict[int, tuple[Tensor, Entry]] = {}
        for call in calls:
            for tensor in call.inputs:
                if tensor.call is None and id(tensor) not in found:
                    sizes = self._sizes(tensor)
                    if sizes is None and call.node.cls.kind != "merge":
                        sizes = (None,) * len(call.node.cls.letters(call.node, None))
                    found[id(tensor)] = tensor, Entry(self._name(tensor, taken), sizes)
            width = call.node["units"] if call.node.has("units") else None
            for tensor in tensors_in(call.states):
                if tensor.call is None and id(tensor) not in found:
                    sizes = self._sizes(tensor) or (None, width)
                    found[id(tensor)] = tensor, Entry(self._name(tensor, taken), sizes)
        return list(found.values())

    def _sizes(self, tensor: Tensor) -> tuple[int | Size | None, ...] | None:
        if tensor.root is None:
            return None
        with self.values.names.at(tensor.then):
            return self.values.tensors.fed(tensor.root)

    def _name(self, tensor: Tensor, taken: set[str]) -> str:
        root = tensor.root
        said = tensor.name or (root.id if isinstance(root, ast.Name) else "x")
        return free(said, taken)


class _Wires:
    """From tensors of the program to wires of the graph."""

    def __init__(self, calls: dict[int, str], entries: dict[int, str]) -> None:
        self.calls = calls
        self.entries = entries

    def wire(self, tensor: Tensor) -> Wire:
        if tensor.call is None:
            return Wire(self.entries[id(tensor)])
        return Wire(self.calls[id(tensor.call)], tensor.path)

    def states(self, states: Any) -> Any:
        """Wires as the states nest; None where one of them is not known."""
        if states is None or isinstance(states, Tensor):
            return None if states is None else self._whole(self.wire(states), states)
        nested = tuple(map(self.states, states))
        return None if None in nested else nested

    def _whole(self, wire: Wire, tensor: Tensor) -> Any:
        """A tensor, or those in a list of states that is passed as a whole."""
        call = tensor.call
        count = call.nested[wire.path[0]] if call is not None and call.nested and len(wire.path) == 1 else 0
        return tuple(Wire(wire.source, (*wire.path, index)) for index in range(count)) if count else wire


def _own_names(calls: list[Applied], words: dict[int, str], taken: set[str]) -> Iterator[tuple[str, Wire]]:
    """The code's names for tensors; a name that is bound again stays that of the first."""
    said: set[Wire] = set()
    for call in calls:
        word = words[id(call)]
        for name, path in call.names.items():
            if len(path) > 1:
                continue  # of states in a list, which the call is not unpacked into
            wire = Wire(word, path)
            role = result(call.results, path[0]) if path else "y" if call.results else "output"
            if name not in taken and name not in ("_", f"{word}_{role}") and wire not in said:
                said.add(wire)
                taken.add(name)
                yield name, wire


def _is_chain(calls: list[Applied]) -> bool:
    """Whether each call takes the whole of the one before and nothing else, each layer once."""
    before: Applied | None = None
    if any(call.node.cls.operation for call in calls):
        return False
    for call in calls:
        (tensor, *others) = call.inputs
        follows = tensor.call is before and not tensor.path
        if others or not follows or any(state.call is not None or _made(state) for state in tensors_in(call.states)):
            return False
        before = call
    return len({id(call.layer) for call in calls}) == len(calls)


def _made(tensor: Tensor) -> bool:
    return isinstance(tensor.root, ast.Call) and makes(tensor.root)


def _short(node: Node) -> str:
    if node.cls.operation:
        return _WORDS.get(node.name, node.name.rpartition(".")[2])
    return "model" if node.cls.kind == "stack" else snake(node.name)


_WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power", "[]": "part"}


def _nodes(what: Layer | Model | list[Applied]) -> Iterator[Node]:
    if isinstance(what, Layer):
        yield what.node
    elif isinstance(what, Model):
        yield from (layer.node for layer in what.layers)
    else:
        yield from (call.node for call in what)


def _loops(node: Node) -> bool:
    return any(part.cls.kind in ("recurrent", "cell", IMPORTED) for part in node.walk())


def _within(keyword: ast.keyword, tree: ast.expr) -> bool:
    return any(part is keyword for part in ast.walk(tree))
