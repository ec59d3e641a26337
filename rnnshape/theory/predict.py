"""predict: what a layer returns, from the table of layers only.

>>> from rnnshape.reading import make
>>> from rnnshape.structure import leaves
>>> answer = predict(make("lstm", {"return_state": True}))
>>> [(tensor.role, tensor.symbolic) for tensor in leaves(answer.returned)]
[('output', ('N', 'H')), ('state_h', ('N', 'H')), ('state_c', ('N', 'H'))]
>>> answer.params, [law.check for law in answer.laws]
(24, ['output == state_h', 'output == state_c'])
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from rnnshape.errors import NoRule
from rnnshape.form import Key, formed
from rnnshape.layers import quirks
from rnnshape.layers.base import CUDNN, LOOP, STEP, UNROLLED, Law, Leaf, Rule
from rnnshape.layers.building import names_invalid_in_graphs, too_many_values
from rnnshape.layers.dropping import kept_masks
from rnnshape.layers.entries import walk
from rnnshape.layers.graph import named
from rnnshape.layers.kinds import INT64
from rnnshape.layers.recurrent import cell_of
from rnnshape.layers.sequential import answers
from rnnshape.layers.wiring import wire
from rnnshape.spec.calls import asks_more, random, resettable, stateful
from rnnshape.structure import Structure, Tensor, describe
from rnnshape.theory.calls import between
from rnnshape.theory.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer, Kernel, Refusal, Weight
    from rnnshape.layers.node import Node
    from rnnshape.layers.scan import Strip
    from rnnshape.spec import Spec


@formed(
    "kernel",
    layer='The layer, such as "forward LSTM(8)"; empty for the whole layer.',
    kernel=Key(
        "cuDNN's operation, a while loop, the steps one after another, or one step without a loop.",
        enum=[CUDNN, LOOP, UNROLLED, STEP],
    ),
)
class Chosen(NamedTuple):
    """One recurrent layer and its kernel: ``("forward LSTM(8)", "cudnn")``."""

    layer: str
    kernel: str


class Verdict(Struct, gc=False):
    """How each recurrent layer inside is computed, and whether Keras may use cuDNN for all of them."""

    kernels: tuple[Kernel, ...]

    @property
    def eligible(self) -> bool:
        return all(kernel.eligible for kernel in self.kernels)

    @property
    def hint(self) -> str | None:
        """The smallest change that would make it eligible; None without one."""
        fixes = [rule.fix for kernel in self.kernels for rule in kernel.rules if not rule.ok and rule.fix]
        return "; ".join(dict.fromkeys(fixes)) or None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of all layers in order, without duplicates."""
        rules = self.kernels[0].rules
        if not any(kernel.where or kernel.rules != rules for kernel in self.kernels):
            return rules
        every = (Rule(kernel.where + rule.rule, *rule[1:]) for kernel in self.kernels for rule in kernel.rules)
        return tuple(dict.fromkeys(every))

    def chosen(self, *, gpu: bool) -> tuple[Chosen, ...]:
        """Each layer and its kernel, with or without a GPU."""
        return tuple([Chosen(kernel.layer, kernel.chosen(gpu=gpu)) for kernel in self.kernels])


class Prediction(Struct, gc=False):
    """Theory's answer.

    * ``returned``: the structure of the call's result; ``params``: the number of parameters.
    * ``refusal``: the error that Keras is known to raise instead.
    * ``flow``: what each layer of a stack returns, with its expression.
    * ``into``: what a second layer returns that starts from these states.
    * ``notes``: how sizes are computed; ``cost``: the cost of one forward call.
    * ``strips``: the kind of each step under the mask; ``mask``: the mask that the last layer uses.
    * ``output_mask``: the output mask; ``sure``: whether theory can know it (a Masking depends on values).
    * ``begins``: the passed states, nested as the call takes them.
    * ``quirks``: headings of ``layers.quirks.PAGE``, for the Keras bugs that affect this layer.
    """

    returned: Structure
    laws: tuple[Law, ...]
    weights: tuple[Weight, ...]
    params: int
    cost: Cost
    cudnn: Verdict
    refusal: Refusal | None
    flow: tuple[tuple[str, Structure], ...]
    into: Structure | None = None
    notes: tuple[str, ...] = ()
    strips: tuple[Strip, ...] = ()
    mask: tuple[tuple[bool, ...], ...] | None = None
    output_mask: tuple[tuple[bool, ...], ...] | None = None
    sure: bool = True
    begins: Structure | None = None
    quirks: tuple[str, ...] = ()


def predict(spec: Spec, *, gpu: bool | None = None) -> Prediction:
    """What the layer returns on this input: structure, roles, letters, laws, weights, cuDNN.

    ``gpu`` says whether Keras sees a GPU (None: if the Spec asks for one); at masked steps, cuDNN and the loop give
    different values.
    """
    gpu = spec.device == "gpu" if gpu is None else gpu
    given = spec.given(gpu=gpu)
    answer = spec.layer.cls.theory(spec.layer, given)
    returned = describe(answer.returned, _tensor)
    flow = answer.flow and tuple([(text, describe(passed, _tensor)) for text, passed in answer.flow])
    params = sum([weight.size for weight in answer.weights])
    return Prediction(
        returned=returned,
        laws=_laws(spec, answer, gpu=gpu),
        weights=tuple(answer.weights),
        params=params,
        # The result of a stack is that of its last layer, so it counts once.
        cost=Cost(answer.products, answer.weights, [passed for _, passed in flow] or [returned], given.dims),
        cudnn=Verdict(tuple(answer.cudnn)),
        refusal=_refusal(spec, answer, params),
        into=_into(spec),
        notes=answer.notes,
        flow=flow,
        strips=answer.strips,
        mask=_mask(answer),
        output_mask=_output_mask(spec, answer),
        sure=answer.mask is None or answer.mask.sure,
        begins=describe(answer.begins, _tensor) if _takes_states(spec) else None,
        quirks=_quirks(spec, answer),
    )


def _takes_states(spec: Spec) -> bool:
    """Whether the call takes states; that of a cell always does."""
    return spec.initial_state is not None or spec.layer.cls.kind == "cell"


def flow_by_rule(spec: Spec) -> Iterator[Structure]:
    """What the layers of a stack, or the calls of a graph, return, up to the first without a rule."""
    node, given = spec.layer, spec.given()
    with suppress(NoRule):
        if node.cls.kind == "graph":
            for step in walk(node, given):
                yield describe(named(node["graph"], step.call, step.answer.returned), _tensor)
        elif node.cls.kind == "stack":
            for _, _, answer in answers(node, given):
                yield describe(answer.returned, _tensor)


def weights_by_rule(spec: Spec) -> Iterator[tuple[str, list[Weight]]]:
    """The weights of each layer, in a stack or a graph up to the first without a rule.

    The layers of a graph are in the order of their first calls, with their names in the code.
    """
    node, given = spec.layer, spec.given()
    with suppress(NoRule):
        if node.cls.kind == "graph":
            seen: set[str] = set()
            for step in walk(node, given):
                if step.call.layer not in seen:
                    seen.add(step.call.layer)
                    yield step.call.layer, [*step.answer.weights]
        elif node.cls.kind == "stack":
            for _, _, answer in answers(node, given):
                yield "", [*answer.weights]
        else:
            yield "", [*node.cls.theory(node, given).weights]


def _refusal(spec: Spec, answer: Answer, params: int) -> Refusal | None:
    """The first error that Keras is known to raise."""
    known = [*answer.refusals]
    if params > INT64:
        known += too_many_values(answer.weights)
    if spec.execution in ("graph", "xla"):
        known += names_invalid_in_graphs(spec.layer)
        known += kept_masks(spec.layer) if spec.training else ()
    return known[0] if known else None


def _mask(answer: Answer) -> tuple[tuple[bool, ...], ...] | None:
    """The mask in the laws: the one that the last layer uses."""
    return None if answer.scan is None or answer.scan.mask is None else answer.scan.mask.rows


def _output_mask(spec: Spec, answer: Answer) -> tuple[tuple[bool, ...], ...] | None:
    """The mask attached to the output, if the Spec has a mask and theory can know it."""
    return answer.mask.rows if spec.mask is not None and answer.mask is not None and answer.mask.sure else None


def _quirks(spec: Spec, answer: Answer) -> tuple[str, ...]:
    if spec.calls > 1 and stateful(spec.layer) and not resettable(spec.layer):
        return (*answer.quirks, quirks.STACKED_RESET)
    return answer.quirks


def _into(spec: Spec) -> Structure | None:
    if spec.into is None:
        return None
    answer = wire(spec.layer, spec.into, spec.dims).answer
    return describe(answer.returned, _tensor) if answer else None


def _tensor(leaf: Leaf, path: str) -> Tensor:
    sizes, letters = zip(*leaf.dims, strict=True) if leaf.dims else ((), ())
    return Tensor(leaf.role, path, sizes, letters, leaf.dtype)


def _laws(spec: Spec, answer: Answer, *, gpu: bool) -> tuple[Law, ...]:
    """The laws of the layer, of its twin, and between several calls."""
    twin = spec.layer.cls.twin(spec.layer)
    # With dropout, each of the two draws its own masks.
    with_twin = () if twin is None or random(spec) else (_twin_law(spec, answer, twin, gpu=gpu),)
    return (*answer.laws, *with_twin, *(between(spec, answer) if asks_more(spec) else ()))


def _twin_law(spec: Spec, answer: Answer, twin: Node, *, gpu: bool) -> Law:
    """The law that ``RNN(LSTMCell)`` and LSTM return the same; also for GRU and SimpleRNN."""
    cell, name = cell_of(spec.layer).name, twin.name
    check = f"layer(x) == {name}(...)(x)"
    if gpu and (other := twin.cls.theory(twin, spec.given(gpu=True))).strips != answer.strips:
        return Law(check, False, f"only {other.outputs[0].role} differs: cuDNN outputs zeros at masked steps")
    only = f"; only {name} can use cuDNN" if name in ("LSTM", "GRU") else ""
    return Law(check, True, f"with the same weights RNN({cell}) and {name} return the same numbers{only}")
