"""What Keras returns, written by hand, so that theory is not only tested with its own table."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import rnnshape
from rnnshape.lab.tensorflow import keras, load
from rnnshape.structure import brackets, leaves
from tests.shared.releases import since

N, T, H = 2, 3, 1


def shown(report: rnnshape.Report) -> str:
    return brackets(report.structure, lambda tensor: f"{tensor.role}{list(tensor.shape)}")


@pytest.mark.parametrize(
    ("command", "options", "structure"),
    [
        ("lstm", {}, "output[2, 1]"),
        ("lstm", {"return_sequences": True}, "output[2, 3, 1]"),
        ("lstm", {"return_state": True}, "(output[2, 1], state_h[2, 1], state_c[2, 1])"),
        ("gru", {"return_state": True, "return_sequences": True}, "(output[2, 3, 1], state[2, 1])"),
        ("simple-rnn", {"return_state": True}, "(output[2, 1], state[2, 1])"),
        ("lstm-cell", {}, "(output[2, 1], [state_h[2, 1], state_c[2, 1]])"),
        ("gru-cell", {}, "(output[2, 1], [state[2, 1]])"),
        ("simple-rnn-cell", {}, "(output[2, 1], [state[2, 1]])"),
        ("rnn", {"cell": "lstm", "return_state": True}, "(output[2, 1], state_h[2, 1], state_c[2, 1])"),
        ("bidirectional", {}, "output[2, 2]"),
        ("bidirectional", {"merge_mode": "sum", "return_sequences": True}, "output[2, 3, 1]"),
        ("bidirectional", {"merge_mode": None}, "(forward_output[2, 1], backward_output[2, 1])"),
        (
            "bidirectional",
            {"return_state": True, "return_sequences": True},
            "(output[2, 3, 2], forward_state_h[2, 1], forward_state_c[2, 1], "
            "backward_state_h[2, 1], backward_state_c[2, 1])",
        ),
        (
            "bidirectional",
            {"layer": "gru", "merge_mode": None, "return_state": True},
            "(forward_output[2, 1], backward_output[2, 1], forward_state[2, 1], backward_state[2, 1])",
        ),
    ],
)
def test_structure(command: str, options: dict[str, Any], structure: str) -> None:
    assert shown(rnnshape.predict(command, **options)) == structure
    assert shown(rnnshape.explore(command, **options)) == structure


@pytest.mark.parametrize(
    ("command", "options", "params"),
    [
        ("lstm", {"units": 8}, 4 * 8 * (4 + 8 + 1)),
        ("gru", {"units": 8}, 3 * 8 * (4 + 8 + 2)),
        ("gru", {"units": 8, "reset_after": False}, 3 * 8 * (4 + 8 + 1)),
        ("simple-rnn", {"units": 8}, 8 * (4 + 8 + 1)),
        ("lstm", {"units": 8, "use_bias": False}, 4 * 8 * (4 + 8)),
        ("bidirectional", {"units": 8}, 2 * 4 * 8 * (4 + 8 + 1)),
    ],
)
def test_parameters(command: str, options: dict[str, Any], params: int) -> None:
    assert rnnshape.predict(command, **options).params == params
    assert rnnshape.explore(command, **options).agrees


def checks(command: str, **options: Any) -> dict[str, tuple[bool, bool | None]]:
    report = rnnshape.explore(command, units=3, return_state=True, **options)
    return {check.check: (check.guaranteed, check.holds) for check in report.checks}


LAW, NO_LAW = (True, True), (False, False)


def test_the_last_step_is_the_hidden_state_and_not_the_memory() -> None:
    expected = {"output[:, -1, :] == state_h": LAW, "output[:, -1, :] == state_c": NO_LAW}
    assert checks("lstm", return_sequences=True) == expected


def test_backwards_the_last_step_is_still_the_state() -> None:
    assert checks("gru", return_sequences=True, go_backwards=True) == {
        "output[:, -1, :] == state": LAW,
        "output[:, 0, :] == state": NO_LAW,
    }


def test_where_the_final_states_of_a_bidirectional_stand() -> None:
    assert checks("bidirectional", return_sequences=True) == {
        "output[:, -1, :H] == forward_state_h": LAW,
        "output[:, 0, H:] == backward_state_h": LAW,
        "output[:, -1, H:] == backward_state_h": NO_LAW,
    }
    assert checks("bidirectional") == {
        "output[:, :H] == forward_state_h": LAW,
        "output[:, H:] == backward_state_h": LAW,
    }


def test_with_one_step_both_passes_end_there() -> None:
    assert checks("bidirectional", return_sequences=True, time=1)["output[:, -1, H:] == backward_state_h"] == LAW


def test_a_merged_output_is_the_merge_of_the_states() -> None:
    assert checks("bidirectional", merge_mode="ave") == {
        "output == (forward_state_h + backward_state_h) / 2": LAW,
        "output == forward_state_h": NO_LAW,
    }


@pytest.mark.parametrize(("cell", "fused"), [("lstm", "LSTM"), ("gru", "GRU"), ("simple-rnn", "SimpleRNN")])
def test_rnn_of_a_cell_is_the_fused_layer(cell: str, fused: str) -> None:
    report = rnnshape.explore("rnn", cell=cell, units=3, return_state=True, return_sequences=True)
    twin = next(check for check in report.checks if check.check == f"layer(x) == {fused}(...)(x)")
    assert twin.guaranteed
    assert twin.exact
    assert not report.cudnn.eligible
    assert rnnshape.predict(fused.lower() if cell != "simple-rnn" else cell).cudnn.eligible == (cell != "simple-rnn")


def test_the_same_line_twice_gives_the_same_numbers() -> None:
    first, second, other = (rnnshape.explore("lstm", units=4, seed=seed) for seed in (7, 7, 8))
    assert (first.values[0] == second.values[0]).all()
    assert (first.values[0] != other.values[0]).any()


def test_the_callers_random_numbers_are_left_alone() -> None:
    import random

    import numpy as np

    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    rnnshape.explore("lstm")
    assert (random.random(), np.random.random()) == expected


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({}, None),
        ({"recurrent_dropout": 0.2}, "drop recurrent_dropout=0.2"),
        ({"activation": "relu"}, "drop activation='relu'"),
        ({"unroll": True, "use_bias": False}, "drop use_bias=False; drop unroll=True"),
        ({"go_backwards": True, "stateful": True, "dtype": "float16"}, None),
        pytest.param({"dropout": 0.5}, None, marks=since("3.4", "dropout does not prevent cuDNN")),
    ],
)
def test_cudnn_verdict(options: dict[str, Any], hint: str | None) -> None:
    verdict = rnnshape.predict("gru", **options).cudnn
    assert verdict.eligible == (hint is None)
    assert verdict.hint == hint


def test_paths_reach_the_tensors() -> None:
    report = rnnshape.predict("lstm-cell")
    assert [tensor.path for tensor in leaves(report.predicted)] == ["[0]", "[1][0]", "[1][1]"]
    assert report.unpacking == "output, [state_h, state_c] = cell(x, [state_h_0, state_c_0])"


@pytest.mark.gpu
@pytest.mark.parametrize("command", ["lstm", "gru", "bidirectional"])
def test_on_a_gpu_cudnn_is_used(command: str) -> None:
    from rnnshape.lab.tensorflow import gpus

    if not gpus():
        pytest.skip("TensorFlow sees no GPU on this machine")
    report = rnnshape.explore(command, device="gpu", return_state=True)
    assert report.ok
    assert report.cudnn.used
    assert report.environment["device"].startswith("GPU")


@pytest.mark.parametrize("layer", ["LSTM(3, {})", "RNN(GRUCell(3), {})", "ConvLSTM1D(3, 1, {})"])
def test_an_output_in_scan_order_is_noted(layer: str) -> None:
    backwards = layer.format("return_sequences=True, go_backwards=True")
    assert _in_scan_order(backwards) == 1
    assert _in_scan_order(layer.format("go_backwards=True")) == 0
    both = f"Bidirectional({layer.format('return_sequences=True')}, backward_layer={backwards})"
    assert _in_scan_order(both) == 0


def _in_scan_order(text: str) -> int:
    return sum("stays in scan order" in note for note in rnnshape.predict(text).notes)


def test_the_first_output_in_scan_order_is_that_of_the_last_step() -> None:
    x = load().random.normal((2, 4, 5))
    layer = keras().layers.LSTM(3, return_sequences=True, go_backwards=True)
    assert numpy.array_equal(layer(x)[:, 0], layer(x[:, -1:])[:, 0])


def test_options_may_be_lists_or_of_numpy() -> None:
    rows = ((True, True, False), (True, False, False))
    said = rnnshape.predict("LSTM(2)", input=(2, 3, 4), mask=rows).to_dict()
    assert rnnshape.predict("LSTM(2)", input=[2, 3, 4], mask=numpy.array(rows)).to_dict() == said
    assert rnnshape.predict("LSTM(2)", batch=numpy.int64(2), mask=[*map(list, rows)]).to_dict() == said
    assert rnnshape.predict("conv-lstm2d", kernel_size=[3, 1]).expression == "ConvLSTM2D(1, (3, 1))"
    with pytest.raises(rnnshape.Invalid, match="whole number"):
        rnnshape.predict("LSTM(2)", batch=numpy.float64(2.5))
