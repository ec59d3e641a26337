"""Makes a Spec from a command's name or an expression, and its options.

>>> spec = make("lstm", {"return_state": True, "time": 5})
>>> spec.layer.text, spec.input
('LSTM(1, return_state=True)', (2, 5, 4))
>>> make("LSTM(1, return_state=True)", {"time": 5}) == spec
True
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers import TABLE, release
from rnnshape.layers.base import Given, flat
from rnnshape.layers.scan import Landmarks
from rnnshape.reading.code.parsed import NothingMade, Partly, Undecided
from rnnshape.reading.finishing import finish, modules_in
from rnnshape.reading.shape import USUAL_SIZES
from rnnshape.spec import expect as contract
from rnnshape.spec.calls import FIRST, further
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import DIMENSIONS, IMPORT, INPUT, INTO, KERAS, LET, RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rnnshape.layers.arguments import Argument
    from rnnshape.reading.code.parsed import Parsed
    from rnnshape.spec import Spec
    from rnnshape.spec.commands import Command
    from rnnshape.spec.expect import Expectations

_MOST_VARIANTS = 8
"""The most combinations of values for the open choices of one code."""


def make(layer: str, options: Mapping[str, Any] | None = None, *, name: str | None = None) -> Spec:
    """The Spec of a command's name (``"lstm"``) or of an expression (``"LSTM(8)"``), and its options.

    The option ``expect`` is plain data: ``{"output": ["N", "H"], "params": 24}`` (see ``spec.expect``).

    Raises:
        Invalid: with every problem at once, each under its option's name, or with its place in the expression
            (``text`` is the expression then).  Also if the code makes several layers, or leaves a choice open.
    """
    spec, *others = _specs(layer, options or {}, name)
    if others:
        what = f"this code has {1 + len(others)} layers or models, but only one is allowed here; see rnnshape show"
        raise Invalid([Problem("", what)])
    return spec


def make_all(layer: str, options: Mapping[str, Any] | None = None) -> list[Spec]:
    """As ``make``, with one Spec for each layer that the code makes, for each value of its open choices.

    Values with which the code makes no layer are left out.

    Raises:
        Invalid: as ``make``; also if there are too many choices.
    """
    return _decided(layer, dict(options or {}), frozenset())


def _decided(layer: str, options: dict[str, Any], before: frozenset[str]) -> list[Spec]:
    """The same, where the choices ``before`` are decided: what follows one value of a choice need not have another."""
    try:
        return _specs(layer, options, None, before)
    except Undecided as error:
        combinations = [*product(*(choice.values for choice in error.open))]
        if len(combinations) > _MOST_VARIANTS:
            raise
        keys = [choice.key for choice in error.open]
    made: list[tuple[str, Callable[[], Sequence[Spec]]]] = []
    for values in combinations:
        decided = dict(zip(keys, values, strict=True))
        said = ", ".join(f"{key}={value!r}" for key, value in decided.items())
        asked = {**options, LET.name: {**options.get(LET.name, {}), **decided}}
        made.append((f"with {said}", partial(_decided, layer, asked, before | decided.keys())))
    return _each(made)


def _each(made: Iterable[tuple[str, Callable[[], Sequence[Spec]]]]) -> list[Spec]:
    """The results of all, with their notes; an error in one is raised with the results of the others."""
    specs: list[Spec] = []
    wrong: list[Invalid] = []
    nothing: list[NothingMade] = []
    for note, make_one in made:
        try:
            found = make_one()
        except NothingMade as error:
            nothing.append(error)
            continue
        except Invalid as error:
            wrong.append(error)
            found = error.others
        specs += [replace(spec, notes=(note, *spec.notes)) for spec in found] if note else found
    if not wrong and (specs or not nothing):
        return specs
    if not wrong:
        raise nothing[0]
    problems = dict.fromkeys(problem for error in wrong for problem in error.problems)
    raise Invalid(problems, wrong[0].text, specs)


_OF_CODE = {
    LET.name: "gives values to the names of an expression, and a command has none",
    IMPORT.name: "is for the classes of an expression, and a command has only Keras'",
}


def _specs(
    layer: str, options: Mapping[str, Any], name: str | None, decided: frozenset[str] = frozenset()
) -> list[Spec]:
    version = options.get(KERAS.name)
    with release.of(version if KERAS.kind.accepts(version) else None):
        return _read(layer, dict(options), name, decided)


def _read(layer: str, options: dict[str, Any], name: str | None, decided: frozenset[str]) -> list[Spec]:
    command = COMMANDS.get(layer)
    known = dict(RUN)
    if command is not None:
        known |= command.options
    elif layer.replace("-", "_").isidentifier() and layer not in TABLE:
        near = nearest(layer, COMMANDS)
        raise Invalid([Problem("layer", f"{layer!r} is neither a layer's command nor an expression{near}")])
    problems: list[Problem] = []
    expect = contract.read(options.pop(contract.KEY, None), problems)
    problems += [problem for key, value in options.items() if (problem := _refuse(key, value, known, command))]
    run = {key: value for key, value in options.items() if key in RUN}
    if command is not None:
        problems += [Problem(name, why) for name, why in _OF_CODE.items() if name in run]
        if problems:
            raise Invalid(problems)
        node = command.node({key: value for key, value in options.items() if key not in RUN})
        return [_expecting(finish(node, run, name=name), expect)]
    # Imported here because a command's name does not need the reader of Python.
    from rnnshape.reading.code.expression import parse_all

    wrong = {problem.key for problem in problems}
    sound = {key: value for key, value in run.items() if key not in wrong}
    let = sound.get(LET.name, {})
    mistakes: Invalid | None = None
    try:
        read = parse_all(layer, let, _sizes_in(run), modules_in(sound))
    except Partly as error:
        read, mistakes = [*error.read], Invalid([*error.problems, *problems], error.text)
    except Invalid as error:
        raise Invalid([*error.problems, *problems], error.text) if problems else error from None
    if problems or not read:
        raise mistakes or Invalid(problems)
    told = mistakes.problems if mistakes else ()
    given = {key: value for key, value in let.items() if key not in decided}
    if unused := [*_unused(given, read, run)]:
        raise Invalid([*told, *unused], mistakes.text if mistakes else None)
    if read[0].open:
        raise Undecided(read[0].open, read[0].text, told)
    answers = [("", partial(_answers, parsed, run, name or parsed.name, expect)) for parsed in read]
    return _each([*answers, ("", partial(_fails, mistakes))] if mistakes else answers)


def _answers(parsed: Parsed, run: Mapping[str, Any], name: str | None, expect: Expectations | None) -> list[Spec]:
    from rnnshape.reading.found import spec_of

    return [_expecting(spec_of(parsed, run, name), expect)]


def _fails(error: Invalid) -> list[Spec]:
    raise error


def _sizes_in(run: Mapping[str, Any]) -> Iterator[int]:
    """The sizes that an option or a default gives; the size of a name must differ from them."""
    yield from USUAL_SIZES
    for option in (*DIMENSIONS, INPUT):
        value = run.get(option.name, ())
        yield from (size for size in (value if isinstance(value, tuple) else (value,)) if isinstance(size, int))


def _unused(let: Mapping[str, Any], read: Sequence[Parsed], run: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of ``--let`` values for names that are not in the code."""
    there = [name for parsed in read for name in (*parsed.names, *dict(parsed.stands))]
    if INTO.name in run:  # a mistake in it is reported elsewhere
        from rnnshape.reading.code.expression import parse

        with suppress(Invalid):
            there += parse(run[INTO.name], let, modules_in(run)).names
    for key in let:
        if key not in there:
            known = f"; its names are {', '.join(dict.fromkeys(there))}" if there else ""
            yield Problem(LET.name, f"{key} is not a name in the code{nearest(key, there) or known}")


def _expecting(spec: Spec, expect: Expectations | None) -> Spec:
    """The Spec with its contract; raises Invalid if the contract uses names that the layer does not have."""
    if expect is None or spec.layer.without_rule:
        return spec if expect is None else replace(spec, expect=expect)
    answer = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype))
    twin = spec.layer.cls.twin(spec.layer)
    calls = {FIRST, *([f"{twin.name}(...)(x)"] if twin else []), *further(spec)}
    if spec.mask is not None:
        calls |= {"mask", "i", "empty", *Landmarks._fields}
    if spec.initial_state is not None:
        calls |= {f"{leaf.role}_0" for leaf in flat(answer.begins)}
    letters, names = contract.known_letters(answer, spec.dims), contract.names_of_calls(spec.layer, answer)
    if problems := [*contract.unknown(expect, letters, calls, names)]:
        raise Invalid(problems)
    return replace(spec, expect=expect)


def _refuse(name: str, value: Any, known: Mapping[str, Argument], command: Command | None) -> Problem | None:
    argument = known.get(name)
    if argument is None:
        why = _elsewhere(name, command) or nearest(name, (*known, contract.KEY))
        return Problem(name, f"is not an option here{why}")
    return None if argument.kind.accepts(value) else Problem(name, argument.kind.refusal(value))


def _elsewhere(name: str, command: Command | None) -> str:
    """The end of a message about an unknown option that another layer has."""
    owners = [cls.name for cls in TABLE.values() if name in cls.by_name]
    if not owners:
        return ""
    if command is None:
        return f": write {name}=… inside the brackets of the expression"
    if any(part.name in owners for part in command.node({}).walk()):
        return f": only an expression takes {name}"
    return f": it belongs to {', '.join(owners)}"
