"""Reads models of Keras' functional API, ``Model(inputs, outputs)``: their calls, layers, inputs and outputs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers.graph import TAKES_NESTED
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.declared import text
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Applied, Functional, Layer, Model, Tensor, behind, tensors_in
from rnnshape.reading.code.tensors import makes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.scope import Scope
    from rnnshape.reading.code.tensors import Tensors
ENDS = ("output", "outputs", "input", "inputs")


class Models:
    """Reads the models of one program; ``value`` reads an expression, ``several`` the tensors that a call takes."""

    def __init__(
        self,
        scope: Scope,
        tensors: Tensors,
        value: Callable[[ast.expr], Any],
        several: Callable[[ast.Call], list[Tensor] | None],
    ) -> None:
        self.scope = scope
        self.source = scope.source
        self.names = scope.names
        self.tensors = tensors
        self.value = value
        self.several = several

    def model(self, tree: ast.Call) -> Functional | None:
        """The model of ``Model(inputs, outputs)``; None without outputs."""
        named = {keyword.arg: keyword.value for keyword in tree.keywords}
        given = dict(zip(("inputs", "outputs"), tree.args, strict=False))
        # Keras 1 calls them input and output.
        inputs, outputs = (given.get(name, named.get(name, named.get(name[:-1]))) for name in ("inputs", "outputs"))
        if outputs is None:
            return None
        listed = _in_list(resolved := self.names.resolved(outputs))
        made = self.value(listed)
        self._left_out(outputs, made)
        if listed is not resolved:
            said = self.source.said(resolved)
            self.scope.note(f"the model returns a dictionary, {said}; here its values are a list", tree)
        made = _unpacked(self._apart(made))
        if _is_nested(made) and not TAKES_NESTED.made:
            said = self.source.said(resolved)
            self.scope.fails(f"this release of Keras rejects outputs in nested containers, {said}", tree)
        self.scope.modelled |= set(map(id, self.scope.made))
        needed = behind([*tensors_in(made)])
        calls = [call for call in self.scope.made if isinstance(call, Applied) and id(call) in needed]
        fed = None if inputs is None else self.value(_in_list(self.names.resolved(inputs)))
        model = Functional(list(tensors_in(fed)), made, calls)
        self.scope.models.append(model)
        return model

    def returned(self, made: Any) -> None:
        """Take what an uncalled function or method returns as the outputs of its calls, if each is a known tensor."""
        if type(made) not in (list, tuple) or len(made) < 2:
            return
        made = self._apart(made)
        if is_known(made):
            needed = behind([*tensors_in(made)])
            calls = [call for call in self.scope.made if isinstance(call, Applied) and id(call) in needed]
            self.scope.models.append(Functional([], made, calls))

    def _apart(self, made: Any) -> Any:
        """Outputs one by one, as a model returns them: the states of a stack of cells are a list."""
        if isinstance(made, Tensor) and made.path:
            made = self.scope.parts(made) or made
        if not isinstance(made, tuple | list):
            return made
        each = [self.scope.parts(one) or one if isinstance(one, Tensor) else one for one in made]
        return type(made)(self._apart(one) for one in each)

    def _left_out(self, outputs: ast.expr, made: Any) -> None:
        """Add a note on the outputs of a model that are not followed: the others have other places in its result."""
        trees = _in_list(self.names.resolved(outputs))
        listed = trees.elts if isinstance(trees, ast.List | ast.Tuple) else None
        if listed is not None and made and len(made) != len(listed):
            return  # *states, which are followed
        # A list without a known item has no value.
        each = [(trees, made)] if listed is None else zip(listed, made or [None] * len(listed), strict=True)
        for place, (tree, one) in enumerate(each):
            if next(tensors_in(one), None) is None:
                what = f"output {place} of the model, {self.source.said(tree)}, is not followed"
                behind = ": it is left out here, and those behind it move up" if trees is not tree else ""
                self.scope.note(what + behind, tree)

    def again(self, model: Functional, call: ast.Call) -> Any:
        """The result of calling a functional model on other tensors; its own calls are then not a question."""
        fed = self.several(call) or []
        if len(fed) != len(model.inputs):
            return None
        for own, other in zip(model.inputs, fed, strict=True):
            takes, gets = self._sizes(own), self._sizes(other)
            if len(takes) == len(gets) and any(a and b and a != b for a, b in zip(takes[1:], gets[1:], strict=True)):
                self.source.wrong(f"the model takes {text(takes)}, but its input is {text(gets)}", call)
        outputs, calls = model.on(fed)
        self.take_in(model)
        self.scope.made += calls
        self.scope.called_models.append(Functional(fed, outputs, calls, model.name))
        return outputs

    def ends(self, tree: ast.Attribute) -> Any:
        """The tensors of ``model.output``, ``model.inputs`` or ``layer.output``; None if a layer is called twice."""
        if tree.attr not in ENDS:
            return None
        made = self.value(tree.value)
        calls = [one for one in self.scope.made if isinstance(one, Applied) and one.layer is made]
        inward = tree.attr.startswith("input")
        if isinstance(made, Functional):
            found = made.inputs if inward else made.outputs
            if made.sequential and not tree.attr.endswith("s") and asked() >= KERAS_3:
                said = self.source.said(tree)
                self.scope.note(f"before a call of the model, Keras 3 has no {said}: write {said}s[0]", tree)
        elif isinstance(made, Layer) and len(calls) == 1:
            found = calls[0].inputs if inward else Tensor(call=calls[0])
        else:
            return None
        tensors = list(tensors_in(found))
        # In Keras, output and input are a bare tensor if there is only one; outputs and inputs are always lists.
        return tensors if tree.attr.endswith("s") else tensors[0] if len(tensors) == 1 else found

    def layer(self, tree: ast.Call | ast.Subscript) -> Layer | Model | None:
        """The layer of ``model.get_layer("encoder")``, or of ``model.layers[-2]`` if the model is a chain of calls."""
        match tree:
            case ast.Call(func=ast.Attribute(value=whole, attr="get_layer")):
                named = {keyword.arg: keyword.value for keyword in tree.keywords}
                name = tree.args[0] if tree.args else named.get("name")
                model, wanted = self.value(whole), MISSING if name is None else self.names.known(name)
                if not isinstance(model, Functional) or not isinstance(wanted, str):
                    return None
                return next((call.layer for call in model.calls if _name(call) == wanted), None)
            case ast.Subscript(value=ast.Attribute(value=whole, attr="layers"), slice=key):
                model, index = self.value(whole), self.names.known(key)
                if not isinstance(model, Functional) or type(index) is not int or model.stack is None:
                    return None
                own = set(map(id, model.calls))
                if model.nested or any(own & set(map(id, one.calls)) for one in self.scope.called_models):
                    return None  # the model among the layers has one place
                # In Keras, the InputLayer is the first layer, but not in a Sequential.
                layers = [*([] if model.sequential else [None]), *(call.layer for call in model.calls)]
                return layers[index] if -len(layers) <= index < len(layers) else None
        return None

    def _sizes(self, tensor: Tensor) -> tuple[int | None, ...]:
        """The sizes of an input that the code creates (None: not a number); empty for any other tensor."""
        if tensor.root is None or not makes(tensor.root):
            return ()
        with self.names.at(tensor.then):
            sizes = self.tensors.fed(tensor.root) or ()
        return tuple(None if isinstance(size, Size) else size for size in sizes)

    def take_in(self, model: Functional) -> None:
        """Remove the calls of a model that is called or part of another one: they are not a question of their own."""
        own = {id(one) for one in model.calls}
        others = [one for one in self.scope.made if isinstance(one, Applied) and id(one) not in own]
        needed = behind([tensor for one in others for tensor in (*one.inputs, *tensors_in(one.states))])
        self.scope.made = [one for one in self.scope.made if id(one) not in own - needed]
        self.scope.models = [
            one for one in self.scope.models if not any(id(tensor.call) in own for tensor in one.returned)
        ]


def _unpacked(outputs: Any) -> Any:
    """The outputs as a model returns them: a single one without its list.

    Keras 3 does so in ``unpack_singleton``; Keras 2, only if there is one tensor in a list.
    """
    if not isinstance(outputs, list | tuple) or len(outputs) != 1:
        return outputs
    single = asked() >= KERAS_3 or (isinstance(outputs, list) and len([*tensors_in(outputs)]) == 1)
    return outputs[0] if single else outputs


def is_known(outputs: Any) -> bool:
    """Whether each output is the result of a call or an input."""
    return isinstance(outputs, Tensor) or (isinstance(outputs, list | tuple) and all(map(is_known, outputs)))


def _is_nested(outputs: Any) -> bool:
    return isinstance(outputs, list | tuple) and any(isinstance(one, list | tuple) for one in outputs)


def _name(call: Applied) -> str | None:
    """The ``name=`` of the layer that is called."""
    return call.node["name"] if call.node.has("name") else None


def _in_list(tree: ast.expr) -> ast.expr:
    """A dictionary of inputs or outputs as a list; any other expression unchanged."""
    return ast.copy_location(ast.List(tree.values, ast.Load()), tree) if isinstance(tree, ast.Dict) else tree
