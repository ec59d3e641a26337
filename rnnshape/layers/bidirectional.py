"""Bidirectional: two layers, one reading from each end, and where their states stand.

Keras' ``layers/rnn/bidirectional.py`` (read in 3.15.1) casts both outputs to its own dtype, turns
the backward sequence round again and merges the outputs; the states it only puts in a row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers import installed
from rnnshape.layers.base import (
    Answer,
    Dims,
    Given,
    Kernel,
    Law,
    LayerClass,
    Leaf,
    Refusal,
    compute_dtype,
    prefixed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.node import Node

_KEEPS_USE_CUDNN = (3, 12)
MERGES = ("concat", "sum", "mul", "ave", None)
_MERGED = {"sum": "{f} + {b}", "mul": "{f} * {b}", "ave": "({f} + {b}) / 2"}


def directions(node: Node) -> tuple[Node, Node]:
    """The forward and the backward layer, as Keras makes the second from the first.

    ``use_cudnn`` is not in a layer's config, from which Keras makes the forward layer anew; from 3.12 on both
    directions get that of the layer that was given (``docs/keras-quirks.md``).
    """
    forward: Node = node["layer"]
    given: Node | None = node["backward_layer"]
    backward = given or forward.but(go_backwards=True)
    if not forward.has("use_cudnn"):
        return forward, backward
    if installed.keras() >= _KEEPS_USE_CUDNN:
        return forward, backward.but(use_cudnn=forward["use_cudnn"]) if backward.has("use_cudnn") else backward
    return forward.but(use_cudnn="auto"), given or backward.but(use_cudnn="auto")


def theory(node: Node, given: Given) -> Answer:
    """``(output, *forward states, *backward states)``; two outputs first with ``merge_mode=None``."""
    forward_node, backward_node = directions(node)
    inside = replace(given, within=None)
    forward = _overruled(node["layer"], forward_node, forward_node.cls.theory(forward_node, inside))
    same = _width(forward_node) == _width(backward_node)
    letter = given.letter if same else given.letter + "b"
    backward = backward_node.cls.theory(backward_node, replace(inside, letter=letter))
    backward = _overruled(node["backward_layer"] or node["layer"], backward_node, backward)
    dtype = compute_dtype(node["dtype"])
    ahead, back = forward.outputs[0].dims, backward.outputs[0].dims
    mode = node["merge_mode"]
    outputs: tuple[Leaf, ...]
    if mode is None:
        outputs = (Leaf("forward_output", ahead, dtype), Leaf("backward_output", back, dtype))
    elif mode == "concat":
        outputs = (Leaf("output", (*ahead[:-1], ahead[-1] + back[-1]), dtype),)
    else:
        outputs = (Leaf("output", _broadcast(ahead, back), dtype),)
    states = (*prefixed("forward_", tuple(forward.states)), *prefixed("backward_", tuple(backward.states)))
    with_state = forward_node["return_state"]
    return Answer(
        outputs=outputs,
        states=states,
        returned=(*outputs, *states) if with_state else (outputs if mode is None else outputs[0]),
        weights=[
            weight.behind(prefix)
            for prefix, answer in (("forward_", forward), ("backward_", backward))
            for weight in answer.weights
        ],
        laws=_laws(node, given, forward, backward) if with_state else [],
        cudnn=_cudnn((forward_node, backward_node), (forward, backward)),
        products=forward.products + backward.products,
        mask=forward.mask,
        notes=tuple(dict.fromkeys((*forward.notes, *backward.notes))),
        refusals=[*forward.refusals, *backward.refusals, *_refusals(forward_node, called=given.within is None)],
    )


def _width(node: Node) -> object:
    """What the letter H stands for: two directions share it when this is the same."""
    return next(node[name] for name in ("units", "filters", "cell") if node.has(name))


def _broadcast(left: Dims, right: Dims) -> Dims:
    """TensorFlow's rule: a 1 stretches to the other's size."""
    return tuple(b if a.size == 1 else a for a, b in zip(left, right, strict=True))


def _laws(node: Node, given: Given, forward: Answer, backward: Answer) -> list[Law]:
    if forward.hidden is None or backward.hidden is None:
        return []
    f, b = "forward_" + forward.hidden.role, "backward_" + backward.hidden.role
    mode, sequences, one_step = node["merge_mode"], node["layer"]["return_sequences"], given.dims[1].size == 1
    if not sequences:
        return list(_final_laws(mode, f, b, _halves(forward)))
    if mode is None:
        return list(_separate_laws(f, b, one_step))
    if mode == "concat":
        return list(_concat_laws(f, b, one_step, _halves(forward)))
    return list(_merged_laws(mode, f, b, one_step))


def _halves(forward: Answer) -> tuple[str, str]:
    """How Python takes the forward and the backward half of the last axis, after the leading ones."""
    dims = forward.outputs[0].dims
    width = dims[-1]
    size = width.letter if width.letter.isidentifier() else str(width.size)
    # A picture has more axes between: ``output[:, ..., :H]``.
    space = "..., " if any(dim.letter[0] in "XYZ" for dim in dims) else ""
    return f"{space}:{size}", f"{space}{size}:"


def _final_laws(mode: str | None, f: str, b: str, halves: tuple[str, str]) -> Iterator[Law]:
    why = "without return_sequences each direction gives its final hidden state"
    if mode is None:
        yield Law(f"forward_output == {f}", True, why)
        yield Law(f"backward_output == {b}", True, why)
    elif mode == "concat":
        yield Law(f"output[:, {halves[0]}] == {f}", True, why)
        yield Law(f"output[:, {halves[1]}] == {b}", True, why)
    else:
        yield Law(f"output == {_MERGED[mode].format(f=f, b=b)}", True, why + f", merged by {mode}")
        yield Law(f"output == {f}", False, "the states are never merged, only the outputs are")


_FORWARD_ENDS = "the forward pass ends at the last step"
_BACKWARD_ENDS = "the backward pass ends at t = 0, its output is turned back into the order of time"
_NOT_THERE = "at the last step the backward pass has only begun: it ends at t = 0"
_ONE_STEP = "there is only one step, so both passes end there"


def _concat_laws(f: str, b: str, one_step: bool, halves: tuple[str, str]) -> Iterator[Law]:
    yield Law(f"output[:, -1, {halves[0]}] == {f}", True, _FORWARD_ENDS)
    yield Law(f"output[:, 0, {halves[1]}] == {b}", True, _BACKWARD_ENDS)
    yield Law(f"output[:, -1, {halves[1]}] == {b}", one_step, _ONE_STEP if one_step else _NOT_THERE)


def _separate_laws(f: str, b: str, one_step: bool) -> Iterator[Law]:
    yield Law(f"forward_output[:, -1, :] == {f}", True, _FORWARD_ENDS)
    yield Law(f"backward_output[:, 0, :] == {b}", True, _BACKWARD_ENDS)
    yield Law(f"backward_output[:, -1, :] == {b}", one_step, _ONE_STEP if one_step else _NOT_THERE)


def _merged_laws(mode: str, f: str, b: str, one_step: bool) -> Iterator[Law]:
    merged = _MERGED[mode].format(f=f, b=b)
    why = _ONE_STEP if one_step else "the two passes end at different steps: no step holds both final states"
    yield Law(f"output[:, -1, :] == {merged}", one_step, why)


def _refusals(forward: Node, *, called: bool) -> Iterator[Refusal]:
    """A wrapper that runs ``call`` itself never asks for the mask, and so never meets the bug."""
    if called and forward["stateful"] and forward["return_state"]:
        yield Refusal(
            "TypeError: Bidirectional.compute_mask fails when the layer is stateful and returns its state",
            "drop stateful or return_state, or build the two directions by hand",
        )


def _cudnn(layers: tuple[Node, Node], answers: tuple[Answer, Answer]) -> list[Kernel]:
    """Each direction decides for itself; where the two agree their rules are said of both at once."""
    unlike = answers[0].cudnn != answers[1].cudnn
    return [
        kernel.inside(f"{direction} {layer.short}", f"{direction}: " if unlike else "")
        for direction, layer, answer in zip(("forward", "backward"), layers, answers, strict=True)
        for kernel in answer.cudnn
    ]


def _overruled(asked: Node, layer: Node, answer: Answer) -> Answer:
    """The answer of a direction, whose rule says so where Keras gave it another ``use_cudnn`` than was asked for."""
    if not asked.has("use_cudnn") or asked["use_cudnn"] == layer["use_cudnn"]:
        return answer
    [kernel] = answer.cudnn
    source = "keras/src/layers/rnn/bidirectional.py: Bidirectional.__init__"
    rules = (
        rule._replace(decided=f"Keras makes it {layer['use_cudnn']!r}", source=source)
        if rule.decided.startswith("use_cudnn=")
        else rule
        for rule in kernel.rules
    )
    return replace(answer, cudnn=[kernel._replace(rules=tuple(rules))])


def check(node: Node) -> Iterator[Problem]:
    """What Keras refuses when it compares the two directions."""
    forward, backward = directions(node)
    if forward["go_backwards"] == backward["go_backwards"]:
        if node["backward_layer"] is None:
            fix = "leave go_backwards out of the layer: Bidirectional adds the backward one itself"
        else:
            fix = "exactly one of layer and backward_layer must have go_backwards=True"
        yield Problem("layer" if node["backward_layer"] is None else "backward_layer", fix)
    for name in ("stateful", "return_sequences", "return_state"):
        if forward[name] != backward[name]:
            yield Problem("backward_layer", f"{name} must be {forward[name]}, as in the forward layer")


def check_input(node: Node, dims: Dims) -> str | None:
    """Why two outputs that do not fit cannot be merged."""
    forward_node, backward_node = directions(node)
    for layer in (forward_node, backward_node):
        if len(layer.cls.letters(layer, len(dims))) != len(dims):
            return f"layer and backward_layer must take the same input: {layer.name} takes another rank"
        if wrong := layer.cls.check_input(layer, dims):
            return wrong
    mode = node["merge_mode"]
    if mode is None or node["backward_layer"] is None:
        return None
    ahead, back = (
        layer.cls.theory(layer, Given(dims, "float32")).outputs[0].dims for layer in (forward_node, backward_node)
    )
    sizes = [(a.size, b.size) for a, b in zip(ahead, back, strict=True)]
    merged = sizes[:-1] if mode == "concat" else sizes
    stretch = mode != "concat"
    if all(a == b or (stretch and 1 in (a, b)) for a, b in merged):
        return None
    shapes = " and ".join(str(tuple(dim.size for dim in side)) for side in (ahead, back))
    return f"merge_mode={mode!r} cannot merge {shapes}: give both directions the same width, or use merge_mode=None"


BIDIRECTIONAL = LayerClass(
    "Bidirectional",
    "layer",
    (
        arg.Argument("layer", arg.Nested("recurrent"), help="The recurrent layer that reads forwards:"),
        arg.Argument("merge_mode", arg.OneOf(MERGES), "concat", "How the two outputs become one:", True),
        arg.Argument("weights", arg.OneOf((None,)), None),
        arg.Argument("backward_layer", arg.Nested("recurrent", none=True), None),
        *arg.EVERY_LAYER,
    ),
    theory,
    lambda node, rank: node["layer"].cls.letters(node["layer"], rank),
    check=check,
    check_input=check_input,
)
