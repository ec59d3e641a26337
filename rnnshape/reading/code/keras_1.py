"""Reads code of Keras 1 as current code: renamed arguments, ``merge``, and the rows and columns of a kernel.

>>> call = ast.parse("merge([a, b], mode='concat', concat_axis=1)", mode="eval").body
>>> ast.unparse(merge_today(call))
'concatenate([a, b], axis=1)'
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass

# The names of arguments in Keras 1, and their current names, of which a class has at most one
# (keras/legacy/interfaces.py in Keras 2.0).
RENAMED = {
    "output_dim": ("units",),
    "init": ("kernel_initializer", "embeddings_initializer"),
    "inner_init": ("recurrent_initializer",),
    "inner_activation": ("recurrent_activation",),
    "dropout_W": ("dropout",),
    "dropout_U": ("recurrent_dropout",),
    "W_regularizer": ("kernel_regularizer", "embeddings_regularizer"),
    "U_regularizer": ("recurrent_regularizer",),
    "b_regularizer": ("bias_regularizer",),
    "W_constraint": ("kernel_constraint", "embeddings_constraint"),
    "U_constraint": ("recurrent_constraint",),
    "b_constraint": ("bias_constraint",),
    "bias": ("use_bias",),
    "p": ("rate",),
    "sigma": ("stddev",),
    "nb_filter": ("filters",),
    "filter_length": ("kernel_size",),
    "subsample_length": ("strides",),
    "subsample": ("strides",),
    "border_mode": ("padding",),
    "pool_length": ("pool_size",),
    "stride": ("strides",),
    "consume_less": ("implementation",),
    "forget_bias_init": ("unit_forget_bias",),
}
# The modes of merge in Keras 1, and the current functions (keras/legacy/layers.py in Keras 2.0).
_MODES = {"sum": "add", "mul": "multiply", "concat": "concatenate", "ave": "average", "dot": "dot", "max": "maximum"}
_SIZES = ("nb_row", "nb_col")


def renamed(name: str, layer: LayerClass) -> Argument | None:
    """The argument of this class that Keras 1 called ``name``; None if there is none."""
    return next((layer.by_name[now] for now in RENAMED.get(name, ()) if now in layer.by_name), None)


def value_today(keyword: ast.keyword) -> ast.expr:
    """The value of a renamed argument; two of them had a text, and have a number or a flag today."""
    match keyword:
        case ast.keyword(arg="forget_bias_init", value=ast.Constant(value=str() as said)):
            return ast.copy_location(ast.Constant(said == "one"), keyword.value)
        case ast.keyword(arg="consume_less", value=ast.Constant(value=str() as said)):
            return ast.copy_location(ast.Constant(2 if said == "gpu" else 1), keyword.value)
    return keyword.value


def merge_today(tree: ast.Call) -> ast.Call | None:
    """``merge([a, b], mode="concat", concat_axis=1)`` as ``concatenate([a, b], axis=1)``; None for another call."""
    given = {keyword.arg: keyword.value for keyword in tree.keywords}
    match given.get("mode"):
        case ast.Constant(value=str() as mode) if called(tree) == "merge" and mode in _MODES and tree.args:
            axes = {"concat": ("axis", "concat_axis"), "dot": ("axes", "dot_axes")}.get(mode)
            keywords = [ast.keyword(axes[0], given[axes[1]])] if axes and axes[1] in given else []
            now = ast.Call(ast.Name(_MODES[mode], ast.Load()), tree.args[:1], keywords)
            return ast.fix_missing_locations(ast.copy_location(now, tree))
    return None


def kernel_today(layer: LayerClass, call: ast.Call) -> ast.Call:
    """``Convolution2D(32, 3, 5, border_mode="same")``, which takes rows and columns, with the kernel (3, 5)."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    names = ("nb_filter", *_SIZES)
    before = [*call.args, *(given[name] for name in names[len(call.args) :] if name in given)]
    two = "Conv" in layer.name and "2D" in layer.name
    if not two or len(before) != len(names) or not given.keys() & {*RENAMED, *_SIZES}:
        return call
    kernel = ast.copy_location(ast.Tuple(before[1:], ast.Load()), before[1])
    rest = [keyword for keyword in call.keywords if keyword.arg not in names]
    return ast.copy_location(ast.Call(call.func, [before[0], kernel], rest), call)
