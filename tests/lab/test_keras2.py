"""Keras 2: the real layers of tf_keras compared with the rules of theory.

``TF_USE_LEGACY_KERAS=1 python -m tests.shared.masking 1000 --seed 1`` draws more random layers.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.layers import TABLE, release
from rnnshape.layers.arguments import REQUIRED
from rnnshape.layers.merges import MERGES
from rnnshape.structure import leaves
from tests.shared.drawing import Drawer, wrong
from tests.shared.masking import MaskDrawer
from tests.shared.releases import legacy
from tests.shared.sampling import some

if TYPE_CHECKING:
    from pathlib import Path

CHUNKS, EACH = 10, 30
# The initializers to the constraints of a ConvLSTM.
_BEFORE = f"{'None, ' * 3}False, {'None, ' * 7}"
pytestmark = legacy


@pytest.mark.parametrize("chunk", some(range(CHUNKS), CHUNKS, pytest.mark.draws))
@pytest.mark.parametrize("drawers", [Drawer, pytest.param(MaskDrawer, marks=pytest.mark.draws)])
def test_theory_says_what_the_real_layer_says(drawers: type[Drawer], chunk: int) -> None:
    drawer = drawers(40_000 + chunk, keras="2")
    specs = [drawer.spec() for _ in range(EACH)]
    disagreements = {spec.layer.text: message for spec in specs if (message := wrong(spec))}
    assert not disagreements


def _kinds(layer: str, **options: Any) -> Any:
    report = rnnshape.explore(layer, keras="2", **options)
    assert report.ok, report.error

    def kinds(part: Any) -> Any:
        return [part["kind"], *map(kinds, part["items"])] if "items" in part else part["role"]

    return kinds(report.observed.to_dict())


@pytest.mark.parametrize(
    ("layer", "kinds"),
    [
        ("LSTM(3, return_state=True)", ["list", "output", "state_h", "state_c"]),
        ("GRUCell(3)", ["tuple", "output", "state"]),
        ("LSTMCell(3)", ["tuple", "output", ["list", "state_h", "state_c"]]),
        (
            "StackedRNNCells([LSTMCell(3), GRUCell(2)])",
            ["tuple", "output", ["tuple", ["list", "cell0_state_h", "cell0_state_c"], "cell1_state"]],
        ),
        (
            "RNN([LSTMCell(3), GRUCell(2)], return_state=True)",
            ["list", "output", ["list", "cell0_state_h", "cell0_state_c"], "cell1_state"],
        ),
        (
            "Bidirectional(GRU(3, return_state=True), merge_mode=None)",
            ["list", "forward_output", "backward_output", "forward_state", "backward_state"],
        ),
        ("LSTM(3, return_runtime=True)", ["tuple", "output", "runtime"]),
        ("LSTM(3, return_state=True)([x, h, c])", ["list", "output", "state_h", "state_c"]),
    ],
)
def test_the_containers(layer: str, kinds: Any) -> None:
    assert _kinds(layer) == kinds


def test_time_can_come_first() -> None:
    report = rnnshape.explore("LSTM(5, time_major=True, return_sequences=True, return_state=True)", keras="2")
    assert report.ok
    output, state, _ = leaves(report.observed)
    assert (output.symbolic, state.symbolic) == (("T", "N", "H"), ("N", "H"))
    assert [check.check for check in report.checks if check.guaranteed] == ["output[-1, :, :] == state_h"]


@pytest.mark.parametrize("input_", [(2, 5, 9, 6), (2, 2, 3, 5, 6)])
@pytest.mark.parametrize(
    "layer",
    [
        "Conv1D(6, 2, strides=2)",
        "Conv1D(4, 2, padding='causal', dilation_rate=2, data_format='channels_first', use_bias=False)",
        "Conv1D(6, 3, groups=3, padding='same')",
        "Conv2D(3, 2)",
    ],
)
def test_a_convolution_takes_several_axes_of_samples(layer: str, input_: tuple[int, ...]) -> None:
    report = rnnshape.explore(layer, keras="2", input=input_)
    assert report.ok, report.disagreements
    with pytest.raises(Invalid, match="takes a rank-"):
        rnnshape.predict(layer, keras="3.15", input=(*input_[:-1], 4, 5, 6))


@pytest.mark.parametrize("name", [name for name in (*TABLE, *MERGES) if name != "Sequential"])
def test_arguments_stand_in_the_order_of_tf_keras(name: str) -> None:
    """With their defaults; RNN, GRU and SimpleRNN had time_major before unroll, and ConvLSTM its dropouts too early."""
    layers: Any = pytest.importorskip("tf_keras").layers
    parameters = inspect.signature(getattr(layers, name).__init__).parameters
    real = {key: one.default for key, one in parameters.items() if key not in ("self", "kwargs")}
    layer = {**TABLE, **MERGES}[name]
    with release.of("2"):
        ours = {argument.name: layer.usual[argument.name] for argument in layer.by_position}
        assert list(ours) == list(real)[: len(ours)]
        for key, default in ours.items():
            theirs = REQUIRED if real[key] is inspect.Parameter.empty else real[key]
            same = {default, str(default).lower(), (default,) * 2, (default,) * 3}
            assert theirs in same or (key == "data_format" and theirs == "channels_last"), key
        wrongly_left_out = set(real) - set(ours) - {key for key, one in layer.by_name.items() if not one.placed}
        assert wrongly_left_out <= {"sparse", "dynamic", "robust_masking", "softmax_robust_masking"}


@pytest.mark.parametrize(
    ("layer", "input_", "shape"),
    [
        ("RNN(GRUCell(3), False, False, False, False, True)", (2, 5, 4), (2, 3)),
        (
            f"ConvLSTM1D(2, 3, 1, 'valid', None, 1, 'tanh', 'tanh', True, {_BEFORE}True)",
            (2, 3, 5, 4),
            (2, 3, 3, 2),
        ),
        ("Embedding(9, 4, 'uniform', None, 'l2', None, True, 3)", (2, 3), (2, 3, 4)),
        ("LeakyReLU(0.2)", (2, 3, 4), (2, 3, 4)),
        ("GRU(3, activation=LeakyReLU(0.2))", (2, 3, 4), (2, 3)),
        ("GRU(3, activation=LeakyReLU(alpha=0.2))", (2, 3, 4), (2, 3)),
        ("Bidirectional(LSTM(3, activation='silu', recurrent_activation='relu6'))", (2, 3, 4), (2, 6)),
        ("LSTM(3, activation='leaky_relu') | Activation('log_softmax')", (2, 3, 4), (2, 3)),
        ("Conv1DTranspose(3, 2, strides=2, output_padding=1)", (2, 3, 4), (2, 7, 3)),
        ("AveragePooling1D()", (2, 6, 4), (2, 3, 4)),
        ("ConvLSTM1D(2, 2, data_format='channels_first', dtype='float64')", (2, 2, 3, 6), (2, 2, 5)),
        ("ConvLSTM2D(2, 2, data_format='channels_first', dtype='float64')", (2, 2, 3, 6, 7), (2, 2, 5, 6)),
    ],
)
def test_what_keras_2_takes_otherwise(layer: str, input_: tuple[int, ...], shape: tuple[int, ...]) -> None:
    report = rnnshape.explore(layer, keras="2", input=input_)
    assert report.ok, (report.error, report.disagreements)
    assert [tensor.shape for tensor in leaves(report.observed)] == [shape]


@pytest.mark.parametrize("merge", ["Concatenate()", "Concatenate(axis=1)", "Concatenate(axis=0)", "Add()", "Average()"])
@pytest.mark.parametrize(
    "merged", ["embedded, x", "x, embedded", "embedded, masked", "embedded, twice", "embedded, one"]
)
@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("keras", ["2", None])
def test_the_mask_of_what_is_merged_is_that_of_keras(merge: str, merged: str, width: int, keras: str | None) -> None:
    """In Keras 2 a step is valid where it is in all inputs, in Keras 3 where it is in any."""
    code = f"""
tokens, x, step = Input((6,)), Input((6, {width})), Input((1, {width}))
embedded = Embedding(9, {width}, mask_zero=True)(tokens)
masked, twice, one = Masking()(x), Masking()(embedded), Masking()(step)
y = GRU(3, return_sequences=True)({merge}([{merged}]))
model = Model([tokens, x], y)
"""
    options = {"mask": "110110;100001"} | ({"keras": keras} if keras else {})
    try:
        predicted = rnnshape.predict(code, **options)
    except Invalid:  # the shapes do not fit, whatever the masks are
        return
    report = rnnshape.explore(code, **options)
    assert not report.disagreements
    assert (report.error is None) == (predicted.error is None)


@pytest.mark.parametrize(
    ("name", "arguments", "unread"),
    [
        ("LSTM", {"units": 3}, {"dynamic": True}),
        ("SimpleRNN", {"units": 3}, {"implementation": 1}),
        ("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, {"implementation": 1}),
        ("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, {"time_major": True}),
    ],
)
def test_what_is_not_read_of_keras_2_changes_no_shape(
    name: str, arguments: dict[str, Any], unread: dict[str, Any]
) -> None:
    text = f"{name}({', '.join(f'{key}={value}' for key, value in (arguments | unread).items())})"
    with pytest.raises(Invalid, match="changes no shape in Keras 2 and is not read here: drop it"):
        rnnshape.predict(text, keras="2")
    layer = getattr(pytest.importorskip("tf_keras").layers, name)(**arguments, **unread)
    report = rnnshape.predict(text.replace(f", {next(iter(unread))}={next(iter(unread.values()))}", ""), keras="2")
    (tensor,) = leaves(report.predicted)
    assert tuple(layer(np.ones(report.input.shape, "float32")).shape) == tensor.shape


def test_an_attached_mask_is_used_with_initial_states() -> None:
    layer = "Masking() | LSTM(3, return_state=True)"
    options: dict[str, Any] = {"mask": "right:1,3", "initial_state": "random"}
    two, three = (rnnshape.explore(layer, keras=version, **options) for version in ("2", None))
    assert two.ok
    assert three.ok
    assert two.masked.predicted != three.masked.predicted


def test_a_stateful_layer_uses_passed_states_only_while_its_own_are_zero() -> None:
    options: dict[str, Any] = {"stateful": True, "calls": 2, "initial_state": "random"}
    [two] = [
        check for check in rnnshape.explore("lstm", keras="2", **options).checks if check.check.startswith("call2")
    ]
    [three] = [check for check in rnnshape.explore("lstm", **options).checks if check.check.startswith("call2")]
    assert (two.guaranteed, two.holds) == (False, False)
    assert (three.guaranteed, three.holds) == (True, True)


@pytest.mark.parametrize(
    ("layer", "once"),
    [
        ("LSTM(3, dropout=0.5, seed=1, return_sequences=True)", False),
        ("GRU(3, dropout=0.5, return_sequences=True)", False),
        ("LSTM(3, dropout=0.5, time_major=True, return_sequences=True)", False),
        ("LSTM(3, dropout=0.5, time_major=True, unroll=True, return_sequences=True)", True),
        ("GRU(3, dropout=0.5, reset_after=False, return_sequences=True)", True),
        ("LSTM(3, dropout=0.5, recurrent_dropout=0.5, return_sequences=True)", True),
        ("GRU(3, recurrent_dropout=0.5, return_sequences=True)", True),
        ("SimpleRNN(3, dropout=0.5, return_sequences=True)", True),
        ("RNN(LSTMCell(3, dropout=0.5), return_sequences=True)", True),
    ],
)
def test_a_layer_that_may_use_cudnn_draws_a_dropout_mask_for_each_step(layer: str, once: bool) -> None:
    report = rnnshape.explore(layer, keras="2", training=True, time=6)
    assert report.ok
    [stepped] = [check for check in report.checks if check.check.startswith("stepped")]
    assert (stepped.guaranteed, stepped.holds) == (once, once)


def test_the_environment_variable_makes_keras_2_the_one_that_is_asked_about() -> None:
    command = [sys.executable, "-m", "rnnshape", "lstm", "--return-state", "--return-sequences", "-f", "json"]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["observed"]["kind"] == "list"
    assert report["agrees"] is True
    assert report["environment"]["keras"].startswith("2.")


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(3, return_state=True)",
        "GRUCell(3)",
        "RNN([LSTMCell(3), GRUCell(2)], return_state=True)",
        "Masking() | GRU(2)",
    ],
)
@pytest.mark.slow
def test_the_program_runs_under_keras_2(layer: str, tmp_path: Path) -> None:
    from rnnshape.render.code import program

    report = rnnshape.predict(layer, keras="2")
    path = tmp_path / "program.py"
    path.write_text("\n".join(program(report)), "utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.count("(") for line in done.stdout.splitlines()] == [1] * len(list(leaves(report.predicted)))


def test_the_rules_of_cudnn_name_files_of_tf_keras() -> None:
    verdict = rnnshape.predict("GRU(3)", keras="2").cudnn
    assert verdict.eligible
    assert {rule.source.partition("/")[0] for rule in verdict.rules} == {"tf_keras", "tensorflow"}
