"""The table of findings: what each code means, how bad it is, and what to do.

>>> CODES["unpacking"].severity, section("unpacking")
('error', 'docs/findings.md#unpacking')

An ``error`` is what Keras rejects.  A ``warning`` is what runs and computes something else than the code reads like.
``info`` is what runs slower than it could.  ``docs/findings.md`` has a section for each.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE = "docs/findings.md"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding: ``happens`` and ``do`` are one line each."""

    code: str
    severity: str
    happens: str
    do: str


CODES = {
    code.code: code
    for code in (
        Code(
            "return-sequences",
            "error",
            "A recurrent layer returns its last output only, and the layer behind it needs every time step.",
            "Give the first layer return_sequences=True.",
        ),
        Code(
            "rank",
            "error",
            "A layer gets a tensor with another number of axes than it takes.",
            "Give the axis that is missing, or drop the layer that takes it away.",
        ),
        Code(
            "unpacking",
            "error",
            "The call returns another number of values than the code takes.",
            "Take as many names as the call returns; return_state=True adds the states.",
        ),
        Code(
            "argument",
            "error",
            "The class has no such argument in Keras 3.",
            "Rename or drop it, as the message says.",
        ),
        Code(
            "cell",
            "error",
            "A cell stands where a layer is expected, or a layer where a cell is expected.",
            "Wrap the cell, RNN(LSTMCell(8)), or use the layer itself, LSTM(8).",
        ),
        Code(
            "states",
            "error",
            "initial_state has another number of states than the layer takes.",
            "Pass the states as a list, in the order in which the layer returns them.",
        ),
        Code(
            "stateful-batch",
            "error",
            "A stateful layer does not know the batch size.",
            "Give the input a batch size: keras.Input((10, 8), batch_size=32).",
        ),
        Code(
            "widths",
            "error",
            "Two tensors that meet have different sizes.",
            "Give both layers the same units.",
        ),
        Code(
            "swapped-states",
            "warning",
            "state_h and state_c are in each other's place: both have one shape, so Keras takes them.",
            "Pass [state_h, state_c], in this order.",
        ),
        Code(
            "broadcast-state",
            "warning",
            "A state has batch size 1, and Keras uses it for every sample.",
            "Make the state with the batch size of the input.",
        ),
        Code(
            "mask-beside-state",
            "warning",
            "A mask is attached to the input, and Keras drops it when initial_state is passed.",
            "Pass the mask as well: layer(x, initial_state=states, mask=mask).",
        ),
        Code(
            "mask-lost",
            "warning",
            "A layer between the mask and the recurrent layer drops the mask: the padding is read as data.",
            "Put the layer in front of the Masking, or pass the mask to the recurrent layer.",
        ),
        Code(
            "masked-last",
            "warning",
            "The last step of the output is a masked one for short samples, and it is zero there.",
            "Use return_sequences=False or the returned states.",
        ),
        Code(
            "backward-last",
            "warning",
            "At the last time step the backward half has read one step only.",
            "Use return_sequences=False or the returned states; the backward result is at output[:, 0, H:].",
        ),
        Code(
            "stateful-shuffle",
            "warning",
            "fit shuffles the samples, so a stateful layer goes on from another sample's state.",
            "Call fit(…, shuffle=False).",
        ),
        Code(
            "cudnn",
            "info",
            "An argument keeps the layer from cuDNN: on a GPU it runs as a loop, which is several times slower.",
            "Drop the argument, if the model does not need it.",
        ),
        Code(
            "long-unroll",
            "info",
            "unroll=True repeats the graph for every time step of a long sequence.",
            "Drop unroll=True.",
        ),
        Code(
            "contract",
            "error",
            "The line returns another shape than the comment behind it says.",
            "Mend the code or the comment.",
        ),
    )
}


def section(code: str) -> str:
    """The address of the section about a code, within the docs."""
    return f"{PAGE}#{code}"


def chosen(code: str, words: tuple[str, ...]) -> bool:
    """Whether a code is among these, by itself or by its severity.

    >>> chosen("cudnn", ("info",)), chosen("cudnn", ("rank", "cudnn")), chosen("cudnn", ())
    (True, True, False)
    """
    return any(word.lower() in (code, CODES[code].severity) for word in words)


def meant(word: str) -> bool:
    """Whether a word chooses at least one code."""
    return any(chosen(code, (word,)) for code in CODES)
