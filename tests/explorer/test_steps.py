"""The steps of the explorer as data: text and options form one question, and each edit rewrites the text."""

from __future__ import annotations

import pytest

from rnnshape.explorer import edits
from rnnshape.explorer.fields import groups
from rnnshape.explorer.presets import NAMES, preset
from rnnshape.explorer.steps import History, read
from rnnshape.explorer.written import run, shell
from rnnshape.layers import TABLE
from rnnshape.reading import make


def test_a_mistake_keeps_its_place_and_the_layer_is_gone() -> None:
    step = read("  LSTM(8, return_stat=True)")
    (problem,) = step.problems
    assert problem.span is not None
    assert step.source[slice(*problem.span)].startswith("return_stat")
    assert (step.layer, step.spec) == (None, None)


def test_an_edit_fixes_a_layer_that_cannot_be_combined() -> None:
    """Keras rejects it, but the fields stay, so that the user can switch back."""
    layer = make("Bidirectional(LSTM(8))").layer
    step = read(layer.text).with_layer(edits.changed(layer, ("layer",), "go_backwards", True))
    assert "remove go_backwards" in step.problems[0].message
    assert step.layer is not None
    fixed = step.with_layer(edits.changed(step.layer, ("layer",), "go_backwards", False))
    assert fixed.text == "Bidirectional(LSTM(8))"
    assert fixed.spec is not None


def test_an_option_that_does_not_apply_is_kept() -> None:
    step = read("LSTM(8)", {"time": 5}).with_text("LSTMCell(8)")
    assert step.input == (2, 4)
    assert [problem.key for problem in step.idle] == ["time"]
    assert step.with_text("GRU(8)").input == (2, 5, 4)


def test_an_edit_keeps_the_input_and_the_call_in_the_text() -> None:
    step = read("LSTM(8)(keras.Input((7, 5)), mask=mask, training=True)")
    assert step.layer is not None
    after = step.with_layer(edits.changed(step.layer, (), "return_sequences", True))
    assert after.text == "LSTM(8, return_sequences=True)"
    assert (after.spec.input, after.spec.mask, after.spec.training) == (  # type: ignore[union-attr]
        step.spec.input,  # type: ignore[union-attr]
        step.spec.mask,  # type: ignore[union-attr]
        True,
    )


def test_a_mask_keeps_its_steps_when_the_input_grows() -> None:
    step = read("LSTM(8)").with_mask(((True, True, False), (True, True, True)))
    assert step.option("mask") == "110;111"
    assert step.with_option("time", 4).option("mask") == "1101;1111"
    assert step.with_option("batch", 3).option("mask") == "110;111;111"
    assert step.with_option("time", 2).option("mask") is None  # all remaining steps are valid
    assert step.with_mask(((True,) * 3,) * 2) == read("LSTM(8)")


def test_a_size_changes_within_a_whole_shape() -> None:
    assert read("LSTM(8)", {"input": (2, 3, 4)}).with_option("time", 6).input == (2, 6, 4)
    assert read("ConvLSTM1D(2, 3)", {"input": (2, 3, 8, 4)}).with_option("time", 6).input == (2, 6, 8, 4)


@pytest.mark.parametrize("name", edits.LAYERS)
def test_each_class_that_is_offered_can_be_made(name: str) -> None:
    layer = make("LSTM(8, dropout=0.5, return_sequences=True)").layer
    assert edits.at(edits.made_into(layer, (), name), ()).name == name
    text = edits.appended(layer, name).text
    assert read(text).layer is not None, text


def test_another_class_keeps_what_both_have() -> None:
    layer = make("LSTM(8, dropout=0.5, return_sequences=True)").layer
    rnn = edits.made_into(layer, (), "RNN")
    assert rnn.text == "RNN(LSTMCell(8, dropout=0.5), return_sequences=True)"
    assert edits.made_into(rnn, (), "GRU").text == "GRU(8, dropout=0.5, return_sequences=True)"
    assert edits.made_into(rnn, ("cell",), "GRUCell").text == "RNN(GRUCell(8, dropout=0.5), return_sequences=True)"
    assert set(edits.classes_for(rnn, ("cell",))) == {cls.name for cls in TABLE.values() if cls.kind == "cell"}


def test_wrap_and_unwrap_find_the_layer_around_a_cell() -> None:
    layer = make("RNN(LSTMCell(8), return_sequences=True) | Dense(3)").layer
    loop = edits.loop_at(layer, ("layers", 0, "cell"))
    assert loop == ("layers", 0)
    both = edits.wrapped(layer, loop)
    inner = edits.loop_at(both, ("layers", 0))
    assert inner == ("layers", 0, "layer")
    assert edits.is_wrapped(both, inner)
    assert edits.unwrapped(both, inner) == layer
    assert edits.loop_at(layer, ("layers", 1)) is None


def test_undo_and_redo() -> None:
    one, two, three = map(read, ("LSTM(8)", "GRU(8)", "LSTM(9)"))
    walk = History(one).to(two)
    assert walk.to(three, replacing=True).undone.now == one
    assert walk.undone.redone == walk
    assert walk.undone.to(three).redone.now == three  # a new step clears the steps to redo


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_of_a_preset_can_be_answered(name: str) -> None:
    walk = preset(name)
    while walk.future:
        assert walk.now.spec is not None
        assert not walk.now.idle
        walk = walk.redone
    assert walk.now.spec is not None


@pytest.mark.parametrize(
    "text", ["LSTM(8)", "Bidirectional(RNN([LSTMCell(4), GRUCell(6)]))", "Embedding(9, 4) | GRU(2)"]
)
def test_each_field_of_the_run_and_of_the_layers_shows_its_value(text: str) -> None:
    step = read(text)
    assert step.layer is not None
    for group in groups(step):
        for field in group.fields:
            if field.path is not None:
                assert field.value == edits.at(step.layer, field.path)[field.argument.name]
            if field.control == "text" and field.value is not None:
                assert field.meant(field.text) == (field.value, None)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("LSTM(8, return_state=True)", {"mask": "right:3,1", "initial_state": "ones", "calls": 2}),
        ("ConvLSTM2D(2, 3)", {"input": (2, 3, 9, 9, 1), "training": True}),
        ("LSTM(units)", {"let": {"units": 5}, "keras": "3.10"}),
    ],
)
def test_a_copied_command_asks_the_same_question(text: str, options: dict[str, object]) -> None:
    import shlex

    import yaml

    from rnnshape.reading.batch.data import from_data

    spec = make(text, options)
    (data,) = yaml.safe_load(run(spec))["runs"]
    assert from_data(data) == spec
    words = shlex.split(shell(spec))
    assert words[:3] == ["rnnshape", "show", spec.layer.text]
