"""From what is written to a Spec: a command's name or an expression, and its options.

>>> spec = make("lstm", {"return_state": True, "time": 5})
>>> spec.layer.text, spec.input
('LSTM(1, return_state=True)', (2, 5, 4))
>>> make("LSTM(1, return_state=True)", {"time": 5}) == spec
True
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers import TABLE
from rnnshape.layers.base import Given, Leaf, flat
from rnnshape.layers.scan import Landmarks
from rnnshape.spec import calling
from rnnshape.spec import expect as contract
from rnnshape.spec.calls import FIRST, further
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.expression import parse
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import RUN_OPTIONS
from rnnshape.spec.spec import Spec, finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.layers.arguments import Argument
    from rnnshape.spec.commands import Command
    from rnnshape.spec.expect import Expectations
    from rnnshape.spec.expression import Parsed

_RUN = {option.name: option for option in RUN_OPTIONS}


def make(layer: str, options: Mapping[str, Any] | None = None, *, name: str | None = None) -> Spec:
    """The Spec of a command's name (``"lstm"``) or of an expression (``"LSTM(8)"``), and its options.

    The option ``expect`` is plain data: ``{"output": ["N", "H"], "params": 24}`` (see ``spec.expect``).

    Raises:
        Invalid: with every problem at once, each under its option's name, or with its place in the
            expression (``text`` is then the expression).
    """
    options = dict(options or {})
    command = COMMANDS.get(layer)
    known = dict(_RUN)
    if command is not None:
        known |= command.options
    elif layer.replace("-", "_").isidentifier() and layer not in TABLE:
        near = nearest(layer, COMMANDS)
        raise Invalid([Problem("layer", f"{layer!r} is neither a layer's command nor an expression{near}")])
    problems: list[Problem] = []
    expect = contract.read(options.pop(contract.KEY, None), problems)
    problems += [problem for key, value in options.items() if (problem := _refuse(key, value, known, command))]
    run = {key: value for key, value in options.items() if key in _RUN}
    if command is not None:
        if problems:
            raise Invalid(problems)
        node = command.node({key: value for key, value in options.items() if key not in _RUN})
        return _expecting(finish(node, run, name=name), expect)
    try:
        parsed = parse(layer)
    except Invalid as error:
        raise Invalid([*error.problems, *problems], error.text) from None
    if problems:
        raise Invalid(problems)
    spec = finish(parsed.node, _with_call(parsed, run), name=name)
    if problems := [*calling.misfits(parsed.called, spec)]:
        raise Invalid(problems, parsed.text)
    _check_unpacking(spec, parsed.targets)
    return _expecting(spec, expect)


def _with_call(parsed: Parsed, run: Mapping[str, Any]) -> dict[str, Any]:
    """The run's options, and those that the call in the line says."""
    called = parsed.called
    if called.named_mask is not None and MASK.name not in run:
        what = "the mask's values are not in the line: give them as well, --mask right:3,2"
        raise Invalid([Problem("", what, called.named_mask)], parsed.text)
    if twice := [name for name in called.options if name in run]:
        raise Invalid(Problem(name, "is said in the call of the expression already") for name in twice)
    return {**run, **called.options}


def _expecting(spec: Spec, expect: Expectations | None) -> Spec:
    """The Spec with its contract, if the layer has the letters that it speaks of."""
    if expect is None:
        return spec
    answer = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype))
    twin = spec.layer.cls.twin(spec.layer)
    calls = {FIRST, *([f"{twin.name}(...)(x)"] if twin else []), *further(spec)}
    if spec.mask is not None:
        calls |= {"mask", "i", "empty", *Landmarks._fields}
    if spec.initial_state is not None:
        calls |= {f"{leaf.role}_0" for leaf in flat(answer.begins)}
    if problems := [*contract.unknown(expect, contract.known_letters(answer, spec.dims), calls)]:
        raise Invalid(problems)
    return replace(spec, expect=expect)


def _check_unpacking(spec: Spec, targets: int | None) -> None:
    """Whether ``a, b = layer(x)`` takes as many values as come out."""
    returned = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype)).returned
    count = len(returned) if isinstance(returned, tuple) else 1
    if targets is None or targets == count:
        return
    names = f"{targets} name{'s stand' if targets > 1 else ' stands'} on the left"
    if count > 1:
        roles = ", ".join(leaf.role if isinstance(leaf, Leaf) else "[…]" for leaf in returned)
        raise Invalid([Problem("", f"{names}, but {count} values come out: {roles}")])
    raise Invalid(
        [
            Problem(
                "",
                f"{names}, but one tensor comes out, which would be taken apart along the batch: add return_state=True",
            )
        ]
    )


def _refuse(name: str, value: Any, known: Mapping[str, Argument], command: Command | None) -> Problem | None:
    argument = known.get(name)
    if argument is None:
        why = _elsewhere(name, command) or nearest(name, (*known, contract.KEY))
        return Problem(name, f"is not an option here{why}")
    return None if argument.kind.accepts(value) else Problem(name, argument.kind.refusal(value))


def _elsewhere(name: str, command: Command | None) -> str:
    """Where an option that is unknown here is known."""
    owners = [cls.name for cls in TABLE.values() if name in cls.by_name]
    if not owners:
        return ""
    if command is None:
        return f": an expression has its arguments inside, {name}=… in its brackets"
    if any(part.name in owners for part in command.node({}).walk()):
        return f": only an expression takes {name}"
    return f": it belongs to {', '.join(owners)}"
