"""``expect:``: contracts compared with the prediction and with the real layer, and mistakes in contracts."""

from __future__ import annotations

from typing import Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.reading import make
from rnnshape.reading.batch.data import from_data
from rnnshape.spec.data import to_data

LSTM = {"layer": "LSTM(8, return_sequences=True, return_state=True)", "input": [2, 3, 4]}


def lines(expect: dict[str, Any], *, predict: bool = False, **options: Any) -> list[tuple[str, str, str, bool | None]]:
    """The result of each line of a contract for an LSTM."""
    ask = rnnshape.predict if predict else rnnshape.explore
    report = ask(from_data({**LSTM, **options, "expect": expect}))
    assert report.ok is all(line.met is not False for line in report.expectations)
    assert report.exit_code == (0 if report.ok else 1)
    return [(line.expect, line.expected, line.got, line.met) for line in report.expectations]


@pytest.mark.parametrize("predict", [True, False])
def test_a_contract_that_is_kept(predict: bool) -> None:
    expect = {
        "output": ["N", "T", "H"],
        "state_h": ["_", 8],
        "state_c": [2, "2*C"],
        "structure": "( output,state_h, state_c )",
        "params": 416,
        "checks": ["output[:, -1, :]==state_h"],
        "cudnn": "eligible",
    }
    assert [met for *_, met in lines(expect, predict=predict)] == [True] * 7


@pytest.mark.parametrize("predict", [True, False])
@pytest.mark.parametrize(
    ("expect", "expected", "got"),
    [
        ({"output": ["N", "H"]}, "(N, H) = (2, 8)", "(2, 3, 8)"),
        ({"output": ["N", "T", "H+1"]}, "(N, T, H+1) = (2, 3, 9)", "(2, 3, 8)"),
        ({"output": ["_", 7, "_"]}, "(_, 7, _)", "(2, 3, 8)"),
        ({"state": ["N", "H"]}, "(N, H) = (2, 8)", "is not returned: output, state_h, state_c"),
        ({"structure": "[output, state_h, state_c]"}, "[output, state_h, state_c]", "(output, state_h, state_c)"),
        ({"params": 417}, "417", "416"),
        ({"cudnn": "ineligible"}, "ineligible", "eligible"),
    ],
)
def test_a_broken_contract_says_expected_and_got(
    expect: dict[str, Any], expected: str, got: str, predict: bool
) -> None:
    assert lines(expect, predict=predict) == [(next(iter(expect)), expected, got, False)]


def test_a_check_is_held_against_the_values() -> None:
    checks = ["output[:, -1, :] == state_h", "output[:, -1, :] != state_c", "output[:, 0, :] == state_h"]
    (_, _, first, _), (_, _, second, _), (_, _, third, _) = found = lines({"checks": checks})
    assert [met for *_, met in found] == [True, True, False]
    assert first == "equal"
    assert second.startswith("max difference ")
    assert third.startswith("max difference ")
    assert lines({"checks": "output[:, -1, :] != state_h"})[0][2:] == ("equal", False)


def test_theory_answers_for_the_laws_only() -> None:
    checks = ["output[:, -1, :] == state_h", "output[:, -1, :] != state_h", "output[:, 0, :] != state_h"]
    assert [met for *_, met in lines({"checks": checks}, predict=True)] == [True, False, None]


@pytest.mark.parametrize(
    "check", ["output[:, 9, :] == state_h", "output == state", "output + state_h[:, :3] == output", "output / 0 == output"]
)  # fmt: skip
def test_a_check_that_cannot_be_held_is_not_met(check: str) -> None:
    assert [met for *_, met in lines({"checks": [check]})] == [False]


@pytest.mark.parametrize("predict", [True, False])
@pytest.mark.parametrize(("wanted", "met"), [("keras", True), ("bfloat16", True), ("device", False)])
def test_an_error_that_must_come(wanted: str, met: bool, predict: bool) -> None:
    ask = rnnshape.predict if predict else rnnshape.explore
    report = ask("lstm", dtype="bfloat16", expect={"error": wanted})
    assert (report.ok, report.exit_code, report.expectations[0].met) == (met, 0 if met else 1, met)
    assert report.error is not None


def test_an_error_that_did_not_come_is_known_only_when_it_ran() -> None:
    assert rnnshape.predict("lstm", expect={"error": "keras"}).ok
    assert rnnshape.explore("lstm", expect={"error": "keras"}).exit_code == 1


def test_unavailable_exits_with_3_even_if_an_error_is_expected() -> None:
    report = rnnshape.explore("lstm", units=1_000_000, expect={"error": "keras"})
    assert (report.ok, report.exit_code) == (False, 3)


@pytest.mark.parametrize(
    ("expect", "key", "message"),
    [
        ([], "expect", "must be a mapping"),
        ({}, "expect", "must be a mapping"),
        ({"outptu": ["N"]}, "expect.outptu", "is not known here (did you mean 'output'?)"),
        ({"output": "N, T, H"}, "expect.output", "must be a list of sizes"),
        ({"output": ["N", 2.5]}, "expect.output.1", "whole numbers, letters such as N or 2H, _ for any"),
        ({"output": ["N", "2H +"]}, "expect.output.1", "whole numbers"),
        ({"output": ["N", "Q"]}, "expect.output.1", "has no letter Q; its letters are N, T, C, H"),
        ({"params": True}, "expect.params", "must be a whole number"),
        ({"cudnn": "yes"}, "expect.cudnn", "must be eligible or ineligible"),
        ({"error": ""}, "expect.error", "must be the kind of the error"),
        ({"error": "keras", "params": 3}, "expect.error", "must be alone"),
        ({"structure": ["output"]}, "expect.structure", "must be the returned structure in roles"),
        ({"structure": "(output, stat_h)"}, "expect.structure", "did you mean 'state_h'?"),
        ({"checks": []}, "expect.checks", "must be a list of checks"),
        ({"checks": ["output == state_h", "output > state_h"]}, "expect.checks.1", "does not compare two sides"),
        ({"checks": ["output == exp(state_h)"]}, "expect.checks.0", "uses 'exp(state_h)'"),
        ({"checks": ["output ** 2 == state_h"]}, "expect.checks", "is not allowed in a check"),
    ],
)
def test_what_is_wrong_with_a_contract(expect: Any, key: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        make("LSTM(8)", {"expect": expect})
    (problem,) = caught.value.problems
    assert problem.key.startswith(key)
    assert message in problem.message


@pytest.mark.parametrize(
    "data",
    [
        {"layer": "LSTM(8)", "input": [2, 3, 4]},
        {"name": "x", "layer": "LSTMCell(8)", "input": [2, 4], "seed": 7, "device": "cpu", "execution": "xla"},
        {"layer": "GRU(8, return_state=True)", "input": [2, 3, 4], "into": "GRU(8)"},
        {"layer": "LSTM(8)", "input": [2, 3, 4], "expect": {"output": ["N", "_"], "checks": ["output == output"]}},
        {"layer": "LSTM(8)", "input": [2, 3, 4], "expect": {"structure": "output", "params": 416, "cudnn": "eligible"}},
        {"layer": "LSTM(8)", "input": [2, 3, 4], "expect": {"error": "keras"}},
    ],
)
def test_a_run_as_data_reads_back_to_the_same(data: dict[str, Any]) -> None:
    assert to_data(from_data(data)) == data
    assert from_data(to_data(from_data(data))) == from_data(data)


WIRED = "x = Input((5, 3))\ns, h = GRU(4, return_sequences=True, return_state=True)(x)\nscores = Dense(1)(s)"


def test_a_contract_of_wired_calls_has_their_names() -> None:
    expect = {"scores": ["N", "T", 1], "h": ["N", "H1"], "checks": ["s[:, -1] == h"], "structure": "scores"}
    report = rnnshape.explore(WIRED, expect=expect)
    assert report.ok
    assert [(line.expect, line.met) for line in report.expectations] == [
        *(("structure", True), ("scores", True), ("h", True), ("checks", True))
    ]
    assert not rnnshape.explore(WIRED, expect={"h": ["N", "T"]}).ok
    for layer, wrong in ((WIRED, {"hh": ["N"]}), ("GRU(4)", {"h": ["N", "H"]}), (WIRED, {"structure": "(s, z)"})):
        with pytest.raises(rnnshape.Invalid, match=r"is not known here|is not a role"):
            rnnshape.explore(layer, expect=wrong)


@pytest.mark.parametrize(
    ("layer", "check", "role"),
    [
        ("LSTM(4)", "output == state_h", "state_h"),
        ("GRU(4, return_state=True)", "state != state_h", "state_h"),
        ("Bidirectional(LSTM(4))", "output == forward_state_h", "forward_state_h"),
        ("RNN([GRUCell(4), GRUCell(3)])", "output == cell1_state", "cell1_state"),
    ],
)
def test_a_role_that_is_not_returned_is_not_met_with_and_without_a_run(layer: str, check: str, role: str) -> None:
    spec = make(layer, {"expect": {"checks": [check]}})
    for report in (rnnshape.predict(spec), rnnshape.explore(spec)):
        (line,) = report.expectations
        assert line.met is False
        assert line.got.startswith(f"{role!r} is not returned here")
