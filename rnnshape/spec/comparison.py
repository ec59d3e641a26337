"""What is to be compared: the same input and the same weights in several layers, or in one layer run several ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.layers.arguments import Argument, OneOf

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec

STATIC = ("symbolic", "compute_output_shape")
"""The ways that only say shapes: nothing is computed."""
RULES = "rules"
"""What theory says of a release of Keras that is not installed here."""
WAYS = ("eager", "graph", "xla", "predict", *STATIC)
VALUES: dict[str, tuple[Any, ...]] = {
    "unroll": (False, True),
    "implementation": (1, 2),
    "dtype": ("float32", "float64", "mixed_float16"),
}
AXES = ("execution", "unroll", "device", "implementation", "cell", "dtype", "mask", "keras")
AXIS = Argument("axis", OneOf(AXES), None, "Vary one layer along this axis:", True)


class Variant(Struct, frozen=True):
    """One side of a comparison.

    ``way`` is how the layer is asked: an execution (``"auto"`` is the faster), ``"predict"`` for
    ``Model.predict``, one of ``STATIC``, or ``RULES``.  ``changes`` says what changed in Keras from the variant before
    to this one.
    """

    label: str
    spec: Spec
    way: str
    changes: tuple[str, ...] = ()

    @property
    def static(self) -> bool:
        return self.way in (*STATIC, RULES)


class Comparison(Struct, frozen=True):
    """Variants on one input and with the weights of the first; every other one is held against the first.

    ``title`` is what was asked; ``axis`` says what was varied of one layer; ``timing`` asks for times: in training for
    those of a forward and backward pass.
    """

    title: str
    variants: tuple[Variant, ...]
    axis: str | None = None
    timing: bool = False

    @property
    def training(self) -> bool:
        return any(variant.spec.training for variant in self.variants)


def alone(spec: Spec) -> Comparison:
    """One layer beside nothing, to be timed."""
    return Comparison(spec.layer.text, (Variant(spec.layer.text, spec, spec.execution),), None, timing=True)
