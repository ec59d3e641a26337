"""The question as text to copy: a shell command, a run of a batch file, a Python program.

>>> from rnnshape.reading import make
>>> spec = make("LSTM(8, return_state=True)", {"time": 5, "mask": "right:5,2", "training": True})
>>> print(shell(spec))
rnnshape show 'LSTM(8, return_state=True)' --input 2,5,4 --training --mask '11111;11000'
>>> print(run(spec), end="")
runs:
- layer: LSTM(8, return_state=True)
  input: [2, 5, 4]
  training: true
  mask: 11111;11000
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import yaml

from rnnshape.reading import make
from rnnshape.render.code import program
from rnnshape.spec.data import to_data
from rnnshape.spec.options import INPUT, KERAS, LET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.report import Report
    from rnnshape.spec import Spec


def shell(spec: Spec) -> str:
    """The shell command for a Spec; an input of the default size is left out."""
    data = to_data(spec)
    layer = data.pop("layer")
    beside = {name: data[name] for name in (LET.name, KERAS.name) if name in data}
    if make(layer, beside).input == spec.input:
        del data[INPUT.name]
    words = ["rnnshape", "show", layer, *(word for name, value in data.items() for word in _flag(name, value))]
    return shlex.join(words)


def _flag(name: str, value: Any) -> Iterator[str]:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, dict):
        for key, each in value.items():
            yield from (flag, f"{key}={each}")
        return
    yield flag
    if value is not True:
        yield ",".join(map(str, value)) if isinstance(value, list) else str(value)


def run(spec: Spec) -> str:
    """A batch file with this run."""
    return yaml.dump({"runs": [to_data(spec)]}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """Writes lists in one line, as usual for shapes, except lists of mappings such as ``runs``."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        short = not any(isinstance(item, dict) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=short)


def python(report: Report) -> str:
    """The Python program that makes and calls the layer."""
    return "\n".join(program(report)) + "\n"
