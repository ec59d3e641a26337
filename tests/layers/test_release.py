"""Which release of Keras a question is about: the changes between releases, and what a release does not have."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.lab.tensorflow import keras
from rnnshape.layers import TABLE, release
from rnnshape.layers.arguments import REQUIRED
from rnnshape.layers.release import CHANGES, KERAS_3, asked, dotted, numbers
from rnnshape.reading import make
from rnnshape.reading.comparison import compared
from tests.shared.releases import legacy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran


def test_a_question_is_about_the_installed_release_unless_it_says_another() -> None:
    installed = asked()
    with release.of("3.8"):
        assert asked() == (3, 8)
        with release.of("2"):
            assert asked() < KERAS_3
        with release.of(None):
            assert asked() == (3, 8)
    assert asked() == installed


def test_a_change_is_made_from_its_release_on_and_perhaps_in_keras_2() -> None:
    for change in CHANGES:
        with release.of(dotted(change.since)):
            assert change.made, change
        before = (3, change.since[1] - 1) if change.since > KERAS_3 else (2,)
        if before >= release.OLDEST:
            with release.of(dotted(before)):
                assert not change.made, change
        with release.of("2"):
            assert change.made == change.in_2, change


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what[:60])
def test_a_change_says_where_keras_has_it(change: release.Change) -> None:
    assert ".py" in change.source
    assert numbers(dotted(change.since)) == change.since
    assert not change.what.endswith(".")
    assert change.since <= release.NEWEST


def test_theory_answers_for_a_release_that_is_not_installed() -> None:
    report = rnnshape.explore("GRU(3, return_sequences=True)", keras="3.5", mask="right:2,3")
    assert report.observed is None
    assert report.ok
    assert report.environment["keras"] == "3.5"
    assert any("not verified on a real layer" in note for note in report.notes)


@pytest.mark.parametrize(
    ("layer", "version", "said"),
    [
        ("GRU(8, implementation=1)", "3.3", "came with Keras 3.4"),
        ("LSTM(8, activation='celu')", "3.6", "came with Keras 3.7"),
        ("Conv2DTranspose(2, 3, strides=2, output_padding=(0, 1))", "3.10", "0 is from Keras 3.11 on"),
        ("LSTM(8, use_cudnn=False)", "2", "came with Keras 3"),
        ("LSTM(8, time_major=True)", None, "removed in Keras 3"),
        ("Bidirectional(LSTM(8, go_backwards=True))", "3.3", "go_backwards"),
        ("RNN(LSTMCell(8, dtype='float16'))", "2", "Keras 2 casts no states"),
    ],
)
def test_what_a_release_does_not_have_is_an_error(layer: str, version: str | None, said: str) -> None:
    with pytest.raises(rnnshape.Invalid) as error:
        make(layer, {} if version is None else {"keras": version})
    assert said in str(error.value)


def test_a_rate_of_one_is_rejected_by_old_releases_when_they_make_the_mask() -> None:
    error = rnnshape.predict("LSTM(8, dropout=1.0)", keras="3.13").error
    assert error is not None
    assert error.hint == "use a rate below 1, or Keras 3.14"
    assert rnnshape.predict("LSTM(8, dropout=1.0)", keras="3.14").error is None
    assert rnnshape.predict("Dropout(1)", keras="3.13").error is None
    assert rnnshape.predict("Dropout(1)", keras="3.13", training=True).error is not None


@pytest.mark.parametrize("version", ["1", "2.4", "3", "3.2", "3.99", "three", "", "3.1"])
def test_a_version_without_rules_is_an_error(run: Callable[..., Ran], version: str) -> None:
    ran = run("lstm", "--keras", version, "--predict")
    assert ran.code == 2
    assert "3.3 to 3.15" in ran.err


def test_a_number_in_a_file_is_told_to_be_quoted() -> None:
    with pytest.raises(rnnshape.Invalid, match=r"write '3\.10'"):
        make("lstm", {"keras": 3.1})


def test_the_release_is_part_of_the_run_as_data() -> None:
    from rnnshape.spec.data import to_data

    spec = make("lstm", {"keras": "3.8"})
    assert to_data(spec)["keras"] == "3.8"
    assert make(to_data(spec)["layer"], {"keras": "3.8", "input": spec.input}) == spec


# ── along the axis ──


def _along(layer: str, **options: Any) -> dict[str, tuple[str, ...]]:
    sides = rnnshape.compare(layer, axis="keras", **options).sides
    return {side.variant.label: side.variant.changes for side in sides}


def test_the_axis_has_a_variant_for_each_span_of_releases_and_says_what_changed() -> None:
    spans = _along("LSTM(8, return_sequences=True)", mask="right:2,3")
    newest = dotted(release.NEWEST)
    assert list(spans) == ["Keras 2", "Keras 3.3 to 3.10", f"Keras 3.11 to {newest}"]
    [change] = spans[f"Keras 3.11 to {newest}"]
    assert change.startswith("since Keras 3.11: a mask that is passed")


def test_a_change_without_effect_is_not_told() -> None:
    spans = _along("LSTM(8, return_state=True)")
    assert [*spans.values()][1:] == [("since Keras 3.0: a layer with several outputs returns a tuple; before, a list",)]


def test_the_oldest_and_the_newest_are_shown_where_nothing_changed() -> None:
    assert list(_along("LSTM(8)")) == ["Keras 2", f"Keras {dotted(release.NEWEST)}"]


def test_each_release_of_an_axis_has_its_own_defaults() -> None:
    """What one release does by default is said in another, and what it does not have leaves it out."""
    gates = [
        (variant.spec.keras, dict(variant.spec.layer.given).get("recurrent_activation"))
        for variant in compared(["ConvLSTM1D(2, 2, recurrent_activation='hard_sigmoid')"], axis="keras").variants
    ]
    assert gates == [("2", None), (dotted(release.NEWEST), "hard_sigmoid")]
    sizes = [
        (variant.spec.keras, dict(variant.spec.layer.given).get("pool_size"))
        for variant in compared(["AveragePooling1D(2)"], axis="keras").variants
    ]
    assert sizes == [("2", None), (dotted(release.NEWEST), 2)]
    slopes = compared(["LSTM(2, activation=LeakyReLU(0.2))"], axis="keras").variants
    assert "2" not in {variant.spec.keras for variant in slopes}


# ── the real Keras 2 ──


@legacy
def test_both_keras_run_in_one_process() -> None:
    two, three = (rnnshape.explore("LSTM(3, return_state=True)", keras=version) for version in ("2", None))
    assert (two.agrees, three.agrees) == (True, True)
    assert (two.observed.to_dict()["kind"], three.observed.to_dict()["kind"]) == ("list", "tuple")
    assert two.environment["keras"].startswith("2.")


# What **kwargs of a class takes, or of its base class.
_OTHERWISE = {
    "dtype",
    "name",
    "trainable",
    "autocast",
    "activity_regularizer",
    "zero_output_for_mask",
    "return_runtime",
    "seed",
}
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "RNN", "StackedRNNCells")


@legacy
@pytest.mark.parametrize("name", [*_RECURRENT, "Bidirectional", "TimeDistributed", "ConvLSTM2D", "Dense"])
def test_the_table_has_the_arguments_of_keras_2_with_their_defaults(name: str) -> None:
    with release.of("2"):
        parameters = inspect.signature(getattr(keras().layers, name).__init__).parameters
        real = {key: one.default for key, one in parameters.items() if key not in ("self", "kwargs")}
        mine = {one.name: one for one in TABLE[name].arguments if not one.missing_in(asked())}
        assert set(real) <= set(mine)
        assert set(mine) - set(real) <= _OTHERWISE | {"time_major", "implementation", "unroll"}
        for key, default in real.items():
            usual = TABLE[name].usual[key]
            ones = isinstance(default, tuple) and set(default) == {usual}
            assert usual == (REQUIRED if default is inspect.Parameter.empty else default) or ones, key
