"""The table of findings: the meaning of each code, its severity, and what to do.

>>> CODES["unpacking"].severity, section("unpacking")
('error', 'docs/findings.md#unpacking')

``error``: Keras rejects the code.  ``warning``: the code runs, but does not compute what it seems to.  ``info``: the
code is slower than necessary.  ``docs/findings.md`` has a section for each code.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE = "docs/findings.md"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding; ``happens`` and ``do`` are one sentence each."""

    severity: str
    happens: str
    do: str


CODES = {
    "return-sequences": Code(
        "error",
        "A recurrent layer returns only its last output, but the next layer needs every time step.",
        "Give the first layer return_sequences=True.",
    ),
    "rank": Code(
        "error",
        "A layer gets a tensor with the wrong number of axes.",
        "Add the missing axis, or drop the layer that removes it.",
    ),
    "unpacking": Code(
        "error",
        "The call does not return as many values as the code unpacks.",
        "Unpack as many values as the call returns; return_state=True adds the states.",
    ),
    "class": Code("error", "This Keras does not have the class.", "Use the class that the message names."),
    "argument": Code("error", "The class has no such argument in Keras 3.", "Rename or drop it, as the message says."),
    "cell": Code(
        "error",
        "A cell is given where a layer is expected, or a layer where a cell is expected.",
        "Wrap the cell, RNN(LSTMCell(8)), or use the layer itself, LSTM(8).",
    ),
    "rejected": Code(
        "error", "Keras rejects the layer or its call, for the reason in the message.", "Change what the message names."
    ),
    "states": Code(
        "error",
        "initial_state has more or fewer states than the layer takes.",
        "Pass the states as a list, in the order in which the layer returns them.",
    ),
    "stateful-batch": Code(
        "error",
        "A stateful layer does not know the batch size.",
        "Give the input a batch size: keras.Input((10, 8), batch_size=32).",
    ),
    "widths": Code("error", "Two tensors that must have the same size do not.", "Give both layers the same units."),
    "swapped-states": Code(
        "warning",
        "state_h and state_c are swapped; both have the same shape, so Keras accepts them.",
        "Pass [state_h, state_c], in this order.",
    ),
    "broadcast-state": Code(
        "warning",
        "A state has batch size 1, and Keras uses it for every sample.",
        "Make the state with the batch size of the input.",
    ),
    "mask-beside-state": Code(
        "warning",
        "A mask is attached to the input, but Keras drops it when initial_state is passed.",
        "Pass the mask as well: layer(x, initial_state=states, mask=mask).",
    ),
    "mask-lost": Code(
        "warning",
        "A layer between the mask and the recurrent layer drops the mask, so the padding is read as data.",
        "Put the layer before the Masking layer, or pass the mask to the recurrent layer.",
    ),
    "masked-last": Code(
        "warning",
        "For short samples, the last step of the output is masked, so it is zero.",
        "Use return_sequences=False or the returned states.",
    ),
    "backward-last": Code(
        "warning",
        "At the last time step, the backward half has read only one step.",
        "Use return_sequences=False or the returned states; the backward result is at output[:, 0, H:].",
    ),
    "stateful-shuffle": Code(
        "warning",
        "fit shuffles the samples, so a stateful layer continues from another sample's state.",
        "Call fit(…, shuffle=False).",
    ),
    "cudnn": Code(
        "info",
        "An argument rules out cuDNN: on a GPU the layer runs as a loop, which is several times slower.",
        "Drop the argument if the model does not need it.",
    ),
    "long-unroll": Code(
        "info", "unroll=True repeats the graph for every time step of a long sequence.", "Drop unroll=True."
    ),
    "contract": Code(
        "error", "The line does not return the shape in the comment after it.", "Fix the code or the comment."
    ),
}


def section(code: str) -> str:
    """The path and anchor of the docs section of a code."""
    return f"{PAGE}#{code}"


def chosen(code: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words is this code or its severity.

    >>> chosen("cudnn", ("info",)), chosen("cudnn", ("rank", "cudnn")), chosen("cudnn", ())
    (True, True, False)
    """
    return any(word.lower() in (code, CODES[code].severity) for word in words)
