"""The JSON Schema of a report, ``schema_version`` 1: what a program may rely on.

Keys that it does not name are allowed, for a minor version adds some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.schema.parts import DRAFT, described, list_of, ref

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema


def report() -> Schema:
    """The schema of one report: what ``-f json`` prints, and ``-f jsonl`` on each line."""
    return {
        "$schema": DRAFT,
        "title": "rnnshape: report",
        "description": "What an RNN layer returns: theory and the real layer side by side.",
        **_object(
            {
                "schema_version": _text("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
                "name": _text("A batch run's name.", null=True),
                "expression": _text("The layer; pasting it back asks for the same one.", null=True),
                "input": _or_null(_INPUT, "What is fed to the layer; null when it could not be asked."),
                "predicted": _or_null(ref("structure"), "Theory's answer; null when it could not be asked."),
                "observed": _or_null(ref("structure"), "The real layer's answer; null when nothing ran."),
                "agrees": _flag("Whether both have the same containers, shapes and dtypes.", null=True),
                "checks": _list(ref("check"), "What equals what, and what does not."),
                "weights": _list(ref("weight"), "The layer's weights, in Keras' order."),
                "params": _number("How many numbers the weights hold.", null=True),
                "cudnn": _or_null(ref("cudnn"), "Whether Keras may use cuDNN, and why."),
                "environment": ref("environment"),
                "error": _or_null(ref("error"), "Why there is no observation."),
                "ok": _flag("Theory agrees, every guaranteed check and every expectation holds, and nothing failed."),
            },
            {
                "flow": _list(ref("passed"), "What each layer of a stack hands to the next."),
                "notes": _list({"type": "string"}, "The arithmetic of sizes that need some."),
                "warnings": _list({"type": "string"}, "What Keras warned of."),
                "into": ref("into"),
                "timing": ref("timing"),
                "run": described(
                    "The run as data, to ask it again; null when it cannot be read.", type=["object", "null"]
                ),
                "cost": _or_null(ref("cost"), "What one forward call costs; null when it could not be asked."),
                "matrix": described(
                    "The values that a matrix gave this run; null without one.", type=["object", "null"]
                ),
                "expectations": _list(ref("expectation"), "What the run was to give, and what it gave."),
            },
        ),
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
        "$defs": _DEFINITIONS,
    }


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _or_null(schema: Schema, text: str) -> Schema:
    return described(text, anyOf=[schema, {"type": "null"}])


def _text(text: str, *, null: bool = False, **keywords: Any) -> Schema:
    return described(text, type=_type("string", null), **keywords)


def _flag(text: str, *, null: bool = False) -> Schema:
    return described(text, type=_type("boolean", null))


def _number(text: str, name: str = "integer", *, null: bool = False) -> Schema:
    return described(text, type=_type(name, null), minimum=0)


def _list(items: Schema, text: str) -> Schema:
    return described(text, **list_of(items))


def _type(name: str, null: bool) -> str | list[str]:
    return [name, "null"] if null else name


_SHAPE = _list({"type": "integer", "minimum": 0}, "The sizes.")
_SYMBOLIC = _list({"type": "string"}, "The sizes in letters, such as 2H.")
_INPUT = _object({"shape": _SHAPE, "symbolic": _SYMBOLIC, "dtype": _text("A dtype of Keras.")})
_BOTH = {
    "predicted": ref("structure"),
    "observed": _or_null(ref("structure"), "Null when nothing ran."),
}

_DEFINITIONS: dict[str, Schema] = {
    "structure": {
        "description": "What a call returns, containers kept.",
        "anyOf": [ref("tensor"), ref("nest")],
    },
    "tensor": _object(
        {
            "kind": {"const": "tensor"},
            "role": _text("What the tensor is: output, state_h, forward_state_c …"),
            "path": _text('How Python reaches it from the result: "" or "[1][0]".', pattern=r"^(\[[0-9]+\])*$"),
            "shape": _SHAPE,
            "symbolic": _SYMBOLIC,
            "dtype": _text("A dtype of Keras."),
        },
        {"values": ref("values"), "device": _text("Where an observed tensor came from, such as CPU:0.")},
    ),
    "nest": _object({"kind": {"enum": ["tuple", "list"]}, "items": _list(ref("structure"), "What stands in it.")}),
    "values": {
        "description": "With --values the numbers, as nested lists; null is one that is not finite.",
        "anyOf": [{"type": ["number", "null"]}, list_of(ref("values"))],
    },
    "check": _object(
        {
            "check": _text("The equality, as Python over the roles."),
            "guaranteed": _flag("Whether theory guarantees it; what it does not guarantee teaches."),
            "holds": _flag("Whether it was seen, within the tolerance of the dtype; null when nothing ran.", null=True),
            "exact": _flag("Whether bit for bit.", null=True),
            "max_abs_diff": _number(
                "How far apart the two sides are; null also when shapes differ or it is not finite.",
                "number",
                null=True,
            ),
            "why": _text("The reason, in one line."),
        }
    ),
    "weight": _object(
        {"name": _text("Its name in Keras."), "shape": _SHAPE, "symbolic": _SYMBOLIC},
        {"gates": _list({"type": "string"}, "The gates side by side in the last dimension.")},
    ),
    "cudnn": _object(
        {
            "eligible": _flag("Whether every rule is met, for every recurrent layer within."),
            "used": _flag("Whether it ran; null when nothing ran.", null=True),
            "reasons": _list(
                _object(
                    {"rule": _text("A condition."), "ok": _flag("Whether it is met.")},
                    {
                        "decided_by": _text("What decides it: the argument, the dtype, the mask."),
                        "source": _text("Where Keras asks for it: a file, and a name in it."),
                    },
                ),
                "Every condition.",
            ),
            "hint": _text("The smallest change that would make it eligible.", null=True),
        },
        {
            "on_gpu": _list(ref("kernel"), "What Keras chooses on a machine with a GPU, for each recurrent layer."),
            "predicted": _list(
                ref("kernel"),
                "What the rules say for the machine that it ran on; where nothing ran, for a GPU, or with device cpu "
                "for none.",
            ),
            "traced": {
                "description": "What the traced graph shows, layer by layer; null when nothing was traced.",
                "anyOf": [list_of(ref("kernel")), {"type": "null"}],
            },
        },
    ),
    "kernel": _object(
        {
            "layer": _text('The layer, such as "forward LSTM(8)"; empty for the whole itself.'),
            "kernel": described(
                "cuDNN's operation, a while loop, the steps one after another, or one step without a loop.",
                enum=["cudnn", "loop", "unrolled", "step"],
            ),
        }
    ),
    "cost": _object(
        {
            "multiply_adds": _number("Of the matrix products and convolutions of one forward call."),
            "formula": _text("Where they come from: sums of products in letters, such as N*T*4H*(C+H)."),
            "parameter_bytes": _number("The weights, in the dtype in which they are kept."),
            "parameter_formula": _text("Where these come from."),
            "activation_bytes": _number("The returned tensors; in a stack what every layer hands on."),
            "activation_formula": _text("Where these come from."),
        }
    ),
    "environment": _object(
        {"tensorflow": _text("Its version.", null=True), "keras": _text("Its version.", null=True)},
        {
            "rnnshape": _text("Its version."),
            "python": _text("Its version."),
            "device": _text("Where it ran, such as CPU:0; null when nothing ran.", null=True),
            "execution": _text("How it ran: eager, graph or xla; null when nothing ran.", null=True),
            "tf32": _flag("Whether the GPU multiplied in TF32; null where none ran.", null=True),
            "seed": _number("The seed of weights and input."),
        },
    ),
    "error": _object(
        {
            "kind": _text("invalid, unreadable, keras, memory, device, tensorflow or unavailable; there may be more."),
            "message": _text("What is wrong."),
            "hint": _text("The way round it.", null=True),
        }
    ),
    "timing": _object(
        {
            "seconds": _number("The median of a call.", "number"),
            "quartiles": _list({"type": "number", "minimum": 0}, "Half of the runs lie between."),
            "runs": _number("How many runs, each in turn with those of what it is compared with."),
            "training": _flag("Whether a pass forward and backward, with training=True."),
        }
    ),
    "passed": _object({"expression": _text("The layer."), **_BOTH}),
    "into": _object(
        {
            "expression": _text("A second layer, begun with the states of the first."),
            "initial_state": _text("Its initial_state, as Python over the roles."),
            **_BOTH,
        }
    ),
    "expectation": _object(
        {
            "expect": _text("What was expected of: structure, params, checks, cudnn, error or a role."),
            "expected": {},
            "got": {},
            "met": _flag("Whether it is so; null when nothing ran.", null=True),
        }
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
        "description": "A run that could not be asked has every key too, without an answer.",
        "properties": {
            **{key: {"type": "null"} for key in ("input", "observed", "agrees", "params", "cudnn", "cost")},
            **{key: {"maxItems": 0} for key in ("checks", "weights")},
            "error": {"type": "object"},
        },
    },
}
