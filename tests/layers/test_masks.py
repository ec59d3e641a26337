"""Masks: each step of each sample, the laws that hold under them, and how they go in; on the real layer."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.errors import RnnshapeError
from rnnshape.layers.release import asked
from rnnshape.layers.scan import COMPUTED, FROZEN, REPEATED, ZEROS
from rnnshape.reading import make
from rnnshape.reading.batch.data import from_data
from rnnshape.spec.data import to_data
from rnnshape.spec.masks import Rows, rows, written
from tests.shared.drawing import wrong
from tests.shared.masking import MaskDrawer
from tests.shared.releases import since
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.report import Report
    from rnnshape.report.checks import Check
    from tests.conftest import Ran

LETTERS = {COMPUTED: "c", REPEATED: "r", ZEROS: "0", FROZEN: "f"}
BOTH = (False, True)
CHUNKS, EACH = 16, 12


def strips(report: Report) -> dict[str, str]:
    """What the values of each part show, a word a sample: ``{"output": "ccr c00"}``."""
    assert report.masked is not None
    assert report.masked.observed is not None
    return {
        strip.of: " ".join("".join(LETTERS[kind] for kind in row) for row in strip.steps)
        for strip in report.masked.observed
    }


def checks(report: Report) -> dict[str, Check]:
    return {check.check: check for check in report.checks}


# Whether a mask that is passed to the call is attached to its output.
ATTACHES = asked() >= (3, 11)
ATTACHED = since("3.11", "a mask that is passed to the call is attached to the output")


def seen(layer: str, **options: Any) -> Report:
    report = rnnshape.explore(layer, **options)
    assert report.ok, (report.error, report.checks, report.masked)
    return report


# ── the property ──


@pytest.mark.draws
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_theory_is_confirmed_under_random_masks(chunk: int) -> None:
    """Layers, wrappers, stacks; masks, states, calls, training, dtypes: strips, laws and structure all agree."""
    drawer = MaskDrawer(7_000 + chunk)
    specs = (drawer.spec() for _ in range(EACH))
    assert not [(to_data(spec), message) for spec in specs if (message := wrong(spec))]


@pytest.mark.parametrize("layer", some(("LSTM", "GRU", "SimpleRNN", "RNN"), 4))
def test_every_way_of_scanning_agrees_exactly(layer: str) -> None:
    """Strips and laws over all flags, on a mask with gaps, padding on both sides and a sample without a step."""
    made = "RNN(GRUCell(3)" if layer == "RNN" else f"{layer}(3"
    mask = "11111;01101;11000;00011;00000"
    for zero, sequences, backwards, unroll in product(BOTH, repeat=4):
        flags = f"zero_output_for_mask={zero}, return_sequences={sequences}, go_backwards={backwards}, unroll={unroll}"
        for state in (None, "random"):
            report = seen(
                f"{made}, return_state=True, {flags})",
                batch=5,
                time=5,
                mask=mask,
                **({"initial_state": state} if state else {}),
            )
            assert report.masked is not None
            assert report.masked.observed == report.masked.predicted, (flags, report.masked)
            attached = sequences and ATTACHES
            assert report.masked.output_mask_seen == (rows(mask, batch=5, steps=5) if attached else None)


@pytest.mark.slow
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
def test_every_bidirectional_agrees_exactly(merge_mode: str | None) -> None:
    mask = "11111;01101;11000;00011;00000"
    for zero, sequences, unroll in product(BOTH, repeat=3):
        flags = f"zero_output_for_mask={zero}, return_sequences={sequences}, unroll={unroll}, return_state=True"
        report = seen(f"Bidirectional(LSTM(3, {flags}), merge_mode={merge_mode!r})", batch=5, time=5, mask=mask)
        assert report.masked is not None
        assert report.masked.observed == report.masked.predicted, flags


# ── the strip ──

STRIPS: dict[str, tuple[str, dict[str, str]]] = {
    "LSTM(3, return_sequences=True)": ("right:3,1", {"output": "ccc crr"}),
    "GRU(3, return_sequences=True, zero_output_for_mask=True)": ("right:3,1", {"output": "ccc c00"}),
    "SimpleRNN(3, return_sequences=True)": ("left:3,1", {"output": "ccc 00c"}),
    "LSTM(3, return_sequences=True, go_backwards=True)": ("right:3,1", {"output": "ccc 00c"}),
    "RNN(LSTMCell(3), return_sequences=True)": ("101;011", {"output": "crc 0cc"}),
    "LSTM(3)": ("101;011", {"state": "cfc fcc"}),
    "GRU(3, go_backwards=True)": ("101;011", {"state": "cfc fcc"}),
    "Bidirectional(LSTM(3, return_sequences=True))": (
        "right:3,1",
        {"output[:, :, :H]": "ccc c00", "output[:, :, H:]": "ccc c00"},
    ),
    "Bidirectional(GRU(3, return_sequences=True), merge_mode=None)": (
        "left:3,1",
        {"forward_output": "ccc 00c", "backward_output": "ccc 00c"},
    ),
    "Bidirectional(GRU(3, return_sequences=True), merge_mode='sum')": ("101;011", {"output": "c0c 0cc"}),
    "Bidirectional(LSTM(3))": ("right:3,1", {"forward state": "ccc cff", "backward state": "ccc cff"}),
    # A bug of Keras: the wrong steps of the backward half are zero.
    "Bidirectional(LSTM(3, return_sequences=True, unroll=True))": (
        "right:3,1",
        {"output[:, :, :H]": "ccc c00", "output[:, :, H:]": "ccc 000"},
    ),
    "Masking() | LSTM(3, return_sequences=True)": ("right:3,1", {"output": "ccc crr"}),
    "Embedding(9, 4, mask_zero=True) | LSTM(3, return_sequences=True)": ("right:3,1", {"output": "ccc crr"}),
    "Masking(-1.0) | GRU(3, return_sequences=True) | GRU(3, return_sequences=True, zero_output_for_mask=True)": (
        "right:3,1",
        {"output": "ccc c00"},
    ),
}


@pytest.mark.parametrize("layer", STRIPS)
def test_what_each_step_shows(layer: str) -> None:
    mask, told = STRIPS[layer]
    assert strips(seen(layer, mask=mask)) == told


def test_the_strip_is_told_from_the_values_alone() -> None:
    """Theory's own strips, laid over values that are not those of the layer, do not agree."""
    from dataclasses import replace

    from rnnshape import lab, theory
    from rnnshape.report import assemble

    spec = make("LSTM(3, return_sequences=True)", {"mask": "right:3,1"})
    outcome = lab.observe(spec)
    assert assemble(spec, theory.predict(spec), outcome).agrees
    (values,) = outcome.values
    assert outcome.witness is not None
    (witness,) = outcome.witness

    def parts(**seen: Any) -> list[str]:
        return [one.of for one in assemble(spec, theory.predict(spec), replace(outcome, **seen)).disagreements]

    def altered(array: Any, at: tuple[int, int], value: Any) -> tuple[Any]:
        other = array.copy()
        other[at] = value
        return (other,)

    # What repeats a step is neither zero nor new.
    for value in (0.0, 0.9):
        assert parts(values=altered(values, (1, 2), value)) == ["output, sample 1"]
    # What is computed may be zero or like the step before; the witness's steps are not.
    for value, other in ((0.0, 0.0), (values[0, 1], witness[0, 1])):
        assert not parts(values=altered(values, (0, 2), value))
        assert parts(values=altered(values, (0, 2), value), witness=altered(witness, (0, 2), other)) == [
            "output, sample 0"
        ]


@ATTACHED
def test_the_output_mask_is_compared_with_that_of_keras() -> None:
    from dataclasses import replace

    from rnnshape import lab, theory
    from rnnshape.report import assemble

    spec = make("LSTM(3, return_sequences=True)", {"mask": "right:3,1"})
    outcome = lab.observe(spec)

    def told(output_mask: Any) -> list[str]:
        report = assemble(spec, theory.predict(spec), replace(outcome, output_mask=output_mask))
        assert not report.agrees
        return [one.of for one in report.disagreements]

    assert told(((True,) * 3,) * 2) == ["output mask, sample 1"]
    assert told(None) == ["output mask"]


# ── laws ──


def test_the_last_valid_step_is_the_state_and_the_last_step_may_not_be() -> None:
    repeated = checks(seen("GRU(3, return_sequences=True, return_state=True)", mask="right:3,1"))
    assert repeated["output[:, -1, :] == state"].guaranteed
    assert repeated["output[i, length - 1, :] == state"].guaranteed
    assert not repeated["output[~mask] == 0"].guaranteed
    zeroed = checks(
        seen("GRU(3, return_sequences=True, return_state=True, zero_output_for_mask=True)", mask="right:3,1")
    )
    assert (zeroed["output[:, -1, :] == state"].guaranteed, zeroed["output[:, -1, :] == state"].holds) == (False, False)
    assert zeroed["output[i, length - 1, :] == state"].guaranteed
    assert zeroed["output[~mask] == 0"].guaranteed
    gaps = checks(seen("GRU(3, return_sequences=True, return_state=True)", mask="101;110"))
    assert gaps["output[i, last, :] == state"].guaranteed
    turned = checks(seen("GRU(3, return_sequences=True, return_state=True, go_backwards=True)", mask="101;011"))
    assert turned["output[i, T - 1 - first, :] == state"].guaranteed
    assert not turned["output[~mask[:, ::-1]] == 0"].guaranteed


def test_a_wholly_masked_sample_keeps_its_initial_state() -> None:
    zeros = checks(seen("LSTM(3, return_state=True)", mask="full"))
    assert zeros["state_h[empty] == 0"].exact
    assert zeros["state_c[empty] == 0"].exact
    assert zeros["output == state_h"].guaranteed
    begun = checks(seen("LSTM(3, return_state=True)", mask="full", initial_state="random"))
    assert begun["state_h[empty] == state_h_0[empty]"].exact
    assert begun["state_c[empty] == state_c_0[empty]"].exact
    assert (begun["output == state_h"].guaranteed, begun["output == state_h"].holds) == (False, False)
    both = checks(seen("Bidirectional(GRU(3, return_state=True))", mask="full", initial_state="ones"))
    assert both["backward_state[empty] == backward_state_0[empty]"].exact


@pytest.mark.parametrize(
    ("layer", "check"),
    [
        ("LSTM(3, return_state=True)", "output == state_c"),
        ("LSTM(3, return_sequences=True, return_state=True, unroll=True)", "output[:, -1, :] == state_c"),
        ("Bidirectional(GRU(3, return_state=True), merge_mode='ave')", "output == forward_state"),
        ("GRU(3, stateful=True, return_state=True)", "call2 == layer(x)"),
    ],
)
def test_without_any_valid_step_all_stays_zero_by_rule(layer: str, check: str) -> None:
    """The same is no rule with one valid step, or with states that begin otherwise."""
    options: dict[str, Any] = {"calls": 2} if "stateful" in layer else {}

    def told(mask: str, **others: Any) -> tuple[bool, bool | None]:
        report = rnnshape.explore(layer, mask=mask, **options, **others)
        assert report.ok
        return next((one.guaranteed, one.holds) for one in report.checks if one.check == check)

    assert told("000;000") == (True, True)
    assert told("000;100") == (False, False)
    if not options:
        assert told("000;000", initial_state="random") == (False, False)


def test_cudnn_is_told_apart_from_the_loop() -> None:
    from rnnshape import theory

    spec = make("LSTM(3, return_sequences=True, return_state=True)", {"mask": "right:3,1"})
    loop, fused = theory.predict(spec), theory.predict(spec, gpu=True)
    last = "output[:, -1, :] == state_h"
    here, there = ({law.check: law for law in told.laws}[last] for told in (loop, fused))
    assert (here.guaranteed, here.elsewhere) == (True, "not on cuDNN, which outputs zeros at masked steps")
    assert (there.guaranteed, there.why) == (False, "cuDNN outputs zeros at masked steps; the state is kept")
    assert there.elsewhere == "it holds on a CPU, where masked steps repeat the last output"
    assert [strip.steps[1] for strip in (*loop.strips, *fused.strips)] == [
        (COMPUTED, REPEATED, REPEATED),
        (COMPUTED, ZEROS, ZEROS),
    ]
    # What cuDNN cannot take runs as a loop there too; without sequences Keras hands out the state.
    for layer, mask in (
        ("LSTM(3, return_sequences=True, return_state=True)", "left:3,1"),
        ("LSTM(3, return_state=True)", "right:3,1"),
    ):
        spec = make(layer, {"mask": mask})
        assert theory.predict(spec).laws == theory.predict(spec, gpu=True).laws


@pytest.mark.gpu
@pytest.mark.parametrize("layer", ["LSTM", "GRU"])
def test_cudnn_gives_zeros_where_the_loop_repeats(layer: str) -> None:
    from rnnshape.lab.tensorflow import gpus

    if not gpus():
        pytest.skip("TensorFlow sees no GPU on this machine")
    for backwards, sequences in product(BOTH, repeat=2):
        flags = f"return_state=True, return_sequences={sequences}, go_backwards={backwards}"
        report = seen(f"{layer}(3, {flags})", mask="right:3,1")
        assert report.cudnn.used
        assert report.masked is not None
        assert report.masked.observed == report.masked.predicted


def test_a_mask_on_the_tensor_is_dropped_beside_an_initial_state() -> None:
    for layer in ("LSTM(3, return_sequences=True)", "Bidirectional(LSTM(3, return_sequences=True))"):
        report = seen(f"Masking() | {layer}", mask="right:3,1", initial_state="random")
        assert set("".join(strips(report).values())) == {"c", " "}
        assert report.masked is not None
        assert report.masked.output_mask_seen == report.spec.mask  # and yet it goes on with the output
        assert report.quirks == ("A mask attached to the tensor is ignored when `initial_state` is passed",)
        handed = seen(layer, mask="right:3,1", initial_state="random")
        assert "c" in (told := "".join(strips(handed).values()))
        assert {"r", "0"} & set(told)


def test_only_what_computes_a_state_gives_it_its_dtype() -> None:
    inner = "StackedRNNCells([GRUCell(3), LSTMCell(2)], dtype='mixed_bfloat16')"
    assert seen(f"RNN([{inner}, GRUCell(3)], return_state=True)", mask="right:3,1")
    refused = rnnshape.explore("RNN([GRUCell(3, dtype='float16'), LSTMCell(2)])", mask="right:3,1")
    assert refused.error is not None
    assert "one dtype" in (refused.error.hint or "")


# ── how it is written ──


@pytest.mark.parametrize(
    ("text", "meant"),
    {
        "right:3,0": "111;000",
        "left:1,2": "001;011",
        "full": "111;000",
        "101;010": "101;010",
        ((1, 0, 1), (True, False, True)): "101;101",
    }.items(),
)
def test_a_mask_is_written_in_several_ways(text: str | Rows, meant: str) -> None:
    assert written(rows(text, batch=2, steps=3)) == meant


def test_a_random_mask_leaves_each_sample_a_step_and_is_repeatable() -> None:
    drawn = {seed: rows("random", batch=20, steps=4, seed=seed) for seed in range(20)}
    assert all(any(row) for mask in drawn.values() for row in mask)
    assert len(set(drawn.values())) == 20
    assert drawn[3] == rows("random", batch=20, steps=4, seed=3)
    assert make("lstm", {"mask": "random", "seed": 3, "batch": 20, "time": 4}).mask == drawn[3]


def test_masking_stands_in_front_as_a_real_layer() -> None:
    report = seen("lstm", masking=-2.0, mask="right:3,1", return_sequences=True, units=3)
    assert report.expression == "Masking(mask_value=-2.0) | LSTM(3, return_sequences=True)"
    assert strips(report) == {"output": "ccc crr"}
    assert report.masked is not None
    assert report.masked.through == "Masking(mask_value=-2.0)"
    assert seen("gru", masking=0.0).masked is not None  # with a mask of its own to see


def test_a_step_that_would_be_padding_by_accident_is_none() -> None:
    import numpy as np

    first = float(np.random.default_rng(0).random((1, 2, 1), np.float32)[0, 0, 0])
    layer = f"Masking({first!r}) | LSTM(3, return_sequences=True)"
    assert strips(seen(layer, mask="11", batch=1, time=2, channels=1)) == {"output": "cc"}
    assert seen(layer, batch=1, time=2, channels=1).values[0].all()


def test_a_run_reads_back(run: Callable[..., Ran]) -> None:
    spec = make("gru", {"mask": "left:3,1", "initial_state": "ones", "calls": 2, "training": True, "dropout": 0.5})
    data = to_data(spec)
    assert {key: data[key] for key in ("mask", "initial_state", "calls", "training")} == {
        "mask": "111;001",
        "initial_state": "ones",
        "calls": 2,
        "training": True,
    }
    assert from_data(json.loads(json.dumps(data))) == spec
    assert make("GRU(1)(x, mask=tf.constant([[1,1,1],[0,0,1]]), initial_state=[tf.ones((2, 1))])").mask == spec.mask
    listed = from_data({"layer": "gru", "mask": [[1, 1, 1], [0, 0, 1]]})
    assert listed.mask == spec.mask
    ran = run("gru", "--mask", "left:3,1", "--initial-state", "ones", "-f", "json")
    told = json.loads(ran.out)
    assert told["mask"]["through"] == "mask="
    assert told["mask"]["observed"] == [{"of": "state", "steps": [["computed"] * 3, ["frozen", "frozen", "computed"]]}]
    assert told["initial_state"] == "[state_0]"


def test_yaml_and_a_contract(run: Callable[..., Ran], tmp_path: Any) -> None:
    page = tmp_path / "masked.yaml"
    page.write_text(
        """
runs:
  - layer: Bidirectional(LSTM(2, return_sequences=True, return_state=True))
    matrix:
      mask: ["right:3,2", random, full, [[1, 0, 1], [0, 1, 1]]]
    expect:
      checks: ["output[~mask] == 0", "output[i, last, :H] == forward_state_h", "output[:, -1, :H] != forward_state_h"]
  - {layer: lstm, mask: full, return_state: true, initial_state: random, expect: {checks: "state_h[empty] == state_h_0[empty]"}}
  - {layer: lstm, stateful: true, calls: 2, expect: {checks: ["call2 != layer(x)", "after_reset == layer(x)"]}}
""",
        encoding="utf-8",
    )
    ran = run("batch", str(page), "-f", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    # Where a sample is fully masked, output and state are zero; where all end in a valid step, the last is the state.
    assert [line["ok"] for line in lines] == [True, True, False, False, True, True]
    quoted = tmp_path / "number.yaml"
    quoted.write_text("runs: [{layer: lstm, batch: 1, mask: 110}]", encoding="utf-8")
    assert "YAML reads 110 as a number: put the mask in quotes" in run("batch", str(quoted)).err


MISTAKES: dict[str, tuple[list[str], str]] = {
    "one row": (["lstm", "--mask", "110"], "--mask 110: has 1 row, but N is 2; Keras would broadcast one row to all samples"),
    "a cell": (["show", "LSTMCell(2)", "--mask", "11;11"], "--mask 11;11: does not apply to LSTMCell, which takes no mask"),
    "no padding": (["show", "Embedding(9, 4) | LSTM(2)", "--mask", "full"], "give it mask_zero=True, and 0 is padding"),
    "nothing but 0": (["show", "Embedding(1, 4, mask_zero=True)", "--mask", "full"], "every step is padding"),
    "words": (["lstm", "--mask", "middle:2"], "--mask middle:2: must be a row of 0 and 1 for each sample"),
    "masking a cell": (["show", "LSTMCell(2)", "--masking", "0"], "--masking 0.0: does not apply here"),
    "masking tokens": (["show", "Embedding(9, 4)", "--masking", "0"], "--masking 0.0: does not apply here"),
    "calls": (["show", "Dense(2)", "--calls", "2"], "--calls 2: does not apply to Dense: only a recurrent layer"),
    "many calls": (["lstm", "--calls", "10"], "--calls 10: must be a whole number, 1 to 9"),
    "two that begin": (["show", "LSTM(2, return_sequences=True) | LSTM(2)", "--initial-state", "ones"], "2 layers of this stack have an initial state"),
    "twice": (["show", "LSTM(2)(x, training=True)", "--training"], "--training: is already set in the call of the expression"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_line(mistake: str, run: Callable[..., Ran]) -> None:
    arguments, message = MISTAKES[mistake]
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_table_shows_the_strip(run: Callable[..., Ran]) -> None:
    ran = run("show", "Bidirectional(LSTM(2, return_sequences=True))", "--mask", "right:3,1")
    lines = [line for line in ran.out.splitlines() if "│" in line]
    assert any("output[:, :, :H] │ ● ○ ○" in line for line in lines)
    assert "● computed   ○ zero" in ran.out
    many = run("lstm", "--batch", "11", "--mask", "random", "--predict")
    assert "and 3 more samples: --format json has all of them" in many.out


def test_compare_takes_masks_and_states() -> None:
    same = rnnshape.compare("GRU(3)", "RNN(GRUCell(3))", mask="random", initial_state="random", calls=2)
    assert same.ok
    assert [pair.exact for pair in same.pairs if pair.role == "output"] == [True]
    unrolled = rnnshape.compare("LSTM(3)", axis="execution", mask="right:3,1", initial_state="ones")
    assert unrolled.ok


# ── masks that hang on a tensor ──


@pytest.mark.parametrize("execution", some(("eager", "graph", "xla", "auto"), 4))
@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(3)",
        "LSTM(3, return_sequences=True)",
        "Bidirectional(GRU(3))",
        "Dense(3) | RNN(GRUCell(3))",
        "Masking() | SimpleRNN(3)",
    ],
)
def test_a_mask_hangs_on_a_tensor_in_every_execution(layer: str, execution: str) -> None:
    """A graph hands out no mask by itself; from 100 steps on a graph is what runs by default."""
    time = 100 if execution == "auto" else 4
    report = seen(f"Masking() | {layer}", time=time, mask=f"right:{time},{time - 2}", execution=execution)
    assert report.environment["execution"] == ("graph" if execution == "auto" else execution)
    assert report.masked is not None
    assert report.masked.observed == report.masked.predicted
    last = report.masked.predicted[0].steps[1][-1] if report.masked.predicted else None
    assert last in (FROZEN, REPEATED)


ALIKE = {
    "SimpleRNN(1, activation='relu', return_sequences=True)": "ccc ccr",
    "SimpleRNN(2, kernel_initializer='zeros', return_sequences=True)": "ccc ccr",
    "LSTM(2, kernel_initializer='zeros', recurrent_initializer='zeros')": "ccc ccf",
    "GRU(2, activation='relu', bias_initializer='ones')": "ccc ccf",
    "RNN([GRUCell(2, activation='relu'), SimpleRNNCell(1, kernel_initializer='zeros')], return_sequences=True)": "ccc ccr",
    "ConvLSTM1D(1, 1, kernel_initializer='zeros', return_sequences=True)": "ccc ccr",
    "LSTM(1, dtype='float16', return_sequences=True)": "ccc ccr",
}


@pytest.mark.parametrize("layer", ALIKE)
def test_steps_that_look_alike_accuse_nobody(layer: str) -> None:
    """Zeros that are computed, and steps that are equal, are told from masked ones by a witness."""
    (told,) = strips(seen(layer, mask="right:3,2")).values()
    assert told == ALIKE[layer]


LATER: dict[str, tuple[dict[str, Any], Any]] = {
    # What a Masking finds that is not the first layer: (options, the mask on the output).
    "Masking(5.0) | Masking()": ({"mask": "right:3,2"}, "111;110"),
    "Masking() | Masking(0.5)": ({"mask": "right:3,2"}, "111;111"),
    "Masking() | Dense(3) | Masking()": ({"mask": "right:3,2"}, "111;110"),
    "Masking() | Dense(3, activation='sigmoid') | Masking()": ({"mask": "right:3,2"}, None),
    "Masking() | Dropout(0.5) | Masking()": ({"mask": "right:3,2"}, "111;110"),
    "Masking() | TimeDistributed(Dense(2)) | Masking()": ({"mask": "left:3,2"}, "111;011"),
    "GRU(3, return_sequences=True, zero_output_for_mask=True) | Masking()": ({"mask": "right:3,2"}, "111;110"),
    "GRU(3, return_sequences=True) | Masking()": ({"mask": "left:3,2"}, "111;011"),
    "GRU(3, return_sequences=True, activation='relu') | Masking()": ({"mask": "left:3,2"}, None),
    "Embedding(9, 4, mask_zero=True) | Masking()": ({"mask": "left:3,2"}, "111;111"),
    "ConvLSTM1D(1, 3) | Masking()": ({"mask": "000;111", "input": (2, 3, 8, 4)}, "000000;111111"),
    "ConvLSTM2D(1, 3) | Masking()": ({"mask": "000;000", "input": (2, 3, 6, 6, 2)}, "0000;0000"),
    "Bidirectional(LSTM(2, return_sequences=True), merge_mode='mul') | Masking()": ({"mask": "full"}, "111;000"),
}


@pytest.mark.parametrize("layer", LATER)
def test_a_masking_further_on_masks_what_is_zero(layer: str) -> None:
    options, out = LATER[layer]
    report = seen(layer, **options)
    assert report.masked is not None
    assert (report.masked.output_mask and written(report.masked.output_mask)) == out
    assert report.masked.sure == (out is not None)
    behind = seen(f"{layer} | LSTM(2, return_sequences=True)", **options) if "2D" not in layer else report
    assert not [check for check in behind.checks if check.guaranteed and not check.holds]


@pytest.mark.parametrize(
    "front", ["TimeDistributed(Dense(2))", "Masking()", "TimeDistributed(Dropout(0.1)) | Dense(3)"]
)
@pytest.mark.parametrize("layer", ["LSTM(2, return_state=True)", "Bidirectional(GRU(2, return_state=True))"])
def test_a_mask_beside_states_reaches_no_layer_further_on(front: str, layer: str) -> None:
    """What is attached to the tensor is dropped beside an initial_state, whatever layer handed it on."""
    report = seen(f"{front} | {layer}", mask="full", initial_state="random")
    assert not [check for check in report.checks if "empty" in check.check]
    assert set("".join(strips(report).values())) == ({"c", " "} if ATTACHES or front == "Masking()" else set())


REFUSED = {
    "Masking() | TimeDistributed(LSTM(5)) | LSTM(6)": (2, 3, 4, 4),
    "Masking() | ConvLSTM2D(2, 3)": (2, 3, 6, 6, 2),
    "Masking() | ConvLSTM2D(2, 3, padding='same', strides=2)": (2, 3, 6, 6, 2),
    "Masking() | ConvLSTM2D(2, 3, padding='same', data_format='channels_first')": (2, 3, 4, 6, 6),
    "Masking() | ConvLSTM2D(2, 3, padding='same', unroll=True)": (2, 3, 6, 6, 2),
    "Masking() | Bidirectional(ConvLSTM1D(2, 3))": (2, 3, 6, 2),
    "TimeDistributed(Embedding(9, 4, mask_zero=True)) | TimeDistributed(LSTM(2)) | LSTM(3)": (2, 3, 5),
    "Embedding(9, 4, mask_zero=True) | TimeDistributed(GRU(2)) | LSTM(3)": (2, 3, 5),
}
TAKEN = {
    "Masking() | TimeDistributed(LSTM(5)) | LSTM(4)": (2, 3, 4, 4),
    "Masking() | TimeDistributed(LSTM(5)) | LSTM(6)": (2, 3, 1, 4),
    "Masking() | ConvLSTM2D(2, 3, padding='same')": (2, 3, 6, 6, 2),
    "Masking() | ConvLSTM2D(2, 1)": (2, 3, 6, 6, 2),
    "Masking() | ConvLSTM2D(4, 3, padding='same', data_format='channels_first')": (2, 3, 4, 6, 6),
    "Masking() | Bidirectional(ConvLSTM1D(2, 3, padding='same'))": (2, 3, 6, 2),
    "Embedding(9, 4, mask_zero=True) | TimeDistributed(GRU(2))": (2, 3, 5),
}


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["eager", "graph"])
@pytest.mark.parametrize("mask", ["right:3,2", None])
def test_a_mask_with_more_axes_must_fit(mask: str | None, execution: str) -> None:
    given = {"execution": execution, **({"mask": mask} if mask else {})}
    for layer, shape in REFUSED.items():
        if layer.startswith("TimeDistributed(Embedding"):
            continue  # its mask goes no further than the wrapper
        told, report = (ask(layer, input=shape, **given) for ask in (rnnshape.predict, rnnshape.explore))
        assert told.error is not None, layer
        assert report.error is not None, layer
        assert told.error.kind == report.error.kind == "keras"
        assert told.error.hint == report.error.hint
    for layer, shape in TAKEN.items():
        seen(layer, input=shape, **given)


NOWHERE = {
    ("Masking() | Dense(2)", "mask", "needs a time axis, but the input is (N, C)"): {
        "input": (2, 3),
        "mask": "right:3,2",
    },
    ("Masking(0.1) | LSTM(2)", "mask", "float16 cannot hold mask_value=0.1"): {"dtype": "float16", "mask": "110;111"},
    ("Masking(0.1, dtype='bfloat16') | LSTM(2)", "mask", "bfloat16 cannot hold"): {"mask": "110;111"},
    ("LSTM(2)", "masking", "float16 cannot hold mask_value=0.1"): {"masking": 0.1, "dtype": "float16"},
}


@pytest.mark.parametrize("case", NOWHERE)
def test_a_mask_that_nothing_can_hold_is_an_error(case: tuple[str, str, str]) -> None:
    layer, key, message = case
    with pytest.raises(rnnshape.Invalid) as error:
        make(layer, NOWHERE[case])
    (problem,) = error.value.problems
    assert problem.key == key
    assert message in problem.message
    seen("Masking(-1.0) | LSTM(2)", dtype="float16", mask="110;111")  # as the message advises


# ── what it costs ──


def test_a_mask_that_does_not_fit_into_memory_is_told_with_its_size() -> None:
    for options in ({"mask": "full"}, {"mask": "random"}, {"masking": 0.0}, {"mask": "right:5,7"}):
        with pytest.raises(RnnshapeError) as error:
            make("lstm", {"time": 10**9 * 100, **options})
        assert (error.value.kind, error.value.exit_code) == ("memory", 3)
        assert "TiB" in error.value.message


def test_samples_with_one_mask_are_one_object() -> None:
    """Theory looks at each row once: a hundred thousand samples cost no more than two."""
    mask = make("lstm", {"batch": 100_000, "mask": "full"}).mask
    assert mask is not None
    assert len({id(row) for row in mask}) == 2
    told = rnnshape.predict("bidirectional", return_sequences=True, batch=100_000, mask="full", time=50)
    assert told.masked is not None
    for strip in told.masked.predicted:
        assert len({id(row) for row in strip.steps}) == 2
    assert rnnshape.predict("Masking() | LSTM(3)", time=10**9).error is None


def test_a_long_strip_is_drawn_as_its_runs(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--time", "100000", "--mask", "right:100000,70000", "--predict")
    assert "│ 1×70000 0×30000" in ran.out
    assert max(map(len, ran.out.splitlines())) < 120
    many = run("lstm", "--time", "300", "--mask", "random", "--predict", "--batch", "1")
    assert "more steps" in many.out


@ATTACHED
def test_a_disagreement_on_the_output_mask_is_shown() -> None:
    import io
    from dataclasses import replace

    from rnnshape import lab, theory
    from rnnshape.render import View, renderer
    from rnnshape.report import assemble

    spec = make("GRU(2, return_sequences=True)", {"mask": "right:3,2"})
    report = assemble(spec, theory.predict(spec), replace(lab.observe(spec), output_mask=((True,) * 3,) * 2))
    (one,) = report.to_dict()["disagreements"]
    assert one == {"of": "output mask, sample 1", "predicted": "110", "observed": "111"}
    stream = io.StringIO()
    renderer("table")(report, stream, View())
    assert "output mask, sample 1 │ 110    │ 111" in stream.getvalue()


@pytest.mark.slow
def test_the_ways_of_asking_agree_under_a_mask_that_hangs_on_a_tensor() -> None:
    """A graph hands its mask out, and Model.predict has none to hand out."""
    for layer in ("LSTM(3, return_sequences=True)", "Bidirectional(GRU(3, return_sequences=True))", "Dense(2)"):
        compared = rnnshape.compare(f"Masking() | {layer}", axis="execution", mask="right:3,2")
        assert compared.ok, [side.report.disagreements for side in compared.sides]


def test_what_tensorflow_says_of_a_mask_is_told_without_its_names() -> None:
    report = rnnshape.explore("Embedding(9, 4, mask_zero=True) | TimeDistributed(LSTM(3)) | GRU(2)", input=(2, 3, 5))
    assert report.error is not None
    assert "function_node" not in report.error.message
    assert "(2, 3, 5), must be (N, T)" in (report.error.hint or "")


def test_the_halves_of_a_picture_are_found_whatever_its_axes_are_called() -> None:
    for sequences in BOTH:
        layer = f"Bidirectional(ConvLSTM1D(1, 2, return_sequences={sequences}, return_state=True))"
        report = seen(f"TimeDistributed(Dense(2)) | {layer}", input=(2, 3, 4, 2), mask="right:3,2")
        assert all("..." in check.check for check in report.checks if ":H]" in check.check)


def test_a_mask_of_another_batch_is_refused_by_time_distributed() -> None:
    layer = "Masking() | TimeDistributed(LSTM(3, return_state=True)) | TimeDistributed(Dense(2))"
    for mask in ("right:3,2,2,1", "full"):
        options = {"input": (4, 3, 2, 3), "mask": mask}
        told, report = rnnshape.predict(layer, **options), rnnshape.explore(layer, **options)
        assert told.error is not None
        assert report.error is not None
        assert told.error.kind == report.error.kind == "keras"


@pytest.mark.parametrize(
    "layer",
    [
        "Bidirectional(GRU(2, return_state=True), dtype='mixed_bfloat16')",
        "Bidirectional(LSTM(2, return_state=True, dtype='float16'))",
        "RNN(GRUCell(2, dtype='float16'), return_state=True)",
        "RNN(LSTMCell(2), return_state=True, dtype='float16')",
    ],
)
def test_a_state_that_is_kept_has_the_digits_of_the_coarsest_dtype_on_its_way(layer: str) -> None:
    """A wrapper, a layer and its cell cast what is handed in, each to its own dtype."""
    report = seen(layer, mask="full", initial_state="random")
    kept = [check for check in report.checks if "[empty] ==" in check.check]
    assert kept
    assert all(check.guaranteed and check.exact for check in kept)


@pytest.mark.parametrize("last", ["Bidirectional(ConvLSTM1D(2, 1))", "ConvLSTM1D(2, 1, return_sequences=True)"])
def test_a_mask_of_one_row_lies_over_all_samples(last: str) -> None:
    """TimeDistributed packs three tensors into one whose first axis counts them; the mask still has the one sample."""
    code = f"Embedding(7, 3, mask_zero=True) | TimeDistributed(Bidirectional(GRU(7, return_state=True))) | {last}"
    code = code.replace("return_state=True)", "return_state=True), merge_mode='sum'", 1)
    report = rnnshape.explore(code, input=(1, 3, 1), mask="110")
    assert (report.error, report.disagreements) == (None, ())
    assert report.masked is not None
    assert [len(strip.steps) for strip in report.masked.observed or ()] == [3] * len(report.masked.predicted)
