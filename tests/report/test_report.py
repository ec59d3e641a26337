"""Reports in which theory and the real layer disagree, which no real run gives."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from msgspec import structs
from msgspec.structs import replace

from rnnshape import lab, theory
from rnnshape.formula import FormulaError, both_sides
from rnnshape.layers.base import Law
from rnnshape.reading import make
from rnnshape.report import assemble
from rnnshape.report.checks import compare, verified
from rnnshape.structure import Nest, Tensor, describe, labelled, same

SPEC = make("lstm", {"return_state": True})
TRUTH = theory.predict(SPEC)


@pytest.fixture(scope="module")
def seen() -> lab.Observation:
    return lab.observe(SPEC)


def test_agreement(seen: lab.Observation) -> None:
    report = assemble(SPEC, TRUTH, seen)
    assert (report.agrees, report.ok, report.exit_code) == (True, True, 0)


def test_another_container_is_a_disagreement(seen: lab.Observation) -> None:
    assert isinstance(TRUTH.returned, Nest)
    report = assemble(SPEC, structs.replace(TRUTH, returned=replace(TRUTH.returned, kind="list")), seen)
    assert (report.agrees, report.ok, report.exit_code) == (False, False, 1)


def test_another_weight_is_a_disagreement(seen: lab.Observation) -> None:
    report = assemble(SPEC, structs.replace(TRUTH, weights=TRUTH.weights[:2]), seen)
    assert (report.agrees, report.ok) == (False, False)


def test_a_broken_law_fails_and_a_broken_belief_does_not(seen: lab.Observation) -> None:
    law = Law("output == 2 * state_h", guaranteed=True, why="it is not")
    broken = assemble(SPEC, structs.replace(TRUTH, laws=(law,)), seen)
    assert (broken.checks[0].holds, broken.agrees, broken.ok, broken.exit_code) == (False, True, False, 1)
    believed = assemble(SPEC, structs.replace(TRUTH, laws=(law._replace(guaranteed=False),)), seen)
    assert (believed.checks[0].holds, believed.ok, believed.exit_code) == (False, True, 0)


def test_a_disagreement_is_drawn_side_by_side(seen: lab.Observation) -> None:
    import io

    from rnnshape.render import View, renderer

    report = assemble(SPEC, structs.replace(TRUTH, returned=Tensor("output", "", (2, 9), ("N", "H"), "float32")), seen)
    stream = io.StringIO()
    renderer("table")(report, stream, View())
    assert "✗ Theory and the real layer disagree." in stream.getvalue()
    assert "(2, 9) float32" in stream.getvalue()


def test_equality_is_bitwise_first_and_then_within_the_dtype() -> None:
    one = np.ones((2, 2), np.float32)
    assert compare(one, one) == (True, True, 0.0)
    holds, exact, apart = compare(one, one + np.float32(1e-6))
    assert (holds, exact) == (True, False)
    assert apart == pytest.approx(1e-6, rel=0.1)
    assert compare(one, one + np.float32(1e-3))[:2] == (False, False)
    assert compare(one.astype(np.float16), one + np.float32(1e-3))[0]
    assert compare(one, one[:1]) == (False, False, None)
    assert compare(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])) == (True, True, 0.0)
    assert compare(np.array([np.nan]), np.array([1.0])) == (False, False, None)


def test_a_law_over_several_tensors_needs_all_of_them() -> None:
    one = np.ones(2)
    law = Law("layer(x) == LSTM(...)(x)", guaranteed=True, why="")
    assert verified(law, {"layer(x)": (one, one), "LSTM(...)(x)": (one, one)}).holds
    assert not verified(law, {"layer(x)": (one, one), "LSTM(...)(x)": (one, one + 1)}).holds


NAMES = {"output": np.arange(12.0).reshape(2, 3, 2), "state": np.ones((2, 1)), "H": 1}


def test_a_check_is_python_over_the_roles() -> None:
    left, right = both_sides("output[:, -1, :H] == (state + 3) * 2 / H - 1", NAMES)
    assert left.tolist() == [[4.0], [10.0]]
    assert right.tolist() == [[7.0], [7.0]]


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32", "float64"])
def test_a_number_takes_the_dtype_of_the_other_operand(name: str) -> None:
    """NumPy 2.0 divides a bfloat16 by 2 in float32, which is more precise than the values of Keras."""
    state = np.ones(3, ml_dtypes.bfloat16 if name == "bfloat16" else name)
    for side in both_sides("(state + state) / 2 == 0.5 * (1 - state)", {"state": state}):
        assert side.dtype == state.dtype


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("output", "does not compare two sides"),
        ("output ==", "is not a Python comparison"),
        ("output == state == state", "does not compare two sides"),
        ("output == stat", "'stat' is not returned here; available: H, output, state"),
        ("output.T == state", "'output.T' is not allowed in a check"),
        ("__import__('os') == state", "is not returned here"),
        ("output[:, 9, :] == state", "out of bounds"),
        ("output == 'state'", "is not allowed in a check"),
        ("(lambda: output)() == state", "is not allowed in a check"),
        ("output == " + "(" * 300 + "state" + ")" * 300, "at most 500 characters"),
    ],
)
def test_a_wrong_check_is_reported_and_never_evaluated(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        both_sides(text, NAMES)
    assert message in str(caught.value)


def test_a_letter_is_kept_only_for_the_predicted_size() -> None:
    theirs = Tensor("output", "", (2, 3, 7), ("N", "T", "H"), "float32")
    ours = Tensor("unknown", "", (2, 3, 8), ("2", "3", "8"), "float32")
    assert labelled(ours, theirs) == replace(ours, role="output", symbolic=("N", "T", "8"))


def test_a_list_is_not_a_tuple() -> None:
    def leaf(name: str, path: str) -> Tensor:
        return Tensor(name, path, (1,), ("N",), "float32")

    assert same(describe(("a", ["b"]), leaf), describe(("c", ["d"]), leaf))
    assert not same(describe(("a", ["b"]), leaf), describe(("a", ("b",)), leaf))
