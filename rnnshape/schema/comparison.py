"""The JSON Schema of what ``rnnshape compare`` prints, ``schema_version`` 1.

Keys that it does not name are allowed, for a minor version adds some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.schema.parts import DRAFT, array, boolean, described, mapping, number, or_null, ref, string
from rnnshape.schema.report import DEFINITIONS, INPUT, SHAPE
from rnnshape.spec.comparison import AXES, WAYS

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema

_MUST = ("bitwise", "close", "shape", None)


def comparison() -> Schema:
    """The schema of one comparison: what ``-f json`` prints, and ``-f jsonl`` on one line."""
    return {
        "$schema": DRAFT,
        "title": "rnnshape: comparison",
        "description": "Layers with the same weights on the same input, side by side.",
        **mapping(
            {
                "schema_version": string("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
                "axis": described("What of one layer was varied; null for several layers.", enum=[*AXES, None]),
                "input": described("What is fed to every layer.", **INPUT),
                "compare": described("The variants; the first is what the others are held against.", **_VARIANTS),
                "pairs": array(ref("pair"), "Each role of each variant against that of the first."),
                "environment": ref("environment"),
                "ok": boolean("Every pair that must be equal is, theory agrees, and no variant failed."),
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
    """A tensor as in a report, but that ``compute_output_shape`` says no dtype; its values are not printed."""
    known = DEFINITIONS["tensor"]
    properties = {name: schema for name, schema in known["properties"].items() if name != "values"}
    return {
        **known,
        "properties": {**properties, "dtype": string("A dtype of Keras; null when none is said.", null=True)},
    }


_VARIANTS: Schema = {"type": "array", "items": ref("variant"), "minItems": 1}
_CUDNN = mapping(
    {
        "eligible": boolean("Whether theory says that Keras may use it."),
        "used": boolean("Whether it ran; null when nothing ran.", null=True),
        "hint": string("The smallest change that would make it eligible.", null=True),
    }
)
_VARIANT = mapping(
    {
        "label": string("What tells it from the others: an expression, or the axis' value."),
        "expression": string("The layer; pasting it back asks for the same one."),
        "mask": string("The rows of its mask, 1 for a valid step; null without one.", null=True),
        "way": described("How it was asked; auto where it failed before that was settled.", enum=[*WAYS, "auto"]),
        "device": string("Where it ran; null when nothing ran.", null=True),
        "kernel": string("What computes the steps, read from the traced graph: cudnn, loop, unrolled, step", null=True),
        "cudnn": described("Whether Keras may use cuDNN.", **_CUDNN),
        "weights": string("same, or why it could not get the weights of the first."),
        "observed": or_null(ref("structure"), "What came out, or was said to; null when it failed."),
        "laws": array(ref("check"), "What equals what in it, and what does not."),
        "timing": or_null(ref("timing"), "How long a call took; null when it was not asked or cannot be."),
        "error": or_null(ref("error"), "Why it has no answer."),
    }
)
_PAIR = mapping(
    {
        "role": string("The role; structure stands for the containers."),
        "variant": number("Which variant, from 0."),
        "against": number("Against which."),
        "shape": or_null(SHAPE, "The variant's; null for the structure."),
        "dtype": string("The variant's; null when none is said.", null=True),
        "equal": boolean("Whether equal, values within the tolerance of the coarser dtype."),
        "exact": boolean("Whether bit for bit; null when no values were compared.", null=True),
        "max_abs_diff": number("How far apart; null also when not finite or of other shapes.", "number", null=True),
        "must": described("How equal it has to be; null: it need not be.", enum=[*_MUST]),
        "why": string("Why it must be, or need not be, or how it differs."),
        "quirk": string("Where the bug of Keras is told that breaks it; null when none is known.", null=True),
    }
)
_TIMED = DEFINITIONS["timing"]
_TIMING = mapping(
    {
        **_TIMED["properties"],
        "ratio": number("How many times as long as the first; null when that has no time.", "number", null=True),
    }
)
