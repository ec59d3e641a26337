"""The JSON Schema of what ``rnnshape compare`` prints, ``schema_version`` 1.

Keys that it does not name are allowed, for a minor version adds some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.schema.parts import DRAFT, described, ref
from rnnshape.schema.report import (
    _DEFINITIONS,
    _INPUT,
    _SHAPE,
    _flag,
    _list,
    _number,
    _object,
    _or_null,
    _text,
)
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
        **_object(
            {
                "schema_version": _text("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
                "axis": described("What of one layer was varied; null for several layers.", enum=[*AXES, None]),
                "input": described("What is fed to every layer.", **_INPUT),
                "compare": described("The variants; the first is what the others are held against.", **_VARIANTS),
                "pairs": _list(ref("pair"), "Each role of each variant against that of the first."),
                "environment": ref("environment"),
                "ok": _flag("Every pair that must be equal is, theory agrees, and no variant failed."),
            }
        ),
        "$defs": {
            "variant": _VARIANT,
            "pair": _PAIR,
            "timing": _TIMING,
            **{name: _DEFINITIONS[name] for name in ("structure", "nest", "check", "environment", "error")},
            "tensor": _tensor(),
        },
    }


def _tensor() -> Schema:
    """A tensor as in a report, but that ``compute_output_shape`` says no dtype; its values are not printed."""
    known = _DEFINITIONS["tensor"]
    properties = {name: schema for name, schema in known["properties"].items() if name != "values"}
    return {
        **known,
        "properties": {**properties, "dtype": _text("A dtype of Keras; null when none is said.", null=True)},
    }


_VARIANTS: Schema = {"type": "array", "items": ref("variant"), "minItems": 1}
_CUDNN = _object(
    {
        "eligible": _flag("Whether theory says that Keras may use it."),
        "used": _flag("Whether it ran; null when nothing ran.", null=True),
        "hint": _text("The smallest change that would make it eligible.", null=True),
    }
)
_VARIANT = _object(
    {
        "label": _text("What tells it from the others: an expression, or the axis' value."),
        "expression": _text("The layer; pasting it back asks for the same one."),
        "mask": _text("The rows of its mask, 1 for a valid step; null without one.", null=True),
        "way": described("How it was asked; auto where it failed before that was settled.", enum=[*WAYS, "auto"]),
        "device": _text("Where it ran; null when nothing ran.", null=True),
        "kernel": _text("What computes the steps, read from the traced graph: cudnn, loop, unrolled, step", null=True),
        "cudnn": described("Whether Keras may use cuDNN.", **_CUDNN),
        "weights": _text("same, or why it could not get the weights of the first."),
        "observed": _or_null(ref("structure"), "What came out, or was said to; null when it failed."),
        "laws": _list(ref("check"), "What equals what in it, and what does not."),
        "timing": _or_null(ref("timing"), "How long a call took; null when it was not asked or cannot be."),
        "error": _or_null(ref("error"), "Why it has no answer."),
    }
)
_PAIR = _object(
    {
        "role": _text("The role; structure stands for the containers."),
        "variant": _number("Which variant, from 0."),
        "against": _number("Against which."),
        "shape": _or_null(_SHAPE, "The variant's; null for the structure."),
        "dtype": _text("The variant's; null when none is said.", null=True),
        "equal": _flag("Whether equal, values within the tolerance of the coarser dtype."),
        "exact": _flag("Whether bit for bit; null when no values were compared.", null=True),
        "max_abs_diff": _number("How far apart; null also when not finite or of other shapes.", "number", null=True),
        "must": described("How equal it has to be; null: it need not be.", enum=[*_MUST]),
        "why": _text("Why it must be, or need not be, or how it differs."),
        "quirk": _text("Where the bug of Keras is told that breaks it; null when none is known.", null=True),
    }
)
_TIMED = _DEFINITIONS["timing"]
_TIMING = _object(
    {
        **_TIMED["properties"],
        "ratio": _number("How many times as long as the first; null when that has no time.", "number", null=True),
    }
)
