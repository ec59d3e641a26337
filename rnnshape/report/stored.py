"""A saved model's file: its weights compared with theory, and the model compared with its layers called one by one."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from rnnshape.form import MAYBE, Key, formed
from rnnshape.report.aspect import NOTHING, Aspect, Disagreement
from rnnshape.theory import weights_by_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Weight
    from rnnshape.spec import Spec
    from rnnshape.spec.saved import Held, Saved, Shape


@formed(
    layer="The layer's name in the model; behind a slash that of a layer of a model within.",
    weight="The weight by theory; null for one that theory does not have.",
    stored=Key("Its name in the file; null for one that the file does not have.", null=True),
    predicted="The shape by theory, or null.",
    found="The shape in the file, or null.",
)
class Compared(NamedTuple):
    """One weight of a layer, in the file and by theory."""

    layer: str
    weight: str | None
    stored: str | None
    predicted: tuple[int, ...] | None
    found: tuple[int, ...] | None

    @property
    def fits(self) -> bool:
        """Whether the file has the weight in the predicted shape."""
        return self.predicted == self.found


@formed(
    "file",
    path="The file, as it was given.",
    weights="The weights of each layer, in the file and by theory.",
    others=Key("The weights in the file that belong to no layer of the answer.", MAYBE, of="other"),
    apart=Key("The largest difference between the model's results and those of its layers called one by one.", MAYBE),
)
class Stored(Aspect, Struct, frozen=True):
    """The weights in a saved model's file; ``apart`` is None where the model itself was not called.

    ``unplaced`` says that the file does not show which layer each weight belongs to; all are compared at once then.
    """

    path: str
    weights: tuple[Compared, ...]
    other: tuple[str, ...] = ()
    unplaced: bool = False
    apart: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the file has the predicted weights; this needs no real layer."""
        return all(one.fits for one in self.weights)

    @property
    def misfits(self) -> tuple[Compared, ...]:
        """The weights that have another shape in the file, are missing there, or are unknown to theory."""
        return tuple([one for one in self.weights if not one.fits])

    def disagreements(self) -> Iterator[Disagreement]:
        """The weights that do not fit, each with its layer; a model whose results differ from those of its layers."""
        for one in self.misfits:
            of = f"{self.path}: layer {one.layer}, weight {one.weight or one.stored}"
            yield Disagreement(of, _said(one.predicted), _said(one.found))
        if self.apart is not None and self.apart > _CLOSE:
            of = f"{self.path}: the results of the model and of its layers, called one by one"
            yield Disagreement(of, "equal", f"max difference {self.apart:.2g}")


# The same operations on the same numbers; a model may run as a graph, which fuses some.
_CLOSE = 1e-3


def stored(spec: Spec, apart: float | None = None) -> Stored | None:
    """Compare a saved model's file with theory; None if the Spec is not from a file with weights."""
    saved = spec.saved
    if saved is None or not (saved.others or any(held.weights is not None for held in saved.layers)):
        return None
    by_rule = _in_order(spec, saved)
    if all(held.weights is None for held in saved.layers):
        every = [weight for _, weights in by_rule for weight in weights]
        whole = tuple(_compared("(any)", every, saved.others))
        fitting = [one for one in whole if one.weight is not None]
        return Stored(
            saved.path, tuple(fitting), tuple(str(one.stored) for one in whole if one.weight is None), True, apart
        )
    rows: list[Compared] = []
    for held, weights in by_rule:
        if held.weights is not None:
            rows += _compared("/".join(held.names), weights, held.weights)
    return Stored(saved.path, tuple(rows), tuple(name for name, _ in saved.others), False, apart)


def _in_order(spec: Spec, saved: Saved) -> list[tuple[Held, list[Weight]]]:
    """Theory's weights of each layer in the file; without a Masking that an option puts in front of the model.

    A layer of the file that the answer does not reach is left out.
    """
    by_rule = [*weights_by_rule(spec)]
    if spec.graph:
        named = dict(by_rule)
        return [(held, named[held.word]) for held in saved.layers if held.word in named]
    more = spec.layer.first.name == "Masking" and saved.layers[0].cls != "Masking"
    stack = [(node.name, weights) for node, (_, weights) in zip(spec.layer.in_turn, by_rule, strict=False)][more:]
    if len(stack) == len(saved.layers):
        return [(held, weights) for held, (_, weights) in zip(saved.layers, stack, strict=True)]
    left = iter(saved.layers)
    found = ((next((held for held in left if held.cls == name), None), weights) for name, weights in stack)
    return [(held, weights) for held, weights in found if held is not None]


def _compared(layer: str, weights: Sequence[Weight], found: Sequence[tuple[str, Shape]]) -> Iterator[Compared]:
    """Pair each weight with the first of its shape in the file; then pair what is left on both sides, in order."""
    if len(found) < len(weights):  # Keras saves a kernel with its LoRA weights added (Dense.save_own_variables)
        weights = [weight for weight in weights if not weight.name.startswith("lora_")]
    left = [*found]
    missing: list[Weight] = []
    pairs: dict[int, tuple[str, Shape]] = {}
    for number, weight in enumerate(weights):
        place = next((place for place, (_, shape) in enumerate(left) if shape == weight.shape), None)
        if place is None:
            missing.append(weight)
        else:
            pairs[number] = left.pop(place)
    beside = iter(zip_longest(missing, left))
    for number, weight in enumerate(weights):
        if number in pairs:
            yield Compared(layer, weight.name, pairs[number][0], weight.shape, pairs[number][1])
        else:
            _, there = next(beside)
            yield Compared(layer, weight.name, there and there[0], weight.shape, there and there[1])
    for _, there in beside:
        if there is not None:
            yield Compared(layer, None, there[0], None, there[1])


def _said(shape: tuple[int, ...] | None) -> str:
    return NOTHING if shape is None else str(shape)


def file_notes(file: Stored | None) -> Iterator[str]:
    """The note about a file whose weights fit."""
    if file is None or not file.ok or not file.weights:
        return
    said = f"the file has the {len(file.weights)} weights of theory, with their shapes"
    if file.unplaced:
        said += ", but does not say which layers they belong to"
    if file.other:
        counted = Counter(name.removeprefix("layers/").partition("/")[0] for name in file.other)
        said += f", and {len(file.other)} others (in {', '.join(counted)})"
    yield said
