"""Compares what other tools show of the same layer, by running them.

    pip install ".[benchmark]"
    python -m benchmarks.others                  # runs all installed tools, writes benchmarks/results/others.txt
    python -m benchmarks.others "keras summary"  # prints one

Each tool shows an LSTM and a bidirectional LSTM that return sequences and states, in its own process.  The table is
made from the printed text only.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from importlib import import_module, metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = Path(__file__).with_name("results") / "others.txt"
N, T, C, H = 2, 3, 4, 8

Shapes: TypeAlias = list[tuple[int, ...]]
Asked: TypeAlias = tuple[str, Shapes, bool]
"""The printed text, the shapes that the call returns, and whether the layer was called on real values."""


@dataclass(frozen=True)
class Tool:
    """A tool: the command, the packages that it needs, a function for one or two directions, and a function for a
    convolution with a dense layer, of which only the last shape counts."""

    asked: str
    packages: tuple[str, ...]
    ask: Callable[[bool], Asked]
    # The framework of its layers.
    framework: str
    convolution: Callable[[], str]
    # How it writes the batch.
    batch: str = str(N)


@dataclass(frozen=True)
class Seen:
    """The result of running a tool."""

    texts: tuple[str, str]
    versions: tuple[str, ...]
    shown: tuple[str, str]
    named: bool
    letters: bool
    equal: bool
    ran: bool
    cudnn: bool
    convolution: bool
    loaded: str


def _rnnshape(*flags: str) -> Callable[[bool], Asked]:
    def ask(both: bool) -> Asked:
        from rnnshape.cli import main

        layer = f"LSTM({H}, return_sequences=True, return_state=True)"
        sys.argv = ["rnnshape", "show", f"Bidirectional({layer})" if both else layer, *flags]
        with redirect_stdout(io.StringIO()) as out:
            try:
                main()
            except SystemExit as ending:
                if ending.code:
                    raise
        text = out.getvalue()
        return text, _keras_shapes(both), "Theory and the real layer agree" in text

    return ask


def _rnnshape_convolution() -> str:
    from rnnshape import Invalid, predict

    try:
        return str(predict("Conv1D(6, 2) | Dense(5)").structure)
    except Invalid:
        return ""


def _keras_convolution() -> str:
    from rnnshape.lab.tensorflow import load

    keras = load().keras
    lines: list[str] = []
    layers = [keras.Input((T, C)), keras.layers.Conv1D(6, 2, padding="same"), keras.layers.Dense(5)]
    keras.Sequential(layers).summary(line_length=160, print_fn=lines.append)
    return "\n".join(lines)


def _keras_shapes(both: bool) -> Shapes:
    return [(N, T, 2 * H if both else H), *[(N, H)] * (4 if both else 2)]


def _keras_summary(both: bool) -> Asked:
    from rnnshape.lab.tensorflow import load

    os.environ["COLUMNS"] = "160"  # a shape must not be broken into two lines
    keras, tensorflow = load().keras, import_module("tensorflow")
    ran: list[bool] = []
    call = keras.layers.LSTMCell.call

    def watched(*given: Any, **options: Any) -> Any:
        ran.append(tensorflow.executing_eagerly())
        return call(*given, **options)

    keras.layers.LSTMCell.call = watched
    layer = keras.layers.LSTM(H, return_sequences=True, return_state=True)
    if both:
        layer = keras.layers.Bidirectional(layer)
    x = keras.Input((T, C))
    lines: list[str] = []
    keras.Model(x, layer(x)).summary(line_length=160, print_fn=lines.append)
    while_shown = any(ran)
    returned = layer(tensorflow.zeros((N, T, C)))
    _sees(ran)
    return "\n".join(lines), [tuple(one.shape) for one in returned], while_shown


def _sees(ran: list[bool]) -> None:
    """Check that the call on real values, which was just made, was detected.

    Raises:
        RuntimeError: it was not detected, so a "no" in the table would be meaningless.
    """
    if not any(ran):
        raise RuntimeError("a call on numbers was not seen")


def _torch_lstm(both: bool) -> tuple[Any, Any, Shapes, list[bool]]:
    """The layer, an input, the returned shapes, and a list that grows when the layer computes real values."""
    torch = import_module("torch")
    layer, x = torch.nn.LSTM(C, H, batch_first=True, bidirectional=both), torch.rand(N, T, C)
    output, states = layer(x)
    ran: list[bool] = []
    layer.register_forward_hook(lambda _module, _given, out: ran.append(out[0].device.type != "meta"))
    return layer, x, [tuple(one.shape) for one in (output, *states)], ran


def _torch_convolution(tool: str) -> Callable[[], str]:
    def show() -> str:
        torch = import_module("torch")
        # Channels come before time here: both layers are convolutions.
        model = torch.nn.Sequential(torch.nn.Conv1d(C, 6, 1), torch.nn.ReLU(), torch.nn.Conv1d(6, 5, 1))
        x = torch.rand(N, C, T)
        summary = import_module(tool).summary
        return str(summary(model, (N, C, T), verbose=0) if tool == "torchinfo" else summary(model, x))

    return show


def _torchinfo(both: bool) -> Asked:
    layer, x, shapes, ran = _torch_lstm(both)
    shown = import_module("torchinfo").summary(
        layer, tuple(x.shape), verbose=0, col_names=("output_size", "num_params")
    )
    return str(shown), shapes, any(ran)


def _torchlens(both: bool) -> Asked:
    layer, x, shapes, ran = _torch_lstm(both)
    return str(import_module("torchlens").summary(layer, x)), shapes, any(ran)


def _flax(both: bool) -> tuple[Any, Any, Shapes, list[bool]]:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    jax, linen = import_module("jax"), import_module("flax.linen")
    one = linen.RNN(linen.LSTMCell(H), return_carry=True)
    layer = linen.Bidirectional(one, linen.RNN(linen.LSTMCell(H)), return_carry=True) if both else one
    ran: list[bool] = []
    call = linen.LSTMCell.initialize_carry

    def watched(cell: Any, rng: Any, input_shape: Any) -> Any:
        carry = call(cell, rng, input_shape)
        ran.append(not isinstance(jax.tree.leaves(carry)[0], jax.core.Tracer))
        return carry

    linen.LSTMCell.initialize_carry = watched
    returned, _ = layer.init_with_output(jax.random.key(0), jax.numpy.zeros((N, T, C)))
    _sees(ran)
    ran.clear()
    shapes = [tuple(leaf.shape) for leaf in jax.tree.leaves(returned)]
    return layer, jax, shapes, ran


def _flax_convolution(how: str) -> Callable[[], str]:
    def show() -> str:
        jax, linen = import_module("jax"), import_module("flax.linen")
        model, key, x = linen.Sequential([linen.Conv(6, (2,)), linen.Dense(5)]), jax.random.key(0), (N, T, C)
        if how == "tabulate":
            return str(linen.tabulate(model, key)(jax.numpy.zeros(x)))
        return str(jax.eval_shape(model.init_with_output, key, jax.ShapeDtypeStruct(x, "float32"))[0])

    return show


def _flax_tabulate(both: bool) -> Asked:
    layer, jax, shapes, ran = _flax(both)
    tabulate = import_module("flax.linen").tabulate
    console = {"width": 110, "force_terminal": False}
    text = tabulate(layer, jax.random.key(0), depth=1, console_kwargs=console)(jax.numpy.zeros((N, T, C)))
    return text, shapes, any(ran)


def _eval_shape(both: bool) -> Asked:
    layer, jax, shapes, ran = _flax(both)
    x = jax.ShapeDtypeStruct((N, T, C), "float32")
    returned, _ = jax.eval_shape(layer.init_with_output, jax.random.key(0), x)
    return str(returned), shapes, any(ran)


_OURS = 'rnnshape show "LSTM(8, return_sequences=True, return_state=True)"'
TOOLS = {
    "rnnshape": Tool(_OURS, ("tensorflow", "keras"), _rnnshape(), "tensorflow", _rnnshape_convolution),
    "rnnshape (--predict)": Tool(
        f"{_OURS} --predict", ("tensorflow", "keras"), _rnnshape("--predict"), "tensorflow", _rnnshape_convolution
    ),
    "keras summary": Tool(
        "keras.Model(x, layer(x)).summary()",
        ("tensorflow", "keras"),
        _keras_summary,
        "tensorflow",
        _keras_convolution,
        "None",
    ),
    "torchinfo": Tool(
        "torchinfo.summary(lstm, (2, 3, 4))",
        ("torch", "torchinfo"),
        _torchinfo,
        "torch",
        _torch_convolution("torchinfo"),
    ),
    "torchlens": Tool(
        "torchlens.summary(lstm, x)", ("torch", "torchlens"), _torchlens, "torch", _torch_convolution("torchlens")
    ),
    "flax tabulate": Tool(
        "linen.tabulate(rnn, key)(x)", ("jax", "flax"), _flax_tabulate, "jax", _flax_convolution("tabulate")
    ),
    "jax.eval_shape": Tool(
        "jax.eval_shape(rnn.init_with_output, key, x)",
        ("jax", "flax"),
        _eval_shape,
        "jax",
        _flax_convolution("eval_shape"),
    ),
}
_SHAPE = re.compile(r"[(\[]((?:None|\d+)(?:, ?\d+)+)[)\]]")
# Names that distinguish the hidden state from the cell state.
_NAMED = re.compile(r"\b(?:\w+_)?(?:state_h|h_n|hidden_state|state_c|c_n|cell_state)\b")
_LETTERS = re.compile(r"\([A-Z], (?:[A-Z], )?\d?[A-Z]\)")


def look(name: str) -> Seen:
    """Run one tool in this process; its framework must not be loaded before.

    Raises:
        ImportError: a required package is not installed.
    """
    tool = TOOLS[name]
    if lacking := [package for package in tool.packages if util.find_spec(package) is None]:
        raise ImportError(f"not installed: {', '.join(lacking)}")
    (one, shapes, ran), (two, shapes_of_two, ran_two) = tool.ask(False), tool.ask(True)
    shape = (N, 5, T) if tool.framework == "torch" else (N, T, 5)
    loaded = tool.framework if tool.framework in sys.modules else ""
    return Seen(
        texts=(one, two),
        versions=tuple(f"{package} {metadata.version(package)}" for package in tool.packages),
        shown=(shown(one, shapes, tool.batch), shown(two, shapes_of_two, tool.batch)),
        named=bool(_NAMED.search(two)),
        letters=bool(_LETTERS.search(two)),
        equal=" == " in two,
        ran=ran and ran_two,
        cudnn="cudnn" in two.lower(),
        convolution=shown(tool.convolution(), [shape], tool.batch) == "1 of 1",
        loaded=loaded,
    )


def shown(text: str, shapes: Shapes, batch: str = str(N)) -> str:
    """How many of the returned tensors the text shows with their shape: ``"1 of 3"``.

    >>> shown("LSTM  [2, 3, 8]", [(2, 3, 8), (2, 8), (2, 8)])
    '1 of 3'
    >>> shown("[(None, 3, 8), (None, 8), (None, 8)]", [(2, 3, 8), (2, 8), (2, 8)], "None")
    '3 of 3'
    """
    there = Counter(found.replace(" ", "") for found in _SHAPE.findall(text))
    wanted = Counter(",".join([batch if shape[0] == N else str(shape[0]), *map(str, shape[1:])]) for shape in shapes)
    return f"{sum(min(count, there[shape]) for shape, count in wanted.items())} of {len(shapes)}"


HEADINGS = (
    "", "tensors shown, LSTM", "bidirectional", "h and c by name", "symbolic shapes", "equalities", "cuDNN, or why not",
    "runs the layer", "a convolution too", "loads",
)  # fmt: skip


def table(seen: dict[str, Seen]) -> str:
    """The comparison in Markdown."""

    def mark(value: bool) -> str:
        return "yes" if value else "no"

    rows = [HEADINGS, tuple("---" for _ in HEADINGS)]
    for name, one in seen.items():
        marks = map(mark, (one.named, one.letters, one.equal, one.cudnn, one.ran, one.convolution))
        rows.append((f"`{name}`", *one.shown, *marks, one.loaded or "nothing"))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page(seen: dict[str, Seen], missing: list[str]) -> str:
    """The whole result: the table, and below it the text that each tool printed."""
    versions = dict.fromkeys(version for one in seen.values() for version in one.versions)
    head = f"Written by python -m benchmarks.others\n{', '.join(versions)}\n"
    head += f"Input (N, T, C) = ({N}, {T}, {C}), {H} units; in each tool's own framework.\n\n"
    lacking = "".join(f"{line}\n" for line in missing)
    parts = [
        f"=== {name}: {TOOLS[name].asked}\n\n" + "\n".join(f"{text.rstrip()}\n" for text in one.texts)
        for name, one in seen.items()
    ]
    text = head + table(seen) + lacking + "\n" + "\n\n".join(parts)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def asked(name: str) -> Seen:
    """Run one tool in its own process.

    Raises:
        RuntimeError: the process failed.
    """
    command = [sys.executable, "-m", "benchmarks.others", name, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  this file
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["failed"])[-1])
    data: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    data.update({key: tuple(value) for key, value in data.items() if isinstance(value, list)})
    return Seen(**data)


def main(words: list[str]) -> None:
    """Run the named tools, or all of them, and print the result; that of all is also written to a file."""
    as_json = "--json" in words
    names = [word for word in words if word != "--json"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if as_json:
        print(json.dumps(asdict(look(names[0]))))
        return
    seen, missing = {}, []
    for name in names or TOOLS:
        try:
            seen[name] = asked(name)
        except RuntimeError as error:
            missing.append(f"{name}: {error}")
    text = page(seen, missing)
    print(text, end="")
    if not names and not missing:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
