"""``rnnshape help``: topics are short and correct; ``--help`` is readable at any width."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rnnshape.cli import topics
from rnnshape.cli.flags import EXAMPLES
from rnnshape.cli.topics import NAMES, text
from rnnshape.errors import EXIT_CODES
from rnnshape.layers import TABLE
from rnnshape.render import COMPARISON_FORMATS, FORMATS, ROWS_FORMATS
from rnnshape.spec.options import INITIAL_STATE, STATE_OPTIONS
from tests.shared.pages import Shell
from tests.shared.reference import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran


@pytest.fixture
def shell(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    shell = Shell(run, monkeypatch)
    yield shell
    shell.close()


SHORT = [name for name in NAMES if name != "quirks"]  # quirks is a page of the documentation


def examples(topic: str) -> list[tuple[str, list[str]]]:
    """The commands of a topic, each with the output lines below it."""
    found = re.findall(r"^    \$ (.+)\n((?:    (?!\$).+\n)*)", text(topic), re.MULTILINE)
    return [(command, [line.strip() for line in shown.splitlines()]) for command, shown in found]


@pytest.mark.parametrize("topic", SHORT)
def test_a_topic_is_short(topic: str, run: Callable[..., Ran]) -> None:
    ran = run("help", topic)
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    # Lists from the tables may be long.
    assert 5 < len(lines) < (42 if topic == "expressions" else 25)
    assert max(map(len, lines)) <= 80
    assert "{" not in re.sub(r"\{.*[}\"]", "", ran.out), "a list was not filled in"


@pytest.mark.parametrize("topic", SHORT)
def test_the_examples_of_a_topic_run(topic: str, shell: Shell) -> None:
    """Each command succeeds, and its output contains the lines below it."""
    if topic == "yaml":
        (shell.folder / "runs.yaml").write_text(runs(text(topic)), encoding="utf-8")
    assert examples(topic)
    for command, shown in examples(topic):
        printed = shell(command if "exit code" in command else f"{command} && echo answered")
        assert printed is not None
        assert "exit code" in command or printed.endswith("answered\n"), printed
        lines = [re.sub(r" +", " ", line) for line in printed.splitlines()]
        assert [line for line in shown if not any(at.startswith(re.sub(" +", " ", line)) for at in lines)] == []


def runs(told: str) -> str:
    """The example file in the topic."""
    return "".join(f"{line}\n" for line in re.findall(r"^    (?!\$)(.*)$", told, re.MULTILINE))


@pytest.mark.parametrize("topic", NAMES)
def test_the_options_that_a_topic_names_exist(topic: str) -> None:
    known = {name for one in commands().values() for option in one.params for name in option.opts}
    assert set(re.findall(r"(?<!\w)--[a-z][a-z-]*", text(topic))) <= known


def test_the_lists_are_those_of_the_tables() -> None:
    assert ", ".join(TABLE) in " ".join(text("expressions").split())
    for formats in (FORMATS, ROWS_FORMATS, COMPARISON_FORMATS):
        assert f"  {', '.join(formats)}\n" in re.sub(r",\n +", ", ", text("formats"))
    assert [int(code) for code in re.findall(r"^  (\d+) ", text("exit-codes"), re.MULTILINE)] == [*EXIT_CODES]
    assert all(name in text("states") for name in INITIAL_STATE.kind.texts)  # type: ignore[attr-defined]


def test_the_options_of_states_and_masks_are_explained() -> None:
    both = text("masks") + text("states")
    assert [option.option for option in STATE_OPTIONS if f"  {option.option} " not in both] == []


def test_the_weights_of_pytorch_are_as_the_topic_says() -> None:
    """The equations are those of the pages of torch.nn.LSTM and torch.nn.GRU."""
    import keras
    import numpy as np

    def sigmoid(values: Any) -> Any:
        return 1 / (1 + np.exp(-values))

    def drawn(gates: int) -> list[Any]:
        return [rng.normal(size=size) for size in ((gates * 4, 3), (gates * 4, 4), gates * 4, gates * 4)]

    def z_first(weight: Any) -> Any:
        r, z, n = np.split(weight, 3, axis=-1)
        return np.concatenate([z, r, n], axis=-1)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 3))
    lstm, gru = keras.layers.LSTM(4, dtype="float64"), keras.layers.GRU(4, dtype="float64")
    lstm.build(x.shape)
    gru.build(x.shape)

    weight_ih, weight_hh, bias_ih, bias_hh = drawn(4)
    h = c = np.zeros((2, 4))
    for step in range(5):
        i, f, g, o = np.split(x[:, step] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    lstm.set_weights([weight_ih.T, weight_hh.T, bias_ih + bias_hh])
    assert np.allclose(lstm(x), h)

    weight_ih, weight_hh, bias_ih, bias_hh = drawn(3)
    h = np.zeros((2, 4))
    for step in range(5):
        of_x, of_h = np.split(x[:, step] @ weight_ih.T + bias_ih, 3, 1), np.split(h @ weight_hh.T + bias_hh, 3, 1)
        r, z = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
        h = (1 - z) * np.tanh(of_x[2] + r * of_h[2]) + z * h
    gru.set_weights([z_first(weight_ih.T), z_first(weight_hh.T), np.stack([z_first(bias_ih), z_first(bias_hh)])])
    assert np.allclose(gru(x), h)


def test_keras_3_has_changed_what_the_topic_says() -> None:
    import keras

    removed = re.findall(
        r"(\w+)=(?=[, ])", text("keras-3").partition("input_dim")[0] + text("keras-3").partition("(None, 8)")[2]
    )
    assert {"batch_input_shape", "time_major", "weights", "input_length", "dynamic"} <= {*removed}
    for name in {*removed} - {"initial_state", "mask"}:
        with pytest.raises(ValueError, match=f"Unrecognized keyword arguments passed to LSTM: .*{name}"):
            keras.layers.LSTM(4, **{name: (2, 3, 4)})
    layer = keras.layers.LSTM(4, return_state=True, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layer])
    assert isinstance(layer(keras.ops.zeros((2, 3, 4))), tuple)
    assert not hasattr(model, "reset_states")
    layer.reset_state()
    assert layer.get_initial_state(batch_size=2)[0].shape == (2, 4)
    assert keras.layers.ConvLSTM2D(1, 1).get_config()["recurrent_activation"] == "sigmoid"


def test_every_topic_is_listed(run: Callable[..., Ran]) -> None:
    listed = run("help").out
    assert [name for name in NAMES if f"  {name} " not in listed] == []
    assert max(map(len, listed.splitlines())) <= 80
    files = {path.stem for path in topics._HERE.glob("*.txt")}
    assert files == set(NAMES)


def test_an_unknown_topic(run: Callable[..., Ran]) -> None:
    ran = run("help", "mask")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("rnnshape: error: TOPIC mask: must be a command or one of ")
    assert ran.err.endswith("(did you mean 'masks'?)\n")
    assert len(ran.err.splitlines()) == 1
    assert run("help", "lsmt").err.endswith("(did you mean 'lstm'?)\n")


@pytest.mark.parametrize("name", ["lstm", "compare", "help"])
def test_help_on_a_command_is_its_help(name: str, run: Callable[..., Ran]) -> None:
    assert run("help", name) == run(name, "--help")


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("name", ["", *commands()])
def test_help_fits_and_is_whole(
    name: str, columns: int, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, no sentence is cut, and there is no colour."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    ran = run(*filter(None, (name, "--help")))
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= columns
    assert "\x1b" not in ran.out
    assert not re.search(r"[a-z,]\.\.\.(?!\])", ran.out), "a sentence is cut"
    assert not re.search(r"<\w+|…\]\.", ran.out), "a type of Python, or two signs for more"
    said = re.sub(r"\s+", " ", ran.out)
    # A line that ends in a colon continues with the values.
    assert not re.search(r": Default", said)
    headings = re.findall(r"^(\w+):$", ran.out, re.MULTILINE)
    assert headings == sorted(headings, key=ORDER.index)


ORDER = ["Arguments", "Layer", "Run", "Answer", "Help", "Layers", "Commands", "Options", "Examples"]


def test_the_examples_run(run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm}]\n")
    for example, _ in EXAMPLES:
        program, *words = shlex.split(example)
        assert program == "rnnshape"
        ran = run(*words, *([] if words[0] == "help" else ["--predict"]))
        assert ran.code == 0, example
        assert ran.out


def on_a_terminal(*words: str, **more: str) -> str:
    """The output of ``rnnshape`` with these arguments on a terminal of 80 columns."""
    terminal, inner = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **more}
    with subprocess.Popen([sys.executable, "-m", "rnnshape", *words], stdout=inner, env=environment) as process:
        os.close(inner)
        shown = b""
        with contextlib.suppress(OSError):  # Linux raises it when the other end is closed
            while some := os.read(terminal, 10_000):
                shown += some
    os.close(terminal)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("command", [(), ("lstm",), ("compare",)])
def test_help_is_in_colour_on_a_terminal_only(command: tuple[str, ...], run: Callable[..., Ran]) -> None:
    coloured = on_a_terminal(*command, "--help")
    heading, option = ("Layers", "--version") if not command else ("Run", "--seed")
    assert "\x1b[1mUsage:\x1b[0m" in coloured
    assert f"\x1b[1m{heading}\x1b[0m:" in coloured
    assert f"\x1b[36m{option}\x1b[0m " in coloured
    plain = re.sub(r"\x1b\[\d*m", "", coloured)
    assert plain == run(*command, "--help").out
    assert on_a_terminal(*command, "--help", NO_COLOR="1") == plain


def test_a_dumb_terminal_has_no_colour() -> None:
    assert "\x1b" not in on_a_terminal("env", "--help", TERM="dumb")


def test_the_usage_shows_the_required_arguments(run: Callable[..., Ran]) -> None:
    usage = {name: run(name, "--help").out.splitlines()[0] for name in ("show", "compare", "batch", "schema", "lstm")}
    assert usage == {
        "show": "Usage: rnnshape show [OPTIONS] EXPR [LAYER]",
        "compare": "Usage: rnnshape compare [OPTIONS] EXPR...",
        "batch": "Usage: rnnshape batch [OPTIONS] FILE...",
        "schema": "Usage: rnnshape schema [OPTIONS] [WHAT]",
        "lstm": "Usage: rnnshape lstm [OPTIONS]",
    }
