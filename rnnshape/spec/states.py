"""Checks the options for masks and states against the layer, and makes the rows of the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import TABLE, Node
from rnnshape.layers.base import compute_dtype
from rnnshape.layers.sequential import takes_states
from rnnshape.spec.masks import MASK, MASKING, holds, padded, refusal, rows
from rnnshape.spec.options import CALLS, INITIAL_STATE, INPUT, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.spec.masks import Rows


def behind_masking(node: Node, options: Mapping[str, Any], problems: list[Problem]) -> Node:
    """The layer, with a Masking layer in front if ``--masking`` is given."""
    value = options.get(MASKING.name)
    if value is None:
        return node
    if node.cls.kind == "graph":
        problems.append(Problem(MASKING.name, "does not apply to wired calls: put the Masking layer into the code"))
        return node
    shape = options.get(INPUT.name)
    letters = node.cls.letters(node, len(shape) if shape else None)
    if "T" not in letters or node.cls.tokens(node) is not None:
        takes = f"does not apply here: {node.name} takes ({', '.join(letters)})"
        problems.append(Problem(MASKING.name, takes + " of whole numbers" * ("T" in letters)))
        return node
    if shape is None and len(letters) > 3:
        problems.append(Problem(MASKING.name, "needs --input here: the whole input shape of Masking"))
        return node
    masking = Node.of(TABLE["Masking"], {"mask_value": value})
    return Node.of(TABLE["Sequential"], {"layers": (masking, *node.in_turn)})


def stateless(node: Node, options: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of state options for layers without states."""
    count = sum(map(takes_states, node.in_turn))
    if CALLS.name in options and not count:
        yield Problem(CALLS.name, f"does not apply to {node.name}: only a recurrent layer keeps states")
    if options.get(INITIAL_STATE.name) is not None and node.cls.kind == "graph":
        yield Problem(INITIAL_STATE.name, "does not apply to wired calls: pass the states in the code")
        return
    if options.get(INITIAL_STATE.name) is None or count == 1 or node.cls.kind == "cell":
        return
    if count:
        yield Problem(INITIAL_STATE.name, f"{count} layers of this stack have an initial state: use only one of them")
    else:
        yield Problem(INITIAL_STATE.name, f"does not apply to {node.name}: only a recurrent layer and a cell take one")


def mask_rows(node: Node, shape: tuple[int, ...], options: Mapping[str, Any], problems: list[Problem]) -> Rows | None:
    """The rows of the mask; None without one.  With ``--masking``, there is always a mask."""
    value = options.get(MASK.name)
    if problems or (value is None and options.get(MASKING.name) is None):
        return None
    if wrong := refusal(node):
        problems.append(Problem(MASK.name, wrong))
        return None
    letters = node.cls.letters(node, len(shape))
    if wrong := _nowhere(node, letters):
        problems.append(Problem(MASK.name if MASKING.name not in options else MASKING.name, wrong))
        return None
    sizes = dict(zip(letters, shape, strict=True))
    try:
        if value is None:
            return padded(sizes["N"], sizes["T"])
        return rows(value, batch=sizes["N"], steps=sizes["T"], seed=options.get(SEED.name, SEED.default))
    except Invalid as error:
        problems += error.problems
        return None


def _nowhere(node: Node, letters: tuple[str, ...]) -> str | None:
    """Why no step can be masked: there is no time axis, or the dtype does not have the mask_value; else None."""
    if "T" not in letters:
        return f"needs a time axis, but the input is ({', '.join(letters)})"
    first = node.first
    if first.name == "Masking" and not holds(dtype := compute_dtype(first["dtype"]), first["mask_value"]):
        return (
            f"masks nothing here: {dtype} cannot hold mask_value={first['mask_value']!r}, so no step is equal to it; "
            "use a value that it holds, such as 0.0 or -1.0"
        )
    return None
