"""A Spec as the data of a run: one entry of a YAML file's ``runs:``, or one JSON line.

>>> from rnnshape.reading import make
>>> to_data(make("GRU(8)", {"seed": 1}, name="encoder"))
{'name': 'encoder', 'layer': 'GRU(8)', 'input': [2, 3, 4], 'seed': 1}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers.imported import modules_of
from rnnshape.spec.masks import MASK, written
from rnnshape.spec.options import IMPORT, INTO, KEPT, LET

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec

NONE = ("none", "None")
"""The texts that mean None, in a shell and in Python."""


def to_data(spec: Spec) -> dict[str, Any]:
    """The plain data that reads back to the same Spec, without defaults."""
    said: dict[str, Any] = {} if spec.name is None else {"name": spec.name}
    said |= {"layer": spec.layer.text, "input": list(spec.input)}
    for option in KEPT:
        if (value := getattr(spec, option.name)) != option.default:
            said[option.name] = value
    if spec.let:
        said[LET.name] = dict(spec.let)
    if modules := modules_of(spec.layer):
        said[IMPORT.name] = list(modules)
    if spec.mask is not None:
        said[MASK.name] = written(spec.mask)
    if spec.into is not None:
        said[INTO.name] = spec.into.text
    if spec.expect is not None:
        said["expect"] = spec.expect.to_data()
    return said
