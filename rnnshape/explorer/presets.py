"""Presets to start from.  If a preset has several steps, redo goes through them."""

from __future__ import annotations

from rnnshape.explorer.steps import History, read

_CLASSIC = (
    "LSTM(1)",
    "LSTM(1, return_state=True)",
    "LSTM(1, return_sequences=True)",
    "LSTM(1, return_sequences=True, return_state=True)",
    "Bidirectional(LSTM(1, return_sequences=True, return_state=True))",
    "Bidirectional(LSTM(1, return_sequences=True, return_state=True), merge_mode='sum')",
)
_PRESETS = {
    "The classic walk": tuple((text, {}) for text in _CLASSIC),
    "Encoder and decoder": (
        ("LSTM(8)", {}),
        ("LSTM(8, return_state=True)", {}),
        ("LSTM(8, return_state=True)", {"into": "LSTM(8, return_sequences=True)"}),
    ),
    "A masked Bidirectional": (
        ("Bidirectional(LSTM(8, return_sequences=True, return_state=True))", {}),
        ("Bidirectional(LSTM(8, return_sequences=True, return_state=True))", {"mask": "111;110"}),
        ("Bidirectional(LSTM(8, return_sequences=True, return_state=True))", {"mask": "111;011"}),
    ),
}
NAMES = tuple(_PRESETS)


def preset(name: str) -> History:
    """A history at the first step of a preset, with the other steps in its future."""
    return History.of(read(text, options) for text, options in _PRESETS[name])
