"""The two layers of a Bidirectional, which Keras rebuilds from the config of the given layer.

Arguments that are not in the config are lost; objects that Keras cannot restore from it are errors
(``layers/rnn/bidirectional.py`` of Keras, read in 3.15.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.layers.base import Refusal
from rnnshape.layers.changes import everywhere
from rnnshape.layers.objects import Function, Made
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.layers.base import Answer, Given
    from rnnshape.layers.node import Node

_KEEPS_USE_CUDNN = change(
    "3.12",
    "both directions of a Bidirectional get the use_cudnn of the layer that is given",
    "layers/rnn/bidirectional.py: Bidirectional.__init__",
)
_FORGETS = change(
    "3.0",
    "the copy that Bidirectional makes of LSTM and GRU has implementation=2",
    "layers/rnn/lstm.py: LSTM.get_config",
)
_FORGETS_FUNCTIONS = change(
    "3.0",
    "Bidirectional cannot copy a layer whose activation is tf.nn.softmax or tf.nn.silu",
    "saving/serialization_lib.py: deserialize_keras_object",
)
_READS_OBJECTS = change(
    "3.10",
    "Bidirectional copies a layer whose activation is a layer, such as LeakyReLU",
    "activations/__init__.py: get",
    in_2=True,
)
_CONFIG_KEEPS = change(
    "3.4",
    "the copy that Bidirectional makes of RNN keeps the activity_regularizer of the layer and its cells",
    "layers/layer.py: Layer.get_config",
    in_2=True,
)


def directions(node: Node) -> tuple[Node, Node]:
    """The forward and the backward layer."""
    forward = forward_of(node)
    return forward, backward_of(node, forward)


def forward_of(node: Node) -> Node:
    """The forward layer, which Keras rebuilds from the config of the given layer.

    ``use_cudnn`` is not in the config; from 3.12 on, both directions get that of the given layer
    (``docs/keras-quirks.md``).
    """
    forward: Node = node["layer"]
    return forward if not forward.has("use_cudnn") or _KEEPS_USE_CUDNN.made else forward.but(use_cudnn="auto")


def backward_of(node: Node, forward: Node) -> Node:
    """The backward layer: the given one, else Keras builds it from the config of the forward layer."""
    given: Node | None = node["backward_layer"]
    if given is None:
        return forward.but(go_backwards=not forward["go_backwards"])
    if forward.has("use_cudnn") and given.has("use_cudnn") and _KEEPS_USE_CUDNN.made:
        return given.but(use_cudnn=forward["use_cudnn"])
    return given


def answer_of(layer: Node, given: Given, *, asked: Node, remade: bool) -> Answer:
    """The answer of one direction in a Bidirectional; ``asked`` is the given layer.

    With a mask, ``Bidirectional.__init__`` sets ``zero_output_for_mask`` to ``return_sequences``.  A layer that is
    ``remade`` from its config loses its ``implementation``.  If ``use_cudnn`` changes, its rule says so.
    """
    changes: dict[str, Any] = {}
    if given.mask is not None and layer["zero_output_for_mask"] != layer["return_sequences"]:
        changes["zero_output_for_mask"] = layer["return_sequences"]
    if remade and layer.has("implementation") and layer["implementation"] != 2 and _FORGETS.made:
        changes["implementation"] = 2
    if remade and layer.has("cell") and not _CONFIG_KEEPS.made:
        layer = everywhere(layer, lambda part: part.but(activity_regularizer=None))
    answer = layer.cls.theory(layer.but(**changes) if changes else layer, given)
    if asked.has("use_cudnn") and asked["use_cudnn"] != layer["use_cudnn"]:
        source = "keras/src/layers/rnn/bidirectional.py: Bidirectional.__init__"
        decided = f"Keras sets it to {layer['use_cudnn']!r}"
        [kernel] = answer.cudnn
        rules = (
            rule._replace(decided=decided, source=source) if rule.decided.startswith("use_cudnn=") else rule
            for rule in kernel.rules
        )
        answer.cudnn = [replace(kernel, rules=tuple(rules))]
    return answer


def not_copied(activations: Iterable[Made | Function]) -> Iterator[Refusal]:
    """Reject copied activations that Keras cannot restore from a config."""
    for value in activations:
        if isinstance(value, Made):
            if not _READS_OBJECTS.made:
                yield _not_restored("ValueError", value, "give both directions: backward_layer is not copied")
        elif not value.known and not value.copied:
            yield _not_restored("ValueError", value, "use a function with a name, registered as serializable")
        elif value.known and (_FORGETS_FUNCTIONS.made or value.like not in ("softmax", "silu")):
            by_name = value.like == "silu" or _READS_OBJECTS.made
            yield _not_restored("TypeError" if by_name else "ValueError", value, f"use '{value.like}'")


def _not_restored(raised: str, value: Made | Function, fix: str) -> Refusal:
    what = f"Bidirectional rebuilds its layer from its config, and {value} cannot be restored from it"
    return Refusal(f"{raised}: {what}", fix)


def copied_activations(node: Node) -> list[Made | Function]:
    """The activations that Bidirectional copies and that are not names; ``backward_layer`` is not copied."""
    objects = [value for part in node["layer"].walk() for _, value in part.given if isinstance(value, Made | Function)]
    return [value for value in objects if isinstance(value, Function) or value.what == "activation"]
