"""The changes that the explorer reports for a step."""

from __future__ import annotations

import pytest

import rnnshape
from rnnshape.explorer.changes import changed
from rnnshape.structure import leaves


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
    assert not changed(after, after).entries


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            "LSTM(8)",
            "LSTM(8) | Dense(1)",
            ["layer 2 Dense(1) is new: (N, H) (2, 1) float32"],
        ),
        (
            "LSTM(8, return_sequences=True) | Dropout(0.1) | GRU(4)",
            "LSTM(8, return_sequences=True) | GRU(4)",
            ["layer Dropout(0.1) is gone"],
        ),
        (
            "LSTM(8, return_sequences=True) | Dense(4) | GRU(4)",
            "LSTM(9, return_sequences=True) | Dense(4) | GRU(4)",
            [
                "layer 1: LSTM(8, return_sequences=True) is now LSTM(9, return_sequences=True): "
                "(N, T, H1) (2, 3, 8) float32 is now (N, T, H1) (2, 3, 9) float32",
            ],
        ),
        (
            "LSTM(8) | Dense(4) | Dense(1)",
            "LSTM(8, return_sequences=True) | Dense(4) | Dense(1)",
            [
                "layer 1: LSTM(8) is now LSTM(8, return_sequences=True): "
                "(N, H1) (2, 8) float32 is now (N, T, H1) (2, 3, 8) float32",
                "layer 2 Dense(4): (N, H2) (2, 4) float32 is now (N, T, H2) (2, 3, 4) float32",
                "layer 3 Dense(1): (N, H) (2, 1) float32 is now (N, T, H) (2, 3, 1) float32",
            ],
        ),
        (
            "y = LSTM(8)(x)\nz = Dense(4)(y)\nk = Concatenate()([y, z])",
            "y = LSTM(9)(x)\nz = Dense(4)(y)\nk = Concatenate()([y, z])",
            ["y: (N, H1) (2, 8) float32 is now (N, H1) (2, 9) float32"],
        ),
        ("LSTM(8) | Dense(1)", "LSTM(8) | Dense(1)", []),
    ],
)
def test_the_layers_that_are_new_gone_or_changed(before: str, after: str, lines: list[str]) -> None:
    told = changed(rnnshape.predict(before), rnnshape.predict(after))
    said = [line for line in told.lines("returns") if line not in changed_tensors(before, after)]
    assert said == lines


def changed_tensors(before: str, after: str) -> tuple[str, ...]:
    """The lines about returned tensors: those that begin with their access or role."""
    lines = changed(rnnshape.predict(before), rnnshape.predict(after)).lines("returns")
    roles = [leaf.role for side in (before, after) for leaf in leaves(rnnshape.predict(side).structure)]
    return tuple(line for line in lines if line.startswith(("y ", "y[", *(f"{role}:" for role in roles))))


def test_each_number_of_the_cost() -> None:
    before, after = rnnshape.predict("LSTM(8)"), rnnshape.predict("LSTM(8, use_bias=False, return_state=True)")
    assert changed(before, after).lines("cost") == (
        "parameters: 1,664 are now 1,536 bytes",
        "activations: 64 are now 192 bytes",
    )


def test_what_keras_rejects_now_and_no_longer() -> None:
    before = rnnshape.explore("GaussianDropout(0.5) | GRU(8)", training=True)
    after = rnnshape.explore("GaussianDropout(1.0) | GRU(8)", training=True)
    assert after.error is not None
    assert f"Keras now rejects it: {after.error.message}" in changed(before, after).lines("returns")
    assert f"Keras no longer rejects it: {after.error.message}" in changed(after, before).lines("returns")
    assert not changed(after, after).entries
