"""The JSON Schema of a report, ``schema_version`` 1: what a program may rely on.

It is that of ``Report.FORM`` and of the forms within, with what no class says.  Keys that it does not name are
allowed, for a minor version adds some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.report import Report
from rnnshape.schema.forms import definitions, schema_of
from rnnshape.schema.parts import DRAFT, boolean, described, list_of, mapping, number, ref, string

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema


def report() -> Schema:
    """The schema of one report: what ``-f json`` prints, and ``-f jsonl`` on each line."""
    form = schema_of(Report)
    form["properties"]["environment"] = ref("environment")
    # A batch adds it to the row of a run.
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
                # It may be ok all the same: the error that was expected.
                "then": {"properties": {"observed": {"type": "null"}}},
            },
        ],
        "$defs": DEFINITIONS,
    }


_FORMS = definitions(Report)
# ``Report.to_dict(values=True)`` adds them; an expectation is as it was written.
_FORMS["tensor"]["properties"]["values"] = ref("values")
_FORMS["expectation"]["properties"].update(expected={}, got={})

DEFINITIONS: dict[str, Schema] = {
    "structure": {
        "description": "The structure that a call returns, with its containers.",
        "anyOf": [ref("tensor"), ref("nest")],
    },
    **_FORMS,
    "values": {
        "description": "With --values the numbers, as nested lists; null is one that is not finite.",
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
        "description": "A run with a wrong request has every key too, without an answer.",
        "properties": {
            **{key: {"type": "null"} for key in ("input", "observed", "agrees", "params", "cudnn", "cost")},
            **{key: {"maxItems": 0} for key in ("checks", "weights")},
            "error": {"type": "object"},
        },
    },
}
