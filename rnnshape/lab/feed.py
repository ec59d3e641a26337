"""Makes the input, the states and the mask of the real layer from the seed of the Spec."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.errors import RnnshapeError
from rnnshape.lab.tensorflow import keras, load
from rnnshape.layers.entries import entries, token_range
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from rnnshape.spec import Spec


def feed(spec: Spec, layer: Any) -> tuple[Any, ...]:
    """The positional arguments of the call: the input, uniform in [0, 1) or tokens, and a cell's states.

    If the first layer computes its mask from the data, the masked steps contain padding, and no other step does.
    """
    import numpy as np

    # A recurrent layer has the state_size of its cell.
    is_cell = hasattr(layer, "state_size") and not isinstance(layer, keras().layers.RNN)
    if spec.layer.cls.kind == IMPORTED and is_cell:
        what = f"{spec.layer.name} is a cell, which computes one step: write RNN({spec.layer.text})"
        raise RnnshapeError(what)
    rng = np.random.default_rng(spec.seed)
    tensorflow = load()
    tokens = spec.tokens
    if tokens is not None:
        drawn = rng.integers(tokens.start, tokens.stop, spec.input)
        x = tensorflow.constant(_padded(spec, drawn, 0), spec.input_dtype)
        return (x, *_others(spec, rng))
    real: Any = rng.random(spec.input, np.float32)
    for value in sorted(part["mask_value"] for part in spec.layer.walk() if part.name == "Masking"):
        # Only masked steps may be equal to mask_value; after rounding, 0.5001 may be 0.5.
        rounded = tensorflow.cast(tensorflow.cast(real, spec.input_dtype), "float32").numpy()
        real[np.all(rounded == np.float32(value), axis=-1)] += 1
    first = spec.layer.first
    if first.name == "Masking":
        real = _padded(spec, real, first["mask_value"])
    x = tensorflow.cast(real, spec.input_dtype)
    if spec.layer.cls.kind != "cell":
        return (x, *_others(spec, rng))
    zeros = begin(layer, spec.input[0], spec.input_dtype)
    fill = spec.initial_state or "random"
    return x, tensorflow.nest.map_structure(lambda state: _filled(fill, tuple(state.shape), state.dtype, rng), zeros)


def begin(cell: Any, batch: int, dtype: str) -> Any:
    """The initial states of a cell, zeros, in its own containers."""
    if asked() < KERAS_3:
        return cell.get_initial_state(batch_size=batch, dtype=dtype)
    return cell.get_initial_state(batch_size=batch)


def _others(spec: Spec, rng: np.random.Generator) -> Iterator[Any]:
    """The inputs of a graph after the first; none for any other layer."""
    import numpy as np

    if (graph := spec.graph) is None:
        return
    _, *others = entries(graph, spec.dims).values()
    for leaf in others:
        shape = tuple(dim.size for dim in leaf.dims)
        tokens = token_range(graph, leaf.role)
        drawn = rng.random(shape, np.float32) if tokens is None else rng.integers(tokens.start, tokens.stop, shape)
        yield load().cast(drawn, leaf.dtype)


def handed(spec: Spec, layer: Callable[..., Any]) -> Callable[..., Any]:
    """The call of a layer with its keyword arguments: mask, states, ``training``."""
    given = beside(spec)
    return partial(layer, **given) if given else layer


def beside(spec: Spec) -> dict[str, Any]:
    """The keyword arguments of the call."""
    given: dict[str, Any] = {}
    if spec.mask is not None and not spec.masked_data:
        given["mask"] = load().constant(spec.mask)
    if spec.initial_state is not None and spec.layer.cls.kind != "cell":
        begins = spec.layer.cls.theory(spec.layer, spec.given()).begins
        given["initial_state"] = load().nest.pack_sequence_as(begins, [*states(spec).values()])
    if spec.training:
        given["training"] = True
    return given


def states(spec: Spec) -> dict[str, Any]:
    """The passed initial states of a layer, by role, with the shapes that theory predicts; empty for a cell."""
    import numpy as np

    if spec.initial_state is None or spec.layer.cls.kind == "cell":
        return {}
    # A separate generator, so that passing states does not change the input.
    rng = np.random.default_rng([spec.seed, 1])
    answer = spec.layer.cls.theory(spec.layer, spec.given())
    return {
        leaf.role: _filled(spec.initial_state, tuple(dim.size for dim in leaf.dims), leaf.dtype, rng)
        for leaf in load().nest.flatten(answer.begins)
    }


def _filled(what: str, shape: tuple[int, ...], dtype: Any, rng: np.random.Generator) -> Any:
    import numpy as np

    values = {"zeros": np.zeros, "ones": np.ones}[what](shape) if what != "random" else rng.random(shape, np.float32)
    return load().cast(values, dtype)


def _padded(spec: Spec, drawn: Any, padding: float) -> Any:
    """The data, with padding at masked steps if the layer computes its mask from the data."""
    import numpy as np

    if spec.mask is not None and spec.masked_data:
        drawn[~np.array(spec.mask)] = padding
    return drawn
