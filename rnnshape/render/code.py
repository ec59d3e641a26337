"""The answer as a Python program that anybody can run: imports, input, layer, results with their shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rnnshape.layers import Node
    from rnnshape.render import View
    from rnnshape.report import Report
    from rnnshape.structure import Structure


def write(report: Report, stream: TextIO, view: View) -> None:
    """Write the program."""
    stream.write("\n".join(program(report)) + "\n")


def program(report: Report) -> Iterator[str]:
    """The lines of the program."""
    spec = report.spec
    yield "import tensorflow as tf"
    yield "from tensorflow import keras"
    yield ""
    yield f"x = {_random(spec.input, spec.input_dtype, spec.tokens)}  # ({', '.join(spec.letters)})"
    if spec.layer.cls.kind == "stack":
        *before, last = spec.layer["layers"]
        for layer in before:
            yield f"x = {constructor(layer)}(x)"
        yield f"layer = {constructor(last)}"
    elif spec.layer.cls.kind == "cell":
        yield from _initial_states(report)
        yield f"cell = {constructor(spec.layer)}"
    else:
        yield f"layer = {constructor(spec.layer)}"
    yield report.unpacking
    yield from _shapes(report.structure, "")
    if report.wiring is not None:
        yield ""
        yield f"decoder = {constructor(report.wiring.layer)}"
        yield f"{report.wiring.unpacking}"
        yield from _shapes(report.wiring.structure, "decoder_")


def _shapes(structure: Structure, prefix: str) -> Iterator[str]:
    for tensor in leaves(structure):
        letters = ", ".join(tensor.symbolic)
        yield f"print({prefix}{tensor.role}.shape)  # {tensor.shape} = ({letters}), {tensor.dtype}"


def constructor(node: Node) -> str:
    """The canonical expression with every class under ``keras.layers``."""
    return node.written("keras.layers.")


def _random(shape: tuple[int, ...], dtype: str, tokens: range | None) -> str:
    if tokens is not None:
        return f"tf.random.uniform({shape}, {tokens.start}, {tokens.stop}, dtype=tf.int32)"
    return f"tf.random.uniform({shape}{'' if dtype == 'float32' else f', dtype=tf.{dtype}'})"


def _initial_states(report: Report) -> Iterator[str]:
    for tensor in list(leaves(report.predicted))[1:]:
        yield f"{tensor.role}_0 = {_random(tensor.shape, tensor.dtype, None)}"
