"""compare: the same weights on the same input, in real layers, side by side."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.layers.quirks import HELP, PAGE, STACKED, UNLIKE, UNLIKE_DTYPES, UNROLLED
from rnnshape.reading.comparison import compared as compared_spec
from rnnshape.report.alike import Ran as Computed
from rnnshape.report.alike import must
from rnnshape.schema.comparison import comparison
from rnnshape.spec.comparison import AXES
from tests import ROOT
from tests.shared.releases import since

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.report.comparison import Compared, Pair
    from tests.conftest import Ran

SCHEMA = Draft202012Validator(comparison())
SEQUENCES = "return_sequences=True, return_state=True"


def compare(*layers: str, **options: Any) -> Compared:
    """The comparison, which is valid against its schema whatever it says."""
    compared = rnnshape.compare(*layers, **options)
    SCHEMA.validate(json.loads(json.dumps(compared.to_dict(), allow_nan=False)))
    return compared


def pairs(compared: Compared, variant: int = 1) -> dict[str, Pair]:
    return {pair.role: pair for pair in compared.pairs if pair.variant == variant}


def of_label(compared: Compared, label: str) -> dict[str, Pair]:
    return pairs(compared, [side.variant.label for side in compared.sides].index(label))


# ── what must be equal ──


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_a_layer_and_rnn_around_its_cell_are_one_function(name: str) -> None:
    compared = compare(f"{name}(5, {SEQUENCES})", f"RNN({name}Cell(5), {SEQUENCES})")
    assert {pair.must for role, pair in pairs(compared).items() if role != "structure"} == {"bitwise"}
    assert all(pair.exact for role, pair in pairs(compared).items() if role != "structure")
    assert [side.kernel for side in compared.sides] == ["loop", "loop"]
    assert (compared.ok, compared.exit_code) == (True, 0)


def test_the_weights_are_those_of_the_first_however_they_would_begin() -> None:
    compared = compare("LSTM(4)", "LSTM(4, kernel_initializer='he_normal', unit_forget_bias=False)")
    assert (pairs(compared)["output"].must, pairs(compared)["output"].exact) == ("bitwise", True)


def test_a_layer_and_its_cell_share_the_arguments() -> None:
    same = "activation='relu', use_bias=False, dtype='float64', implementation=1"
    compared = compare(f"LSTM(4, {same}, go_backwards=True, use_cudnn=False, name='own')", axis="cell")
    cell = "LSTMCell(4, activation='relu', use_bias=False, dtype='float64', implementation=1)"
    assert compared.sides[1].report.expression == f"RNN({cell}, go_backwards=True, dtype='float64', name='own')"
    assert pairs(compared)["output"].exact
    back = compare(compared.sides[1].report.expression, axis="cell")
    assert back.sides[0].report.expression.startswith("LSTM(4, activation='relu'")


def test_a_gpu_is_given_its_own_arithmetic() -> None:
    """What theory would ask of a machine with a GPU; no layer runs."""
    sides = compared_spec(["LSTM(4, return_sequences=True)", "RNN(LSTMCell(4), return_sequences=True)"]).variants
    fused, loop = Computed("eager", "cudnn", "GPU:0"), Computed("eager", "loop", "GPU:0")
    assert must(sides, (loop, loop), "output").kind == "bitwise"
    assert (must(sides, (fused, loop), "output").kind, must(sides, (fused, loop), "output").tolerance) == (
        "close",
        4e-3,
    )
    layers = [variant.spec.layer.text for variant in sides]
    masked = compared_spec(layers, {"mask": "right:3,2"}).variants
    assert must(masked, (fused, loop), "output").kind is None
    assert must(masked, (fused, loop), "state_h").kind == "close"


def test_only_the_layer_may_use_cudnn() -> None:
    compared = compare("LSTM(64)", "RNN(LSTMCell(64))")
    assert [side.report.cudnn.eligible for side in compared.sides] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("inner", ["LSTM", "GRU"])
def test_an_axis_reaches_the_layer_inside(inner: str) -> None:
    compared = compare(f"Bidirectional({inner}(3)) | Dense(2)", axis="unroll")
    assert [side.report.expression for side in compared.sides] == [
        f"Bidirectional({inner}(3)) | Dense(2)",
        f"Bidirectional({inner}(3, unroll=True)) | Dense(2)",
    ]
    assert [side.kernel for side in compared.sides] == ["loop", "unrolled"]
    assert pairs(compared)["output"].exact
    cells = compare(f"Bidirectional({inner}(3))", axis="cell")
    assert cells.sides[1].report.expression == f"Bidirectional(RNN({inner}Cell(3)))"
    assert pairs(cells)["output"].exact


def test_a_stack_of_two_kinds_says_both() -> None:
    compared = compare("LSTM(3, return_sequences=True) | GRU(2, unroll=True)", "LSTM(3) | Dense(2)")
    assert [side.kernel for side in compared.sides] == ["loop + unrolled", "loop"]


@pytest.mark.slow
@pytest.mark.parametrize("layer", [f"LSTM(4, {SEQUENCES})", "SimpleRNN(8)", "Bidirectional(GRU(3), merge_mode=None)"])
def test_every_way_of_running_gives_the_same(layer: str) -> None:
    compared = compare(layer, axis="execution")
    ways = [side.way for side in compared.sides]
    assert ways == ["eager", "graph", "xla", "predict", "symbolic", "compute_output_shape"]
    assert [side.kernel for side in compared.sides] == ["loop"] * 4 + [None] * 2
    assert {pair.must for pair in compared.pairs if pair.role != "structure" and pair.variant < 4} == {"close"}
    assert {pair.must for pair in compared.pairs if pair.variant >= 4} == {"shape"}
    assert {pair.tensor.dtype for pair in compared.pairs if pair.tensor and pair.variant == 4} == {"float32"}
    assert {pair["dtype"] for pair in compared.to_dict()["pairs"] if pair["variant"] == 5} == {None}
    assert (compared.ok, compared.exit_code) == (True, 0)


@since("3.4", "Model takes outputs that are nested, such as the states of a cell")
def test_a_cell_runs_in_every_way_that_it_has() -> None:
    compared = compare("lstm-cell", axis="execution")
    assert [side.way for side in compared.sides] == ["eager", "graph", "xla", "predict", "symbolic"]
    assert {side.kernel for side in compared.sides} == {"step", None}
    assert compared.ok


def test_the_implementations_are_close_and_not_bitwise() -> None:
    compared = compare("LSTM(64)", axis="implementation", input=(8, 30, 16))
    output = pairs(compared)["output"]
    assert (output.must, output.equal, output.exact) == ("close", True, False)
    assert 0 < (output.max_abs_diff or 0) < 1e-5
    assert compared.ok


def test_dtypes_are_compared_in_the_coarser_one() -> None:
    compared = compare(f"LSTM(4, {SEQUENCES})", axis="dtype")
    double, half = (pairs(compared, number)["output"] for number in (1, 2))
    assert [pair.tensor.dtype for pair in (double, half) if pair.tensor] == ["float64", "float16"]
    assert (double.max_abs_diff or 0) < 1e-6 < (half.max_abs_diff or 0)
    assert (double.must, half.must, compared.ok) == ("close", "close", True)


def test_what_is_computed_in_half_inside_is_only_so_exact() -> None:
    compared = compare("LSTM(5)", "RNN(LSTMCell(5, dtype='mixed_float16'))")
    output = pairs(compared)["output"]
    assert (output.tensor and output.tensor.dtype, output.must, output.equal) == ("float32", "close", True)
    assert 1e-5 < (output.max_abs_diff or 0) < 4e-3


@pytest.mark.parametrize("layer", ["Dense(3, activation='relu')", "Activation('softmax')", "Dropout(0.5)"])
def test_a_layer_that_acts_on_each_step_needs_no_time_distributed(layer: str) -> None:
    before = "LSTM(8, return_sequences=True)"
    compared = compare(f"{before} | {layer}", f"{before} | TimeDistributed({layer})", time=20)
    output = pairs(compared)["output"]
    assert (output.must, output.equal, compared.ok) == ("close", True, True)
    assert output.why is not None
    assert "does the same at each step without it" in output.why


def test_time_distributed_of_another_layer_is_another_function() -> None:
    compared = compare("TimeDistributed(Dense(3)) | LSTM(2)", "TimeDistributed(Dense(3, activation='relu')) | LSTM(2)")
    assert pairs(compared)["output"].must is None
    assert "different functions: activation=" in str(pairs(compared)["output"].why)


def test_what_overflows_need_not_do_so_in_one_way() -> None:
    layer = "SimpleRNN(3, activation='exponential')"
    compared = compare(layer, layer.replace("exponential", "relu"), layer, time=50)
    assert pairs(compared)["output"].why == "not finite: overflow may differ"
    assert pairs(compared, 2)["output"].exact
    assert compared.ok


@pytest.mark.slow
def test_what_nothing_bounds_need_not_stay_close() -> None:
    bounded, open_ = (compare(f"LSTM(4, recurrent_activation='{name}') | Dense(2, activation='relu')", axis="dtype")
                      for name in ("hard_sigmoid", "relu"))  # fmt: skip
    assert pairs(bounded)["output"].must == "close"
    assert "unbounded" in pairs(open_)["output"].why
    assert pairs(open_)["output"].must is None


@pytest.mark.slow
def test_what_no_graph_can_hold_has_no_kernel_and_an_answer() -> None:
    compared = compare("GRU(2)", "RNN(StackedRNNCells([LSTMCell(3, dtype='float16'), GRUCell(2)]))")
    assert [side.kernel for side in compared.sides] == ["loop", None]
    assert compared.ok
    # An axis sets the dtype of the stack too that RNN makes of a list.
    compared = compare("RNN([SimpleRNNCell(3), LSTMCell(4)])", axis="dtype")
    assert [side.kernel for side in compared.sides] == ["loop"] * 3
    assert compared.ok


def test_structures_are_compared_role_by_role() -> None:
    compared = compare(f"LSTM(4, {SEQUENCES})", "LSTM(4, return_state=True)", "LSTM(4, return_sequences=True)")
    shorter, bare = pairs(compared, 1), pairs(compared, 2)
    assert (shorter["output"].must, shorter["output"].equal, shorter["output"].max_abs_diff) == (None, False, None)
    assert "(2, 4) against (2, 3, 4)" in shorter["output"].why
    assert [shorter[role].must for role in ("state_h", "state_c")] == ["bitwise"] * 2
    assert bare.keys() == {"structure", "output"}
    assert (bare["structure"].equal, bare["structure"].must, bare["output"].exact) == (False, None, True)
    assert compared.ok


# ── what need not be, or cannot be ──


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("GRU(4)", "different functions: kernel is (4, 12) against (4, 16)"),
        ("LSTM(4, use_bias=False)", "different functions: 2 weights against 3"),
        ("LSTM(4, activation='relu')", "different functions: activation='tanh' and 'relu'"),
    ],
)
def test_another_function_need_not_be_equal(other: str, why: str) -> None:
    compared = compare("LSTM(4)", other)
    output = pairs(compared)["output"]
    assert (output.equal, output.must, output.why) == (False, None, why)
    assert (compared.sides[1].weights is not None) == (" against " in why)
    assert (compared.ok, compared.exit_code) == (True, 0)


NESTED = "x = Input((3, 4))\ny, h = GRU(4, return_sequences=True, return_state=True)(x)\nm = Model(x, (y, [h]))"


@pytest.mark.parametrize(
    ("other", "bitwise", "why"),
    [
        (("(y, [h])", "[y, h]"), True, "the same arithmetic on the same numbers"),
        (("True)(x)", "True, unroll=True)(x)"), True, "with or without unroll, each step does the same arithmetic"),
        (("True)(x)", "True, activation='relu')(x)"), False, "different functions: activation='tanh' and 'relu'"),
        (("(x)\n", "(x + 1)\n"), False, "different functions: GRU and +"),
    ],
)
def test_wired_calls_are_compared_by_their_layers_and_calls(other: tuple[str, str], bitwise: bool, why: str) -> None:
    compared = compare(NESTED, NESTED.replace(*other))
    output = pairs(compared)["y"]
    assert (output.must == "bitwise", output.why) == (bitwise, why)
    assert compared.ok


def test_another_order_of_calls_is_said_in_words() -> None:
    code = "x = Input((3, 4))\na = LSTM(2)(x)\nb = LSTM(2)(x)\ny = Concatenate()([a, b])"
    whys = {
        pair.why for role, pair in pairs(compare(code, code.replace("[a, b]", "[b, a]"))).items() if role != "structure"
    }
    assert whys == {"different functions: their calls are wired in other ways"}


def test_the_two_grus_have_other_weights() -> None:
    compared = compare("GRU(4)", "GRU(4, reset_after=False)")
    assert compared.to_dict()["compare"][1]["weights"] == "bias is (12,) against (2, 12)"
    assert "different functions" in pairs(compared)["output"].why


def test_a_mask_skips_steps() -> None:
    compared = compare(f"GRU(4, {SEQUENCES})", axis="mask")
    assert [side.variant.label for side in compared.sides] == ["no mask", "mask 110;100"]
    assert {pair.must for role, pair in pairs(compared).items() if role != "structure"} == {None}
    assert not pairs(compared)["state"].equal
    assert compared.ok


def test_without_a_gpu_the_device_axis_says_so(run: Callable[..., Ran]) -> None:
    from rnnshape.lab.tensorflow import gpus

    if gpus():
        pytest.skip("this machine has a GPU")
    ran = run("compare", "LSTM(4)", "--axis", "device", "-f", "json")
    assert ran.code == 3
    assert "rnnshape: error: GPU: device gpu: TensorFlow sees no GPU here" in ran.err
    cpu, gpu = json.loads(ran.out)["compare"]
    assert (cpu["error"], gpu["error"]["kind"], gpu["observed"]) == (None, "device", None)


# ── what Keras does not keep ──


@pytest.mark.slow
@pytest.mark.parametrize("wrapped", [True, False])
def test_unrolled_under_a_mask_the_wrong_steps_are_zero(wrapped: bool) -> None:
    backwards = "LSTM(4, go_backwards=True, return_sequences=True, zero_output_for_mask=True)"
    layer = "Bidirectional(LSTM(4, return_sequences=True))" if wrapped else backwards
    compared = compare(layer, axis="unroll", mask="right:3,2")
    output = pairs(compared)["output"]
    assert not output.equal, "Keras has fixed it: remove it from report/alike.py and docs/keras-quirks.md"
    assert (output.must, output.quirk, compared.ok, compared.exit_code) == ("bitwise", UNROLLED, False, 1)
    assert compare(layer, axis="unroll").ok
    assert compare(layer, axis="cell", mask="right:3,2").ok


@pytest.mark.slow
def test_what_only_a_mask_changes_is_the_same_function_without_one() -> None:
    zeros = "GRU(4, return_sequences=True, zero_output_for_mask=True)", "GRU(4, return_sequences=True)"
    assert pairs(compare(*zeros))["output"].must == "bitwise"
    for made in (compare(*(f"Masking() | {layer}" for layer in zeros)), compare(*zeros, mask="right:2,3")):
        output = pairs(made)["output"]
        assert (output.must, output.why) == (None, "different functions: zero_output_for_mask=True and False")


@pytest.mark.slow
def test_stacked_cells_are_said_to_return_another_structure() -> None:
    compared = compare(f"RNN([LSTMCell(4), GRUCell(6)], {SEQUENCES})", axis="execution")
    for label in ("Model.predict", "keras.Input", "compute_output_shape"):
        structure = of_label(compared, label)["structure"]
        assert (structure.equal, structure.must, structure.quirk) == (False, "shape", STACKED)
        assert of_label(compared, label)["cell1_state"].equal
    assert of_label(compared, "graph")["structure"].equal
    assert (compared.ok, compared.exit_code) == (False, 1)


@pytest.mark.slow
def test_two_unlike_directions_are_said_to_have_another_width() -> None:
    compared = compare("Bidirectional(LSTM(5), backward_layer=LSTM(7, go_backwards=True))", axis="execution")
    assert [(pair.role, pair.quirk) for pair in compared.broken] == [("output", UNLIKE)] * 2
    assert of_label(compared, "Model.predict")["output"].exact


@pytest.mark.slow
def test_two_unlike_dtypes_are_said_to_be_one() -> None:
    compared = compare("Bidirectional(LSTM(3, return_state=True), dtype='float16')", axis="execution")
    assert {(pair.variant, pair.quirk) for pair in compared.broken} == {(4, UNLIKE_DTYPES)}
    assert "float16 against float32" in of_label(compared, "keras.Input")["forward_state_h"].why


def test_the_quirks_stand_on_their_page() -> None:

    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert all(f"## {heading}\n" in text for heading in (UNROLLED, STACKED, UNLIKE, UNLIKE_DTYPES))


def test_what_keras_refuses_in_one_of_them_leaves_the_others() -> None:
    refused = compare("LSTM(4)", "LSTM(4, dtype='bfloat16')", "RNN(LSTMCell(4))")
    assert [side.report.error is None for side in refused.sides] == [True, False, True]
    assert pairs(refused, 2)["output"].exact
    assert (refused.ok, refused.exit_code) == (False, 2)
    assert compare("RNN([LSTMCell(4)])", axis="unroll").exit_code == 1


# ── laws, masks, state ──


@pytest.mark.slow
def test_laws_stand_side_by_side_and_a_mask_changes_them() -> None:
    layer = f"Bidirectional(LSTM(4, {SEQUENCES}))"
    sides = compare(layer, axis="cell").sides
    assert [len(side.report.checks) for side in sides] == [3, 3]
    assert all(side.report.checks[0].guaranteed and side.report.checks[0].holds for side in sides)
    masked = compare(layer, axis="cell", mask="100;110")
    for side in masked.sides:
        checks = {check.check: check for check in side.report.checks}
        assert (
            checks["output[:, -1, :H] == forward_state_h"].guaranteed,
            checks["output[:, -1, :H] == forward_state_h"].holds,
        ) == (False, False)
        assert (
            checks["output[i, length - 1, :H] == forward_state_h"].guaranteed,
            checks["output[~mask] == 0"].guaranteed,
        ) == (True, True)
    assert masked.ok


def test_the_mask_is_that_of_keras() -> None:
    import numpy as np

    compared = compare(f"LSTM(4, {SEQUENCES})", f"LSTM(4, unroll=True, {SEQUENCES})", mask="left:3,1")
    output, state, _ = compared.sides[0].report.values
    assert np.all(output[1, :2] == 0)
    assert np.any(output[0, :2] != 0)
    assert np.all(output[:, -1] == state)
    assert compared.sides[0].variant.spec.mask == ((True, True, True), (False, False, True))
    assert compared.ok


def test_a_stateful_layer_begins_with_no_past() -> None:
    assert pairs(compare("LSTM(4, stateful=True)", "LSTM(4)"))["output"].exact


@pytest.mark.slow
def test_in_a_second_call_and_in_training_two_layers_need_not_be_equal() -> None:
    again = compare("LSTM(4, stateful=True)", "LSTM(4)", calls=2)
    assert again.ok
    assert (pairs(again)["output"].must, pairs(again)["output"].exact) == (None, False)
    drawn = compare("LSTM(4, dropout=0.5)", "RNN(LSTMCell(4, dropout=0.5))", training=True)
    assert drawn.ok
    assert pairs(drawn)["output"].must is None
    assert pairs(compare("LSTM(4)", "RNN(LSTMCell(4))", training=True))["output"].exact


# ── mistakes ──

MISTAKES = {
    "alone": (["LSTM(4)"], "error: EXPR: compare needs two layers, or one layer and --axis (execution, unroll"),
    "nothing": ([], "error: EXPR: must be two layers or more, or one and an --axis"),
    "two and an axis": (["LSTM(4)", "GRU(4)", "--axis", "unroll"], "--axis unroll: varies one layer, but 2 are given"),
    "unknown axis": (["LSTM(4)", "--axis", "unrol"], "--axis unrol: must be one of"),
    "argument": (["LSTM(4)", "--axis", "units=1,2"], 'to vary units, write each layer: "LSTM(units=1)" "LSTM(units=2)"'),
    "own": (["LSTM(4)", "Own(4)", "--import", "own"], "error: compare needs theory, which has no rule for Own"),
    "idle axis": (["SimpleRNN(4)", "--axis", "implementation"], "--axis implementation: does not apply to SimpleRNN"),
    "no mask for it": (["lstm-cell", "--axis", "mask"], "--axis mask: does not apply to LSTMCell"),
    "ranks": (["LSTM(4)", "LSTMCell(4)"], "all must take the same input: LSTM(4) takes (N, T, C) = (2, 3, 4) and LSTMCell"),
    "words": (["Embedding(9, 4)", "Embedding(8, 4)"], "of the numbers 0 to 8 and Embedding(8, 4)"),
    "mask": (["LSTM(4)", "GRU(4)", "--mask", "x"], "--mask x: must be a row of 0 and 1 for each sample, 110;111"),
    "rows": (["LSTM(4)", "GRU(4)", "--mask", "111"], "--mask 111: has 1 row, but N is 2"),
    "steps": (["LSTM(4)", "GRU(4)", "--mask", "111;11"], "--mask 111;11: the row 11 has 2 steps, but T is 3"),
    "lengths": (["LSTM(4)", "GRU(4)", "--mask", "right:4,1"], "--mask right:4,1: a length of 4 is more than T, which is 3"),
    "taker": (["Dense(4)", "Dense(4)", "--mask", "11;11"], "--mask 11;11: does not apply to Dense, which takes no mask"),
    "states": (["LSTM(4)", "Dense(4)", "--initial-state", "ones", "--input", "2,3,4"], "--initial-state ones: does not apply to Dense"),
    "format": (["LSTM(4)", "GRU(4)", "-f", "csv"], "--format csv: must be one of 'table', 'json', 'jsonl'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_line(mistake: str, run: Callable[..., Ran]) -> None:
    arguments, message = MISTAKES[mistake]
    ran = run("compare", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_all_mistakes_are_shown_at_once(run: Callable[..., Ran]) -> None:
    ran = run("compare", "LSTM(4, unit=3)", "GRU(0)", "--mask", "x", "--time", "0", "-f", "xml", "--axis", "no")
    assert ran.code == 2
    for what in ("--axis no", "--mask x", "LSTM(4, unit=3): ", "GRU(0): ", "--time 0", "--format xml"):
        assert ran.err.count(what) == 1, what


def test_a_place_in_the_only_expression_is_underlined(run: Callable[..., Ran]) -> None:
    assert "^~~~~~" in run("compare", "LSTM(4, unit=3)", "--axis", "unroll").err


def test_what_cannot_fit_is_refused(run: Callable[..., Ran]) -> None:
    ran = run("compare", "LSTM(1000000)", "GRU(4)", "-f", "json")
    assert ran.code == 3
    assert "not enough memory" in ran.err
    SCHEMA.validate(json.loads(ran.out))


# ── what is printed ──


@pytest.mark.slow
def test_json_is_valid_and_plain(run: Callable[..., Ran]) -> None:
    ran = run("compare", "LSTM(64)", "RNN(LSTMCell(64))", "--timing", "-f", "jsonl")
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    data = json.loads(ran.out)
    SCHEMA.validate(data)
    assert list(data) == ["schema_version", "axis", "input", "compare", "pairs", "environment", "ok"]
    assert [one["weights"] for one in data["compare"]] == ["same", "same"]
    assert all(one["timing"]["runs"] >= 1 and one["timing"]["seconds"] > 0 for one in data["compare"])
    assert data["compare"][0]["timing"]["ratio"] == 1
    assert data["compare"][1]["timing"]["ratio"] > 0
    assert data["pairs"][1] == {
        "role": "output", "variant": 1, "against": 0, "shape": [2, 64], "dtype": "float32",
        "equal": True, "exact": True, "max_abs_diff": 0.0, "must": "bitwise",
        "why": "RNN(cell) and the layer of that name compute the same numbers", "quirk": None,
    }  # fmt: skip


@pytest.mark.slow
def test_a_pass_backward_is_timed_where_there_is_one() -> None:
    compared = compare("LSTM(2) | Dense(1)", axis="execution", timing=True, training=True)
    there = {side.way for side in compared.sides if side.timing is not None}
    assert there == {"eager", "graph", "xla"}
    assert all(
        side.timing.training and side.timing.lower <= side.timing.upper for side in compared.sides if side.timing
    )


@pytest.mark.slow
def test_a_single_layer_is_timed(run: Callable[..., Ran]) -> None:
    for arguments in (["lstm"], ["show", "LSTM(2) | Dense(1)", "--training"]):
        data = json.loads(run(*arguments, "--timing", "-f", "json").out)
        assert data["timing"]["seconds"] > 0
        assert data["timing"]["training"] == ("--training" in arguments)
    assert "timing" not in json.loads(run("lstm", "-f", "json").out)
    assert "Time   " in run("gru", "--timing").out


@pytest.mark.slow
def test_the_table_fits_a_terminal_and_ascii() -> None:
    from rich.console import Console

    from rnnshape.render.comparison import draw
    from rnnshape.render.marks import ASCII, UNICODE
    from rnnshape.render.terminal import THEME

    compared = compare(f"RNN([LSTMCell(4), GRUCell(6)], {SEQUENCES})", axis="execution", timing=True)
    for marks in (UNICODE, ASCII):
        stream = io.StringIO()
        Console(file=stream, width=80, theme=THEME).print(draw(compared, marks))
        lines = stream.getvalue().splitlines()
        assert max(map(len, lines)) <= 80
        assert "…" not in stream.getvalue()
        assert stream.getvalue().isascii() == (marks is ASCII)
        assert any(marks.bar[-1] * 10 in line for line in lines)
        said = " ".join(stream.getvalue().split())
        assert f"{marks.no} 3 of 25 required equalities fail." in said


def test_the_view(run: Callable[..., Ran]) -> None:
    ran = run("compare", "Bidirectional(LSTM(4, return_sequences=True))", "--axis", "unroll", "--mask", "right:3,2")
    assert ran.code == 1
    assert "seed 0, mask 111;110\n" in ran.out
    assert "│ B │ unroll=True  │ eager │ unrolled │ not eligible │ copied from A │" in ran.out
    assert f"a Keras bug: {UNROLLED} ({HELP})" in ran.out
    assert ran.out.endswith("✗ 1 of 2 required equalities fails.\n")


# ── the schema ──


def test_a_comparison_without_a_key_or_with_another_type_is_not_valid() -> None:
    whole = rnnshape.compare("LSTM(2, return_state=True)", "GRU(2)").to_dict()
    for holder in (whole, whole["compare"][0], whole["compare"][0]["laws"][0], whole["pairs"][0]):
        for key in list(holder):
            there = holder.pop(key)
            assert not SCHEMA.is_valid(whole), f"no {key}"
            holder[key] = {"no": "such"}
            assert not SCHEMA.is_valid(whole), key
            holder[key] = there
    SCHEMA.validate(whole)


def test_every_axis_is_offered(run: Callable[..., Ran]) -> None:
    assert ", ".join(AXES) in " ".join(run("compare", "--help").out.split())


def test_errors_are_those_of_python_too() -> None:
    with pytest.raises(Invalid, match="compare needs two layers"):
        rnnshape.compare("LSTM(4)")


WIRED = "x = Input((5, 4))\nz = Input((5, 4))\ny = {}()([LSTM(3)(x), GRU(3)(z)])"


def test_wired_calls_are_compared() -> None:
    compared = rnnshape.compare(WIRED.format("Add"), WIRED.format("Multiply"))
    assert compared.ok
    assert {pair.must for pair in compared.pairs} <= {None, "shape"}
    along = rnnshape.compare(WIRED.format("Add"), axis="execution")
    assert [side.way for side in along.sides] == ["eager", "graph", "xla", "predict", "symbolic"]
    assert along.ok
