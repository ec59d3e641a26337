"""Runs that differ only in seed and name share one prediction, but each row is that of its own run."""

from __future__ import annotations

from typing import Any

import pytest

from rnnshape import api
from rnnshape.batch.predicted import predicted_row
from rnnshape.reading.batch.data import from_data
from rnnshape.report.rows import row_of

LSTM = "LSTM(8, return_state=True)"
# Similar runs, which must not share a prediction.
CLOSE: list[dict[str, Any]] = [
    {"layer": LSTM},
    {"layer": LSTM, "seed": 7},
    {"layer": LSTM, "seed": 7, "name": "encoder"},
    {"layer": LSTM, "keras": "2"},
    {"layer": LSTM, "keras": "3.5", "name": "before"},
    {"layer": LSTM, "device": "cpu"},
    {"layer": LSTM, "training": True},
    {"layer": LSTM, "execution": "graph"},
    {"layer": LSTM, "mask": "right:3,2"},
    {"layer": LSTM, "mask": "random", "seed": 1},
    {"layer": LSTM, "mask": "random", "seed": 2},
    {"layer": LSTM, "initial_state": "random"},
    {"layer": LSTM, "calls": 2},
    {"layer": LSTM, "into": "LSTM(8)"},
    {"layer": LSTM, "into": "LSTM(8, return_sequences=True)"},
    {"layer": LSTM, "expect": {"params": 416}},
    {"layer": LSTM, "expect": {"params": 417}, "seed": 3},
    {"layer": LSTM, "dtype": "float64"},
    {"layer": "lstm", "units": 8, "return_state": True},
    {"layer": "LSTM(units, return_state=True)", "let": {"units": 8}},
    {"layer": "LSTM(width, return_state=True)", "let": {"width": 8}},
    {"layer": "LSTM(width, return_state=True)", "let": {"width": 9}},
    {"layer": "LSTM(8, dropout=1, return_state=True)"},
    {"layer": "LSTM(8, dropout=1.0, return_state=True)"},
    {"layer": "x = Input((3, 4)); LSTM(8)(x)"},
    {"layer": "x = Input((steps, 4)); LSTM(8)(x)"},
    {"layer": "LSTM(8)", "time": 7},
    {"layer": "model.add(LSTM(8))\nmodel.add(Unknown(3))"},
    {"layer": "LSTMCell(8)", "expect": {"error": "refused"}},
]


@pytest.mark.parametrize("order", [1, -1])
def test_each_row_is_that_of_its_own_run(order: int) -> None:
    for run in [*CLOSE[::order], *CLOSE]:
        spec = from_data(run)
        row, alone = predicted_row(spec), row_of(api.predict(spec), values=False)
        assert row.report is not None
        assert (row.data, row.exit_code, row.expectations) == (alone.data, alone.exit_code, alone.expectations), run
        assert row.report.to_dict() == alone.data, run


def test_a_prediction_is_computed_once() -> None:
    one, other = (predicted_row(from_data({"layer": LSTM, "seed": seed})) for seed in (101, 102))
    assert one.data["cost"] is other.data["cost"]
    assert (one.data["run"]["seed"], other.data["run"]["seed"]) == (101, 102)
