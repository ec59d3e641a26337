"""How each recurrent layer is computed: by the rules, and in the graph that Keras traced."""

from __future__ import annotations

from msgspec import Struct

from rnnshape.form import LATER, Key, formed
from rnnshape.layers.base import Rule  # noqa: TC001  the type of a key
from rnnshape.report.aspect import Aspect
from rnnshape.theory.predict import Chosen, Verdict


@formed(
    "cudnn",
    eligible="Whether every rule is met, for every recurrent layer inside.",
    used="Whether it was used; null when nothing ran.",
    reasons=Key("Every condition.", of="rules"),
    hint="The smallest change that would make it eligible.",
    on_gpu=Key("The kernel that Keras chooses on a GPU, for each recurrent layer.", LATER),
    predicted=Key(
        "The kernel by the rules for the device that it ran on; when nothing ran, for a GPU, or for a CPU with "
        "device cpu.",
        LATER,
    ),
    traced=Key("The kernel in the traced graph, layer by layer; null when nothing was traced.", LATER),
)
class Kernels(Aspect, Struct):
    """Whether Keras may use cuDNN, why, and the kernel of each layer.

    ``predicted`` follows the rules for the device of the run, or, when nothing ran, for the device asked for.  ``used``
    is whether cuDNN ran; None when nothing ran.  ``traced`` are the kernels in the traced graph; None when nothing was
    traced.  ``traced`` is never a disagreement, because a traced graph is not always the one that ran.
    """

    verdict: Verdict
    predicted: tuple[Chosen, ...]
    used: bool | None = None
    traced: tuple[Chosen, ...] | None = None

    @property
    def eligible(self) -> bool:
        return self.verdict.eligible

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.verdict.rules

    @property
    def hint(self) -> str | None:
        """The smallest change that would make it eligible."""
        return self.verdict.hint

    @property
    def on_gpu(self) -> tuple[Chosen, ...]:
        return self.verdict.chosen(gpu=True)
