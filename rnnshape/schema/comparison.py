"""The JSON Schema of the output of ``rnnshape compare``, ``schema_version`` 1.

Other keys are allowed, because minor versions add keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.report.inputs import Input
from rnnshape.schema.forms import schema_of
from rnnshape.schema.parts import DRAFT, array, boolean, described, list_of, mapping, number, or_null, ref, string
from rnnshape.schema.report import DEFINITIONS
from rnnshape.spec.comparison import AXES, WAYS

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema

_MUST = ("bitwise", "close", "shape", None)


def comparison() -> Schema:
    """The schema of one comparison, as printed by ``-f json`` and ``-f jsonl``."""
    return {
        "$schema": DRAFT,
        "title": "rnnshape: comparison",
        "description": "Layers compared on the same input, with the same weights.",
        **mapping(
            {
                "schema_version": string("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
                "axis": described(
                    "The axis along which one layer was varied; null for several layers.", enum=[*AXES, None]
                ),
                "input": described("The input of every layer.", **schema_of(Input)),
                "compare": described("The variants; the others are compared with the first.", **_VARIANTS),
                "pairs": array(ref("pair"), "Each role of each variant, compared with the first."),
                "environment": ref("environment"),
                "ok": boolean("Every required equality holds, theory agrees, and no variant failed."),
            }
        ),
        "$defs": {
            "variant": _VARIANT,
            "pair": _PAIR,
            "timing": _TIMING,
            **{name: DEFINITIONS[name] for name in ("structure", "nest", "check", "environment", "error")},
            "tensor": _tensor(),
        },
    }


def _tensor() -> Schema:
    """The schema of a tensor; unlike in a report, the dtype may be null (static shapes) and there are no values."""
    known = DEFINITIONS["tensor"]
    properties = {name: schema for name, schema in known["properties"].items() if name != "values"}
    return {**known, "properties": {**properties, "dtype": string("A Keras dtype; null when unknown.", null=True)}}


_VARIANTS: Schema = {"type": "array", "items": ref("variant"), "minItems": 1}
_CUDNN = mapping(
    {
        "eligible": boolean("Whether Keras can use it, by the rules."),
        "used": boolean("Whether it was used; null when nothing ran.", null=True),
        "hint": string("The smallest change that would make it eligible.", null=True),
    }
)
_VARIANT = mapping(
    {
        "label": string("Its label: an expression, or the value of the axis."),
        "expression": string("The layer as an expression, which can be pasted back."),
        "mask": string("The rows of its mask, 1 for a valid step; null without one.", null=True),
        "way": described("The execution mode; auto if it failed before the mode was known.", enum=[*WAYS, "auto"]),
        "device": string("The device; null when nothing ran.", null=True),
        "kernel": string("What computes the steps, read from the traced graph: cudnn, loop, unrolled, step", null=True),
        "cudnn": described("Whether Keras may use cuDNN.", **_CUDNN),
        "weights": string("same, or why the weights of the first could not be copied."),
        "observed": or_null(ref("structure"), "The returned structure, observed or static; null when it failed."),
        "laws": array(ref("check"), "The equalities between its returned tensors."),
        "timing": or_null(ref("timing"), "The time of one call; null when not measured."),
        "error": or_null(ref("error"), "The error; null without one."),
    }
)
_PAIR = mapping(
    {
        "role": string("The role; structure means the containers."),
        "variant": number("The index of the variant, from 0."),
        "against": number("The index of the variant that it is compared with."),
        "shape": or_null(
            list_of({"type": "integer", "minimum": 0}), "The shape in this variant; null for the structure."
        ),
        "dtype": string("The dtype in this variant; null when unknown.", null=True),
        "equal": boolean("Whether equal; for values, within the tolerance of the coarser dtype."),
        "exact": boolean("Whether bitwise equal; null when no values were compared.", null=True),
        "max_abs_diff": number(
            "The largest absolute difference; null also when not finite or of different shapes.", "number", null=True
        ),
        "must": described("The equality that is required; null when none is.", enum=[*_MUST]),
        "why": string("Why it must be equal, why it need not be, or how it differs."),
        "quirk": string("The documented Keras bug that breaks it; null when none is known.", null=True),
    }
)
_TIMED = DEFINITIONS["timing"]
_TIMING = mapping(
    {
        **_TIMED["properties"],
        "ratio": number("The time divided by that of the first; null when that has no time.", "number", null=True),
    }
)
