"""Sequential: layers that are called one after another, and errors about layers that do not fit.

Each layer is called on the result of the one before, as in ``x = LSTM(64, …)(x)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers.base import Answer, Given, Leaf
from rnnshape.layers.casting import reaching
from rnnshape.layers.dims import Dim
from rnnshape.layers.former import in_order
from rnnshape.layers.node import LayerClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node


STEPS = ("N", "T", "C")
_ANY = 1000
"""A size for questions about the rank alone."""


def answers(node: Node, given: Given) -> Iterator[tuple[int, Node, Answer]]:
    """Each layer with its answer; the hidden sizes before the last layer are H1, H2, …, in a nested layer H1_1."""
    layers: tuple[Node, ...] = node["layers"]
    letters = given.letter + ("_" if given.letter[-1].isdigit() else "")
    flowing = given
    for number, layer in enumerate(layers, 1):
        letter = given.letter if number == len(layers) else f"{letters}{number}"
        begun = flowing.initial if takes_states(layer) else None
        mask = reaching(flowing.mask, flowing.dtype, layer)
        answer = layer.cls.theory(layer, replace(flowing, letter=letter, initial=begun, mask=mask))
        if flowing.mask is not None and not flowing.mask.sure:
            unsure = [law._replace(guaranteed=False, why=_UNSURE) for law in answer.laws]
            answer = replace(answer, strips=(), laws=unsure)
        yield number, layer, answer
        output = answer.outputs[0]
        # Only a Masking uses the values.
        seen = any(later.name == "Masking" for later in layers[number:])
        flowing = replace(
            given,
            dims=output.dims,
            dtype=output.dtype,
            mask=answer.mask and answer.mask.passed_on(),
            initial=flowing.initial if begun is None else None,
            raw=False,
            zeros=layer.cls.contents(layer, answer, flowing) if seen else None,
        )


_UNSURE = "it depends on the values, from which Masking computes its mask"


def takes_states(layer: Node) -> bool:
    """Whether a layer takes an ``initial_state``; in a stack, the first such layer gets it."""
    return layer.cls.kind == "recurrent" or layer.name == "Bidirectional"


def theory(node: Node, given: Given) -> Answer:
    """The last layer's answer, with the weights of all layers and the outputs between them."""
    found = list(answers(node, given))
    _, _, last = found[-1]
    return replace(
        last,
        weights=[
            weight.behind(f"layer{number}_")
            for number, layer, answer in found
            for weight in in_order([(layer.trainable, answer.weights)])
        ],
        products=[product for _, _, answer in found for product in answer.products],
        cudnn=[
            kernel.inside(f"layer {number} {kernel.layer or layer.short}", f"layer {number} {layer.name}: ")
            for number, layer, answer in found
            if layer.cls.kind != "layer" or loop_of(layer)
            for kernel in answer.cudnn
        ]
        or last.cudnn,
        refusals=[refusal for _, _, answer in found for refusal in answer.refusals],
        notes=tuple(f"layer {number}: {note}" for number, _, answer in found for note in answer.notes),
        flow=tuple((layer.text, answer.returned) for _, layer, answer in found),
        begins=next((answer.begins for _, layer, answer in found if takes_states(layer)), ()),
        quirks=tuple(dict.fromkeys(quirk for _, _, answer in found for quirk in answer.quirks)),
    )


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The first layer's letters; without a given rank, the lowest rank that all layers accept."""
    first: Node = node["layers"][0]
    usual = first.cls.letters(first, rank)
    if rank is not None:
        return usual
    for asked in range(len(usual), len(usual) + 4):
        named = first.cls.letters(first, asked)
        if len(named) == asked and check_input(node, tuple(Dim(_ANY, letter) for letter in named)) is None:
            return named
    return usual


class _Passed(NamedTuple):
    """A layer that the input has passed, and the rank before and after it."""

    number: int
    layer: Node
    ranks: tuple[int, int]


def check_input(node: Node, dims: Dims) -> str | None:
    """Which layer fails, and which layer must change how; None if none fails or theory has no rule for one."""
    given = Given(dims, "float32")
    layers: tuple[Node, ...] = node["layers"]
    passed: list[_Passed] = []
    answer: Answer | None = None
    for number, layer in enumerate(layers, 1):
        if answer is not None and (broken := _several(number - 1, layers[number - 2], answer)):
            return broken
        if len(layer.cls.letters(layer, len(given.dims))) != len(given.dims):
            return _rank(number, layer, given, passed)
        if wrong := layer.cls.check_input(layer, given.dims):
            return f"layer {number}, {layer.text}: {wrong}"
        if layer.without_rule:
            return None  # the input of the layers after it is unknown
        answer = layer.cls.theory(layer, given)
        passed.append(_Passed(number, layer, (len(given.dims), len(answer.outputs[0].dims))))
        given = replace(given, dims=answer.outputs[0].dims)
    return None


def _several(number: int, layer: Node, answer: Answer) -> str | None:
    if isinstance(answer.returned, Leaf):
        return None
    roles = ", ".join(leaf.role if isinstance(leaf, Leaf) else "states" for leaf in answer.returned)
    return (
        f"layer {number}, {layer.text}, returns {len(answer.returned)} values ({roles}), but the next layer takes one: "
        f"drop {several_by(layer)} from layer {number}"
    )


def several_by(layer: Node) -> str:
    """The arguments that let a layer return several values: ``merge_mode=None and return_state=True``."""
    several = (("merge_mode", None), ("return_state", True))
    parts = list(layer.walk())
    there = [(name, value) for name, value in several if any(part.has(name) and part[name] is value for part in parts)]
    return " and ".join(f"{name}={value}" for name, value in there)


def _rank(number: int, layer: Node, given: Given, passed: Sequence[_Passed]) -> str:
    needs, has = layer.cls.letters(layer, None), tuple(dim.letter for dim in given.dims)
    if not passed:
        return f"{layer.name} needs ({', '.join(needs)}) but the input is ({', '.join(has)})"
    text = f"{layer.text} needs ({', '.join(needs)}) but {passed[-1].layer.text} returns ({', '.join(has)}): "
    more = len(needs) - len(has)
    for one in reversed(passed):
        if more > 0 and one.ranks[0] > one.ranks[1]:
            return text + _advice(one, len(needs))
        if more == -1 and (loop := loop_of(one.layer)) is not None and loop["return_sequences"]:
            return text + f"drop `return_sequences=True` from layer {one.number}"
    if more > 0 and needs[1] == "T" and all(one.ranks[0] == one.ranks[1] for one in passed):
        return text + "give the input a time axis"
    if more < 0 and needs == STEPS:
        return text + f"put TimeDistributed(Flatten()) between layer {passed[-1].number} and layer {number}"
    return text + f"change layer {passed[-1].number} or layer {number}"


def _advice(lowering: _Passed, needed: int) -> str:
    """The advice for a layer that removes an axis that a later layer needs."""
    loop, number = loop_of(lowering.layer), lowering.number
    if loop is not None and not loop["return_sequences"]:
        return f"give layer {number} `return_sequences=True`"
    if lowering.layer.name == "Flatten" and lowering.ranks[0] > needed:
        return f"make layer {number} TimeDistributed(Flatten())"
    if lowering.ranks[0] == needed:
        return f"drop layer {number}, {lowering.layer.name}"
    return f"change layer {number} or the one after it"


def loop_of(layer: Node) -> Node | None:
    """The first recurrent layer in it."""
    return next((part for part in layer.walk() if part.has("return_sequences")), None)


SEQUENTIAL = LayerClass(
    "Sequential",
    "stack",
    (arg.Argument("layers", arg.Nested("layer", many=True), help="The layers, first to last."),),
    theory,
    letters,
    check_input=check_input,
    tokens=lambda node: node["layers"][0].cls.tokens(node["layers"][0]),
)
