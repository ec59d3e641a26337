"""What the explorer says that a step has changed."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.explorer.changes import changed


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            "LSTM(8)",
            "LSTM(8, return_state=True)",
            ["output: y is now y[0]", "y[1] state_h is new: (2, 8) float32", "y[2] state_c is new: (2, 8) float32"],
        ),
        ("LSTM(8, return_state=True)", "LSTM(8)", ["output: y[0] is now y", "state_h is gone", "state_c is gone"]),
        ("GRU(8)", "GRU(8, return_sequences=True)", ["y output: (N, H) (2, 8) is now (N, T, H) (2, 3, 8)"]),
        ("GRU(8)", "GRU(8, dtype='float16')", ["y output: float32 is now float16"]),
        ("GRU(8)", "GRU(8)", []),
    ],
)
def test_the_tensors_that_are_new_gone_or_changed(before: str, after: str, lines: list[str]) -> None:
    assert list(changed(rnnshape.predict(before), rnnshape.predict(after)).lines("returns")) == lines


@pytest.mark.parametrize(
    ("after", "tab", "line"),
    [
        ("LSTM(8, recurrent_dropout=0.1)", "cuDNN", "cuDNN cannot be used: recurrent_dropout is 0 is not met"),
        ("LSTM(9)", "weights", "kernel: (4, 32) is now (4, 36)"),
        ("LSTM(8, use_bias=False)", "weights", "bias is gone"),
        ("LSTM(8, return_state=True)", "equalities", "output == state_h is new"),
    ],
)
def test_each_tab_has_its_own(after: str, tab: str, line: str) -> None:
    assert line in changed(rnnshape.predict("LSTM(8)"), rnnshape.predict(after)).lines(tab)


def test_the_strip_of_another_mask() -> None:
    before, after = (rnnshape.predict("GRU(8)", mask=mask) for mask in ("111;111", "111;110"))
    assert changed(before, after).lines("strip")
    assert not changed(after, after).told
