"""The aspects of an answer: each can make it fail, and each has the same form in JSON and in the schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

import rnnshape
from rnnshape import form
from rnnshape.report.report import Report
from rnnshape.schema.forms import definitions, schema_of
from rnnshape.structure import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG = Tensor("output", "", (9,), ("N",), "int32")


@pytest.fixture(scope="module")
def stack() -> Report:
    return rnnshape.explore("LSTM(2, return_sequences=True) | GRU(3)", mask="110;111")


@pytest.fixture(scope="module")
def wired() -> Report:
    return rnnshape.explore("lstm", return_state=True, into="LSTM(1)", calls=2, stateful=True)


@pytest.mark.parametrize(
    ("of", "broken"),
    [
        ("y", lambda report: {"returned": replace(report.returned, predicted=WRONG)}),
        ("weights", lambda report: {"weighed": replace(report.weighed, observed=())}),
        ("layer 2: y", lambda report: {"flow": (report.flow[0], replace(report.flow[1], predicted=WRONG))}),
        ("output mask", lambda report: {"masked": replace(report.masked, looked=True, output_mask=((True,),))}),
    ],
    ids=["returned", "weights", "flow", "mask"],
)
def test_a_difference_in_a_stack_is_reported(
    of: str, broken: Callable[[Report], dict[str, Any]], stack: Report
) -> None:
    assert (stack.agrees, stack.disagreements) == (True, ())
    report = replace(stack, **broken(stack))
    assert {one.of for one in report.disagreements} == {of}
    assert (report.agrees, report.ok, report.exit_code) == (False, False, 1)
    assert [one["of"] for one in report.to_dict()["disagreements"]] == [of]


def test_a_wired_layer_and_further_calls_are_aspects_too(wired: Report) -> None:
    assert wired.agrees, wired.disagreements
    assert wired.wiring is not None
    assert wired.calls is not None
    broken = replace(
        wired, wiring=replace(wired.wiring, predicted=WRONG), calls=replace(wired.calls, other_batch_seen=None)
    )
    assert [one.of for one in broken.disagreements] == ["decoder: y", "a batch of 3"]
    assert not broken.ok


def test_what_is_only_predicted_disagrees_with_nothing(wired: Report) -> None:
    report = replace(
        wired, returned=replace(wired.returned, observed=None), weighed=replace(wired.weighed, observed=())
    )
    assert (report.agrees, report.disagreements) == (None, ())


def test_the_keys_of_the_schema_are_those_of_the_data(stack: Report, wired: Report) -> None:
    schema, defs = schema_of(Report), definitions(Report)
    for report in (stack, wired):
        data = report.to_dict()
        known = list(schema["properties"])
        assert list(data) == [key for key in known if key in data]
        assert set(schema["required"]) <= set(data)
    assert list(wired.to_dict()["calls"]) == list(defs["calls"]["properties"])
    assert list(wired.to_dict()["weights"][0]) == list(defs["weight"]["properties"])
    assert list(stack.to_dict()["cudnn"]) == list(defs["cudnn"]["properties"])


def test_the_data_are_plain(stack: Report) -> None:
    """The data has only lists, no tuples: after writing and reading it as JSON, it is equal."""
    data = stack.to_dict(values=True)
    assert json.loads(json.dumps(data)) == data


def test_a_row_without_an_answer_has_every_key_that_is_always_there() -> None:
    empty = form.blank(Report)
    assert (empty["checks"], empty["weights"], empty["predicted"]) == ([], [], None)
    assert set(schema_of(Report)["required"]) | {"run", "cost"} == set(empty)
