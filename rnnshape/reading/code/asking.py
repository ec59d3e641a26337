"""Makes the questions of a program: one ``Parsed`` for each unused layer, each model and each group of calls.

Calls that follow one another become a stack, other calls become a graph.
"""

from __future__ import annotations

import ast
from itertools import combinations
from typing import TYPE_CHECKING

from rnnshape.layers import MODEL, Node
from rnnshape.layers.base import Given
from rnnshape.layers.breaking import first_broken
from rnnshape.layers.dims import Dim
from rnnshape.layers.entries import begin
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.calling import Called
from rnnshape.reading.code.chain import Step, beside, in_turn, stacked
from rnnshape.reading.code.declared import Declared, agreed, warnings_of
from rnnshape.reading.code.fitting import RANKS, Fit, left_out, own_input
from rnnshape.reading.code.graphs import Graphs
from rnnshape.reading.code.grouping import Wired, by_model, complete, groups, in_models, is_chain, loops
from rnnshape.reading.code.made import Applied, Layer, Model, Tensor, whole
from rnnshape.reading.code.parsed import Parsed
from rnnshape.reading.shape import whole_shape
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.reading.code.values import Values


_MOST_OPEN = 4
"""The most inputs of which two get another number of axes."""


def asked(values: Values) -> list[Parsed]:
    """The layers, models and calls that the code does not use itself, in order; if some are recurrent, only those.

    What has a mistake is left out; if anything has, only recurrent layers are asked about.
    """
    values.made = complete(values.made)
    asking = _Asking(values)
    together = groups([made for made in values.made if isinstance(made, Applied)], values.models)
    fitting = [part for group in together for part in asking.fitting(in_models(group, values))]
    found: list[tuple[int, Layer | Model | Wired]] = [
        (place, one)
        for place, made in enumerate(values.made)
        if isinstance(made, Layer | Model) and not made.used
        for one in (asking.stack(made) if isinstance(made, Model) else [made])
    ]
    wired = [one for part in fitting for one in by_model(part, values)]
    found += [(values.made.index(one.calls[0]), one) for one in wired]
    found.sort(key=lambda pair: pair[0])
    # An unused object of an unknown class may be an optimizer: it is a question only if nothing else is recurrent.
    idle = [what for _, what in found if isinstance(what, Layer) and what.node.cls.kind == IMPORTED]
    recurrent = [what for _, what in found if what not in idle and any(map(loops, _nodes(what)))] or idle
    every = [] if values.source.problems else [what for _, what in found]
    return [parsed for what in recurrent or every if (parsed := asking.right(what)) is not None]


class _Asking:
    """Makes the questions from the values of one program."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.source = values.source
        self.graphs = Graphs(values)

    def right(self, what: Layer | Model | Wired) -> Parsed | None:
        """The question; None if there is a mistake in it, which is then reported."""
        before = len(self.source.problems)
        parsed = self.parsed(what)
        return parsed if len(self.source.problems) == before else None

    def parsed(self, what: Layer | Model | Wired) -> Parsed:
        """The question about one layer, one model or one group of calls."""
        if isinstance(what, Layer):
            said = self.values.layers.declared.of(what.tree)
            return self._parsed(what.node, [what.tree], said, Called(), name=what.name)
        if isinstance(what, Model):
            trees = [layer.tree for layer in what.layers]
            return self._parsed(whole(what), trees, what.said, Called(), name=what.name)
        return self._chain(what) if is_chain(what.calls) and what.outputs is None else self._graph(what)

    def stack(self, model: Model) -> list[Model | Wired]:
        """A Sequential, or the calls of its layers if some fail only because of a size that the code does not give."""
        if not model.layers or not (self.values.names.stands or model.missing or not model.said):
            return [model] if model.layers else []
        root = ast.copy_location(ast.Name("x", ast.Load()), model.layers[0].tree)
        reached = Tensor(root=root)
        self.graphs.said[id(reached)] = model.said
        calls: list[Applied] = []
        for layer in model.layers:
            calls.append(Applied(layer, layer.node, layer.tree, [reached], Called()))
            reached = Tensor(call=calls[-1])
        parts = self.fitting(calls)
        return [model] if parts == [calls] else [Wired(part, None, model.name) for part in parts]

    def _chain(self, what: Wired) -> Parsed:
        """Calls that follow one another, as the stack of their layers."""
        calls = what.calls
        self._without_masks(calls[1:])
        steps = [Step(call.node, call.tree, call.called) for call in calls]
        trees = [step.tree for step in steps]
        said = self.graphs.declared(calls[0], calls[0].inputs[0])
        name = what.name or (calls[-1].layer.name if len(calls) == 1 else None)
        return self._parsed(
            stacked(steps), trees, said, beside(steps, self.source), targets=calls[-1].targets, name=name
        )

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
        # The layers after an unknown class are not part of the stack.
        at = trees if node.cls is MODEL else [part for tree in trees for part in in_turn(tree)][: len(node.in_turn)]
        warned = [one for one in values.layers.declared.warned if any(_within(one, tree) for tree in trees)]
        fed = agreed(said, self.source)
        sizes = [size.text for size in (fed.sizes if fed is not None else ()) if isinstance(size, Size)]
        own = names.notes_about([node.text, *sizes, *values.notes])
        notes = (*values.notes, *own, *values.layers.notes, *warnings_of(warned, said))
        return Parsed(
            node,
            self.source.text,
            targets,
            called,
            tuple(map(self.source.place, at)),
            fed,
            tuple(dict.fromkeys(notes)),
            names.standing_in(node),
            names.left_open(),
            names.there,
            name,
            values.counted,
        )

    # -- graphs ---------------------------------------------------------------------------------

    def _graph(self, what: Wired) -> Parsed:
        calls = what.calls
        self._without_masks(calls)
        for call in calls:
            zeros = call.called.options.get(INITIAL_STATE.name) == "zeros"  # as without states
            if INITIAL_STATE.name in call.called.spans and call.states is None and not zeros:
                said = self.source.text[slice(*call.called.spans[INITIAL_STATE.name])]
                self.values.note(f"{said} is not followed: {call.node.name} is read without states", call.tree)
        graph, (first, *_) = self.graphs.of(calls, what.outputs)
        trees = [call.tree for call in calls]
        training = {"training": True} if any(call.called.options.get("training") for call in calls) else {}
        node = Node.of(MODEL, {"graph": graph})
        return self._parsed(node, trees, self.graphs.declared(calls[0], first), Called(training), name=what.name)

    def _without_masks(self, calls: Sequence[Applied]) -> None:
        """Add a note on each mask that a call of the code passes; an answer has one only at the first layer."""
        for call in calls:
            if MASK.name in call.called.spans:
                what = f"mask= in the call of {call.node.name} is left out: it changes values, not shapes"
                self.values.note(f"{what}; --mask shows its effect", call.tree)

    # -- calls that do not fit each other -------------------------------------------------------

    def fitting(self, calls: list[Applied]) -> list[list[Applied]]:
        """The calls in groups, without those that fail only because of a stand-in size."""
        while len(calls) > 1 and (found := self._broken(calls)) is not None:
            place, why, fit = found
            call, own = calls[place], fit.graph.calls[place]
            if fit.fails_by_rank(own):
                if self._other_rank(calls, place, fit):
                    continue
            elif not fit.fails_by_stand_in(own):
                if (width := fit.one_width(own)) is None:
                    break
                self._need(calls, *width)
                continue
            elif (length := fit.one_length(own)) is not None:
                self._need(calls, *length)
                continue
            fails_by_states = fit.fails_by_states(own)
            if not fails_by_states and loops(call.node):
                if not fit.fails_by_rank(own):
                    break
                self.values.note(f"the input of {fit.graph.statement(own)} is not followed: {why}", call.tree)
                call.inputs = [own_input(call)]
                continue
            what = "the states that are passed here are" if fails_by_states else f"{fit.graph.statement(own)} is"
            self.values.note(f"{what} not followed: {why}", call.tree)
            if fails_by_states:
                call.states = None
                call.called.spans.pop(INITIAL_STATE.name, None)
                continue
            left_out(call, calls[place + 1 :])
            left = [one for one in calls if one is not call]
            return [part for group in groups(left, self.values.models) for part in self.fitting(group)]
        return [calls]

    def _broken(self, calls: list[Applied]) -> tuple[int, str, Fit] | None:
        """The index of the first call that fails, the reason, and what is unknown there; None if no call fails."""
        graph, tensors = self.graphs.of(calls)
        node = Node.of(MODEL, {"graph": graph})
        before = len(self.source.problems)
        fed = agreed(self.graphs.declared(calls[0], tensors[0]), self.source)
        if node.without_rule or len(self.source.problems) > before:
            del self.source.problems[before:]
            return None
        shape = whole_shape(node, {}, [], fed)
        letters = node.cls.letters(node, len(shape))
        if len(letters) != len(shape):
            return None
        flowing = begin(graph, Given(tuple(map(Dim.of, shape, letters)), "float32"))
        if (broken := first_broken(flowing)) is None:
            return None
        pairs = zip(tensors, graph.entries, strict=True)
        unknown = {entry.name for tensor, entry in pairs if self.graphs.sizes(tensor) is None}
        first = None if fed is None else fed.sizes
        unknown -= {graph.entries[0].name} if first is not None else set()
        names = self.values.names
        fit = Fit(flowing, first, unknown, names.stands.keys() - names.let.keys())
        return graph.calls.index(broken[0]), broken[1], fit

    def _other_rank(self, calls: list[Applied], place: int, fit: Fit) -> bool:
        """Try other numbers of axes for one or two inputs without a known shape; returns whether more calls fit then.

        A call that fails only because of an open size counts if no number of axes lets it pass.
        """
        _, tensors = self.graphs.of(calls)
        pairs = zip(tensors, fit.graph.entries, strict=True)
        left = [id(one) for one, entry in pairs if entry.name in fit.unknown and id(one) not in self.graphs.ranks]
        before, nearly = self.graphs.ranks, None
        for chosen in (*combinations(left, 1), *combinations(left[:_MOST_OPEN], 2)):
            for rank in RANKS:
                self.graphs.ranks = before | dict.fromkeys(chosen, rank)
                again = self._broken(calls)
                if again is None or again[0] > place:
                    return True
                if again[0] == place and again[2].one_length(again[2].graph.calls[place]) is not None:
                    nearly = nearly or self.graphs.ranks
        self.graphs.ranks = nearly or before
        return nearly is not None

    def _need(self, calls: list[Applied], name: str, axis: int, size: int) -> None:
        """Give this size to an axis of an input that is not in the code."""
        graph, tensors = self.graphs.of(calls)
        for entry, tensor in zip(graph.entries, tensors, strict=True):
            if entry.name == name:
                self.graphs.needed.setdefault(id(tensor), {})[axis] = size
                self.graphs.ranks.setdefault(id(tensor), len(entry.sizes or ()) or 3)


def _nodes(what: Layer | Model | Wired) -> Iterator[Node]:
    if isinstance(what, Layer):
        yield what.node
    elif isinstance(what, Model):
        yield from (layer.node for layer in what.layers)
    else:
        yield from (call.node for call in what.calls)


def _within(keyword: ast.keyword, tree: ast.expr) -> bool:
    return any(part is keyword for part in ast.walk(tree))
