"""A comment at the end of a line, ``# -> (N, T, 2H)``, is a contract: it is compared with what the line returns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnshape.layers.dims import letters_in, sized
from rnnshape.scan.hits import Hit
from rnnshape.spec.expect import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.scan.comments import Comments
    from rnnshape.scan.steps import Step, Steps

# What any size may be.
_ANY = (ANY, "?")


def contract_hits(steps: Steps, comments: Comments) -> Iterator[Hit]:
    """Each contract that does not hold; unknown sizes are not compared."""
    for step in steps.all if comments.contracts else ():
        text = comments.contracts.get(step.call.end_lineno or step.call.lineno)
        if text is not None and not _within(steps, step) and (difference := _difference(text, step)):
            yield Hit("contract", difference, step.call)


def _within(steps: Steps, step: Step) -> bool:
    """Whether another call on the same line takes this result; then the contract is about the other call."""
    return any(
        step is ref.step and other.call is not step.call and other.call.end_lineno == step.call.end_lineno
        for other in steps.all
        for ref in other.inputs
    )


def _difference(text: str, step: Step) -> str | None:
    """How the step differs from the contract; None if it does not."""
    wanted = _shapes(text)
    if wanted is None:
        return f"the contract {text} is not a shape, such as (N, T, 2H)"
    got = [sizes[0] for _, sizes in sorted(step.returned.items()) if len(set(sizes)) == 1]
    if not got or len(got) < len(step.returned):
        return None
    if len(wanted) == 1 and len(wanted[0]) == len(got) > 1 and not any(map(str.isdigit, wanted[0])):
        return None  # these are names of the results, not sizes
    if len(wanted) != len(got):
        tensors = f"{len(got)} tensor{'s' * (len(got) != 1)}"
        return f"{step.node.name} returns {tensors}, but the contract {text} has {len(wanted)}"
    letters = _letters(step)
    for one, sizes in zip(wanted, got, strict=True):
        if len(one) != len(sizes) or any(_differs(word, size, letters) for word, size in zip(one, sizes, strict=True)):
            return f"{step.node.name} returns {sizes}, but the contract says ({', '.join(one)})"
    return None


def _shapes(text: str) -> list[list[str]] | None:
    """The shapes of a contract: one, ``(N, T, 2H)``, or several in brackets, ``((N, T, H), (N, H), (N, H))``."""
    inner = text.strip()
    groups = re.findall(r"[(\[]([^()\[\]]*)[)\]]", inner[1:-1]) or [inner[1:-1]]
    shapes = [[word.strip() for word in group.split(",") if word.strip()] for group in groups]
    return shapes if all(shapes) and all(_is_size(word) for one in shapes for word in one) else None


def _is_size(word: str) -> bool:
    try:
        return word in _ANY or sized(word, dict.fromkeys(letters_in(word), 2)) is not None
    except ValueError:
        return False


def _letters(step: Step) -> dict[str, int]:
    """The values of the layer's symbols: H from its units, N, T and C from its input."""
    known: dict[str, int] = {}
    if len(step.shapes) == 1:
        names = step.node.cls.letters(step.node, len(step.shapes[0]))
        known |= {name: size for name, size in zip(names, step.shapes[0], strict=False) if size is not None}
    loop = next((part for part in step.node.walk() if part.has("units")), None)
    if loop is not None and type(loop["units"]) is int:
        known["H"] = loop["units"]
    return known


def _differs(word: str, size: int | None, letters: dict[str, int]) -> bool:
    """Whether a known size differs from the contract."""
    if size is None or word in _ANY or any(letter not in letters for letter in letters_in(word)):
        return False
    return sized(word, letters) != size
