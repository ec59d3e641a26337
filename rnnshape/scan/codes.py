"""The table of findings: what each code means, how bad it is, and what to do.

>>> CODES["RNN103"].name, CODES["RNN103"].severity
('unpacking', 'error')

An ``error`` is what Keras rejects.  ``silent`` is what runs and computes something else than the code reads like.
``speed`` is what runs slower than it could.  ``docs/findings.md`` has a section for each.
"""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("error", "silent", "speed")
PAGE = "docs/findings.md"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding: ``happens`` and ``do`` are one line each."""

    code: str
    name: str
    severity: str
    happens: str
    do: str


CODES = {
    code.code: code
    for code in (
        Code(
            "RNN101",
            "return-sequences",
            "error",
            "A recurrent layer returns its last output only, and the layer behind it needs every time step.",
            "Give the first layer return_sequences=True.",
        ),
        Code(
            "RNN102",
            "rank",
            "error",
            "A layer gets a tensor with another number of axes than it takes.",
            "Give the axis that is missing, or drop the layer that takes it away.",
        ),
        Code(
            "RNN103",
            "unpacking",
            "error",
            "The call returns another number of values than the code takes.",
            "Take as many names as the call returns; return_state=True adds the states.",
        ),
        Code(
            "RNN104",
            "argument",
            "error",
            "The class has no such argument in Keras 3.",
            "Rename or drop it, as the message says.",
        ),
        Code(
            "RNN105",
            "cell",
            "error",
            "A cell stands where a layer is expected, or a layer where a cell is expected.",
            "Wrap the cell, RNN(LSTMCell(8)), or use the layer itself, LSTM(8).",
        ),
        Code(
            "RNN106",
            "states",
            "error",
            "initial_state has another number of states than the layer takes.",
            "Pass the states as a list, in the order in which the layer returns them.",
        ),
        Code(
            "RNN107",
            "stateful-batch",
            "error",
            "A stateful layer does not know the batch size.",
            "Give the input a batch size: keras.Input((10, 8), batch_size=32).",
        ),
        Code(
            "RNN108",
            "widths",
            "error",
            "Two tensors that meet have different sizes.",
            "Give both layers the same units.",
        ),
        Code(
            "RNN201",
            "swapped-states",
            "silent",
            "state_h and state_c are in each other's place: both have one shape, so Keras takes them.",
            "Pass [state_h, state_c], in this order.",
        ),
        Code(
            "RNN202",
            "broadcast-state",
            "silent",
            "A state has batch size 1, and Keras uses it for every sample.",
            "Make the state with the batch size of the input.",
        ),
        Code(
            "RNN203",
            "mask-beside-state",
            "silent",
            "A mask is attached to the input, and Keras drops it when initial_state is passed.",
            "Pass the mask as well: layer(x, initial_state=states, mask=mask).",
        ),
        Code(
            "RNN204",
            "mask-lost",
            "silent",
            "A layer between the mask and the recurrent layer drops the mask: the padding is read as data.",
            "Put the layer in front of the Masking, or pass the mask to the recurrent layer.",
        ),
        Code(
            "RNN205",
            "masked-last",
            "silent",
            "The last step of the output is a masked one for short samples, and it is zero there.",
            "Use return_sequences=False or the returned states.",
        ),
        Code(
            "RNN206",
            "backward-last",
            "silent",
            "At the last time step the backward half has read one step only.",
            "Use return_sequences=False or the returned states; the backward result is at output[:, 0, H:].",
        ),
        Code(
            "RNN207",
            "stateful-shuffle",
            "silent",
            "fit shuffles the samples, so a stateful layer goes on from another sample's state.",
            "Call fit(…, shuffle=False).",
        ),
        Code(
            "RNN301",
            "cudnn",
            "speed",
            "An argument keeps the layer from cuDNN: on a GPU it runs as a loop, which is several times slower.",
            "Drop the argument, if the model does not need it.",
        ),
        Code(
            "RNN302",
            "long-unroll",
            "speed",
            "unroll=True repeats the graph for every time step of a long sequence.",
            "Drop unroll=True.",
        ),
        Code(
            "RNN401",
            "contract",
            "error",
            "The line returns another shape than the comment behind it says.",
            "Mend the code or the comment.",
        ),
    )
}


def section(code: str) -> str:
    """The address of the section about a code, within the docs.

    >>> section("RNN103")
    'docs/findings.md#rnn103-unpacking'
    """
    return f"{PAGE}#{code.lower()}-{CODES[code].name}"


def chosen(code: str, words: tuple[str, ...]) -> bool:
    """Whether a code is among these: by itself, by its beginning, its name or its severity.

    >>> chosen("RNN301", ("RNN3",)), chosen("RNN301", ("speed",)), chosen("RNN301", ("cudnn",)), chosen("RNN301", ())
    (True, True, True, False)
    """
    known = CODES[code]
    return any(code.startswith(word.upper()) or word.lower() in (known.name, known.severity) for word in words)


def meant(word: str) -> bool:
    """Whether a word chooses at least one code."""
    return bool(word) and any(chosen(code, (word,)) for code in CODES)
