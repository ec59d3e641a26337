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
                "expression": string("The layer; pasting it back asks for the same one.", null=True),
                "input": or_null(INPUT, "What is fed to the layer; null when it could not be asked."),
                "predicted": or_null(ref("structure"), "Theory's answer; null when it could not be asked."),
                "observed": or_null(ref("structure"), "The real layer's answer; null when nothing ran."),
                "agrees": boolean("Whether theory and the real layer say the same; else see disagreements.", null=True),
                "checks": array(ref("check"), "What equals what, and what does not."),
                "weights": array(ref("weight"), "The layer's weights, in Keras' order."),
                "params": number("How many numbers the weights hold.", null=True),
                "cudnn": or_null(ref("cudnn"), "Whether Keras may use cuDNN, and why."),
                "environment": ref("environment"),
                "error": or_null(ref("error"), "Why there is no observation."),
                "ok": boolean("Theory agrees, every guaranteed check and every expectation holds, and nothing failed."),
            },
            {
                "flow": array(ref("passed"), "What each layer of a stack hands to the next."),
                "notes": array({"type": "string"}, "The arithmetic of sizes that need some."),
                "warnings": array({"type": "string"}, "What Keras warned of."),
                "into": ref("into"),
                "timing": ref("timing"),
                "run": described(
                    "The run as data, to ask it again; null when it cannot be read.", type=["object", "null"]
                ),
                "cost": or_null(ref("cost"), "What one forward call costs; null when it could not be asked."),
                "matrix": described(
                    "The values that a matrix gave this run; null without one.", type=["object", "null"]
                ),
                "mask": ref("masked"),
                "initial_state": string("The states that were handed in, nested, as Python."),
                "calls": ref("calls"),
                "disagreements": array(ref("disagreement"), "Where theory and the real layer part."),
                "quirks": array(ref("quirk"), "Bugs of Keras that this layer meets."),
                "expectations": array(ref("expectation"), "What the run was to give, and what it gave."),
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
_ROWS = array(list_of({"type": "boolean"}), "Of each sample each step, whether it is valid.")
_SYMBOLIC = array({"type": "string"}, "The sizes in letters, such as 2H.")
INPUT = mapping({"shape": SHAPE, "symbolic": _SYMBOLIC, "dtype": string("A dtype of Keras.")})
_BOTH = {
    "predicted": ref("structure"),
    "observed": or_null(ref("structure"), "Null when nothing ran."),
}

DEFINITIONS: dict[str, Schema] = {
    "structure": {
        "description": "What a call returns, containers kept.",
        "anyOf": [ref("tensor"), ref("nest")],
    },
    "tensor": mapping(
        {
            "kind": {"const": "tensor"},
            "role": string("What the tensor is: output, state_h, forward_state_c …"),
            "path": string('How Python reaches it from the result: "" or "[1][0]".', pattern=r"^(\[[0-9]+\])*$"),
            "shape": SHAPE,
            "symbolic": _SYMBOLIC,
            "dtype": string("A dtype of Keras."),
        },
        {"values": ref("values"), "device": string("Where an observed tensor came from, such as CPU:0.")},
    ),
    "nest": mapping({"kind": {"enum": ["tuple", "list"]}, "items": array(ref("structure"), "What stands in it.")}),
    "values": {
        "description": "With --values the numbers, as nested lists; null is one that is not finite.",
        "anyOf": [{"type": ["number", "null"]}, list_of(ref("values"))],
    },
    "check": mapping(
        {
            "check": string("The equality, as Python over the roles."),
            "guaranteed": boolean("Whether theory guarantees it; what it does not guarantee teaches."),
            "holds": boolean(
                "Whether it was seen, within the tolerance of the dtype; null when nothing ran.", null=True
            ),
            "exact": boolean("Whether bit for bit.", null=True),
            "max_abs_diff": number(
                "How far apart the two sides are; null also when shapes differ or it is not finite.",
                "number",
                null=True,
            ),
            "why": string("The reason, in one line."),
        },
        {"elsewhere": string("What is otherwise where another kernel runs, cuDNN or the loop.")},
    ),
    "weight": mapping(
        {"name": string("Its name in Keras."), "shape": SHAPE, "symbolic": _SYMBOLIC},
        {"gates": array({"type": "string"}, "The gates side by side in the last dimension.")},
    ),
    "cudnn": mapping(
        {
            "eligible": boolean("Whether every rule is met, for every recurrent layer within."),
            "used": boolean("Whether it ran; null when nothing ran.", null=True),
            "reasons": array(
                mapping(
                    {"rule": string("A condition."), "ok": boolean("Whether it is met.")},
                    {
                        "decided_by": string("What decides it: the argument, the dtype, the mask."),
                        "source": string("Where Keras asks for it: a file, and a name in it."),
                    },
                ),
                "Every condition.",
            ),
            "hint": string("The smallest change that would make it eligible.", null=True),
        },
        {
            "on_gpu": array(ref("kernel"), "What Keras chooses on a machine with a GPU, for each recurrent layer."),
            "predicted": array(
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
    "kernel": mapping(
        {
            "layer": string('The layer, such as "forward LSTM(8)"; empty for the whole itself.'),
            "kernel": described(
                "cuDNN's operation, a while loop, the steps one after another, or one step without a loop.",
                enum=["cudnn", "loop", "unrolled", "step"],
            ),
        }
    ),
    "cost": mapping(
        {
            "multiply_adds": number("Of the matrix products and convolutions of one forward call."),
            "formula": string("Where they come from: sums of products in letters, such as N*T*4H*(C+H)."),
            "parameter_bytes": number("The weights, in the dtype in which they are kept."),
            "parameter_formula": string("Where these come from."),
            "activation_bytes": number("The returned tensors; in a stack what every layer hands on."),
            "activation_formula": string("Where these come from."),
        }
    ),
    "environment": mapping(
        {"tensorflow": string("Its version.", null=True), "keras": string("Its version.", null=True)},
        {
            "rnnshape": string("Its version."),
            "python": string("Its version."),
            "device": string("Where it ran, such as CPU:0; null when nothing ran.", null=True),
            "execution": string("How it ran: eager, graph or xla; null when nothing ran.", null=True),
            "tf32": boolean("Whether the GPU multiplied in TF32; null where none ran.", null=True),
            "seed": number("The seed of weights and input."),
        },
    ),
    "error": mapping(
        {
            "kind": string("invalid, unreadable, keras, memory, device, tensorflow or unavailable; there may be more."),
            "message": string("What is wrong."),
            "hint": string("The way round it.", null=True),
        }
    ),
    "timing": mapping(
        {
            "seconds": number("The median of a call.", "number"),
            "quartiles": array({"type": "number", "minimum": 0}, "Half of the runs lie between."),
            "runs": number("How many runs, each in turn with those of what it is compared with."),
            "training": boolean("Whether a pass forward and backward, with training=True."),
        }
    ),
    "masked": mapping(
        {
            "rows": _ROWS,
            "through": string("How it goes in: mask= in the call, or the layer that makes it of the data."),
            "predicted": array(ref("strip"), "What each step shows by theory."),
            "observed": or_null(
                {"type": "array", "items": ref("strip")},
                "What each step shows, told from the values; null when unseen.",
            ),
            "output_mask": mapping(
                {
                    "predicted": or_null(_ROWS, "The mask that hangs on the output, by theory; null without one."),
                    "observed": or_null(_ROWS, "The one that was seen there."),
                }
            ),
        }
    ),
    "strip": mapping(
        {
            "of": string('Python that takes it from what is returned; "state" where no sequence is.'),
            "steps": array(
                list_of({"enum": list(KINDS)}),
                "Of each sample each step: a new output, the one before again, zero, or the state left as it was.",
            ),
        }
    ),
    "calls": mapping(
        {
            "count": number("How often the layer was called."),
            "stateful": boolean("Whether it keeps its states between the calls."),
            "carried": array({"type": "string"}, "The states that it keeps."),
            "other_batch": or_null(
                mapping(
                    {
                        "size": number("A batch size that it refuses."),
                        "error": string("The error that came; null when nothing ran.", null=True),
                    }
                ),
                "Null where it keeps nothing.",
            ),
        }
    ),
    "quirk": mapping({"page": string("A page of the documentation."), "heading": string("A heading on it.")}),
    "disagreement": mapping(
        {
            "of": string("What it is about: a returned tensor (y[0]), the weights, a sample of the output mask."),
            "predicted": string("What theory says."),
            "observed": string("What was seen."),
        }
    ),
    "passed": mapping({"expression": string("The layer."), **_BOTH}),
    "into": mapping(
        {
            "expression": string("A second layer, begun with the states of the first."),
            "initial_state": string("Its initial_state, as Python over the roles."),
            **_BOTH,
        }
    ),
    "expectation": mapping(
        {
            "expect": string("What was expected of: structure, params, checks, cudnn, error or a role."),
            "expected": {},
            "got": {},
            "met": boolean("Whether it is so; null when nothing ran.", null=True),
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
