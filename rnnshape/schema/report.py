"""The JSON Schema of a report, ``schema_version`` 1: what a program may rely on.

Keys that it does not name are allowed, for a minor version adds some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.scan import KINDS
from rnnshape.schema.parts import DRAFT, array, boolean, described, list_of, mapping, number, or_null, ref, string

if TYPE_CHECKING:
    from rnnshape.schema.parts import Schema


def report() -> Schema:
    """The schema of one report: what ``-f json`` prints, and ``-f jsonl`` on each line."""
    return {
        "$schema": DRAFT,
        "title": "rnnshape: report",
        "description": "What an RNN layer returns: theory and the real layer side by side.",
        **mapping(
            {
                "schema_version": string("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
                "name": string("A batch run's name.", null=True),
                "expression": string("The layer as an expression, which can be pasted back.", null=True),
                "input": or_null(INPUT, "The input of the layer; null when the request was wrong."),
                "predicted": or_null(ref("structure"), "The predicted structure; null when the request was wrong."),
                "observed": or_null(
                    ref("structure"), "The structure that the real layer returned; null when nothing ran."
                ),
                "agrees": boolean("Whether theory and the real layer agree; else see disagreements.", null=True),
                "checks": array(ref("check"), "The equalities between the returned tensors."),
                "weights": array(ref("weight"), "The layer's weights, in Keras' order."),
                "params": number("The number of parameters.", null=True),
                "cudnn": or_null(ref("cudnn"), "Whether Keras may use cuDNN, and why."),
                "environment": ref("environment"),
                "error": or_null(ref("error"), "Why there is no observation."),
                "ok": boolean("Theory agrees, every guaranteed check and every expectation holds, and nothing failed."),
            },
            {
                "inputs": array(ref("fed"), "The inputs of wired calls, where there are several; the first is input."),
                "flow": array(ref("passed"), "The output of each layer of a stack."),
                "notes": array({"type": "string"}, "How the input was given; how sizes were computed."),
                "warnings": array({"type": "string"}, "The warnings of Keras."),
                "into": ref("into"),
                "timing": ref("timing"),
                "run": described(
                    "The run as data, to run it again; null when it cannot be read.", type=["object", "null"]
                ),
                "cost": or_null(ref("cost"), "The cost of one forward call; null when the request was wrong."),
                "matrix": described(
                    "The values that a matrix gave this run; null without one.", type=["object", "null"]
                ),
                "mask": ref("masked"),
                "initial_state": string("The initial states passed in, nested, as Python."),
                "calls": ref("calls"),
                "disagreements": array(ref("disagreement"), "Where theory and the real layer differ."),
                "unruled": array(
                    string("The name of a class."),
                    "The classes of --import: theory has no rule for them, and predicted is an empty tuple.",
                ),
                "quirks": array(ref("quirk"), "The Keras bugs that affect this layer."),
                "expectations": array(ref("expectation"), "The expected results, and the real ones."),
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
        "$defs": DEFINITIONS,
    }


SHAPE = array({"type": "integer", "minimum": 0}, "The sizes.")
_ROWS = array(list_of({"type": "boolean"}), "For each sample and step, whether it is valid.")
_SYMBOLIC = array({"type": "string"}, "The symbolic sizes, such as 2H.")
_FED = {"shape": SHAPE, "symbolic": _SYMBOLIC, "dtype": string("A Keras dtype.")}
INPUT = mapping(_FED)
_BOTH = {
    "predicted": ref("structure"),
    "observed": or_null(ref("structure"), "Null when nothing ran."),
}

DEFINITIONS: dict[str, Schema] = {
    "fed": mapping({"name": string("The name of the input in the code."), **_FED}),
    "structure": {
        "description": "The structure that a call returns, with its containers.",
        "anyOf": [ref("tensor"), ref("nest")],
    },
    "tensor": mapping(
        {
            "kind": {"const": "tensor"},
            "role": string("What the tensor is: output, state_h, forward_state_c …"),
            "path": string('The access path in Python, from the result: "" or "[1][0]".', pattern=r"^(\[[0-9]+\])*$"),
            "shape": SHAPE,
            "symbolic": _SYMBOLIC,
            "dtype": string("A Keras dtype."),
        },
        {"values": ref("values"), "device": string("Where an observed tensor came from, such as CPU:0.")},
    ),
    "nest": mapping({"kind": {"enum": ["tuple", "list"]}, "items": array(ref("structure"), "Its items.")}),
    "values": {
        "description": "With --values the numbers, as nested lists; null is one that is not finite.",
        "anyOf": [{"type": ["number", "null"]}, list_of(ref("values"))],
    },
    "check": mapping(
        {
            "check": string("The equality, as Python over the roles."),
            "guaranteed": boolean("Whether theory guarantees it; if not, it shows a common misconception."),
            "holds": boolean("Whether it holds, within the tolerance of the dtype; null when nothing ran.", null=True),
            "exact": boolean("Whether it is bitwise exact.", null=True),
            "max_abs_diff": number(
                "The largest absolute difference; null also when shapes differ or it is not finite.",
                "number",
                null=True,
            ),
            "why": string("The reason, in one line."),
        },
        {"elsewhere": string("What differs with another kernel, cuDNN or the loop.")},
    ),
    "weight": mapping(
        {"name": string("Its name in Keras."), "shape": SHAPE, "symbolic": _SYMBOLIC},
        {"gates": array({"type": "string"}, "The gates side by side in the last dimension.")},
    ),
    "cudnn": mapping(
        {
            "eligible": boolean("Whether every rule is met, for every recurrent layer inside."),
            "used": boolean("Whether it was used; null when nothing ran.", null=True),
            "reasons": array(
                mapping(
                    {"rule": string("A condition."), "ok": boolean("Whether it is met.")},
                    {
                        "decided_by": string("What decides it: an argument, the dtype or the mask."),
                        "source": string("Where Keras checks it: a file, and a name in it."),
                    },
                ),
                "Every condition.",
            ),
            "hint": string("The smallest change that would make it eligible.", null=True),
        },
        {
            "on_gpu": array(ref("kernel"), "The kernel that Keras chooses on a GPU, for each recurrent layer."),
            "predicted": array(
                ref("kernel"),
                "The kernel by the rules for the device that it ran on; when nothing ran, for a GPU, or for a CPU with "
                "device cpu.",
            ),
            "traced": {
                "description": "The kernel in the traced graph, layer by layer; null when nothing was traced.",
                "anyOf": [list_of(ref("kernel")), {"type": "null"}],
            },
        },
    ),
    "kernel": mapping(
        {
            "layer": string('The layer, such as "forward LSTM(8)"; empty for the whole layer.'),
            "kernel": described(
                "cuDNN's operation, a while loop, the steps one after another, or one step without a loop.",
                enum=["cudnn", "loop", "unrolled", "step"],
            ),
        }
    ),
    "cost": mapping(
        {
            "multiply_adds": number("Of the matrix products and convolutions of one forward call."),
            "formula": string("The formula: sums of products of symbolic sizes, such as N*T*4H*(C+H)."),
            "parameter_bytes": number("The weights, in the dtype in which they are stored."),
            "parameter_formula": string("The formula."),
            "activation_bytes": number("The returned tensors; in a stack, the output of every layer."),
            "activation_formula": string("The formula."),
        }
    ),
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
    "error": mapping(
        {
            "kind": string(
                "invalid, unreadable, keras, code, no-rule, memory, device, tensorflow, worker, cluster, unavailable, "
                "or internal: a bug of rnnshape; there may be more."
            ),
            "message": string("What is wrong."),
            "hint": string("How to avoid it.", null=True),
        }
    ),
    "timing": mapping(
        {
            "seconds": number("The median time of one call.", "number"),
            "quartiles": array({"type": "number", "minimum": 0}, "The 25th and the 75th percentile."),
            "runs": number("The number of runs; in a comparison they are interleaved."),
            "training": boolean("Whether forward and backward, with training=True."),
        }
    ),
    "masked": mapping(
        {
            "rows": _ROWS,
            "through": string("How it enters: mask= in the call, or the layer that computes it."),
            "predicted": array(ref("strip"), "The kind of each step, by theory."),
            "observed": or_null(
                {"type": "array", "items": ref("strip")},
                "The kind of each step, from the values; null when not observed.",
            ),
            "output_mask": mapping(
                {
                    "predicted": or_null(_ROWS, "The output mask, by theory; null without one."),
                    "observed": or_null(_ROWS, "The output mask that was observed."),
                }
            ),
        }
    ),
    "strip": mapping(
        {
            "of": string('The Python expression of it; "state" without a sequence.'),
            "steps": array(
                list_of({"enum": list(KINDS)}),
                "For each sample and step: computed, the previous output repeated, zero, or skipped (frozen).",
            ),
        }
    ),
    "calls": mapping(
        {
            "count": number("How often the layer was called."),
            "stateful": boolean("Whether the states are kept between the calls."),
            "carried": array({"type": "string"}, "The states that are kept."),
            "other_batch": or_null(
                mapping(
                    {
                        "size": number("A batch size that Keras rejects."),
                        "error": string("The error; null when nothing ran.", null=True),
                    }
                ),
                "Null when no state is kept.",
            ),
        }
    ),
    "quirk": mapping({"page": string("A page of the documentation."), "heading": string("A heading on it.")}),
    "disagreement": mapping(
        {
            "of": string("The subject: a returned tensor (y[0]), the weights, a sample of the output mask."),
            "predicted": string("The value by theory."),
            "observed": string("The observed value."),
        }
    ),
    "passed": mapping(
        {"expression": string("The layer, or the call as a statement."), **_BOTH},
        {
            "to": described(
                "In a graph, where each tensor goes, by its name.",
                type="object",
                additionalProperties=list_of({"type": "string"}),
            )
        },
    ),
    "into": mapping(
        {
            "expression": string("A second layer that starts from the states of the first."),
            "initial_state": string("Its initial_state, as Python over the roles."),
            **_BOTH,
        }
    ),
    "expectation": mapping(
        {
            "expect": string("The subject: structure, params, checks, cudnn, error or a role."),
            "expected": {},
            "got": {},
            "met": boolean("Whether it is met; null when nothing ran.", null=True),
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
        "description": "A run with a wrong request has every key too, without an answer.",
        "properties": {
            **{key: {"type": "null"} for key in ("input", "observed", "agrees", "params", "cudnn", "cost")},
            **{key: {"maxItems": 0} for key in ("checks", "weights")},
            "error": {"type": "object"},
        },
    },
}
