"""A comparison as data: several layers, or one layer in several variants, with the same input and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.layers.arguments import Argument, OneOf

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec

STATIC = ("symbolic", "compute_output_shape")
"""The ways that give only shapes: nothing is computed."""
RULES = "rules"
"""The way of a variant for a release of Keras that is not installed: only theory answers."""
WAYS = ("eager", "graph", "xla", "predict", *STATIC)
VALUES: dict[str, tuple[Any, ...]] = {
    "unroll": (False, True),
    "implementation": (1, 2),
    "dtype": ("float32", "float64", "mixed_float16"),
}
AXES = ("execution", "unroll", "device", "implementation", "cell", "dtype", "mask", "keras")
AXIS = Argument("axis", OneOf(AXES), None, "Vary one layer along this axis:", True)


class Variant(Struct, frozen=True):
    """One variant of a comparison.

    ``way`` is how the layer is run: an execution mode (``"auto"`` is the faster one), ``"predict"`` for
    ``Model.predict``, one of ``STATIC``, or ``RULES``.  ``changes`` says what changed in Keras since the variant
    before.
    """

    label: str
    spec: Spec
    way: str
    changes: tuple[str, ...] = ()

    @property
    def static(self) -> bool:
        return self.way in (*STATIC, RULES)


class Comparison(Struct, frozen=True):
    """Variants with the input and the weights of the first; each is compared with the first.

    ``title`` names the comparison; ``axis`` is what varies in one layer.  ``timing`` asks for the time of a call, in
    training with the backward pass.
    """

    title: str
    variants: tuple[Variant, ...]
    axis: str | None = None
    timing: bool = False

    @property
    def training(self) -> bool:
        return any(variant.spec.training for variant in self.variants)


def alone(spec: Spec) -> Comparison:
    """A comparison of one layer only, to measure its time."""
    return Comparison(spec.layer.text, (Variant(spec.layer.text, spec, spec.execution),), None, timing=True)
