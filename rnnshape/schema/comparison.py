"""The JSON Schema of the output of ``rnnshape compare``, ``schema_version`` 1.

Other keys are allowed, because minor versions add keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.report.comparison import Pair
from rnnshape.report.inputs import Input
from rnnshape.schema.forms import schema_of
from rnnshape.schema.parts import DRAFT, array, boolean, described, mapping, number, or_null, ref, string
from rnnshape.schema.report import DEFINITIONS
from rnnshape.spec.comparison import AXES, WAYS

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema


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
            "pair": schema_of(Pair),
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
_TIMED = DEFINITIONS["timing"]
_TIMING = mapping(
    {
        **_TIMED["properties"],
        "ratio": number("The time divided by that of the first; null when that has no time.", "number", null=True),
    }
)
