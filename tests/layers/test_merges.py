"""Layers that merge several inputs, held against Keras in graphs that are wired by hand."""

from __future__ import annotations

import inspect
import random
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rnnshape import Invalid, explore, predict
from rnnshape.lab.build import build
from rnnshape.lab.feed import feed
from rnnshape.lab.tensorflow import load
from rnnshape.layers import MODEL, TABLE, Node, release
from rnnshape.layers.attention import unmasks
from rnnshape.layers.base import Given
from rnnshape.layers.dims import Dim
from rnnshape.layers.entries import walk
from rnnshape.layers.masking import Mask
from rnnshape.layers.merges import MERGES
from rnnshape.layers.wires import Call, Entry, Graph, Wire
from rnnshape.spec import Spec
from rnnshape.structure import leaves
from tests.shared.counting import multiply_adds, traced
from tests.shared.releases import offered

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B = (None, None, 4), (None, None, 4)
ELEMENTWISE = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def of(name: str, **arguments: Any) -> Node:
    return Node.of({**TABLE, **MERGES}[name], arguments)


def merged(merge: Node, *shapes: Sequence[int], before: Sequence[Node | None] = ()) -> Spec:
    """A graph in which inputs of these shapes, each behind its layer, go into ``merge``."""
    names = [f"x{number}" for number in range(1, len(shapes) + 1)]
    layers, calls, wires = [], [], []
    for name, layer in zip(names, [*before, *[None] * len(shapes)], strict=False):
        wires.append(Wire(name if layer is None else f"of_{name}"))
        if layer is not None:
            layers.append((f"of_{name}", layer))
            calls.append(Call(f"of_{name}", f"of_{name}", (Wire(name),)))
    entries = tuple(Entry(name, (None, *shape[1:])) for name, shape in zip(names, shapes, strict=True))
    graph = Graph(entries, (*layers, ("merge", merge)), (*calls, Call("merge", "merge", tuple(wires))))
    return Spec(Node.of(MODEL, {"graph": graph}), tuple(shapes[0]))


def raised(spec: Spec) -> str | None:
    """What Keras raises on the graph, if it does."""
    layer = build(spec.layer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of attention over a single step
        try:
            layer(*feed(spec, layer))
        except Exception as error:  # noqa: BLE001  whatever it is
            return str(error)
    return None


def wrong(spec: Spec) -> str | None:
    return spec.layer.cls.check_input(spec.layer, spec.dims)


SEQUENCE, LONGER, WIDER, VECTOR = (2, 3, 4), (2, 5, 4), (2, 3, 6), (2, 4)
_HEADS = {argument.name for argument in offered(MERGES["MultiHeadAttention"].arguments)}
GATED = {"use_gate": True} if "use_gate" in _HEADS else {}
FINE = [
    *((of(name), (SEQUENCE, SEQUENCE), (2, 3, 4)) for name in ELEMENTWISE),
    (of("Add"), (SEQUENCE, SEQUENCE, SEQUENCE), (2, 3, 4)),
    (of("Add"), (SEQUENCE, VECTOR), (2, 3, 4)),
    (of("Multiply"), (SEQUENCE, (2, 3, 1)), (2, 3, 4)),
    (of("Maximum"), ((2, 1, 4), LONGER), (2, 5, 4)),
    (of("Concatenate"), (SEQUENCE, WIDER), (2, 3, 10)),
    (of("Concatenate"), (SEQUENCE, WIDER, SEQUENCE), (2, 3, 14)),
    (of("Concatenate", axis=1), (SEQUENCE, LONGER), (2, 8, 4)),
    (of("Concatenate", axis=-2), (SEQUENCE, LONGER), (2, 8, 4)),
    (of("Concatenate"), (VECTOR, VECTOR), (2, 8)),
    (of("Concatenate", axis=0), (SEQUENCE, SEQUENCE), (4, 3, 4)),
    (of("Dot", axes=-1), (SEQUENCE, LONGER), (2, 3, 5)),
    (of("Dot", axes=2, normalize=True), (SEQUENCE, LONGER), (2, 3, 5)),
    (of("Dot", axes=1), (SEQUENCE, WIDER), (2, 4, 6)),
    (of("Dot", axes=(2, 1)), (SEQUENCE, VECTOR), (2, 3)),
    (of("Dot", axes=1), (VECTOR, VECTOR), (2, 1)),
    (of("Attention"), (SEQUENCE, LONGER), (2, 3, 4)),
    (of("Attention"), (SEQUENCE, (2, 5, 7), LONGER), (2, 3, 7)),
    (of("Attention", use_scale=True, score_mode="concat"), (SEQUENCE, LONGER), (2, 3, 4)),
    (of("Attention", score_mode="concat"), (SEQUENCE, (2, 5, 1)), (2, 3, 1)),
    (of("AdditiveAttention"), (SEQUENCE, LONGER), (2, 3, 4)),
    (of("AdditiveAttention", use_scale=False), (SEQUENCE, (2, 5, 7), LONGER), (2, 3, 7)),
    (of("MultiHeadAttention", num_heads=2, key_dim=3), (SEQUENCE, LONGER), (2, 3, 4)),
    (
        of("MultiHeadAttention", num_heads=2, key_dim=3, value_dim=5, **GATED),
        (SEQUENCE, LONGER, (2, 5, 6)),
        (2, 3, 4),
    ),
    (of("MultiHeadAttention", num_heads=2, key_dim=3, output_shape=9, use_bias=False), (SEQUENCE, LONGER), (2, 3, 9)),
    (of("MultiHeadAttention", num_heads=1, key_dim=3, output_shape=(2, 5)), (SEQUENCE, LONGER), (2, 3, 2, 5)),
    (of("MultiHeadAttention", num_heads=2, key_dim=3, attention_axes=(1,)), (SEQUENCE, LONGER), (2, 3, 4)),
    (of("Add", dtype="float16"), (SEQUENCE, SEQUENCE), (2, 3, 4)),
    (of("AdditiveAttention", dtype="mixed_float16"), (SEQUENCE, LONGER), (2, 3, 4)),
]


@pytest.mark.parametrize(("merge", "shapes", "out"), FINE, ids=str)
def test_theory_and_keras_agree(merge: Node, shapes: Sequence[Sequence[int]], out: tuple[int, ...]) -> None:
    spec = merged(merge, *shapes)
    assert wrong(spec) is None
    report = explore(spec)
    assert report.error is None
    assert report.disagreements == ()
    assert [tensor.shape for tensor in leaves(report.predicted)] == [out]


@pytest.mark.parametrize("shapes", [(SEQUENCE, (2, 5, 7)), (SEQUENCE, (2, 5, 7), (2, 5, 6))])
def test_attention_in_heads_over_another_width_is_run_by_both_or_rejected_by_both(
    shapes: Sequence[Sequence[int]],
) -> None:
    """Keras 3.5 and 3.6 reject it."""
    spec = merged(of("MultiHeadAttention", num_heads=2, key_dim=3), *shapes)
    assert (wrong(spec) is None) == (raised(spec) is None)
    if wrong(spec) is None:
        assert explore(spec).agrees


REJECTED = [
    (of("Attention", score_mode="concat"), ((2, 4, 3, 3), (2, 3, 3, 3)), "the same axes before the time axis"),
    (of("Add"), (SEQUENCE, LONGER), "make T = 3 and T2 = 5 equal"),
    (of("Multiply"), (SEQUENCE, WIDER), "make C = 4 and C2 = 6 equal"),
    (of("Subtract"), (SEQUENCE, SEQUENCE, SEQUENCE), "takes two inputs, but it gets 3"),
    (of("Add"), (SEQUENCE,), "call it on a list"),
    (of("Concatenate"), (SEQUENCE,), "call it on a list"),
    (of("Concatenate"), (SEQUENCE, LONGER), "axis 1 is T = 3 and T2 = 5; axis=1 fits"),
    (of("Concatenate", axis=1), (SEQUENCE, WIDER), "axis 2 is C = 4 and C2 = 6; axis=-1 fits"),
    (of("Concatenate", axis=1), (SEQUENCE, (2, 5, 6)), "axis 2 is C = 4 and C2 = 6"),
    (of("Concatenate"), (SEQUENCE, VECTOR), "inputs of one rank"),
    (of("Concatenate", axis=3), (SEQUENCE, SEQUENCE), "axis=3 does not exist"),
    (of("Dot", axes=1), (SEQUENCE, LONGER), "T = 3 but T2 = 5"),
    (of("Dot", axes=0), (SEQUENCE, SEQUENCE), "axis 0, the batch"),
    (of("Dot", axes=3), (SEQUENCE, SEQUENCE), "axes=3 does not exist"),
    (of("Dot", axes=1), (SEQUENCE, SEQUENCE, SEQUENCE), "takes two inputs, but it gets 3"),
    (of("Attention"), (SEQUENCE,), "takes a query, a value and perhaps a key"),
    (of("Attention"), (SEQUENCE, (2, 5, 6)), "must have one width"),
    (of("Attention", score_mode="concat"), (SEQUENCE, (2, 5, 6)), "must have one width"),
    (of("AdditiveAttention"), (SEQUENCE, (2, 5, 6)), "must have one width"),
    (of("Attention"), (SEQUENCE, LONGER, SEQUENCE), "key and value must have one length"),
    (of("MultiHeadAttention", num_heads=2, key_dim=3), (SEQUENCE, LONGER, SEQUENCE), "must have one length"),
    (of("MultiHeadAttention", num_heads=2, key_dim=3), (SEQUENCE, VECTOR), "needs sequences (N, T, C)"),
    (of("MultiHeadAttention", num_heads=2, key_dim=3), (SEQUENCE,), "call it as attention(query, value)"),
]


@pytest.mark.parametrize(("merge", "shapes", "message"), REJECTED, ids=str)
def test_what_keras_rejects_is_told_before(merge: Node, shapes: Sequence[Sequence[int]], message: str) -> None:
    spec = merged(merge, *shapes)
    assert message in (wrong(spec) or "")
    assert raised(spec) is not None


@pytest.mark.parametrize("name", MERGES)
@pytest.mark.parametrize("before", ["", "LSTM(4, return_sequences=True) | "], ids=["alone", "stacked"])
def test_a_single_tensor_is_one_clear_error(name: str, before: str) -> None:
    """It is what Sequential gives a layer; ``Add()`` alone was answered, and ``Attention()`` ended in an IndexError."""
    needed = {"Dot": {"axes": 1}, "MultiHeadAttention": {"num_heads": 2, "key_dim": 3}}.get(name, {})
    with pytest.raises(Invalid, match=f"{name} takes (several tensors in a list|a query and a value)"):
        predict(f"{before}{of(name, **needed).text}")
    layer = getattr(load().keras.layers, name)(**needed)
    with pytest.raises((ValueError, TypeError)):
        layer(np.ones(SEQUENCE, "float32"))


@pytest.mark.parametrize(
    ("axis", "shapes", "hint"),
    [(-2, ((2, 3, 1), (2, 5, 1)), "write axis=1"), (-3, ((2, 3, 1),) * 2, ""), (0, ((2, 1, 1),) * 2, "")],
)
def test_concatenating_axes_of_1_is_run_by_both_or_rejected_by_both(
    axis: int, shapes: Sequence[Sequence[int]], hint: str
) -> None:
    """Before Keras 3.7 these fail."""
    spec = merged(of("Concatenate", axis=axis), *shapes)
    assert (wrong(spec) is None) == (raised(spec) is None)
    with release.of("3.6"):
        assert hint in (wrong(spec) or "")


@pytest.mark.parametrize("name", MERGES)
def test_the_arguments_are_those_of_keras(name: str) -> None:
    keras = load().keras
    theirs = {
        key: one.default
        for key, one in inspect.signature(getattr(keras.layers, name).__init__).parameters.items()
        if key != "self" and one.kind is not one.VAR_KEYWORD
    }
    ours = {argument.name: argument.default for argument in offered(MERGES[name].arguments)}
    # AdditiveAttention passes what it does not name on to Attention.
    known = [key for key in ours if key in theirs]
    assert known == list(theirs)
    for key, default in theirs.items():
        assert ours[key] == default or default is inspect.Parameter.empty, key


_EMBEDDING = of("Embedding", input_dim=4, output_dim=4, mask_zero=True)
_MASKED = [
    of("Add"),
    of("Average"),
    of("Concatenate"),
    of("Concatenate", axis=1),
    of("Concatenate", axis=0),
    of("Dot", axes=-1),
    of("Attention"),
    of("AdditiveAttention"),
    of("MultiHeadAttention", num_heads=2, key_dim=3),
]


@pytest.mark.filterwarnings("ignore:Layer '.*' .of type EinsumDense:UserWarning")  # of its own part, before Keras 3.7
@pytest.mark.parametrize("merge", _MASKED, ids=str)
@pytest.mark.parametrize("masked", [(True, True), (True, False), (False, True)])
def test_the_output_mask_is_that_of_keras(merge: Node, masked: tuple[bool, bool]) -> None:
    """The masks of two embeddings of random numbers, of which 0 is padding; theory is given the rows."""
    tensorflow = load()
    dims = (Dim(2, "N"), Dim(3, "T"), Dim(4, "C"))
    rows = [((True, True, False), (False, True, False)), ((True, False, False), (True, True, False))]
    masks = [Mask.of(one, argument=False) if there else None for one, there in zip(rows, masked, strict=True)]
    given = Given(dims, "float32", mask=masks[0], others=((dims, "float32"),), masks=(masks[1],))
    answer = merge.cls.theory(merge, given)

    tokens = [tensorflow.constant(np.array(one, np.int32)) for one in rows]
    inputs = [build(_EMBEDDING.but(mask_zero=there))(token) for token, there in zip(tokens, masked, strict=True)]
    layer = build(merge)
    if answer.refusals:
        with pytest.raises(tensorflow.errors.InvalidArgumentError):
            layer(inputs)
        return
    y = layer(*inputs) if merge.name == "MultiHeadAttention" else layer(inputs)
    seen = getattr(y, "_keras_mask", None)
    assert (answer.mask and [list(row) for row in answer.mask.rows]) == (
        None if seen is None else seen.numpy().tolist()
    )
    left = [getattr(x, "_keras_mask", None) is not None for x in inputs]
    assert left == ([False, False] if unmasks(merge, "float32") else list(masked))


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
@pytest.mark.parametrize("sizes", [(3, 3), (1, 3), (4, 3), (3, 1)])
def test_a_mask_of_the_value_is_run_by_both_or_rejected_by_both(name: str, sizes: tuple[int, int]) -> None:
    """Before Keras 3.12 its rows are laid on the steps of the query."""
    batch, steps = sizes
    merge, dims = of(name), (Dim(batch, "N"), Dim(5, "T"), Dim(4, "C"))
    mask = Mask.of(((True, True, True, False, False),) * batch, argument=False)
    query = (Dim(batch, "N"), Dim(steps, "T"), Dim(4, "C"))
    answer = merge.cls.theory(merge, Given(query, "float32", others=((dims, "float32"),), masks=(mask,)))
    value = build(_EMBEDDING)(np.array([[1, 1, 1, 0, 0]] * batch))
    inputs = [np.ones((batch, steps, 4), np.float32), value]
    if answer.refusals:
        with pytest.raises(load().errors.InvalidArgumentError):
            build(merge)(inputs)
    else:
        assert tuple(build(merge)(inputs).shape) == tuple(dim.size for dim in answer.outputs[0].dims)


@pytest.mark.filterwarnings("ignore:Layer '.*' .of type EinsumDense:UserWarning")
def test_attention_in_heads_takes_the_mask_off_its_inputs() -> None:
    """What is called later with the same tensors finds no mask from Keras 3.8 on, unless they were cast."""
    for dtype, stays in (("float32", release.asked() < (3, 8)), ("float16", True)):
        graph = Graph(
            (Entry("x", (None, None)),),
            (
                ("embedding", _EMBEDDING),
                ("attention", of("MultiHeadAttention", num_heads=2, key_dim=3, dtype=dtype)),
                ("lstm", of("LSTM", units=2)),
            ),
            (
                Call("embedding", "embedding", (Wire("x"),)),
                Call("attention", "attention", (Wire("embedding"), Wire("embedding"))),
                Call("lstm", "lstm", (Wire("embedding"),)),
            ),
        )
        spec = Spec(Node.of(MODEL, {"graph": graph}), (2, 3))
        *_, lstm = walk(spec.layer, spec.given())
        assert (lstm.given.mask is not None) == stays
        layer = build(spec.layer)
        embedded, *_ = layer(*feed(spec, layer))
        assert (getattr(embedded, "_keras_mask", None) is not None) == stays


COUNTED = [(merge, shapes) for merge, shapes, _ in FINE if merge.name in ("Dot", "Attention", "AdditiveAttention")]


@pytest.mark.parametrize(("merge", "shapes"), COUNTED, ids=str)
def test_multiply_adds_are_those_of_tensorflows_graph(merge: Node, shapes: Sequence[Sequence[int]]) -> None:
    spec = merged(merge, *shapes)
    _, function = traced(spec)
    assert predict(spec).cost.multiply_adds == multiply_adds(function.graph)


def test_multiply_adds_of_attention_in_heads_are_those_of_its_kernels() -> None:
    """Each kernel once a step of what it projects, and the two products of query, key and value in each head."""
    merge = of("MultiHeadAttention", num_heads=2, key_dim=3, value_dim=5, **GATED)
    spec = merged(merge, SEQUENCE, LONGER, (2, 5, 6))
    layer = build(spec.layer)
    layer(*feed(spec, layer))
    steps = {"query": 3, "gate": 3, "key": 5, "value": 5, "attention_output": 3}
    kernels = {weight.path.split("/")[-2]: weight.shape for weight in layer.weights if weight.path.endswith("kernel")}
    projected = sum(2 * steps[name] * int(np.prod(shape)) for name, shape in kernels.items())
    assert predict(spec).cost.multiply_adds == projected + 2 * 2 * 3 * 5 * (3 + 5)


def _drawn(rng: random.Random) -> Spec:
    """Two or three inputs of random shapes into a random layer: some fit together, some do not."""

    def size() -> int:
        return rng.choice((1, 3, 3, 3, 4))

    rank = rng.choice((2, 3, 3, 3, 4))
    first = (2, *(size() for _ in range(rank - 1)))
    shapes: list[Sequence[int]] = [first]
    for _ in range(rng.choice((1, 1, 1, 2))):
        other = [one if rng.random() < 0.75 else size() for one in first]
        shapes.append((2, *other[1 if rng.random() < 0.9 else 2 :]) if rank > 2 else (2, *other[1:]))
    name = rng.choice(list(MERGES))
    arguments: dict[str, Any] = {
        "Concatenate": {"axis": rng.randint(-rank, rank)},
        "Dot": {"axes": rng.choice((rng.randint(-2, 3), (rng.randint(1, 2), rng.randint(1, 2))))},
        "Attention": {"use_scale": rng.random() < 0.5, "score_mode": rng.choice(("dot", "concat"))},
        "AdditiveAttention": {"use_scale": rng.random() < 0.5},
        "MultiHeadAttention": {"num_heads": 2, "key_dim": 3, **(GATED if rng.random() < 0.5 else {})},
    }.get(name, {})
    return merged(of(name, **arguments), *shapes)


# Two vectors attend over the batch, and axes of 1 before time broadcast: Keras runs what few people mean.
_STRICTER = ("needs sequences", "the same axes before the time axis")


@pytest.mark.parametrize("seed", range(8))
def test_drawn_merges_are_run_by_both_or_rejected_by_both(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        spec = _drawn(rng)
        told, theirs = wrong(spec), raised(spec)
        if told is None:
            assert theirs is None, f"{spec.layer.text}\n{spec.input}: Keras raises {theirs}"
            report = explore(spec)
            assert report.agrees, f"{spec.layer.text}\n{report.error} {report.disagreements}"
        elif not any(part in told for part in _STRICTER):
            assert theirs is not None, f"{spec.layer.text}\n{spec.input}: Keras runs it, not {told}"
