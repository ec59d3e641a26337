"""Code as people paste it: what is read, and that Keras makes the same of the same code.

``code/lines.yaml`` has single lines, ``code/snippets.yaml`` several statements.  Of an entry ``code`` is what is pasted, ``let``
gives values to its names, ``choices`` lists those that it leaves open, ``gives`` is each answer.  For Keras ``given`` says what
the code's names stand for, ``real`` where the result is after the code has run, one expression an answer, and ``runs`` what is
run instead of code that Keras 3 does not take.
"""

from __future__ import annotations

import ast
import warnings
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import rnnshape
from rnnshape.reading import make_all
from rnnshape.reading.code.expression import opened
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec import Spec

FOLDER = Path(__file__).parent / "code"
LINES = yaml.safe_load((FOLDER / "lines.yaml").read_text(encoding="utf-8"))
SNIPPETS = yaml.safe_load((FOLDER / "snippets.yaml").read_text(encoding="utf-8"))


def _cases(entries: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(entry, id=f"{number}: {entry['code'].strip()[:60]!r}") for number, entry in enumerate(entries)]


def _read(entry: dict[str, Any]) -> list[Spec]:
    return make_all(entry["code"], {"let": entry["let"]} if "let" in entry else {})


def seen(spec: Spec) -> dict[str, Any]:
    """An answer as the files have it."""
    returned = leaves(rnnshape.predict(spec).predicted)
    return {
        "expression": spec.layer.text,
        "input": list(spec.input),
        "output": [f"({', '.join(leaf.symbolic)})" for leaf in returned],
    }


def test_there_are_enough() -> None:
    assert len(LINES) >= 150
    assert len(SNIPPETS) >= 40
    assert len({entry["code"] for entry in (*LINES, *SNIPPETS)}) >= 210


@pytest.mark.parametrize("entry", _cases([*LINES, *SNIPPETS]))
def test_code_is_read(entry: dict[str, Any]) -> None:
    specs = _read(entry)
    assert [seen(spec) for spec in specs] == entry["gives"]


@pytest.mark.slow
@pytest.mark.parametrize("entry", _cases([*LINES, *SNIPPETS]))
def test_theory_and_the_real_layer_agree(entry: dict[str, Any]) -> None:
    for spec in _read(entry):
        report = rnnshape.explore(spec)
        assert report.error is None
        assert report.ok


@pytest.mark.parametrize("entry", _cases([*LINES, *SNIPPETS]))
def test_keras_makes_the_same_of_the_code(entry: dict[str, Any]) -> None:
    open_names = [*product(*entry.get("choices", {}).values())]
    for decided in open_names:
        named = dict(zip(entry.get("choices", {}), decided, strict=True))
        specs = make_all(entry["code"], {"let": {**entry.get("let", {}), **named}})
        for spec, real in zip(specs, [*_real(entry, specs, named)], strict=True):
            ours = [leaf.shape for leaf in leaves(rnnshape.predict(spec).predicted)]
            assert len(ours) == len(real), (ours, real)
            assert all(map(_alike, ours, real)), (ours, real)


def _alike(ours: tuple[int, ...], real: tuple[int | None, ...]) -> bool:
    """The same sizes, where Keras knows them."""
    return len(ours) == len(real) and all(b in (None, a) for a, b in zip(ours, real, strict=True))


def _real(entry: dict[str, Any], specs: list[Spec], named: dict[str, Any]) -> Iterator[list[tuple[int | None, ...]]]:
    """The shapes of what the code makes when Python and Keras run it."""
    from rnnshape.lab.tensorflow import load

    tf = load()
    import numpy as np

    keras = tf.keras
    x = np.zeros(specs[0].input, "float32")
    stands = {name: value for spec in specs for name, value in spec.let}
    names: dict[str, Any] = {
        **vars(keras.layers),
        **dict.fromkeys(("layers", "L", "KL", "tfkl"), keras.layers),
        "tf": tf,
        "tensorflow": tf,
        "np": np,
        "keras": keras,
        "Model": keras.Model,
        "Sequential": keras.Sequential,
        "Input": keras.Input,
        "SimpleNamespace": SimpleNamespace,
        "self": SimpleNamespace(),
        "x": x,
        "inputs": x,
        "model": keras.Sequential(),
        **stands,
        **entry.get("let", {}),
        **named,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(entry.get("given", ""), names)  # noqa: S102  it lies beside this file
        code = opened(entry.get("runs", entry["code"])).text
        if "real" in entry:
            exec(code, names)  # noqa: S102
            made = [eval(one, names) for one in entry["real"]]  # noqa: S307
        else:
            made = [eval(compile(ast.Expression(_value(code)), "pasted", "eval"), names)]  # noqa: S307
    for spec, result in zip(specs, made, strict=True):
        yield [tuple(tensor.shape) for tensor in tf.nest.flatten(_called(result, spec))]


def _value(code: str) -> ast.expr:
    """What a line is about: the value behind ``=``, ``return`` or in the brackets of ``model.add``."""
    match ast.parse(code).body:
        case [ast.Expr(ast.Tuple([value]))]:
            return value
        case [ast.Expr(ast.Call(ast.Attribute(attr="add" | "append"), [value]))]:
            return value
        case [ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value)]:
            return value
        case [ast.Return(ast.expr() as value) | ast.Expr(value)]:
            return value
    raise AssertionError(code)


def _called(made: Any, spec: Spec) -> Any:
    """What a layer returns on an input of the shape that the code says, or the tensors that the code makes."""
    from rnnshape.lab.tensorflow import load

    tf = load()
    if not isinstance(made, tf.keras.layers.Layer):
        return made
    x = tf.zeros(spec.input)
    if hasattr(made, "state_size") and not isinstance(made, tf.keras.layers.RNN | tf.keras.layers.Bidirectional):
        return made(x, made.get_initial_state(batch_size=spec.input[0]))
    return made(x)
