"""The meaning of names in a file: classes of Keras, and constants imported from other files of the project.

>>> import ast
>>> tree = ast.parse("from tensorflow.keras import layers as L\\nimport torch.nn as nn\\nL.LSTM(8); nn.LSTM(8)")
>>> imports = Imports([*ast.walk(tree)])
>>> imports.keras("L.LSTM"), imports.keras("nn.LSTM")
('LSTM', None)
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.layers.merges import MERGES
from rnnshape.reading.code.classes import ELSEWHERE
from rnnshape.reading.code.leftovers import READ_AS
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.naming import Names
from rnnshape.reading.code.syntax import Source, dotted
from rnnshape.reading.code.tensors import INPUTS
from rnnshape.scan.texts import NotRead, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Public modules of Keras; not those of TensorFlow 1 and not Keras' private ones.
_KERAS = re.compile(r"(?:tensorflow\.)?keras(?:\.(?!src\b|_)\w+)*")
# Modules that are always Keras 2: its own package, and TensorFlow's internal copy.
_LEGACY = re.compile(r"(?:tf_keras|tensorflow\.python\.keras)(?:\.\w+)*")
_STARS = re.compile(r"(?:tensorflow\.(?:python\.)?|tf_)?keras\.(?:layers|models)(?:\.\w+)*")
_ROOTS = ("keras", "tensorflow", "tf_keras")
_CLASSES = {*TABLE, *MERGES, *INPUTS, *READ_AS, "Model", "Sequential"}
# Imported names that lead to layers: the classes, or modules that contain them.
_LEADING = {*_CLASSES, "keras", "tf_keras", "layers", "models"}


class Imports:
    """The names that one file imports, and their meaning; ``nodes`` are all nodes of its syntax tree.

    ``legacy`` is true if the file uses Keras 2, imported as ``tf_keras`` or ``tensorflow.python.keras``.
    """

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self.aliases: dict[str, str] = {}
        self.starred = ""
        self.legacy = _all_legacy(nodes)
        self._keras = _LEGACY if self.legacy else _KERAS
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    full = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.aliases[alias.asname or full] = full
            elif isinstance(node, ast.ImportFrom):
                self._from(node)
        # Assignments such as layers = tf.keras.layers.
        for node in nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                whole = self.full(dotted(node.value) or "")
                if whole is not None and node.targets[0].id not in self.aliases:
                    self.aliases[node.targets[0].id] = whole
        # A class or function that the file defines hides the Keras class of the same name.
        for node in nodes:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in _CLASSES:
                self.aliases[node.name] = f"{ELSEWHERE}.{node.name}"

    def _from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                if _STARS.fullmatch(module) and self._keras.fullmatch(module):
                    self.starred = module
            else:
                self.aliases[alias.asname or alias.name] = f"{module}.{alias.name}"

    def full(self, name: str) -> str | None:
        """The full name in Keras, such as ``keras.layers.LSTM``; None if the name is not from Keras."""
        first, dot, rest = name.partition(".")
        if first in self.aliases:
            full = self.aliases[first] + dot + rest
        else:
            full = f"{self.starred}.{name}" if self.starred and name in _CLASSES else ""
        return full if self.is_keras(full) else None

    def is_keras(self, full: str) -> bool:
        """Whether a full name is one of Keras' public modules or a name in one."""
        return self._keras.fullmatch(full) is not None

    def keras(self, name: str) -> str | None:
        """The Keras class that a dotted name refers to, or None."""
        full = self.full(name)
        short = None if full is None else full.rpartition(".")[2]
        return short if short in _CLASSES else None

    @property
    def any_keras(self) -> bool:
        return bool(self.starred) or any(
            self._keras.fullmatch(full) or full.partition(".")[0] in _ROOTS for full in self.aliases.values()
        )

    def for_reader(self, nodes: Sequence[ast.AST]) -> dict[str, str]:
        """The aliases for the reader of pasted code; they also mark called names that are not classes of Keras."""
        given: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Call) and (name := dotted(node.func)):
                first = name.partition(".")[0]
                if self.keras(name) is not None:
                    if first in self.aliases:
                        given[first] = self.aliases[first]
                elif first not in given and name.rpartition(".")[2] in _CLASSES:
                    given[first] = f"{ELSEWHERE}.{first}"
        return given


def _all_legacy(nodes: Sequence[ast.AST]) -> bool:
    """Whether a file imports layers from modules of Keras 2 only."""
    imported: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported += [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"] or [
                node.module or ""
            ]
    leading = [name for name in imported if name.rpartition(".")[2] in _LEADING]
    return any(map(_LEGACY.fullmatch, leading)) and not any(map(_KERAS.fullmatch, leading))


def constants(nodes: Sequence[ast.AST], file: str) -> dict[str, Any]:
    """The values that a file imports from other files: ``UNITS`` of ``from .config import UNITS``."""
    found: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (own := _beside(file, node.module, node.level)):
            held = _assigned(own)
            for alias in node.names:
                if alias.name == "*":
                    found |= held
                found |= _under(held, alias.name, alias.asname or alias.name)
                if inner := _beside(file, f"{node.module}.{alias.name}" if node.module else alias.name, node.level):
                    name = alias.asname or alias.name
                    found |= {f"{name}.{key}": value for key, value in _assigned(inner).items()}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if own := _beside(file, alias.name, 0):
                    name = alias.asname or alias.name
                    found |= {f"{name}.{key}": value for key, value in _assigned(own).items()}
    return found


def _under(held: Mapping[str, Any], name: str, own: str) -> dict[str, Any]:
    """The constant ``name``, or the constants of the class ``name``, with ``name`` replaced by ``own``."""
    pairs = ((key, value) for key, value in held.items() if key == name or key.startswith(f"{name}."))
    return {own + key[len(name) :]: value for key, value in pairs}


def _beside(file: str, module: str | None, level: int) -> str | None:
    """The path of a module's file, if it is in the folder or one of its nearest parents."""
    if file.startswith("<") or (module is None and level == 0):
        return None
    folder = Path(file).parent
    parts = (module or "").split(".") if module else []
    roots = [folder.joinpath(*[".."] * (level - 1))] if level else [folder, *list(folder.parents)[:4]]
    for root in roots:
        path = root.joinpath(*parts)
        for one in (path.with_suffix(".py"), path / "__init__.py") if parts else (root / "__init__.py",):
            if one.is_file():
                return str(one)
    return None


@lru_cache(maxsize=256)
def _assigned(file: str) -> Mapping[str, Any]:
    """The values that a file assigns once, at its top level or in a class body; empty if it cannot be read."""
    try:
        text = read(file).code
    except (NotRead, OSError):
        return {}
    source = Source(text)
    return once_assigned(source.body(), Names(source, {}))


def once_assigned(body: list[ast.stmt], names: Names) -> dict[str, Any]:
    """The plain values that these statements, and the bodies of their classes, assign once."""
    for name, value in _pairs(body, ""):
        # A name that is assigned twice or under a condition is unknown.
        once = value is not None and name not in names.bound
        names.bound[name] = names.known(value) if once and value is not None else MISSING
    return {name: value for name, value in names.bound.items() if value is not MISSING}


def _pairs(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.expr | None]]:
    """Each assigned name with its value; None if a condition decides it."""
    for part in body:
        match part:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield prefix + target.id, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield prefix + name, value
            case ast.AugAssign(target=ast.Name(id=name)):
                yield prefix + name, None
            case ast.ClassDef(name=name, body=inner) if not prefix:
                yield from _pairs(inner, f"{name}.")
            case ast.If(body=inner, orelse=orelse) if not prefix:
                yield from ((name, None) for name, _ in _pairs([*inner, *orelse], ""))
