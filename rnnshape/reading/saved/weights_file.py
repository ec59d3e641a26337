"""Reads a file with weights only (``model.weights.h5``): its contents, and whether they fit a given layer.

Keras 3 and tf_keras write it with ``model.save_weights``: each weight under the groups of its layer, without a config.
The older form (``layer_names``, ``weight_names``) has a group for each layer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.sequential import answers
from rnnshape.reading.making import make
from rnnshape.reading.saved import model_file, stored
from rnnshape.reading.saved.model_file import invalid
from rnnshape.reading.saved.model_layers import groups_of, snake
from rnnshape.spec.options import CHANNELS, INPUT
from rnnshape.spec.saved import Held, Saved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rnnshape.layers.base import Weight
    from rnnshape.spec import Spec
    from rnnshape.spec.saved import Shape

_GATES = {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}


@dataclass(frozen=True, slots=True)
class Group:
    """The weights of one layer in the file, in Keras' order, each with its path and its shape.

    ``in_turn`` says that the file is of the older form: its groups have the names of the layers, in the model's order.
    """

    name: str
    weights: tuple[tuple[str, Shape], ...]
    in_turn: bool = False

    @property
    def could_be(self) -> str | None:
        """The recurrent layer of Keras that has such weights, with the width of its input; None if there is none.

        >>> Group("lstm", (("vars/0", (4, 256)), ("vars/1", (64, 256)), ("vars/2", (256,)))).could_be
        'LSTM(64) on 4 channels'
        """
        cells = [*_cells([shape for _, shape in self.weights])]
        if not cells or None in cells:
            return None
        said = [f"{cls}({units}{more})" for cls, units, more, _ in filter(None, cells)]
        width = next(channels for _, _, _, channels in filter(None, cells))
        if len(cells) == 1:
            return f"{said[0]} on {width} channels"
        turned = any("backward" in name for name, _ in self.weights)
        if turned and len(cells) == 2 and said[0] == said[1]:
            return f"Bidirectional({said[0]}) on {width} channels"
        return f"{'Bidirectional with ' if turned else 'RNN with cells of '}{' and '.join(said)} on {width} channels"


def _cells(shapes: Sequence[Shape]) -> Iterator[tuple[str, int, str, int] | None]:
    """The cells with these weights, in order: class, units, more arguments, width of the input; None for no cell."""
    at = 0
    while at < len(shapes):
        padded: list[Shape] = [*shapes[at : at + 3], (), ()]
        kernel, recurrent, bias = padded[:3]
        if len(kernel) < 2 or len(recurrent) != len(kernel) or not recurrent[-2]:
            yield None
            return
        units, gates = recurrent[-2], recurrent[-1] // recurrent[-2]
        if gates not in _GATES or recurrent[-1] != gates * units or kernel[-1] != recurrent[-1]:
            yield None
            return
        has_bias = bool(bias) and bias[-1] == recurrent[-1] and len(bias) == 1 + (gates == 3 and len(bias) == 2)
        more = "" if has_bias else ", use_bias=False"
        if gates == 3 and has_bias and len(bias) == 1:
            more = ", reset_after=False"
        cls = _GATES[gates]
        if len(kernel) > 2:  # a kernel over space
            cls, more = f"ConvLSTM{len(kernel) - 2}D", f", kernel_size={kernel[:-2]}{more}"
            if gates != 4:
                yield None
                return
        yield cls, units, more, kernel[-2]
        at += 3 if has_bias else 2


def contents(path: str) -> list[Group]:
    """The weights in the file, layer by layer.

    Raises:
        Invalid: there is no such file, or it is damaged, or not a file of weights.
    """
    with model_file.failing(path), stored.opened(path) as file:
        legacy = stored.within(file, "model_weights")
        root = file if legacy is None else legacy
        every = stored.arrays(root)
        if "layer_names" in root.attrs:
            there = dict.fromkeys(place[0] for place in every)
            names = dict.fromkeys([*(name for name in stored.texts(root, "layer_names") if name in there), *there])
            listed = {name: stored.listed(root, every, name) or {} for name in names}
            return [Group(name, stored.named(found), in_turn=True) for name, found in listed.items()]
        if not every:
            raise invalid("has no weights in it")
    found: dict[tuple[str, ...], stored.Found] = {}
    for place, shape in every.items():
        found.setdefault(_layer(place), {})[place] = shape
    return [
        Group("/".join(one for one in layer if one != "layers"), stored.named(ones)) for layer, ones in found.items()
    ]


def _layer(place: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of an array's layer: its path up to the name after the last ``layers``."""
    last = max((at for at, part in enumerate(place) if part == "layers"), default=-1)
    return place[: last + 2]


# -- against a layer ----------------------------------------------------------------------------


def make_against(path: str, layer: str, options: Mapping[str, Any] | None = None) -> Spec:
    """The Spec of a layer, with the weights in the file to compare with (``Spec.saved``).

    If no option gives the input, its width is that of the kernel in the file.

    Raises:
        Invalid: as ``contents`` and ``make``.
    """
    groups = contents(path)
    options = dict(options or {})
    spec = make(layer, options)
    notes = []
    chosen = _chosen(spec, groups)
    if CHANNELS.name not in options and INPUT.name not in options:
        width = _width(spec, chosen)
        if width is not None and width != spec.input[-1] and (wide := _widened(layer, options, width)) is not None:
            spec = wide
            chosen = _chosen(spec, groups)
            notes.append(f"C = {width}: the width of the input by the weights in the file")
    nodes = spec.layer.in_turn
    taken = [group.name for group in chosen if group is not None]
    rest = [one for group in groups if group.name not in taken for one in group.weights]
    held = tuple(
        Held(node.name, node.name, (group.name if group else node.name,), group.weights if group else ())
        for node, group in zip(nodes, chosen, strict=True)
    )
    if not taken:
        held = tuple(replace(one, weights=None) for one in held)
    notes += _gates(spec)
    saved = Saved(path, held, others=tuple(rest), loads=False)
    return replace(spec, saved=saved, notes=(*notes, *spec.notes))


def _widened(layer: str, options: Mapping[str, Any], width: int) -> Spec | None:
    """The Spec with an input of this width; None if the code gives another width."""
    try:
        return make(layer, {**options, CHANNELS.name: width})
    except Invalid:
        return None


def _chosen(spec: Spec, groups: Sequence[Group]) -> list[Group | None]:
    """The group of each layer; for a single layer, the first that fits.

    Keras 3 names the groups by the classes.  In the older form each has the name of its layer, which is another one in
    each model (``lstm_5``): there the order decides.  If the file has more or fewer layers, the names have to match.
    """
    if spec.graph:
        raise Invalid([Problem("", "a file of weights is compared with a layer or a stack, not with wired calls")])
    nodes = spec.layer.in_turn
    if len(nodes) == 1:
        (node,) = nodes
        mine = [group for group in groups if re.fullmatch(rf"{snake(node.name)}(_\d+)?", group.name.split("/")[-1])]
        weights = _weights(spec)
        fitting = [group for group in groups if _fits(weights, group)]
        # A group whose width is that of the input comes first.
        fitting.sort(key=lambda group: [shape for _, shape in group.weights] != [one.shape for one in weights])
        return [next(iter((*fitting, *mine, *groups[: len(groups) == 1])), None)]
    by_name = {group.name: group for group in groups}
    named = [by_name.get(name) for name in groups_of(node.name for node in nodes)]
    if not all(group.in_turn for group in groups):
        return named
    weighted = [bool(weights) for weights in _by_layer(spec)]
    if sum(weighted) == len(groups):
        left = iter(groups)
        return [next(left) if one else None for one in weighted]
    matched = all(named[place] for place, one in enumerate(weighted) if one)
    return named if matched else [None for _ in nodes]


def _by_layer(spec: Spec) -> list[list[Weight]]:
    if spec.layer.cls.kind != "stack":
        return [_weights(spec)]
    return [[*answer.weights] for _, _, answer in answers(spec.layer, spec.given())]


def _weights(spec: Spec) -> list[Weight]:
    return [*spec.layer.cls.theory(spec.layer, spec.given()).weights]


def _fits(weights: Sequence[Weight], group: Group) -> bool:
    """Whether the group has these weights, for an input of any width."""
    if len(weights) != len(group.weights):
        return False
    pairs = zip(weights, (shape for _, shape in group.weights), strict=True)
    return all(
        len(weight.dims) == len(shape)
        and all(dim.letter == "C" or dim.size == size for dim, size in zip(weight.dims, shape, strict=True))
        for weight, shape in pairs
    )


def _width(spec: Spec, chosen: Sequence[Group | None]) -> int | None:
    """The width of the input by the first weight in the file that has this axis."""
    for weights, group in zip(_by_layer(spec), chosen, strict=False):
        for weight, (_, shape) in zip(weights, group.weights if group else (), strict=False):
            if len(weight.dims) == len(shape):
                for dim, size in zip(weight.dims, shape, strict=True):
                    if dim.letter == "C":
                        return size
    return None


def _gates(spec: Spec) -> Iterator[str]:
    """The notes that say which columns of the weights belong to which gate."""
    weights = _weights(spec)
    names = {weight.name for weight in weights}
    for weight in weights:
        if weight.gates and weight.name.endswith("kernel") and not weight.name.endswith("recurrent_kernel"):
            units = weight.shape[-1] // len(weight.gates)
            places = (f"{gate} [{at * units}:{(at + 1) * units}]" for at, gate in enumerate(weight.gates))
            beside = weight.name.removesuffix("kernel")
            said = f"{beside}kernel, {beside}recurrent_kernel" + (f", {beside}bias" if f"{beside}bias" in names else "")
            yield f"the gates are columns of {said}: {', '.join(places)}"
