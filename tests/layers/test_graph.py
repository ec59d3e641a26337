"""Graphs of layer calls, held against Keras: by the lab, and by calls that are written out by hand here."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from rnnshape import explore
from rnnshape.errors import Invalid
from rnnshape.lab.build import build
from rnnshape.lab.feed import feed
from rnnshape.lab.seeds import seeded
from rnnshape.layers import MODEL, TABLE, Node
from rnnshape.layers.entries import walk
from rnnshape.layers.merges import MERGES
from rnnshape.layers.wires import Call, Entry, Graph, Packed, Wire
from rnnshape.spec import Spec
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from rnnshape import Report

LSTM_RESULTS = ("output", "state_h", "state_c")


def of(name: str, **arguments: Any) -> Node:
    return Node.of({**TABLE, **MERGES}[name], arguments)


def spec_of(graph: Graph, *shape: int) -> Spec:
    return Spec(Node.of(MODEL, {"graph": graph}), shape)


def wrong(spec: Spec) -> str:
    return spec.layer.cls.check_input(spec.layer, spec.dims) or ""


def proved(spec: Spec) -> Report:
    """The report of a graph about which theory and Keras agree."""
    assert wrong(spec) == ""
    report = explore(spec)
    assert report.error is None
    assert report.disagreements == ()
    assert report.ok
    return report


def states(call: str, *indexes: int) -> tuple[Wire, ...]:
    return tuple(Wire(call, (index,)) for index in indexes)


ENCODER = of("LSTM", units=8, return_state=True)
DECODER = of("LSTM", units=8, return_sequences=True, return_state=True)
INPUTS = (Entry("encoder_inputs", (None, None, 7)), Entry("decoder_inputs", (None, None, 5)))
ENCODED = Call("encoder", "encoder", (Wire("encoder_inputs"),), results=LSTM_RESULTS)
DECODED = Call("decoder", "decoder", (Wire("decoder_inputs"),), states("encoder", 1, 2), results=LSTM_RESULTS)
NAMES = (("state_h", Wire("encoder", (1,))), ("state_c", Wire("encoder", (2,))), ("decoded", Wire("decoder", (0,))))


def test_an_encoder_hands_its_states_to_a_decoder() -> None:
    dense = of("Dense", units=5, activation="softmax")
    layers = (("encoder", ENCODER), ("decoder", DECODER), ("dense", dense))
    report = proved(
        spec_of(Graph(INPUTS, layers, (ENCODED, DECODED, Call("dense", "dense", states("decoder", 0))), NAMES), 2, 3, 7)
    )
    checks = {check.check: check for check in report.checks if check.guaranteed}
    assert list(checks) == [
        "encoder_output == state_h",
        "decoded[:, -1, :] == decoder_state_h",
        "decoded[:, 0, :] == decoder_cell(decoder_inputs[:, 0], state_h, state_c)",
    ]
    assert next(leaves(report.flow[1].predicted)).symbolic == ("N", "T2", "H2")
    assert [name for name, _ in report.cudnn.predicted] == ["encoder LSTM(8)", "decoder LSTM(8)"]


def test_the_states_of_a_decoder_are_inputs_where_it_is_called_step_by_step() -> None:
    """The inference model: the decoder's states go in and come out, and it is called on what it returned."""
    entries = (Entry("x", (None, 1, 5)), Entry("h", (None, 8)), Entry("c", (None, 8)))
    calls = (
        Call("first", "decoder", (Wire("x"),), (Wire("h"), Wire("c")), results=LSTM_RESULTS),
        Call("dense", "dense", states("first", 0)),
        Call("second", "decoder", (Wire("dense"),), states("first", 1, 2), results=LSTM_RESULTS),
    )
    graph = Graph(entries, (("decoder", DECODER), ("dense", of("Dense", units=5))), calls)
    report = proved(spec_of(graph, 2, 1, 5))
    # The weights of a layer that is called twice are there once.
    assert [weight.name for weight in report.weights][:3] == [
        "decoder_kernel",
        "decoder_recurrent_kernel",
        "decoder_bias",
    ]
    assert len(report.weights) == 5
    assert sum("_cell(" in check.check for check in report.checks) == 2


def test_two_bidirectional_layers_are_put_side_by_side() -> None:
    both = of("Bidirectional", layer=of("LSTM", units=3))
    other = of("Bidirectional", layer=of("GRU", units=2))
    calls = (
        Call("a", "a", (Wire("x"),)),
        Call("b", "b", (Wire("z"),)),
        Call("joined", "joined", (Wire("a"), Wire("b"))),
    )
    graph = Graph(
        (Entry("x", (None, None, 4)), Entry("z", (None, None, 6))),
        (("a", both), ("b", other), ("joined", of("Concatenate"))),
        calls,
    )
    (out,) = leaves(proved(spec_of(graph, 2, 3, 4)).predicted)
    assert out.shape == (2, 10)
    assert out.symbolic == ("N", "2H1+2H2")


def test_a_residual_is_added() -> None:
    calls = (Call("lstm", "lstm", (Wire("x"),)), Call("sum", "add", (Wire("x"), Wire("lstm"))))
    layers = (("lstm", of("LSTM", units=4, return_sequences=True)), ("add", of("Add")))
    (out,) = leaves(proved(spec_of(Graph((Entry("x", (None, None, 4)),), layers, calls), 2, 3, 4)).predicted)
    assert out.symbolic[:2] == ("N", "T")


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention", "MultiHeadAttention"])
def test_a_decoder_attends_to_its_encoder(name: str) -> None:
    attention = of(name, num_heads=2, key_dim=3) if name == "MultiHeadAttention" else of(name)
    layers = (("encoder", ENCODER.but(return_sequences=True)), ("decoder", DECODER), ("attention", attention))
    calls = (ENCODED, DECODED, Call("context", "attention", (*states("decoder", 0), *states("encoder", 0))))
    (out,) = leaves(proved(spec_of(Graph(INPUTS, layers, calls), 2, 3, 7)).predicted)
    assert out.shape == (2, 5, 8)
    assert out.symbolic[:2] == ("N", "T2")


@pytest.mark.parametrize("mask", [None, ((True, True, False), (True, False, False))])
def test_a_mask_is_dropped_where_states_are_passed(mask: Any) -> None:
    """The decoder's own embedding makes a mask, and Keras does not look at it beside initial_state."""
    embedding = of("Embedding", input_dim=9, output_dim=4, mask_zero=True)
    layers = (("embedding", embedding), ("encoder", ENCODER), ("words", embedding), ("decoder", DECODER))
    calls = (
        Call("embedded", "embedding", (Wire("x"),)),
        Call("encoder", "encoder", (Wire("embedded"),), results=LSTM_RESULTS),
        Call("spoken", "words", (Wire("z"),)),
        Call("decoder", "decoder", (Wire("spoken"),), states("encoder", 1, 2), results=LSTM_RESULTS),
    )
    graph = Graph((Entry("x", (None, None)), Entry("z", (None, None))), layers, calls)
    spec = Spec(Node.of(MODEL, {"graph": graph}), (2, 3), mask=mask)
    report = proved(spec)
    assert any("initial_state" in heading for heading in report.quirks)
    _, encoder, _, _ = walk(spec.layer, spec.given())
    assert encoder.given.mask is not None
    assert encoder.given.mask.said == mask


def test_the_laws_of_a_masked_call_speak_of_its_own_mask() -> None:
    """Here two calls have masks of their own: what is padded in one input is not in the other."""
    embedding = of("Embedding", input_dim=9, output_dim=4, mask_zero=True)
    layers = (("embedding", embedding), ("one", DECODER), ("words", embedding), ("other", DECODER))
    calls = (
        Call("embedded", "embedding", (Wire("x"),)),
        Call("one", "one", (Wire("embedded"),), results=LSTM_RESULTS),
        Call("spoken", "words", (Wire("z"),)),
        Call("other", "other", (Wire("spoken"),), results=LSTM_RESULTS),
    )
    graph = Graph((Entry("x", (None, None)), Entry("z", (None, None))), layers, calls)
    mask = ((True, True, False), (True, False, False))
    report = proved(Spec(Node.of(MODEL, {"graph": graph}), (2, 3), mask=mask))
    held = [check.check for check in report.checks if check.guaranteed]
    assert "one_output[one_i, one_length - 1, :] == one_state_h" in held
    assert "other_output[:, -1, :] == other_state_h" in held


def test_both_halves_of_a_bidirectional_keep_their_letter() -> None:
    both = of("Bidirectional", layer=of("LSTM", units=3, return_sequences=True, return_state=True))
    results = ("output", "forward_state_h", "forward_state_c", "backward_state_h", "backward_state_c")
    calls = (Call("a", "a", (Wire("x"),), results=results), Call("d", "d", states("a", 0)))
    graph = Graph((Entry("x", (None, None, 4)),), (("a", both), ("d", of("Dense", units=2))), calls)
    report = proved(spec_of(graph, 2, 3, 4))
    assert [check.check for check in report.checks if check.guaranteed] == [
        "a_output[:, -1, :H1] == a_forward_state_h",
        "a_output[:, 0, H1:] == a_backward_state_h",
    ]


def test_a_graph_returns_the_outputs_that_the_code_names() -> None:
    layers = (("encoder", ENCODER), ("decoder", DECODER))
    listed = Packed("list", (*states("decoder", 0), *states("encoder", 1)))
    several = Graph(INPUTS, layers, (ENCODED, DECODED), NAMES, listed)
    report = proved(spec_of(several, 2, 3, 7))
    assert [(tensor.role, tensor.path, tensor.shape) for tensor in leaves(report.predicted)] == [
        ("decoded", "[0]", (2, 5, 8)),
        ("state_h", "[1]", (2, 8)),
    ]
    assert several.text.endswith("\nModel([encoder_inputs, decoder_inputs], [decoded, state_h])")
    one = Graph(INPUTS, layers, (ENCODED, DECODED), NAMES, *states("decoder", 2))
    (tensor,) = leaves(proved(spec_of(one, 2, 3, 7)).predicted)
    assert (tensor.role, tensor.path) == ("decoder_state_c", "")
    none = Graph(INPUTS, layers, (ENCODED, DECODED), NAMES, *states("decoder", 3))
    assert "Model(…): decoder_y[3] does not exist: decoder returns 3 values" in wrong(spec_of(none, 2, 3, 7))


def test_inputs_of_open_length_have_one_length_where_they_are_merged() -> None:
    entries = (Entry("x", (None, None, 4)), Entry("z", (None, None, 6)))
    calls = (Call("a", "a", (Wire("x"), Wire("z"))), Call("b", "b", (Wire("a"),)))
    layers = (("a", of("Concatenate")), ("b", of("LSTM", units=2, return_sequences=True)))
    (out,) = leaves(proved(spec_of(Graph(entries, layers, calls), 2, 3, 4)).predicted)
    assert out.symbolic == ("N", "T", "H2")
    # Along time they may differ.
    along = of("Concatenate", axis=1)
    alike = (entries[0], Entry("z", (None, None, 4)))
    (out,) = leaves(proved(spec_of(Graph(alike, (("a", along), layers[1]), calls), 2, 3, 4)).predicted)
    assert out.symbolic == ("N", "T+T2", "H2")


def test_states_of_a_graph_are_passed_in_the_code() -> None:
    code = "x = Input((3, 4))\ny = LSTM(2, name='a')(x)\nz = Dense(2)(y)\nw = Dense(3)(y)"
    with pytest.raises(Invalid, match="pass the states in the code"):
        explore(code, initial_state="random")


def test_a_layer_that_is_called_twice_has_one_kernel_and_one_set_of_weights() -> None:
    calls = (
        Call("a", "shared", (Wire("x"),)),
        Call("b", "shared", (Wire("z"),)),
        Call("s", "sub", states_of("a", "b")),
    )
    layers = (("shared", of("GRU", units=3)), ("sub", of("Subtract")))
    graph = Graph((Entry("x", (None, None, 4)), Entry("z", (None, None, 4))), layers, calls)
    report = proved(spec_of(graph, 2, 3, 4))
    assert [weight.name for weight in report.weights] == ["shared_kernel", "shared_recurrent_kernel", "shared_bias"]
    assert [name for name, _ in report.cudnn.predicted] == ["shared GRU(3)"]


def states_of(*calls: str) -> tuple[Wire, ...]:
    return tuple(map(Wire, calls))


BROKEN = [
    (
        DECODER.but(units=6),
        states("encoder", 1, 2),
        "state_h is (N, H1) = (2, 8), and the state_h of decoder must be (N, H2) = (2, 6): give decoder units=8",
    ),
    (DECODER, states("encoder", 2, 1), "state_c is the state_c of encoder, in the place of state_h"),
    (DECODER, states("encoder", 1), "1 state is passed, and decoder takes 2 (state_h, state_c)"),
    (of("GRU", units=8), states("encoder", 1, 2), "2 states are passed, and decoder takes 1 (state)"),
    (DECODER, states("encoder", 1, 3), "encoder returns 3 values"),
    (of("Dense", units=8), states("encoder", 1, 2), "takes no initial_state"),
]


@pytest.mark.parametrize(("decoder", "handed", "message"), BROKEN, ids=str)
def test_states_that_do_not_fit_are_told_in_the_names_of_the_code(
    decoder: Node, handed: tuple[Wire, ...], message: str
) -> None:
    call = Call("decoder", "decoder", (Wire("decoder_inputs"),), handed)
    graph = Graph(INPUTS, (("encoder", ENCODER), ("decoder", decoder)), (ENCODED, call), NAMES[:2])
    assert message in wrong(spec_of(graph, 2, 3, 7))


def test_several_values_do_not_go_into_one_place() -> None:
    calls = (ENCODED, Call("dense", "dense", (Wire("encoder"),)))
    graph = Graph(INPUTS[:1], (("encoder", ENCODER), ("dense", of("Dense", units=2))), calls)
    assert "encoder returns 3 values (output, state_h, state_c)" in wrong(spec_of(graph, 2, 3, 7))


def test_a_layer_that_needs_a_sequence_says_which_must_return_one() -> None:
    calls = (Call("a", "a", (Wire("x"),)), Call("b", "b", (Wire("a"),)))
    graph = Graph((Entry("x", (None, None, 4)),), (("a", of("LSTM", units=3)), ("b", of("GRU", units=2))), calls)
    assert "give a `return_sequences=True`" in wrong(spec_of(graph, 2, 3, 4))


def _drawn(rng: random.Random) -> Graph:
    """Sequences of one length that go into random layers; states are handed on where they fit."""
    layers: list[tuple[str, Node]] = []
    calls: list[Call] = []
    sequences, pairs = [Wire("x")], []
    for number in range(rng.randint(2, 6)):
        name = f"layer{number}"
        kind = rng.choice(("LSTM", "LSTM", "Dense", "Add", "Concatenate", "Attention", "again"))
        begun = rng.choice(pairs) if pairs and rng.random() < 0.5 else None
        results: tuple[str, ...] = ()
        if kind == "again" and any(node.name == "LSTM" for _, node in layers):
            layer = rng.choice([key for key, node in layers if node.name == "LSTM"])
            node = dict(layers)[layer]
            # The layer was built for the width of its first input.
            inputs = next(call.inputs for call in calls if call.layer == layer)
            begun = begun if begun is not None else None
        elif kind in ("Dense", "LSTM", "again"):
            node = of("Dense", units=4) if kind == "Dense" else DECODER.but(units=4, return_state=rng.random() < 0.6)
            layer, inputs = name, (rng.choice(sequences),)
            layers.append((layer, node))
        else:
            node = of(kind)
            layer = name
            one = [wire for wire in sequences if wire.source != "x"] or sequences
            inputs = (rng.choice(one), rng.choice(one))
            layers.append((layer, node))
        loops = node.name == "LSTM"
        if loops and node["return_state"]:
            results = LSTM_RESULTS
            pairs.append(states(name, 1, 2))
        calls.append(Call(name, layer, inputs, begun if loops else None, results))
        sequences.append(Wire(name, (0,)) if results else Wire(name))
    return Graph((Entry("x", (None, None, 4)),), tuple(layers), tuple(calls))


@pytest.mark.parametrize("seed", range(20))
def test_drawn_graphs_agree_with_calls_written_out_by_hand(seed: int) -> None:
    graph = _drawn(random.Random(seed))
    spec = spec_of(graph, 2, 3, 4)
    if wrong(spec):  # a Concatenate makes another width
        with pytest.raises(Exception, match=r"(?s)."):
            build(spec.layer)(*feed(spec, build(spec.layer)))
        return
    report = proved(spec)
    with seeded(spec.seed):
        real = {name: build(node) for name, node in graph.layers}
        made: dict[str, Any] = {"x": feed(spec, None)[0]}
        for call in graph.calls:
            taken = [made[wire.source][wire.path[0]] if wire.path else made[wire.source] for wire in call.inputs]
            begun = call.initial_state and [made[wire.source][wire.path[0]] for wire in call.initial_state]
            beside = {"initial_state": begun} if begun else {}
            made[call.name] = real[call.layer](taken if len(taken) > 1 else taken[0], **beside)
    for call, part in zip(graph.calls, report.flow, strict=True):
        shapes = [tuple(tensor.shape) for tensor in (made[call.name] if call.results else [made[call.name]])]
        assert [tensor.shape for tensor in leaves(part.predicted)] == shapes
    result = made[graph.calls[-1].name]
    for ours, theirs in zip(report.values, result if graph.calls[-1].results else [result], strict=True):
        assert (ours == theirs.numpy()).all()
