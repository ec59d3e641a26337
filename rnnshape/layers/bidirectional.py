"""Bidirectional: two layers that read the input from both ends, their outputs merged, their states one after another.

Keras' ``layers/rnn/bidirectional.py`` (read in 3.15.1) casts both outputs to its own dtype, reverses the backward
sequence and merges the outputs; the states are only listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers import arguments as arg
from rnnshape.layers import contents, quirks
from rnnshape.layers.base import Answer, Given, Leaf, Refusal, compute_dtype, prefixed, several, through
from rnnshape.layers.building import unregularized
from rnnshape.layers.copying import answer_of, backward_of, copied_activations, forward_of, not_copied
from rnnshape.layers.cudnn import mask_used
from rnnshape.layers.dims import broadcast
from rnnshape.layers.former import in_order
from rnnshape.layers.laws import TURNED, kept
from rnnshape.layers.legacy import unsupported
from rnnshape.layers.masking import attached, unmasked_scan
from rnnshape.layers.merging import Merge
from rnnshape.layers.node import LayerClass
from rnnshape.layers.objects import Function
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.layers.base import Dims, Kernel, Law
    from rnnshape.layers.masking import Scan
    from rnnshape.layers.node import Node
    from rnnshape.layers.objects import Made

MERGES = ("concat", "sum", "mul", "ave", None)


def theory(node: Node, given: Given) -> Answer:
    """``(output, *forward states, *backward states)``; two outputs first with ``merge_mode=None``."""
    own: Node | None = node["backward_layer"]
    # The wrapper passes the mask in the call; like a layer, it may drop a mask attached to the tensor.
    used = mask_used(given)
    inside = given
    if given.within is not None or given.mask is not None:
        inside = replace(given, within=None, mask=used and replace(used, argument=True))
    forward_node = forward_of(node)
    forward = answer_of(forward_node, inside, asked=node["layer"], remade=True)
    if own is None and used is None:
        # Without a mask, the copied backward layer differs only in its scan.
        backward_node, backward = forward_node, forward
        back: Scan | None = unmasked_scan(not forward_node["go_backwards"], given.dims[1].size == 1)
    else:
        backward_node = backward_of(node, forward_node)
        if own is not None and _width(own) != _width(forward_node):
            inside = replace(inside, letter=given.letter + "b")
        backward = answer_of(backward_node, inside, asked=own or node["layer"], remade=own is None)
        back = backward.scan
    assert forward.scan is not None
    assert back is not None
    merge = Merge.of(node, forward, backward, one_step=given.dims[1].size == 1)
    dtype = compute_dtype(node["dtype"]) if _CASTS.made else forward.outputs[0].dtype
    one, other = forward.outputs[0].dims, backward.outputs[0].dims
    mode = node["merge_mode"]
    outputs: tuple[Leaf, ...]
    if mode is None:
        second = dtype if _CASTS.made else backward.outputs[0].dtype
        outputs = (Leaf("forward_output", one, dtype), Leaf("backward_output", other, second))
    elif mode == "concat":
        outputs = (Leaf("output", (*one[:-1], one[-1] + other[-1]), dtype),)
    else:
        outputs = (Leaf("output", broadcast(one, other), dtype),)
    states = (*prefixed("forward_", tuple(forward.states)), *prefixed("backward_", tuple(backward.states)))
    begun = [*states]
    if (forward.begins, backward.begins) != (forward.states, backward.states):
        begun = [*prefixed("forward_", forward.begins), *prefixed("backward_", backward.begins)]
    activations = copied_activations(node)
    with_state = forward_node["return_state"]
    returned = several((*outputs, *states) if with_state else outputs) if with_state or mode is None else outputs[0]
    return Answer(
        outputs=outputs,
        states=states,
        returned=returned,
        weights=in_order(
            (
                (forward_node.trainable, [weight.behind("forward_") for weight in forward.weights]),
                (backward_node.trainable, [weight.behind("backward_") for weight in backward.weights]),
            ),
            trainable=node.trainable and node["layer"].trainable,
        ),
        laws=[*_laws(merge, forward, backward, (forward.scan, back))] if with_state else [],
        cudnn=_cudnn((forward_node, backward_node), (forward, backward)),
        products=forward.products + backward.products,
        mask=attached(given.mask) if forward_node["return_sequences"] else None,
        begins=through(begun, dtype) if _CASTS.made else begun,
        scan=forward.scan,
        strips=merge.strips(forward.scan, back, used or given.mask) if given.watched else (),
        quirks=tuple(
            dict.fromkeys(((quirks.DROPPED,) if used is None and given.mask else ()) + forward.quirks + backward.quirks)
        ),
        notes=tuple(
            note
            for note in dict.fromkeys((*_notes(node, activations), *forward.notes, *backward.notes))
            if note != TURNED
        ),
        refusals=[
            *not_copied(activations),
            *_unlike_dtypes(node, forward, backward),
            *_split_in_the_middle(given, forward, backward),
            *forward.refusals,
            *backward.refusals,
            *_refusals(forward_node, called=given.within is None),
            *unregularized(node, given, returned),
        ],
    )


def _notes(node: Node, activations: Iterable[Made | Function]) -> Iterator[str]:
    if node["weights"] and _CASTS.made:
        yield "weights is not used: Keras 3 keeps it and builds new weights (call set_weights on the built layer)"
    for function in activations:
        if isinstance(function, Function) and function.copied:
            yield f"Bidirectional copies {function} only if it is registered: keras.utils.register_keras_serializable"


_CUTS_ODD = change(
    "3.0",
    "Bidirectional accepts an odd number of initial states, and splits them in the middle",
    "layers/rnn/bidirectional.py: Bidirectional.call",
)
_CASTS = change("3.0", "Bidirectional casts its outputs to its own dtype", "layers/rnn/bidirectional.py: call")
_TOGGLES = change(
    "3.0",
    "Bidirectional rejects a layer with go_backwards=True; before, it reverses the backward layer",
    "layers/rnn/bidirectional.py: _verify_layer_config",
)
_FAILS = change(
    "3.0",
    "a stateful Bidirectional that returns its state fails",
    "layers/rnn/bidirectional.py: Bidirectional.compute_mask",
)


def _width(node: Node) -> object:
    """The size that H is the letter of; if it is equal in both directions, they share the letter."""
    return next(node[name] for name in ("units", "filters", "cell") if node.has(name))


def _laws(merge: Merge, forward: Answer, backward: Answer, scans: tuple[Scan, Scan]) -> Iterable[Law]:
    if forward.hidden is None or backward.hidden is None:
        return ()
    ahead, back = scans
    if ahead.mask is None:
        return merge.unmasked(ahead.scanning.backwards, back.scanning.backwards)
    states = (*kept(prefixed("forward_", forward.states), ahead), *kept(prefixed("backward_", backward.states), back))
    return (*merge.laws(ahead, back.turned()), *states)


def _refusals(forward: Node, *, called: bool) -> Iterator[Refusal]:
    """A Keras bug in ``compute_mask``, which a wrapper that runs ``call`` itself does not use."""
    if called and forward["stateful"] and forward["return_state"] and _FAILS.made:
        yield Refusal(
            "TypeError: Bidirectional.compute_mask fails when the layer is stateful and returns its state",
            "drop stateful or return_state, or build the two directions by hand",
        )


def _unlike_dtypes(node: Node, forward: Answer, backward: Answer) -> Iterator[Refusal]:
    """Keras 2 merges the outputs of the two directions without a cast."""
    one, other = forward.outputs[0].dtype, backward.outputs[0].dtype
    if not _CASTS.made and node["merge_mode"] is not None and one != other:
        yield Refusal(
            f"InvalidArgumentError: the outputs of the two directions, {one} and {other}, cannot be merged",
            "give both directions one dtype",
        )


def _split_in_the_middle(given: Given, forward: Answer, backward: Answer) -> Iterator[Refusal]:
    """Keras splits ``initial_state`` in the middle, even if the forward layer has more or fewer states."""
    half, odd = divmod(len(forward.begins) + len(backward.begins), 2)
    if given.initial is not None and odd and not _CUTS_ODD.made:
        yield Refusal(
            "ValueError: initial_state of Bidirectional must be a list containing the states of both layers",
            "give both directions the same number of states, or build them by hand",
        )
    elif given.initial is not None and half != len(forward.begins):
        yield Refusal(
            f"IndexError: initial_state is split in half, but there are {len(forward.begins)} forward and "
            f"{len(backward.begins)} backward states",
            "give both directions the same number of states, or build them by hand",
        )


def _cudnn(layers: tuple[Node, Node], answers: tuple[Answer, Answer]) -> list[Kernel]:
    """The kernels of both directions; if their rules are equal, they have no prefix."""
    unlike = answers[0].cudnn != answers[1].cudnn
    return [
        kernel.inside(f"{direction} {layer.short}", f"{direction}: " if unlike else "")
        for direction, layer, answer in zip(("forward", "backward"), layers, answers, strict=True)
        for kernel in answer.cudnn
    ]


def check(node: Node) -> Iterator[Problem]:
    """The combinations of the two directions that Keras rejects."""
    forward, backward = node["layer"], node["backward_layer"]
    yield from unsupported(node)
    if backward is None:
        if forward["go_backwards"] and _TOGGLES.made:
            fix = "remove go_backwards from the layer: Bidirectional creates the backward layer itself"
            yield Problem("layer", fix)
        return
    if forward["go_backwards"] == backward["go_backwards"]:
        yield Problem("backward_layer", "exactly one of layer and backward_layer must have go_backwards=True")
    for name in ("stateful", "return_sequences", "return_state"):
        if forward[name] != backward[name]:
            yield Problem("backward_layer", f"{name} must be {forward[name]}, as in the forward layer")


def check_input(node: Node, dims: Dims) -> str | None:
    """Why a direction rejects the input, or why the two outputs cannot be merged."""
    own: Node | None = node["backward_layer"]
    for layer in (node["layer"],) if own is None else (node["layer"], own):
        if len(layer.cls.letters(layer, len(dims))) != len(dims):
            return f"layer and backward_layer must take the same input: {layer.name} takes a different rank"
        if wrong := layer.cls.check_input(layer, dims):
            return wrong
    mode = node["merge_mode"]
    if mode is None or own is None or node.without_rule:
        return None
    ahead, back = (layer.cls.theory(layer, Given(dims, "float32")).outputs[0].dims for layer in (node["layer"], own))
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
        arg.Argument("layer", arg.Nested("recurrent"), help="The forward recurrent layer:"),
        arg.Argument("merge_mode", arg.OneOf(MERGES), "concat", "How the two outputs are merged:", True),
        arg.Argument("weights", arg.Maybe(arg.Arrays()), None),
        arg.Argument("backward_layer", arg.Nested("recurrent", none=True), None),
        *arg.BASE,
    ),
    theory,
    lambda node, rank: node["layer"].cls.letters(node["layer"], rank),
    check=check,
    check_input=check_input,
    contents=contents.both_ways,
)
