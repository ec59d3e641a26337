"""Makes a Spec from a layer and checked options; reports every mistake at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import release
from rnnshape.layers.casting import unlike_activations, without_autocast
from rnnshape.layers.catalog import find
from rnnshape.layers.changes import under_policy
from rnnshape.layers.dims import Dim
from rnnshape.layers.objects import Made
from rnnshape.layers.stand_ins import Size
from rnnshape.layers.wiring import wire
from rnnshape.reading.shape import rank_message, whole_shape
from rnnshape.spec.masks import MASK, MASKING
from rnnshape.spec.options import CALLS, DTYPE, IMPORT, INITIAL_STATE, INPUT, INTO, KEPT, KERAS
from rnnshape.spec.spec import Spec
from rnnshape.spec.states import behind_masking, mask_rows, stateless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.base import Dims
    from rnnshape.layers.node import Node
    from rnnshape.reading.code.declared import Fed
    from rnnshape.reading.code.parsed import Parsed


def finish(node: Node, options: Mapping[str, Any], *, name: str | None = None, fed: Fed | None = None) -> Spec:
    """The Spec of a layer and checked run options; ``fed`` is the shape of the input by the code.

    Raises:
        Invalid: arguments cannot be combined, or the layer does not take the input.
    """
    with release.of(options.get(KERAS.name)):
        return _finished(node, options, name, fed)


def _finished(node: Node, options: Mapping[str, Any], name: str | None, fed: Fed | None) -> Spec:
    known = not node.without_rule
    problems = [*_alone(node), *_time_first(node, options)] if known else [*_ruled(node, options)]
    node = behind_masking(node, options if fed is None else {INPUT.name: fed.sizes, **options}, problems)
    policy = options.get(DTYPE.name)
    if policy is not None:
        node = under_policy(node, policy)
    if known:
        problems += _in_dtypes(node)
    shape = whole_shape(node, options, problems, fed)
    into = _into(node, shape, options, problems)
    problems += stateless(node, options) if known else ()
    mask = mask_rows(node, shape, options, problems)
    if problems:
        raise Invalid(problems)
    kept = {option.name: options[option.name] for option in KEPT if option.name in options}
    second, notes, let = (None, (), ()) if into is None else (into.node, into.notes, into.stands)
    sizes = tuple(map(int, shape))
    axes = tuple(size.letter if isinstance(size, Size) else None for size in shape) if shape != sizes else ()
    return Spec(node, sizes, name=name, into=second, mask=mask, axes=axes, notes=notes, let=let, **kept)


@release.remembered
def _alone(node: Node) -> tuple[Problem, ...]:
    """The problems of the layer that do not depend on the input."""
    return (*unavailable(node), *(problem for part in node.walk() for problem in part.cls.check(part)))


@release.remembered
def _in_dtypes(node: Node) -> tuple[Problem, ...]:
    """The problems of the dtypes in which its parts compute."""
    return (*without_autocast(node), *unlike_activations(node))


def modules_in(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules of ``--import``."""
    modules = options.get(IMPORT.name) or ()
    return (modules,) if isinstance(modules, str) else tuple(modules)


# Options that need a rule of theory.
_BY_RULE = (INITIAL_STATE, INTO, CALLS, MASKING)


def _ruled(node: Node, options: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of options that need a rule, for a layer without one."""
    for option in _BY_RULE:
        if options.get(option.name, option.default) != option.default:
            yield Problem(option.name, f"needs theory, which has no rule for {node.without_rule[0]}")


def _into(node: Node, shape: tuple[int, ...], options: Mapping[str, Any], problems: list[Problem]) -> Parsed | None:
    """The parsed second layer; None without one.  Problems are added to ``problems``."""
    text, policy = options.get(INTO.name), options.get(DTYPE.name)
    if text is None or problems:
        return None
    if node.cls.kind == "graph":
        problems.append(Problem(INTO.name, "does not apply to wired calls: call the second layer in the code"))
        return None
    from rnnshape.reading.code.expression import parse

    try:
        parsed = parse(text, modules=modules_in(options))
    except Invalid as error:
        problems.extend(Problem(INTO.name, problem.message) for problem in error.problems)
        return None
    if parsed.node.without_rule:
        problems.append(Problem(INTO.name, f"needs theory, which has no rule for {parsed.node.without_rule[0]}"))
        return None
    into = parsed.node if policy is None else under_policy(parsed.node, policy)
    dims = tuple(map(Dim, shape, node.cls.letters(node, len(shape))))
    if len(into.cls.letters(into, len(shape))) != len(shape):
        wrong: str | None = rank_message(into, shape)
    else:
        wrong = into.cls.check_input(into, dims) or _wired(node, into, parsed, dims)
    if wrong:
        problems.append(Problem(INTO.name, wrong))
    return replace(parsed, node=into)


def _wired(node: Node, into: Node, parsed: Parsed, dims: Dims) -> str | None:
    """Why the second layer, called as its text says, cannot start from the states of the first; None if it can."""
    from rnnshape.reading.code.mismatches import unpacking

    beside = parsed.called
    if beside.spans.keys() - {INITIAL_STATE.name} or beside.options.get(INITIAL_STATE.name, "random") != "random":
        return f"is called with the states of the first layer only: write it without a call, {into.text}"
    shape = tuple(dim.size for dim in dims)
    if parsed.fed is not None and parsed.fed.otherwise(shape):
        return f"is called on the same input as the first layer, {shape}, not on {parsed.fed.text}"
    wiring = wire(node, into, dims)
    return wiring.problem if wiring.answer is None else unpacking(into, wiring.answer.returned, parsed.targets)


def unavailable(node: Node) -> Iterator[Problem]:
    """The problems of arguments and names that the chosen release of Keras does not have."""
    asked = release.asked()
    for part in node.walk():
        for name, value in part.given:
            argument = part.cls.by_name[name]
            if why := argument.missing_in(asked) or argument.kind.missing_in(value, asked):
                yield Problem("", f"{part.name} {why}")
            made = find(value.what, value.name) if isinstance(value, Made) else None
            for inner in made.arguments if made is not None else ():
                if inner.name in dict(value.given) and (why := inner.missing_in(asked)):
                    yield Problem("", f"{value.name} {why}")


def _time_first(node: Node, options: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of options that need time as the second axis."""
    first = any(part.has("time_major") and part["time_major"] for part in node.walk())
    for option in (MASK, CALLS, INTO) if first else ():
        if options.get(option.name, option.default) != option.default:
            yield Problem(option.name, "is not supported beside time_major=True")
