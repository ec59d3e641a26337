"""Draws other layers with random arguments, to put before, after and inside recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.layers.names import ACTIVATIONS
from rnnshape.layers.node import Node

if TYPE_CHECKING:
    import random

# These get an image; most of the others get a sequence.
PICTURES = tuple(name for name in TABLE if "2D" in name and not name.startswith("ConvLSTM"))
STEPS = tuple(name for name in TABLE if "1D" in name and not name.startswith("ConvLSTM"))
FREE = (
    *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Identity", "ActivityRegularization"),
    *("BatchNormalization", "LayerNormalization", "UnitNormalization", "Normalization", "Rescaling"),
    *("GaussianNoise", "GaussianDropout", "AlphaDropout", "Flatten", "Reshape", "Permute", "RepeatVector"),
)
# Most of the time, these do not change the rank.
KEEPING = (*(name for name in STEPS if not name.startswith("Global")), *FREE[:-4])
INITIALIZERS = ("glorot_uniform", "he_normal", "zeros", "ones")
_ACTIVATIONS = tuple(name for name in ACTIVATIONS.usable if name != "sparsemax")


def drawn(rng: random.Random, name: str, *, policy: str | None = None, last: int = 4) -> Node:
    """A layer of this class with random arguments; its input has at least ``last`` channels."""
    values = {**_usual(rng, last), "dtype": policy}
    values |= {argument: rng.choice(choices) for argument, choices in _OWN.get(name, {}).items()}
    known = TABLE[name].by_name
    return Node.of(TABLE[name], {key: value for key, value in values.items() if key in known})


def _usual(rng: random.Random, last: int) -> dict[str, Any]:
    """Arguments that mean the same in each class."""
    strides = rng.choice((1, 1, 2, 3))
    groups = rng.choice((1, 1, 1, 2)) if last % 2 == 0 else 1
    return {
        "filters": groups * rng.choice((1, 2, 3)),
        "groups": groups,
        "kernel_size": rng.choice((1, 2, 3)),
        "strides": strides,
        "dilation_rate": rng.choice((1, 1, 2)) if strides == 1 else 1,
        "padding": rng.choice(("valid", "same", "same")),
        "data_format": rng.choice((None, None, None, "channels_last", "channels_first")),
        "depth_multiplier": rng.choice((1, 1, 2)),
        "pool_size": rng.choice((1, 2, 2, 3)),
        "keepdims": rng.random() < 0.3,
        "activation": rng.choice((None, "relu", *_ACTIVATIONS)),
        "use_bias": rng.random() < 0.8,
        "kernel_initializer": rng.choice(INITIALIZERS),
        "gamma_initializer": rng.choice(("ones", "glorot_uniform" if rng.random() < 0.2 else "uniform")),
        "kernel_regularizer": rng.choice((None, None, "l2")),
        "bias_constraint": rng.choice((None, None, "non_neg")),
        "activity_regularizer": rng.choice((None, None, None, "l1")),
        "rate": rng.choice((0.0, 0.3, 0.3, 1.0)),
        "stddev": rng.choice((0.0, 0.5)),
        "seed": rng.choice((None, 3)),
        "trainable": rng.random() < 0.9,
        "center": rng.random() < 0.7,
        "scale": rng.random() < 0.7,
        "renorm": rng.random() < 0.2,
        "max_value": rng.choice((None, 1.0)),
        "negative_slope": rng.choice((0.0, 0.2)),
        "l1": rng.choice((0.0, 0.1)),
        "lora_rank": rng.choice((None, None, None, 2)),
        "name": rng.choice((None, None, None, "around")),
        "n": rng.choice((1, 2, 4)),
    }


# Arguments that mean something else in each class, with their random values.
_MARGINS = (0, 1, (1, 0), (0, 2), ((1, 0), (0, 1)), ((0, 0), (0, 1)), (1, (0, 1)))
_DEEP = {"strides": (1, 2), "dilation_rate": (1, 2)}
_POOL = {"strides": (None, None, 1, 2, 3)}
_TRANSPOSE = {"strides": (1, 2, 3), "dilation_rate": (1,), "output_padding": (None, None, 0, 1)}
_AXES = {"axis": (-1, -1, 1, (1, 2), (-1,), (1, -1), (2, 1))}
_OWN: dict[str, dict[str, tuple[Any, ...]]] = {
    "Conv1D": {"padding": ("valid", "same", "causal")},
    **dict.fromkeys((f"{kind}Conv{rank}D" for kind in ("Separable", "Depthwise") for rank in (1, 2)), _DEEP),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose"), _TRANSPOSE),
    **dict.fromkeys((f"{mode}Pooling{rank}D" for mode in ("Max", "Average") for rank in (1, 2)), _POOL),
    "UpSampling1D": {"size": (1, 2, 3)},
    "UpSampling2D": {"size": (1, 2, (1, 3)), "interpolation": ("nearest", "bilinear", "bicubic")},
    "ZeroPadding1D": {"padding": (0, 1, (2, 0))},
    "ZeroPadding2D": {"padding": _MARGINS},
    "Cropping1D": {"cropping": (0, 1, (1, 0), (0, 1))},
    "Cropping2D": {"cropping": _MARGINS},
    "Reshape": {"target_shape": ((-1,), (-1, 1), (1, -1), (2, -1), (-1, 2), (1, -1, 1), (12,), (3, 4))},
    "Permute": {"dims": ((1,), (2, 1), (2, 1), (1, 2), (2, 3, 1))},
    "BatchNormalization": {"axis": (-1, -1, 1, 0, 2)},
    "LayerNormalization": _AXES,
    "UnitNormalization": _AXES,
    "Normalization": {"axis": (-1, -1, None, 1, (1, 2), (2, 1), ()), "invert": (False, True)},
    "Rescaling": {"scale": (0.5, 2), "offset": (0.0, 1)},
    "Softmax": {"axis": (-1, -1, 1, (1, 2), None)},
    "PReLU": {"shared_axes": (None, None, 1, (1,), (1, 2), -1, ())},
    "ELU": {"alpha": (1.0, 0.5)},
    "LeakyReLU": {"alpha": (None, None, 0.2)},
}
