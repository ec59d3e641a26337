"""The JSON Schemas say what the code does: no more is refused, and no more is let through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rnnshape.layers import TABLE
from rnnshape.layers.arguments import Nested
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.data import _tuples
from rnnshape.spec.options import DTYPE, RUN_OPTIONS

KINDS = {
    repr(argument.kind): argument.kind
    for arguments in (
        *(command.options.values() for command in COMMANDS.values()),
        *(cls.arguments for cls in TABLE.values()),
        (*RUN_OPTIONS, DTYPE),
    )
    for argument in arguments
    if not isinstance(argument.kind, Nested)
}
WORDS = sorted({word for kind in KINDS.values() for word in getattr(kind, "values", ()) if isinstance(word, str)})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12) | st.integers() | st.just(10**400),
    st.floats(allow_nan=False) | st.floats(-1, 2),
    st.sampled_from(WORDS) | st.text(max_size=4) | st.sampled_from(("LSTM(8)", "1", "true", "2,3,4")),
)
VALUES = (
    SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=2), max_size=4) | st.lists(st.integers(0, 5), max_size=4)
)


def valid(value: Any, schema: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def as_json(value: Any) -> Any:
    """The value as JSON has it, where 2.0 is the number 2 and a whole number."""
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", KINDS)
@given(value=VALUES)
@example(value=True)
@example(value=1)
@example(value=0)
@example(value=None)
@example(value=[])
@example(value=[2, True])
@example(value=10**400)
def test_a_kind_accepts_what_its_schema_does(name: str, value: Any) -> None:
    kind = KINDS[name]
    assert kind.accepts(_tuples(as_json(value))) == valid(value, kind.schema())
