"""Spec: what was asked.  Flags, YAML and expressions all end here, checked.

>>> spec = make("lstm", {"return_state": True, "time": 5})
>>> spec.layer.text, spec.input
('LSTM(1, return_state=True)', (2, 5, 4))
>>> make("LSTM(1, return_state=True)", {"time": 5}) == spec
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers import TABLE, Node
from rnnshape.layers.base import Given, Leaf, Mask, compute_dtype
from rnnshape.layers.dims import Dim
from rnnshape.layers.sequential import takes_states
from rnnshape.layers.wiring import wire
from rnnshape.spec import calling
from rnnshape.spec import expect as contract
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.expression import parse
from rnnshape.spec.masks import MASK, MASKING, makes_its_own, padded, refusal, rows
from rnnshape.spec.options import (
    BATCH,
    CALLS,
    CHANNELS,
    DIMENSIONS,
    DTYPE,
    INITIAL_STATE,
    INPUT,
    INTO,
    LETTERS,
    RUN_OPTIONS,
    SEED,
    TIME,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.layers.arguments import Argument
    from rnnshape.spec.commands import Command
    from rnnshape.spec.expect import Expectations
    from rnnshape.spec.expression import Parsed
    from rnnshape.spec.masks import Rows

_RUN = {option.name: option for option in RUN_OPTIONS}
# T2 is the time axis inside a TimeDistributed; what else there is are the axes of a picture.
_DEFAULT_SIZES = {"N": BATCH.default, "T": TIME.default, "C": CHANNELS.default, "T2": 5}
_SPACE = 8


@dataclass(frozen=True, slots=True)
class Spec:
    """A layer and how it is to be looked at.

    ``input`` is the whole shape of what is fed to it, ``(N, T, C)`` for a layer and ``(N, C)`` for a
    cell; ``seed`` makes weights and input repeatable; ``device`` is ``"auto"``, ``"cpu"`` or ``"gpu"``;
    ``execution`` is ``"eager"``, ``"graph"``, ``"xla"`` or the faster one, ``"auto"``;
    ``into`` is a second layer, which gets this one's states as its ``initial_state``; ``expect`` is the
    contract that the answer is held against.

    ``mask`` says which steps of which sample are valid; it is handed to the call, or laid into the data where the
    first layer makes one of it (``masked_data``).  ``initial_state`` is what the states that are handed in hold,
    ``calls`` how often the layer is called, ``training`` whether with ``training=True``.
    """

    layer: Node
    input: tuple[int, ...]
    seed: int = 0
    device: str = "auto"
    execution: str = "auto"
    name: str | None = None
    into: Node | None = None
    expect: Expectations | None = None
    mask: Rows | None = None
    initial_state: str | None = None
    calls: int = 1
    training: bool = False

    @property
    def masked_data(self) -> bool:
        """Whether the mask is laid into the data: Masking, or an Embedding with ``mask_zero``, finds it there."""
        return self.mask is not None and makes_its_own(self.layer)

    def given(self, *, gpu: bool = False) -> Given:
        """What reaches the layer, for theory; ``gpu`` says whether Keras sees one."""
        mask = None if self.mask is None else Mask(self.mask)
        return Given(
            self.dims, self.input_dtype, mask=mask, initial=self.initial_state, gpu=gpu, training=self.training
        )

    @property
    def tokens(self) -> range | None:
        """The whole numbers that the first layer eats, or None when it takes real ones."""
        return self.layer.cls.tokens(self.layer)

    @property
    def letters(self) -> tuple[str, ...]:
        """The input's dimensions in letters."""
        return self.layer.cls.letters(self.layer, len(self.input))

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(map(Dim, self.input, self.letters))

    @property
    def input_dtype(self) -> str:
        """The dtype of what is fed: the one in which the first layer computes, or that of tokens."""
        if self.tokens is not None:
            return "int32"
        first = self.layer["layers"][0] if self.layer.cls.kind == "stack" else self.layer
        return compute_dtype(first["dtype"])


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
    else:
        known[DTYPE.name] = DTYPE
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
    node = parsed.node.everywhere("dtype", options["dtype"]) if "dtype" in options else parsed.node
    spec = finish(node, _with_call(parsed, run), name=name)
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
    calls = {"layer(x)", *([f"{twin.name}(...)(x)"] if twin else [])}
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


def finish(node: Node, options: Mapping[str, Any], *, name: str | None = None) -> Spec:
    """The Spec of a layer and checked run options.

    Raises:
        Invalid: arguments that do not go together, an input that the layer does not take.
    """
    problems = [*_combinations(node)]
    node = _behind_masking(node, options, problems)
    shape = _input(node, options, problems)
    into = _into(node, shape, options.get(INTO.name), problems)
    problems += _stateless(node, options)
    mask = _mask(node, shape, options, problems)
    if problems:
        raise Invalid(problems)
    rest = {key: value for key, value in options.items() if key not in (*_SIZES, INTO.name, MASK.name, MASKING.name)}
    return Spec(node, shape, name=name, into=into, mask=mask, **rest)


def _behind_masking(node: Node, options: Mapping[str, Any], problems: list[Problem]) -> Node:
    """The layer behind a real Masking, where one is asked for."""
    value = options.get(MASKING.name)
    if value is None:
        return node
    letters = node.cls.letters(node, None)
    if "T" not in letters or node.cls.tokens(node) is not None:
        takes = f"means nothing here: {node.name} takes ({', '.join(letters)})"
        problems.append(Problem(MASKING.name, takes + " of whole numbers" * ("T" in letters)))
        return node
    if options.get(INPUT.name) is None and len(letters) > 3:
        problems.append(Problem(MASKING.name, "needs --input here: the whole shape of what Masking is fed"))
        return node
    layers = node["layers"] if node.cls.kind == "stack" else (node,)
    return Node.of(TABLE["Sequential"], {"layers": (Node.of(TABLE["Masking"], {"mask_value": value}), *layers)})


def _stateless(node: Node, options: Mapping[str, Any]) -> Iterator[Problem]:
    """Where states are asked about that are not there."""
    layers = node["layers"] if node.cls.kind == "stack" else (node,)
    count = sum(map(takes_states, layers))
    if options.get(CALLS.name, 1) > 1 and not count:
        yield Problem(CALLS.name, f"means nothing for {node.name}: only a recurrent layer can keep something")
    if options.get(INITIAL_STATE.name) is None or count == 1 or node.cls.kind == "cell":
        return
    if count:
        yield Problem(INITIAL_STATE.name, f"{count} layers of this stack begin with a state: look at one of them")
    else:
        yield Problem(INITIAL_STATE.name, f"means nothing for {node.name}: only a recurrent layer and a cell take one")


def _mask(node: Node, shape: tuple[int, ...], options: Mapping[str, Any], problems: list[Problem]) -> Rows | None:
    """The rows of the mask; behind ``--masking`` there is always one to see."""
    value = options.get(MASK.name)
    if problems or (value is None and options.get(MASKING.name) is None):
        return None
    if wrong := refusal(node):
        problems.append(Problem(MASK.name, wrong))
        return None
    sizes = dict(zip(node.cls.letters(node, len(shape)), shape, strict=True))
    if value is None:
        return padded(sizes["N"], sizes["T"])
    try:
        return rows(value, batch=sizes["N"], steps=sizes["T"], seed=options.get(SEED.name, SEED.default))
    except Invalid as error:
        problems += error.problems
        return None


def _into(node: Node, shape: tuple[int, ...], text: str | None, problems: list[Problem]) -> Node | None:
    """The second layer, when its states can come from the first."""
    if text is None or problems:
        return None
    try:
        into = parse(text).node
    except Invalid as error:
        problems.extend(Problem(INTO.name, problem.message) for problem in error.problems)
        return None
    dims = tuple(map(Dim, shape, node.cls.letters(node, len(shape))))
    if len(into.cls.letters(into, len(shape))) != len(shape):
        wrong: str | None = rank_message(into, shape)
    else:
        wrong = into.cls.check_input(into, dims) or wire(node, into, dims).problem
    if wrong:
        problems.append(Problem(INTO.name, wrong))
    return into


_SIZES = {option.name for option in (*DIMENSIONS, INPUT)}


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


def _combinations(node: Node) -> Iterator[Problem]:
    for part in node.walk():
        yield from part.cls.check(part)


def _input(node: Node, options: Mapping[str, Any], problems: list[Problem]) -> tuple[int, ...]:
    """The input's whole shape, from ``input`` or from batch, time and channels."""
    shape: tuple[int, ...] = options.get(INPUT.name, ())
    letters = node.cls.letters(node, len(shape) or None)
    if shape:
        twice = [option.name for option in DIMENSIONS if option.name in options]
        problems.extend(Problem(name, "is already said by input, which is the whole shape") for name in twice)
    else:
        named = {letter: options[option.name] for option, letter in LETTERS.items() if option.name in options}
        takes = f"means nothing here: {node.name} takes ({', '.join(letters)})"
        problems.extend(
            Problem(o.name, takes) for o, letter in LETTERS.items() if letter in named and letter not in letters
        )
        shape = tuple(named.get(letter) or _DEFAULT_SIZES.get(letter, _SPACE) for letter in letters)
    if len(shape) != len(letters):
        problems.append(Problem(INPUT.name, rank_message(node, shape)))
    elif not problems and (wrong := node.cls.check_input(node, tuple(map(Dim, shape, letters)))):
        problems.append(Problem(INPUT.name if INPUT.name in options else "", wrong))
    return shape


def rank_message(node: Node, shape: tuple[int, ...]) -> str:
    """Why an input of this rank cannot go in; Keras says ``expected ndim=3``."""
    letters = node.cls.letters(node, None)
    what = f"{node.name} takes a rank-{len(letters)} input ({', '.join(letters)}), not the rank-{len(shape)} {shape}"
    if len(shape) == 2 and len(letters) == 3:
        what += ': add the time axis, x[:, None, :] for one step (Keras: "expected ndim=3, found ndim=2")'
    return what
