"""Reads the options of a program's ``argparse`` parser: their defaults are used as the parsed values.

>>> from rnnshape.reading.code.expression import parse_all
>>> code = "p.add_argument('--hidden-size', default=8)\\nargs = p.parse_args()\\nlayer = LSTM(args.hidden_size)"
>>> [parsed.node.text for parsed in parse_all(code)]
['LSTM(8)']
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from rnnshape.reading.code.naming import Names

_PARSING = ("parse_args", "parse_known_args")
_FLAGS = {"store_true": False, "store_false": True}


class Options:
    """The defaults of the options of one text, by the names of their parsers."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._defaults: dict[str, dict[str, Any]] = {}

    def added(self, call: ast.Call) -> None:
        """Read ``parser.add_argument("--units", default=64)``; an option without a default stays unknown."""
        if called(call) != "add_argument" or not isinstance(call.func, ast.Attribute):
            return
        flags = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        given = {keyword.arg: self.names.known(keyword.value) for keyword in call.keywords}
        long = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else "")
        dest = given.get("dest", long.lstrip("-").replace("-", "_"))
        default = given.get("default", _FLAGS.get(given.get("action", ""), MISSING))
        if isinstance(dest, str) and default is not MISSING and default is not None:
            self._defaults.setdefault(self.names.source.said(call.func.value), {})[dest] = default

    def parsed(self, name: str, value: ast.expr) -> None:
        """Bind the options of ``args = parser.parse_args()``, ``args, _ = parser.parse_known_args()``, ``vars(…)``."""
        as_items = called(value) == "vars" and isinstance(value, ast.Call) and len(value.args) == 1
        call = value.args[0] if as_items and isinstance(value, ast.Call) else value
        if called(call) not in _PARSING or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return
        defaults = self._defaults.get(self.names.source.said(call.func.value), {})
        left = {dest: default for dest, default in defaults.items() if dest not in self.names.let}
        if as_items:
            self.names.bound |= {f"{name}[{quote}{dest}{quote}]": left[dest] for dest in left for quote in "'\""}
        else:
            self.names.bound |= {f"{name}.{dest}": default for dest, default in left.items()}
