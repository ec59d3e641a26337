"""Makes a Spec from a run as data: one entry of a YAML file's ``runs:``, or one JSON line.

>>> spec = from_data({"name": "encoder", "layer": "GRU(8)", "input": [2, 3, 4], "seed": 1})
>>> spec.name, spec.layer.text, spec.input, spec.seed
('encoder', 'GRU(8)', (2, 3, 4), 1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.reading.making import make
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.data import NONE
from rnnshape.spec.options import RUN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.spec import Spec


def from_data(data: Mapping[str, Any]) -> Spec:
    """The Spec of plain data: ``layer`` (a command's name or an expression), ``name``, and options.

    Raises:
        Invalid: with every problem at once, each under its key; a problem inside an expression has a span
            instead of a key.
    """
    layer, name = data.get("layer"), data.get("name")
    problems = []
    if not isinstance(layer, str):
        what = "is missing: give" if layer is None else "must be"
        problems.append(Problem("layer", f"{what} a command's name (lstm) or an expression (LSTM(8))"))
    if name is not None and not isinstance(name, str):
        problems.append(Problem("name", "must be text"))
    if problems:
        raise Invalid(problems)
    options = {key: _meant(str(layer), key, value) for key, value in data.items() if key not in ("layer", "name")}
    return make(str(layer), options, name=name)


def _meant(layer: str, key: str, value: Any) -> Any:
    """The value as a Spec has it; the text ``none`` means None where the option accepts None."""
    if isinstance(value, str) and value in NONE:
        known = {**RUN, **(COMMANDS[layer].options if layer in COMMANDS else {})}
        return None if key in known and known[key].kind.accepts(None) else value
    return _tuples(value)


def _tuples(value: Any) -> Any:
    """The value with tuples instead of lists, because a Spec is immutable."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
