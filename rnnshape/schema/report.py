"""The JSON Schema of a report, ``schema_version`` 1.

It is made from the form of ``Report`` and the forms in it; this module adds what the classes do not declare.  Other
keys are allowed, because minor versions add keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.report import Report
from rnnshape.schema.forms import definitions, schema_of
from rnnshape.schema.parts import DRAFT, boolean, described, list_of, mapping, number, ref, string

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema


def report() -> Schema:
    """The schema of one report, as printed by ``-f json``, and on each line by ``-f jsonl``."""
    form = schema_of(Report)
    form["properties"]["environment"] = ref("environment")
    # Only the rows of a batch have it.
    form["properties"]["matrix"] = described(
        "The values that a matrix gave this run; null without one.", type=["object", "null"]
    )
    return {
        "$schema": DRAFT,
        "title": "rnnshape: report",
        "description": "What an RNN layer returns: theory and the real layer side by side.",
        **form,
        "allOf": [
            {
                "if": {"properties": {"predicted": {"type": "null"}}, "required": ["predicted"]},
                "then": ref("unasked"),
                "else": ref("asked"),
            },
            {
                "if": {"properties": {"error": {"type": "object"}}, "required": ["error"]},
                # "ok" may be true if the error was expected.
                "then": {"properties": {"observed": {"type": "null"}}},
            },
        ],
        "$defs": DEFINITIONS,
    }


_FORMS = definitions(Report)
# ``Report.to_dict(values=True)`` adds the values; the sides of an expectation may have any type.
_FORMS["tensor"]["properties"]["values"] = ref("values")
_FORMS["expectation"]["properties"].update(expected={}, got={})

DEFINITIONS: dict[str, Schema] = {
    "structure": {
        "description": "The structure that a call returns, with its containers.",
        "anyOf": [ref("tensor"), ref("nest")],
    },
    **_FORMS,
    "values": {
        "description": "The values, with --values, as nested lists; null is a number that is not finite.",
        "anyOf": [{"type": ["number", "null"]}, list_of(ref("values"))],
    },
    "environment": mapping(
        {"tensorflow": string("Its version.", null=True), "keras": string("Its version.", null=True)},
        {
            "rnnshape": string("Its version."),
            "python": string("Its version."),
            "device": string("The device, such as CPU:0; null when nothing ran.", null=True),
            "execution": string("The execution mode: eager, graph or xla; null when nothing ran.", null=True),
            "tf32": boolean("Whether the GPU multiplied in TF32; null without a GPU.", null=True),
            "seed": number("The seed of weights and input."),
        },
    ),
    "asked": {
        "properties": {
            "expression": {"type": "string"},
            "input": {"type": "object"},
            "params": {"type": "integer"},
            "cudnn": {"type": "object"},
            "cost": {"type": "object"},
            "environment": {"required": ["python", "device", "seed"]},
        },
    },
    "unasked": {
        "description": "A run with an invalid request: it has every key, but no answer.",
        "properties": {
            **{key: {"type": "null"} for key in ("input", "observed", "agrees", "params", "cudnn", "cost")},
            **{key: {"maxItems": 0} for key in ("checks", "weights")},
            "error": {"type": "object"},
        },
    },
}
