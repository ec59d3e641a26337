"""cuDNN's verdict: the rules against the kernels that Keras' own trace shows, layer by layer.

A machine without a GPU traces as one with a GPU does, once Keras is told that there is one: the graph is
built and never run.  The product does not do that; it traces what Keras does here.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import rnnshape
from rnnshape.lab import observe
from rnnshape.lab.build import build
from rnnshape.lab.execution import prepared
from rnnshape.lab.feed import feed, handed
from rnnshape.lab.kernel import CUDNN_OPS, LOOP_OPS, noticing_cudnn, operations, traced
from rnnshape.lab.tensorflow import gpus, held_back, load
from rnnshape.layers import TABLE, release
from rnnshape.layers.base import Given
from rnnshape.layers.changes import set_everywhere
from rnnshape.layers.masking import Mask
from rnnshape.reading import make
from rnnshape.render import View, renderer
from rnnshape.report.checks import TOLERANCES, between_calls, compare, verified
from rnnshape.theory import predict
from tests.shared.releases import newest, offered
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.spec import Spec
    from tests.conftest import Ran

# ── the grid ──

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "activation": ("relu", None, "softsign", "sigmoid"),
    "recurrent_activation": ("hard_sigmoid", None, "tanh", "softsign"),
    "use_bias": (False,),
    "unroll": (True,),
    "recurrent_dropout": (0.2, 0.5),
    "dropout": (0.3,),
    "use_cudnn": (False, True),
    "stateful": (True,),
    "go_backwards": (True,),
    "return_sequences": (True,),
    "return_state": (True,),
    "dtype": ("float16", "float64", "mixed_float16", "mixed_bfloat16"),
    "implementation": (1,),
    "zero_output_for_mask": (True,),
    "kernel_regularizer": ("l2",),
}
GRU_ONLY = {"reset_after": (False,)}
# What changes nothing about the kernel is drawn more often, or hardly any of the combinations were eligible.
IDLE = ("dropout", "stateful", "go_backwards", "return_sequences", "return_state", "implementation", "dtype")


def _call(name: str, **arguments: Any) -> str:
    return f"{name}({', '.join(['2', *(f'{key}={value!r}' for key, value in arguments.items())])})"


def _fused(name: str, combinations: int) -> Iterator[str]:
    """Every argument by itself, and combinations of several."""
    arguments = {**ARGUMENTS, **(GRU_ONLY if name == "GRU" else {})}
    has = {argument.name for argument in offered(TABLE[name].arguments)}
    arguments = {key: values for key, values in arguments.items() if key in has}
    yield _call(name)
    yield from (_call(name, **{key: value}) for key, values in arguments.items() for value in values)
    rng = random.Random(name)
    for _ in range(combinations):
        idle = rng.sample([key for key in IDLE if key in has], rng.choice((1, 2, 3)))
        drawn = {*idle, *rng.sample(sorted(arguments), rng.choice((0, 0, 1, 2)))}
        yield _call(name, **{key: rng.choice(arguments[key]) for key in sorted(drawn)})


def _bidirectional() -> Iterator[str]:
    for inner in ("LSTM(2)", "GRU(2)", "SimpleRNN(2)", "RNN(LSTMCell(2))", "RNN([GRUCell(2), LSTMCell(3)])"):
        yield f"Bidirectional({inner})"
    for name in ("LSTM", "GRU"):
        for argument in ("recurrent_dropout=0.2", "activation='relu'", "unroll=True", "use_cudnn=False"):
            yield f"Bidirectional({name}(2, {argument}))"
            yield f"Bidirectional({name}(2), backward_layer={name}(2, go_backwards=True, {argument}), merge_mode=None)"
        yield f"Bidirectional({name}(2, stateful=True, return_sequences=True), merge_mode='sum')"
        yield f"Bidirectional({name}(2, return_state=True, dtype='float16'), dtype='float64')"
    directions = (
        "LSTM(2{})",
        "GRU(2{})",
        "GRU(2, reset_after=False{})",
        "LSTM(2, unroll=True{})",
        "SimpleRNN(2{})",
        "GRU(2, use_cudnn=False{})",
        "RNN(LSTMCell(2){})",
        "LSTM(2, use_bias=False, dtype='float16'{})",
    )
    for forward in directions:
        for backward in directions:
            if forward != backward:
                yield f"Bidirectional({forward.format('')}, backward_layer={backward.format(', go_backwards=True')})"


NEVER = (
    "SimpleRNN(2)",
    "SimpleRNN(2, unroll=True, return_state=True)",
    "SimpleRNN(2, stateful=True, go_backwards=True)",
    "SimpleRNN(2, dtype='mixed_float16', return_sequences=True)",
    "RNN(LSTMCell(2))",
    "RNN(GRUCell(2), unroll=True)",
    "RNN(SimpleRNNCell(2), return_state=True, stateful=True)",
    "RNN(LSTMCell(2, recurrent_dropout=0.2), go_backwards=True)",
    "RNN([LSTMCell(2), GRUCell(3)], return_sequences=True)",
    "RNN([LSTMCell(2), SimpleRNNCell(3)], unroll=True, return_state=True)",
    "RNN(StackedRNNCells([GRUCell(2), GRUCell(2)]), dtype='float64')",
    "ConvLSTM1D(2, 1)",
    "ConvLSTM1D(1, 2, unroll=True, return_state=True)",
    "ConvLSTM1D(1, 2, go_backwards=True, stateful=True, return_sequences=True)",
    "ConvLSTM2D(1, 1, recurrent_dropout=0.1)",
    "ConvLSTM3D(1, 1)",
    "Bidirectional(ConvLSTM1D(1, 1))",
    "LSTMCell(2)",
    "GRUCell(2)",
    "SimpleRNNCell(2)",
    "StackedRNNCells([LSTMCell(2), GRUCell(3)])",
    "Dense(2)",
    "Masking()",
    "Masking() | Dense(2)",
)
STACKS = (
    "LSTM(2, return_sequences=True) | GRU(3)",
    "LSTM(2, return_sequences=True, unroll=True) | GRU(3, return_state=True)",
    "GRU(2, return_sequences=True, reset_after=False) | LSTM(3, return_sequences=True) | SimpleRNN(2) | Dense(1)",
    "Masking() | LSTM(2)",
    "Masking() | LSTM(2, return_sequences=True, zero_output_for_mask=True) | GRU(2)",
    "Masking() | GRU(2, go_backwards=True)",
    "Masking() | GRU(2, activation='relu', return_sequences=True) | GRU(2)",
    "Masking() | Bidirectional(LSTM(2, return_sequences=True)) | Bidirectional(GRU(2))",
    "Masking() | RNN(LSTMCell(2), return_sequences=True) | LSTM(2)",
    "Masking() | SimpleRNN(2, unroll=True)",
    "Masking(dtype='float64') | LSTM(2, dtype='float16', stateful=True)",
    "Embedding(9, 2, mask_zero=True) | LSTM(2)",
    "Embedding(9, 2, mask_zero=True) | Bidirectional(GRU(2), backward_layer=LSTM(2, go_backwards=True, use_bias=False))",
    "Embedding(9, 2) | Dropout(0.2) | GRU(2)",
    "Dense(3) | Bidirectional(LSTM(2, use_cudnn=False, return_sequences=True)) | LSTM(2, use_cudnn=True)",
    "LSTM(2, return_sequences=True, name='same') | LSTM(2, name='same', unroll=True)",
    "Bidirectional(LSTM(2, name='a')) | Dense(1)",
)
DISTRIBUTED = (
    "TimeDistributed(LSTM(2))",
    "TimeDistributed(GRU(2, recurrent_activation='tanh'))",
    "TimeDistributed(LSTM(2, unroll=True))",
    "TimeDistributed(RNN(GRUCell(2)))",
    "TimeDistributed(LSTM(2, dtype='float16'), dtype='mixed_float16')",
    "TimeDistributed(Bidirectional(LSTM(2, dtype='float16')), dtype='float64')",
    "TimeDistributed(Bidirectional(LSTM(2)))",
    "TimeDistributed(Bidirectional(GRU(2), backward_layer=LSTM(2, go_backwards=True, activation='relu')))",
    "TimeDistributed(TimeDistributed(GRU(2)))",
    "TimeDistributed(Dense(2))",
    "Masking() | TimeDistributed(LSTM(2))",
    "Masking() | TimeDistributed(Bidirectional(GRU(2, unroll=True)))",
    "TimeDistributed(LSTM(2)) | GRU(2, unroll=True)",
)
GRID = list(dict.fromkeys((*_fused("LSTM", 60), *_fused("GRU", 60), *_bidirectional(), *NEVER, *STACKS, *DISTRIBUTED)))
STEPS = 2


@pytest.fixture
def told_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras is told that there is a GPU."""
    load()
    monkeypatch.setattr(import_module("keras.src.backend.tensorflow.rnn"), "_is_gpu_available", lambda: True)


def _small(layer: str) -> Spec:
    """Two of everything."""
    if layer.startswith(("Dense(3)", "Masking() | TimeDistributed")):
        return make(layer, {"input": (2, STEPS, 2) if layer.startswith("Dense") else (2, STEPS, STEPS, 2)})
    return make(layer, {"input": (STEPS,) * len(make(layer).input)})


def _trace(spec: Spec) -> tuple[tuple[Any, ...], Any]:
    with held_back():
        layer = build(spec.layer)
        return feed(spec, layer), layer


@pytest.mark.usefixtures("told_of_a_gpu")
@pytest.mark.parametrize("layer", some(GRID, 32))
def test_the_graph_has_what_the_rules_say(layer: str) -> None:
    if release.asked() < (3, 11) and "GRU" in layer and "return_state" in layer:
        pytest.skip("cuDNN's state came back without its list before Keras 3.11, and cannot be unpacked in a graph")
    if release.asked() < (3, 4) and "implementation" in layer:
        pytest.skip("Keras 3.3 takes no implementation")
    spec = _small(layer)
    foretold = predict(spec)
    inputs, real = _trace(spec)
    if foretold.refusal is not None:
        with pytest.raises(ValueError, match="use_cudnn=True was specified"):
            operations(real, real, *inputs)
        return
    graph, each = operations(real, real, *inputs)
    kernels = [kernel for _, kernel in foretold.cudnn.chosen(gpu=True)]
    if kernels == ["step"]:
        assert not each
        assert not (CUDNN_OPS | LOOP_OPS) & {*graph}
        return
    # A TimeDistributed calls its layer once a step.
    within = (
        [_calls(part) for part in spec.layer["layers"]] if spec.layer.name == "Sequential" else [_calls(spec.layer)]
    )
    expected = [calls for counts in within for calls in counts]
    found = [(sum(op in CUDNN_OPS for op in own), sum(op in LOOP_OPS for op in own)) for own in each]
    assert found == [
        (calls * (kernel == "cudnn"), calls * (kernel == "loop"))
        for kernel, calls in zip(kernels, expected, strict=True)
    ]
    # Nothing stands outside of the layers.
    assert sum(op in CUDNN_OPS for op in graph) == sum(cudnn for cudnn, _ in found)
    assert sum(op in LOOP_OPS for op in graph) == sum(loops for _, loops in found)


def _calls(node: Any) -> list[int]:
    """How often each recurrent layer within is called."""
    if node.name == "TimeDistributed":
        return [STEPS * calls for calls in _calls(node["layer"])]
    if node.name == "Bidirectional":
        return [1, 1]
    return [1] if node.cls.kind == "recurrent" else []


# ── where a graph and the eager call part (docs/keras-quirks.md) ──

UNLIKE_DTYPES = (
    "TimeDistributed(LSTM(2, dtype='float16'), dtype='float64')",
    "TimeDistributed(GRU(2), dtype='mixed_float16')",
    "TimeDistributed(LSTM(2, dtype='mixed_float16'), dtype='float16')",
    "TimeDistributed(TimeDistributed(LSTM(2, dtype='float16')))",
)


@pytest.mark.usefixtures("told_of_a_gpu")
@pytest.mark.parametrize("layer", UNLIKE_DTYPES)
def test_another_dtype_from_a_wrapper_is_no_graph(layer: str) -> None:
    spec = _small(layer)
    broken = [rule.rule for rule in predict(spec).cudnn.rules if not rule.ok]
    assert broken == ["one dtype throughout"]
    inputs, real = _trace(spec)
    with pytest.raises(TypeError, match="CudnnRNNV3"):
        operations(real, real, *inputs)


@pytest.mark.usefixtures("told_of_a_gpu")
def test_a_fully_masked_row_is_found_when_it_runs_not_when_it_is_traced() -> None:
    spec = _small("Embedding(1, 2, mask_zero=True) | LSTM(2)")
    verdict = predict(spec).cudnn
    assert [(rule.rule, rule.decided) for rule in verdict.rules if not rule.ok] == [
        ("layer 2 LSTM: no row is fully masked", "a row of the mask has no valid step")
    ]
    assert verdict.chosen(gpu=True) == (("layer 2 LSTM(2)", "loop"),)
    inputs, real = _trace(spec)
    assert traced(real, real, *inputs) == ("cudnn",)
    assert "Assert" in operations(real, real, *inputs)[0]


# ── the execution that is asked for ──

ANY_MASK = ("right:2,1", "left:2,1", "full", None)
FUSED_ONES = (
    "LSTM(2)",
    "GRU(2, return_sequences=True)",
    "Bidirectional(GRU(2))",
    "Masking() | LSTM(2)",
    "LSTM(2, return_sequences=True) | Bidirectional(GRU(2, return_sequences=True, return_state=True), merge_mode=None)",
)


@pytest.mark.usefixtures("told_of_a_gpu")
@pytest.mark.parametrize("mask", ANY_MASK)
@pytest.mark.parametrize("layer", some(FUSED_ONES, 3))
def test_a_graph_has_cudnn_whatever_the_mask_is(layer: str, mask: str | None) -> None:
    options = {"execution": "graph", **({"mask": mask} if mask else {})}
    spec = make(layer, {"input": (STEPS, STEPS, 2), **options})
    verdict = predict(spec).cudnn
    assert verdict.eligible
    with held_back():
        real = build(spec.layer)
        inputs = feed(spec, real)
        assert traced(real, handed(spec, real), *inputs) == tuple(kernel for _, kernel in verdict.chosen(gpu=True))
    # On a GPU the graph asserts what its mask is.
    refused = predict(spec, gpu=True).refusal
    assert (refused is None) == (mask in ("right:2,1", None))
    if refused is not None:
        assert "assertion failed" in refused.message
    assert predict(spec).refusal is None


@pytest.mark.usefixtures("told_of_a_gpu")
@pytest.mark.parametrize("layer", some(FUSED_ONES, len(FUSED_ONES)))
def test_xla_has_no_cudnn(layer: str) -> None:
    """Where Keras sees a GPU it picks cuDNN all the same, and XLA refuses the graph; use_cudnn=False runs."""
    spec = make(layer, {"input": (STEPS, STEPS, 2), "execution": "xla"})
    verdict = predict(spec).cudnn
    assert not verdict.eligible
    assert {kernel for _, kernel in verdict.chosen(gpu=True)} == {"loop"}
    assert predict(spec).refusal is None
    refused = predict(spec, gpu=True).refusal
    assert refused is not None
    with held_back():
        real = build(spec.layer)
        inputs = feed(spec, real)
        with pytest.raises(load().errors.InvalidArgumentError, match="CudnnRNNV3"):
            prepared("xla", real)(*inputs)
        without = replace(spec, layer=set_everywhere(spec.layer, "use_cudnn", False))
        assert predict(without, gpu=True).refusal is None
        other = build(without.layer)
        prepared("xla", other)(*inputs)


# ── without a GPU ──


@pytest.mark.parametrize("layer", some(GRID[::12], 6))
def test_the_lab_reads_what_runs_here(layer: str) -> None:
    if gpus():
        pytest.skip("TensorFlow sees a GPU on this machine")
    report = rnnshape.explore(_small(layer), trace=True)
    if report.error is not None:
        assert "use_cudnn=True" in layer
        return
    assert report.cudnn.traced == report.cudnn.predicted == report.cudnn.verdict.chosen(gpu=False)
    assert report.cudnn.used is False


def test_it_is_traced_only_when_asked() -> None:
    if gpus():
        pytest.skip("TensorFlow sees a GPU on this machine, where it always is")
    report = rnnshape.explore("lstm")
    assert report.cudnn.traced is None
    assert report.to_dict()["cudnn"]["traced"] is None


def test_what_no_graph_can_be_made_of_is_answered_all_the_same() -> None:
    report = rnnshape.explore("RNN(StackedRNNCells([LSTMCell(3, dtype='float16'), GRUCell(2)]))", trace=True)
    assert report.ok
    assert report.cudnn.traced is None


def test_tracing_leaves_the_layer_as_it_was() -> None:
    spec = _small("Bidirectional(LSTM(2, stateful=True))")
    inputs, real = _trace(spec)
    real(*inputs)
    before = {name: value for name, value in vars(real.forward_layer).items() if name != "_call_context_args"}
    states = [state.numpy() for state in real.forward_layer.states]
    assert traced(real, real, *inputs) == traced(real, real, *inputs)
    assert vars(real.forward_layer).keys() >= before.keys()
    assert "call" not in vars(real.forward_layer)
    assert all((one == two.numpy()).all() for one, two in zip(states, real.forward_layer.states, strict=True))


@pytest.mark.parametrize("execution", ["eager", "graph"])
def test_what_runs_is_noticed(execution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An LSTM's product stands for cuDNN's operation, which no CPU has."""
    from rnnshape.lab.execution import run as run_as

    inputs, real = _trace(_small("LSTM(2)"))
    with noticing_cudnn() as used:
        run_as(execution, real, *inputs)
    assert not used()
    monkeypatch.setattr("rnnshape.lab.kernel.CUDNN_OPS", frozenset({"MatMul", "BatchMatMulV2"}))
    with noticing_cudnn() as used:
        run_as(execution, real, *inputs)
    assert used()
    with noticing_cudnn() as used:
        pass
    real(*inputs)
    assert not used()


# ── what the verdict says ──


def _decided(layer: str, **options: Any) -> list[tuple[str, str, str]]:
    rules = predict(make(layer, options)).cudnn.rules
    return [(rule.rule, rule.decided, rule.fix) for rule in rules if not rule.ok]


def test_each_rule_is_decided_by_an_argument() -> None:
    assert _decided("GRU(8, recurrent_dropout=0.2, reset_after=False)") == [
        ("recurrent_dropout is 0", "recurrent_dropout=0.2", "drop recurrent_dropout=0.2"),
        ("reset_after is True", "reset_after=False", "drop reset_after=False"),
    ]
    assert _decided("RNN(LSTMCell(8))") == [
        ("the layer is LSTM or GRU", "RNN calls its LSTMCell step by step", "use LSTM instead of RNN(LSTMCell)")
    ]


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        ("SimpleRNN(2)", "SimpleRNN has no kernel of its own"),
        ("ConvLSTM2D(2, 3)", "ConvLSTM2D convolves step by step"),
        ("RNN([LSTMCell(2), GRUCell(2)])", "RNN calls its StackedRNNCells step by step"),
        ("GRUCell(2)", "GRUCell computes one step"),
        ("StackedRNNCells([GRUCell(2)])", "StackedRNNCells computes one step"),
        ("Dense(2)", "Dense has no loop over time"),
        ("TimeDistributed(Dense(2))", "TimeDistributed has no loop over time"),
    ],
)
def test_what_never_uses_cudnn_says_why(layer: str, why: str) -> None:
    assert [decided for _, decided, _ in _decided(layer)] == [why]


def test_each_direction_and_each_layer_decides_for_itself() -> None:
    layer = "LSTM(8, unroll=True, return_sequences=True) | Bidirectional(GRU(4), backward_layer=LSTM(4, activation='relu', go_backwards=True))"
    verdict = predict(make(layer)).cudnn
    assert verdict.chosen(gpu=True) == (
        ("layer 1 LSTM(8)", "unrolled"),
        ("layer 2 forward GRU(4)", "cudnn"),
        ("layer 2 backward LSTM(4)", "loop"),
    )
    assert verdict.chosen(gpu=False)[1] == ("layer 2 forward GRU(4)", "loop")
    assert verdict.hint == "layer 1 LSTM: drop unroll=True; layer 2 Bidirectional: backward: drop activation='relu'"
    assert "layer 2 Bidirectional: backward: activation is tanh" in {rule.rule for rule in verdict.rules}


def test_two_like_directions_are_told_once() -> None:
    verdict = predict(make("Bidirectional(LSTM(8, recurrent_dropout=0.2))")).cudnn
    assert [kernel.layer for kernel in verdict.kernels] == ["forward LSTM(8)", "backward LSTM(8)"]
    assert [rule.rule for rule in verdict.rules] == [rule.rule for rule in verdict.kernels[0].rules]
    assert verdict.hint == "drop recurrent_dropout=0.2"


def test_every_rule_names_a_place_in_keras() -> None:
    """The file is there and the name in it, in the Keras that is installed."""
    from pathlib import Path

    import keras

    root = Path(keras.__file__).parent.parent
    sources = {rule.source for layer in GRID for rule in predict(_small(layer)).cudnn.rules}
    assert len(sources) > 10
    for source in sources:
        file, name = source.split(": ")
        if file.startswith("keras/"):
            text = (root / file).read_text(encoding="utf-8")
            assert all(f"class {part}" in text or f"def {part}(" in text for part in name.split(".")), source


@pytest.mark.parametrize(
    ("rows", "right_padded", "empty_row"),
    [
        ([(1, 1, 0), (1, 1, 1)], True, False),
        ([(0, 1, 1)], False, False),
        ([(1, 0, 1)], False, False),
        ([(1, 1, 0), (0, 0, 0)], True, True),
        ([(0, 0, 1), (0, 0, 0)], False, True),
    ],
)
def test_what_cudnn_asks_of_a_mask_is_read_from_its_rows(
    rows: list[tuple[int, ...]], right_padded: bool, empty_row: bool
) -> None:
    known = Mask.of(tuple(tuple(map(bool, row)) for row in rows))
    assert (known.right_padded, known.empty_row) == (right_padded, empty_row)
    node = make("LSTM(2)").layer
    [kernel] = node.cls.theory(node, Given(make("LSTM(2)").dims, "float32", mask=known)).cudnn
    assert kernel.eligible == (right_padded and not empty_row)


def test_use_cudnn_within_a_bidirectional_follows_the_release() -> None:
    layer = "Bidirectional(LSTM(2, use_cudnn=False), backward_layer=LSTM(2, go_backwards=True))"
    other = "Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, use_cudnn=False))"

    def kernels(text: str) -> list[str]:
        return [kernel for _, kernel in predict(make(text)).cudnn.chosen(gpu=True)]

    with release.of("3.12"):
        assert (kernels(layer), kernels(other)) == (["loop", "loop"], ["cudnn", "cudnn"])
        said = {rule.decided: rule.source for rule in predict(make(other)).cudnn.kernels[1].rules}
        assert said["Keras sets it to 'auto'"] == "keras/src/layers/rnn/bidirectional.py: Bidirectional.__init__"
    with release.of("3.11"):
        assert (kernels(layer), kernels(other)) == (["cudnn", "cudnn"], ["cudnn", "loop"])


def test_dropout_matters_before_keras_3_4() -> None:
    with release.of("3.4"):
        assert "dropout is 0" not in {rule.rule for rule in predict(make("GRU(2, dropout=0.2)")).cudnn.rules}
    with release.of("3.3"):
        assert _decided("GRU(2, dropout=0.2)") == [("dropout is 0", "dropout=0.2", "drop dropout=0.2")]


# ── as JSON, and drawn ──


def test_json_has_what_is_predicted_and_what_was_traced() -> None:
    if gpus():
        pytest.skip("TensorFlow sees a GPU on this machine")
    cudnn = rnnshape.explore("LSTM(2, return_sequences=True) | GRU(3, unroll=True)", trace=True).to_dict()["cudnn"]
    here = [{"layer": "layer 1 LSTM(2)", "kernel": "loop"}, {"layer": "layer 2 GRU(3)", "kernel": "unrolled"}]
    assert cudnn["predicted"] == cudnn["traced"] == here
    assert cudnn["on_gpu"] == [{"layer": "layer 1 LSTM(2)", "kernel": "cudnn"}, here[1]]
    assert (cudnn["eligible"], cudnn["used"]) == (False, False)
    assert cudnn["reasons"][1] == {
        "rule": "layer 1 LSTM: activation is tanh",
        "ok": True,
        "decided_by": "activation='tanh'",
        "source": "keras/src/backend/tensorflow/rnn.py: cudnn_ok",
    }


@pytest.mark.parametrize(("device", "kernel"), [("auto", "cudnn"), ("gpu", "cudnn"), ("cpu", "loop")])
def test_theory_alone_speaks_of_the_device_that_is_asked_for(device: str, kernel: str) -> None:
    cudnn = rnnshape.predict("lstm", device=device).to_dict()["cudnn"]
    assert cudnn["predicted"] == [{"layer": "", "kernel": kernel}]
    assert cudnn["traced"] is None


VIEWS = {
    "cudnn-bidirectional.txt": ("bidirectional", "--units", "8", "--recurrent-dropout", "0.2"),
    "cudnn-stack.txt": ("show", "Masking() | LSTM(4, return_sequences=True) | GRU(2, reset_after=False)"),
    "cudnn-cell.txt": ("lstm-cell",),
    "cudnn-conv.txt": ("conv-lstm2d",),
}


@newest
@pytest.mark.parametrize("name", VIEWS)
def test_the_table_of_rules(name: str, run: Callable[..., Ran], golden: Callable[[str, str], None]) -> None:
    ran = run(*VIEWS[name], "--cudnn", "--predict")
    text = re.sub(r"When Keras \S+ uses", "When Keras X uses", ran.out[ran.out.index("When Keras") :])
    golden(name, text)
    if name != "cudnn-conv.txt":
        assert max(map(len, text[: text.index("On a GPU")].splitlines())) <= 80


def _here(report: rnnshape.Report) -> str:
    import io

    stream = io.StringIO()
    renderer("table")(report, stream, View(cudnn=True))
    return next(line for line in stream.getvalue().splitlines() if line.startswith("Here"))


def test_a_graph_against_the_rules_is_said() -> None:
    report = rnnshape.explore("lstm", device="cpu", trace=True)

    def traced(kernel: str | None) -> rnnshape.Report:
        said = structs.replace(report.cudnn, predicted=(("", "loop"),), used=False, traced=kernel and (("", kernel),))
        return structs.replace(report, cudnn=said)

    assert _here(traced("loop")) == "Here      a loop over time, read from the traced graph"
    against = _here(traced("cudnn"))
    assert against.endswith("the rules say a loop over time; the run itself did not use cuDNN")
    # Without --cudnn, none is traced: the page of a batch, or of a report in Python.
    assert _here(traced(None)) == _here(rnnshape.explore("lstm", device="cpu"))
    assert _here(traced(None)).endswith("a loop over time, from the rules; no graph was traced")
    assert _here(rnnshape.predict("lstm")) == "Here      not run"


# ── tolerances, devices, and a GPU ──


def test_two_calls_may_be_further_apart_on_a_gpu() -> None:
    cpu = between_calls({"device": "CPU:0", "tf32": None})
    gpu = between_calls({"device": "GPU:0", "tf32": False})
    tf32 = between_calls({"device": "GPU:0", "tf32": True})
    assert cpu == TOLERANCES == between_calls({"device": None, "tf32": None})
    assert cpu["float32"] < gpu["float32"] < tf32["float32"] <= 1e-2
    assert gpu["float64"] == tf32["float64"] < cpu["float32"]


def test_only_a_law_about_another_call_gets_the_wider_tolerance() -> None:
    import numpy as np

    from rnnshape.layers.base import Law

    one = np.ones(2, np.float32)
    names = {
        "layer(x)": (one,),
        "LSTM(...)(x)": (one + np.float32(1e-3),),
        "output": one,
        "state_h": one + np.float32(1e-3),
    }
    tf32 = between_calls({"device": "GPU:0", "tf32": True})
    twin, own = Law("layer(x) == LSTM(...)(x)", True, ""), Law("output == state_h", True, "")
    assert verified(twin, names, tf32).holds
    assert not verified(twin, names).holds
    assert not verified(own, names, tf32).holds
    assert not compare(one, one + np.float32(2e-2), tf32)[0]


def test_every_observed_tensor_says_where_it_came_from() -> None:
    report = rnnshape.explore("lstm", return_state=True, device="cpu").to_dict()
    assert {tensor["device"] for tensor in report["observed"]["items"]} == {report["environment"]["device"]}
    assert not any("device" in tensor for tensor in report["predicted"]["items"])


def test_tf32_is_a_matter_of_gpus() -> None:
    assert rnnshape.explore("lstm", device="cpu").environment["tf32"] is None
    assert rnnshape.predict("lstm").environment["tf32"] is None


@pytest.fixture
def _gpu() -> None:
    if not gpus():
        pytest.skip("TensorFlow sees no GPU on this machine")


ON_A_GPU = GRID[::6]


@pytest.mark.gpu
@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize("layer", ON_A_GPU)
def test_on_a_gpu_the_rules_the_graph_and_the_run_agree(layer: str) -> None:
    report = rnnshape.explore(_small(layer))
    if predict(report.spec).refusal is not None:
        assert report.error is not None
        return
    assert report.agrees, report
    assert report.cudnn.traced == report.cudnn.predicted == report.cudnn.verdict.chosen(gpu=True)
    assert report.cudnn.used == any(kernel == "cudnn" for _, kernel in report.cudnn.predicted)


@pytest.mark.gpu
@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize("layer", ["Embedding(1, 2, mask_zero=True) | LSTM(2)", UNLIKE_DTYPES[0]])
def test_on_a_gpu_the_eager_run_falls_back_where_the_graph_does_not(layer: str) -> None:
    seen = observe(make(_small(layer).layer.text, {"input": _small(layer).input, "execution": "eager"}))
    assert not seen.cudnn_used
    assert seen.traced in (None, ("cudnn",))


@pytest.mark.gpu
@pytest.mark.usefixtures("_gpu")
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("tf32", [True, False])
def test_on_a_gpu_the_loop_is_cudnn_within_tolerance(cell: str, tf32: bool) -> None:
    config = load().config.experimental
    before = config.tensor_float_32_execution_enabled()
    config.enable_tensor_float_32_execution(tf32)
    try:
        report = rnnshape.explore(
            "rnn", cell=cell, units=64, channels=64, time=50, device="gpu", return_state=True, return_sequences=True
        )
    finally:
        config.enable_tensor_float_32_execution(before)
    assert report.ok, report.checks
    assert report.environment["tf32"] is tf32
    assert {tensor["device"] for tensor in report.to_dict()["observed"]["items"]} == {"GPU:0"}
