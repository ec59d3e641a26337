"""The answer as a complete Python program: imports, input, layer, and a print of each result's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers import release
from rnnshape.layers.entries import entries, token_range
from rnnshape.layers.imported import modules_of
from rnnshape.layers.input_mask import reaches
from rnnshape.layers.objects import Function
from rnnshape.layers.sequential import takes_states
from rnnshape.report.state import keywords
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rnnshape.layers import Node
    from rnnshape.layers.wires import Graph
    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.spec import Spec
    from rnnshape.structure import Structure


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write the program."""
    stream.write("\n".join(program(report)) + "\n")


def program(report: Report) -> list[str]:
    """The lines of the program, for the release of the report."""
    with release.of(report.spec.keras):
        return [*_lines(report)]


def _lines(report: Report) -> Iterator[str]:
    spec = report.spec
    yield "import tensorflow as tf"
    yield "import tf_keras as keras" if release.asked() < release.KERAS_3 else "from tensorflow import keras"
    yield from _imports(spec)
    yield ""
    yield from (f"{name} = {value}" for name, value in spec.let)
    yield from _unknown_functions(report)
    if spec.graph:
        yield from _calls(report, spec.graph)
        return
    yield f"x = {_random(spec.input, spec.input_dtype, spec.tokens)}  # ({', '.join(spec.symbolic)})"
    yield from _masked(report, "x")
    yield from _initial_states(report)
    beside = dict(keywords(spec, report.begins))
    if spec.layer.cls.kind == "stack":
        *before, last = spec.layer["layers"]
        for layer in before:
            yield f"x = {constructor(layer)}(x{_taken(layer, beside)})"
        yield f"layer = {constructor(last)}"
        yield f"{report.targets} = layer(x{_taken(last, beside)})"
    else:
        yield f"{'cell' if spec.layer.cls.kind == 'cell' else 'layer'} = {constructor(spec.layer)}"
        yield report.unpacking
    yield from _shapes(report.structure, "")
    if report.wiring is not None:
        yield ""
        yield f"decoder = {constructor(report.wiring.layer)}"
        yield f"{report.wiring.unpacking}"
        yield from _shapes(report.wiring.structure, "decoder_")


def _imports(spec: Spec) -> Iterator[str]:
    """The imports of the user's own classes; ``*`` for several modules, because it is unknown which has which class."""
    modules, names = modules_of(spec.layer), ", ".join(spec.layer.without_rule)
    yield from (f"from {module} import {names if len(modules) == 1 else '*'}" for module in modules)


def _calls(report: Report, graph: Graph) -> Iterator[str]:
    """The program of a graph: its inputs, layers and calls, and a print of each result's shape."""
    spec = report.spec
    for leaf in entries(graph, spec.dims).values():
        shape, symbolic = tuple(dim.size for dim in leaf.dims), ", ".join(dim.letter for dim in leaf.dims)
        yield f"{leaf.role} = {_random(shape, leaf.dtype, token_range(graph, leaf.role))}  # ({symbolic})"
    for name, node in graph.layers:
        if node.cls.operation:
            continue
        parts = ", ".join(map(constructor, node.in_turn))
        yield f"{name} = " + (f"keras.Sequential([{parts}])" if node.cls.kind == "stack" else parts)
    yield from _masked(report, graph.entries[0].name)
    for call in graph.calls:
        passed = spec.mask is not None and not spec.masked_data and reaches(graph, call)
        yield graph.statement(call)[:-1] + ", mask=mask)" if passed else graph.statement(call)
    for part in report.flow:
        words = [word.strip() for word in part.expression.partition(" = ")[0].split(",")]
        yield from _shapes(part.structure, "", words)


def _unknown_functions(report: Report) -> Iterator[str]:
    """Stand-ins for functions that the expression uses but does not define."""
    into = [] if report.wiring is None else [report.wiring.layer]
    values = [value for layer in (report.spec.layer, *into) for part in layer.walk() for _, value in part.given]
    functions = [value for value in values if isinstance(value, Function) and value.copied]
    for name, function in {function.identifier: function for function in functions}.items():
        yield "@keras.utils.register_keras_serializable()"
        yield f"def {name}(x):  # instead of your {function}"
        yield f"    return keras.activations.{function.like}(x)"
        yield ""


def _shapes(structure: Structure, prefix: str, only: list[str] | None = None) -> Iterator[str]:
    for tensor in leaves(structure):
        if only is not None and tensor.role not in only:
            continue
        letters = ", ".join(tensor.symbolic)
        yield f"print({prefix}{tensor.role}.shape)  # {tensor.shape} = ({letters}), {tensor.dtype}"


def constructor(node: Node) -> str:
    """The canonical expression with every class under ``keras.layers``."""
    return node.written("keras.layers.")


def _random(shape: tuple[int, ...], dtype: str, tokens: range | None) -> str:
    if tokens is not None:
        return f"tf.random.uniform({shape}, {tokens.start}, {tokens.stop}, dtype=tf.int32)"
    return f"tf.random.uniform({shape}{'' if dtype == 'float32' else f', dtype=tf.{dtype}'})"


def _masked(report: Report, x: str) -> Iterator[str]:
    """The mask, and the padded data ``x`` if a layer computes the mask from its input."""
    spec = report.spec
    if spec.mask is None:
        return
    yield f"mask = tf.constant({[list(row) for row in spec.mask]})"
    if spec.masked_data and spec.tokens is not None:
        yield f"{x} = tf.where(mask, {x}, 0)"
    elif spec.masked_data:
        first = spec.layer.first
        axes = ", tf.newaxis" * (len(spec.input) - 2)
        yield f"{x} = tf.where(mask[:, :{axes}], {x}, {first['mask_value']})"


def _initial_states(report: Report) -> Iterator[str]:
    fill = report.spec.initial_state or "random"
    for leaf in report.states_handed_in:
        if fill == "random":
            value = _random(leaf.shape, leaf.dtype, None)
        else:
            value = f"tf.{fill}({leaf.shape}{'' if leaf.dtype == 'float32' else f', dtype=tf.{leaf.dtype}'})"
        yield f"{leaf.role}_0 = {value}"


def _taken(layer: Node, beside: dict[str, str]) -> str:
    """The keywords for this layer of a stack: the first layer gets the mask, the first recurrent one the states."""
    takes = [name for name in beside if name != "initial_state" or takes_states(layer)]
    taken = "".join(f", {name}={beside[name]}" for name in takes)
    for name in takes:
        if name != "training":
            del beside[name]
    return taken
