"""Theory and lab side by side, with the verdicts: the object that machines read as JSON.

Nothing here knows how a Report is drawn, and nothing that draws one knows Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from rnnshape.errors import FAILED, OK, UNAVAILABLE
from rnnshape.layers.flowing import entries
from rnnshape.layers.quirks import PAGE
from rnnshape.report.shown import Shown
from rnnshape.report.state import Calls, keywords
from rnnshape.spec.data import to_data
from rnnshape.structure import Nest, Structure, Tensor, brackets, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rnnshape.layers import Node
    from rnnshape.layers.base import Weight
    from rnnshape.report.checks import Check
    from rnnshape.report.disagreements import Disagreement
    from rnnshape.report.error import Error
    from rnnshape.report.expected import Expected
    from rnnshape.report.masked import Masked
    from rnnshape.report.timing import Timing
    from rnnshape.spec import Spec
    from rnnshape.theory import Cost, Verdict
    from rnnshape.theory.unrolled import Unrolled

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Flow:
    """What one layer of a stack, or one call of a graph, returns, as theory says and as it was seen.

    ``to`` is where each tensor of a call goes, by its name; None in a stack, where all goes to the next layer.
    """

    expression: str
    predicted: Structure
    observed: Structure | None
    to: Mapping[str, tuple[str, ...]] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "expression": self.expression,
            "predicted": self.predicted.to_dict(),
            "observed": self.observed and self.observed.to_dict(),
            **({} if self.to is None else {"to": {name: list(places) for name, places in self.to.items()}}),
        }


@dataclass(frozen=True, slots=True)
class Wired:
    """A second layer that begins with the states of the first."""

    layer: Node
    initial_state: str
    predicted: Structure
    observed: Structure | None

    @property
    def structure(self) -> Structure:
        return self.observed or self.predicted

    @property
    def unpacking(self) -> str:
        """The line to paste: ``decoder_output = decoder(x, initial_state=[state_h, state_c])``."""
        left = _bare(brackets(self.structure, lambda tensor: f"decoder_{tensor.role}"))
        return f"{left} = decoder(x, initial_state={self.initial_state})"

    def to_dict(self) -> dict[str, Any]:
        return {
            "expression": self.layer.text,
            "initial_state": self.initial_state,
            "predicted": self.predicted.to_dict(),
            "observed": self.observed and self.observed.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Report(Shown):
    """One answer.  ``observed``, ``agrees`` and the verdicts of ``checks`` are None unless a layer ran.

    ``values`` are the arrays of the observed tensors, in the order in which they are returned; ``flow``
    is what passes between the layers of a stack, ``wiring`` the second layer, if one was asked for;
    ``expectations`` is the contract of the Spec, line by line.  ``kernels`` is what the rules say that each layer
    runs as where it ran (where nothing ran: where it was asked to), ``traced`` what the graph shows, or None.
    ``timing`` is how long a call took, if that was asked.

    ``masked`` is what the mask did, ``begins`` the states that were handed in, nested as the call takes
    them, ``calls`` what came of calling it more than once, and ``quirks`` the headings
    under which ``layers.quirks.PAGE`` tells of a bug of Keras that was met.  ``disagreements`` is where theory and the
    real layer part; ``unruled`` the classes that theory has no rule for: ``predicted`` is an empty tuple then.
    """

    spec: Spec
    predicted: Structure
    observed: Structure | None
    checks: tuple[Check, ...]
    weights: tuple[Weight, ...]
    params: int
    cost: Cost
    cudnn: Verdict
    cudnn_used: bool | None
    kernels: tuple[tuple[str, str], ...]
    environment: dict[str, Any]
    traced: tuple[tuple[str, str], ...] | None = None
    error: Error | None = None
    values: tuple[Any, ...] = ()
    flow: tuple[Flow, ...] = ()
    wiring: Wired | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    expectations: tuple[Expected, ...] = ()
    timing: Timing | None = None
    masked: Masked | None = None
    begins: Structure | None = None
    calls: Calls | None = None
    quirks: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    unruled: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool | None:
        """Whether theory and the real layer say the same; None when nothing ran, or theory has no rule for it."""
        compared = self.observed is not None and (not self.unruled or self.disagreements)
        return not self.disagreements if compared else None

    @property
    def ok(self) -> bool:
        """Theory and lab agree, every guaranteed check holds, what is expected is met, and no error but that came."""
        return (
            (self.error is None or self.error_expected)
            and all(line.met is not False for line in self.expectations)
            and self.agrees is not False
            and all(check.holds is not False for check in self.checks if check.guaranteed)
        )

    @property
    def error_expected(self) -> bool:
        """Whether the contract says that an error must come; which one, ``expectations`` tells."""
        return self.spec.expect is not None and self.spec.expect.error is not None

    @property
    def exit_code(self) -> int:
        if self.ok:
            return OK
        if self.error is not None and (not self.error_expected or self.error.exit_code == UNAVAILABLE):
            return self.error.exit_code
        return FAILED

    @property
    def expression(self) -> str:
        """The canonical expression: pasting it back asks for the same layer."""
        return self.spec.layer.text

    @property
    def unpacking(self) -> str:
        """The line to paste: ``output, state_h, state_c = layer(x)``."""
        beside = "".join(f", {name}={value}" for name, value in keywords(self.spec, self.begins))
        if self.spec.layer.cls.kind != "cell":
            return f"{self.targets} = layer(x{beside})"
        assert isinstance(self.predicted, Nest)  # a cell returns (output, states)
        states = brackets(self.predicted.items[1], lambda tensor: f"{tensor.role}_0")
        return f"{self.targets} = cell(x, {states}{beside})"

    @property
    def targets(self) -> str:
        """The names that the result unpacks into: ``output, state_h, state_c``."""
        return _bare(brackets(self.structure, lambda tensor: tensor.role))

    @property
    def states_handed_in(self) -> tuple[Tensor, ...]:
        """The states that the call takes: a cell's, or those of ``initial_state``."""
        if self.spec.layer.cls.kind == "cell":
            return tuple(leaves(self.predicted))[1:]
        return tuple(leaves(self.begins)) if self.begins else ()

    @property
    def structure(self) -> Structure:
        """What was observed, or, when nothing ran, what theory says."""
        return self.observed or self.predicted

    @property
    def unrolled(self) -> Unrolled:
        """The layer unrolled over time, as theory has it; worked out when it is asked for."""
        from rnnshape.theory.unrolled import unroll

        return unroll(self.spec, self.predicted, [part.predicted for part in self.flow])

    def _inputs(self) -> list[dict[str, Any]]:
        """The inputs of wired calls, the first of which is ``input`` too."""
        spec = self.spec
        if spec.layer.cls.kind != "graph":
            return []
        return [
            {
                "name": leaf.role,
                "shape": [dim.size for dim in leaf.dims],
                "symbolic": [dim.letter for dim in leaf.dims],
                "dtype": spec.input_dtype if number == 0 else leaf.dtype,
            }
            for number, leaf in enumerate(entries(spec.layer["graph"], spec.dims).values())
        ]

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """The contract's object: plain data that ``json.dumps`` takes.

        With ``values`` each observed tensor has its numbers too, as nested lists.
        """
        spec = self.spec
        observed = self.observed and self.observed.to_dict()
        if values and observed:
            for tensor, array in zip(_tensors(observed), self.values, strict=True):
                tensor["values"] = _numbers(array)
        return {
            "schema_version": SCHEMA_VERSION,
            "name": spec.name,
            "expression": self.expression,
            "input": {"shape": list(spec.input), "symbolic": list(spec.symbolic), "dtype": spec.input_dtype},
            "predicted": self.predicted.to_dict(),
            "observed": observed,
            "agrees": self.agrees,
            "checks": [check.to_dict() for check in self.checks],
            "weights": [
                {
                    "name": weight.name,
                    "shape": [dim.size for dim in weight.dims],
                    "symbolic": [dim.letter for dim in weight.dims],
                    "gates": list(weight.gates),
                }
                for weight in self.weights
            ],
            "params": self.params,
            "cudnn": {
                "eligible": self.cudnn.eligible,
                "used": self.cudnn_used,
                "reasons": [
                    {"rule": rule.rule, "ok": rule.ok, "decided_by": rule.decided, "source": rule.source}
                    for rule in self.cudnn.rules
                ],
                "hint": self.cudnn.hint,
                "on_gpu": _kernels(self.cudnn.chosen(gpu=True)),
                "predicted": _kernels(self.kernels),
                "traced": None if self.traced is None else _kernels(self.traced),
            },
            "environment": self.environment,
            "error": self.error and self.error.to_dict(),
            "ok": self.ok,
            "run": to_data(spec),
            "cost": self.cost.to_dict(),
            **({"expectations": [line.to_dict() for line in self.expectations]} if self.expectations else {}),
            **({"inputs": inputs} if len(inputs := self._inputs()) > 1 else {}),
            **({"flow": [part.to_dict() for part in self.flow]} if self.flow else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            **({"timing": self.timing.to_dict()} if self.timing else {}),
            **({"mask": self.masked.to_dict()} if self.masked else {}),
            **({"initial_state": dict(keywords(spec, self.begins)).get("initial_state")} if self.begins else {}),
            **({"calls": self.calls.to_dict()} if self.calls else {}),
            **({"quirks": [{"page": PAGE, "heading": heading} for heading in self.quirks]} if self.quirks else {}),
            **({"disagreements": [one.to_dict() for one in self.disagreements]} if self.disagreements else {}),
            **({"unruled": list(self.unruled)} if self.unruled else {}),
            **({"into": self.wiring.to_dict()} if self.wiring else {}),
        }


def _kernels(chosen: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"layer": layer, "kernel": kernel} for layer, kernel in chosen]


def _bare(text: str) -> str:
    """Without the outermost parentheses, which an assignment does not need."""
    return text[1:-1] if text.startswith("(") and not text.endswith(",)") else text


def _tensors(structure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if structure["kind"] == "tensor":
        yield structure
    for item in structure.get("items", ()):
        yield from _tensors(item)


def _numbers(array: Any) -> Any:
    """Nested lists of numbers; JSON has no word for what is not finite, so that is null."""
    numbers = array.astype("float64") if array.dtype.kind not in "iub" else array
    nested = numbers.tolist()
    return nested if all(map(isfinite, numbers.flat)) else _finite(nested)


def _finite(nested: Any) -> Any:
    if isinstance(nested, list):
        return [_finite(item) for item in nested]
    return nested if isfinite(nested) else None
