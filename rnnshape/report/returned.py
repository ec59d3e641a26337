"""What calls return: the layer, the layers inside it, and a second layer that takes its states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from rnnshape.form import MAYBE, Key, formed
from rnnshape.layers import Node
from rnnshape.report.aspect import NOTHING, Aspect, Disagreement
from rnnshape.structure import NOTHING as UNRULED
from rnnshape.structure import Structure, Tensor, brackets, leaves, same

if TYPE_CHECKING:
    from collections.abc import Iterator


class Returned(Aspect, Struct):
    """The result of one call on both sides; ``result`` is its name in code, such as ``y``."""

    result: str
    predicted: Structure
    observed: Structure | None

    @property
    def structure(self) -> Structure:
        """The observed structure; the predicted one when nothing ran."""
        return self.observed or self.predicted

    def disagreements(self) -> Iterator[Disagreement]:
        """Where containers, shapes or dtypes differ."""
        predicted, observed = self.predicted, self.observed
        if predicted == UNRULED:
            return
        if observed is None:
            yield Disagreement(self.result, brackets(predicted, _tensor), NOTHING)
            return
        if same(predicted, observed):
            return
        theory, lab = ({tensor.path: _tensor(tensor) for tensor in leaves(side)} for side in (predicted, observed))
        if theory.keys() != lab.keys() or theory == lab:
            yield Disagreement(self.result, brackets(predicted, _tensor), brackets(observed, _tensor))
        for path in dict.fromkeys([*theory, *lab]):
            if theory.get(path) != lab.get(path):
                yield Disagreement(self.result + path, theory.get(path, NOTHING), lab.get(path, NOTHING))


@formed(
    "passed",
    expression="The layer, or the call as a statement.",
    predicted="",
    observed="Null when nothing ran.",
    to=Key("In a graph, where each tensor goes, by its name.", MAYBE),
)
class Flow(Returned):
    """What one layer of a stack, or one call of a graph, returns.

    ``to`` maps the name of each tensor of a call to where it goes; None in a stack, where the next layer takes it.
    """

    expression: str
    to: Mapping[str, tuple[str, ...]] | None = None


@formed(
    "into",
    expression="A second layer that starts from the states of the first.",
    initial_state="Its initial_state, as Python over the roles.",
    predicted="",
    observed="Null when nothing ran.",
)
class Wired(Returned):
    """A second layer that starts from the states of the first."""

    layer: Node
    initial_state: str

    @property
    def expression(self) -> str:
        return self.layer.text

    @property
    def unpacking(self) -> str:
        """The line to paste: ``decoder_output = decoder(x, initial_state=[state_h, state_c])``."""
        left = bare(brackets(self.structure, lambda tensor: f"decoder_{tensor.role}"))
        return f"{left} = decoder(x, initial_state={self.initial_state})"


def bare(text: str) -> str:
    """The text without its outermost parentheses, which an assignment does not need."""
    return text[1:-1] if text.startswith("(") and not text.endswith(",)") else text


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.shape} {tensor.dtype}"
