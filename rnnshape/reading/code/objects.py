"""Reads arguments that may be objects: initializers, activations, dtypes, names; nothing is evaluated.

An object of Keras becomes data (``Made``) or the name that means the same.  An unknown value, such as a variable or
the user's own function or class, is replaced by Keras' default, with a note.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.layers import catalog, names
from rnnshape.layers.arguments import DTYPE, DTYPES, REQUIRED, LayerName
from rnnshape.layers.kinds import Named, article
from rnnshape.layers.objects import UNCOPIED, Function
from rnnshape.layers.release import asked
from rnnshape.reading.code.syntax import dotted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.catalog import ObjectClass
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.syntax import Source

_KERAS = ("keras.", "tf.keras.", "")
# Functions of TensorFlow that compute the same as Keras' activations of that name; Keras copies them as those.
_TENSORFLOW = {
    "tf": ("tanh", "sigmoid"),
    "tf.nn": ("elu", "gelu", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "softplus", "softsign", "tanh"),
    "tf.math": ("log_sigmoid", "sigmoid", "softplus", "softsign", "tanh"),
}
# Functions of keras.ops that are not activations: other arguments, an approximation, or no function of that name.
_UNLIKE_OPS = ("threshold", "gelu", "linear", "exponential", "mish")
_POLICIES = ("Policy", "DTypePolicy", "FloatDTypePolicy")
_OF_POLICIES = [keras + module for keras in _KERAS for module in ("mixed_precision.", "dtype_policies.", "")]
_FLOATX = {keras + name for keras in (*_KERAS, "K.") for name in ("backend.floatx", "config.floatx", "floatx")}
# Functions of ``activations``, ``initializers`` … that return the object with a name.
_GETTERS = ("get", "deserialize")


class Objects:
    """Reads the objects of one source; ``notes`` says what was replaced."""

    def __init__(self, source: Source, literal: Callable[[ast.expr], Any]) -> None:
        self.source = source
        self.wrong = source.wrong
        self.literal = literal
        self.notes: list[str] = []

    def reads(self, argument: Argument, tree: ast.expr) -> bool:
        """Whether this reader reads the argument: Keras takes an object for it, and the expression is not a literal."""
        takes = isinstance(argument.kind, Named | LayerName) or argument.name == DTYPE.name
        return takes and not _is_literal(tree)

    def read(self, argument: Argument, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        """The value of the argument; None after an error."""
        if isinstance(argument.kind, LayerName):
            return self._name(argument, tree)
        if isinstance(argument.kind, Named):
            return self._object(argument, argument.kind.of.what, layer, tree)
        return self._dtype(argument, tree)

    def _name(self, argument: Argument, tree: ast.expr) -> str | None:
        text = _joined(tree)
        if text is None:
            self.notes.append(f"name={self._said(tree)} is not known here: the layer gets a name from Keras")
        elif not argument.kind.accepts(text):
            self.wrong(f"name {argument.kind.refusal(text)}", tree)
            return None
        return text

    def _dtype(self, argument: Argument, tree: ast.expr) -> Any:
        name = _normal(dotted(tree.func if isinstance(tree, ast.Call) else tree))
        last = name.rpartition(".")[2]
        if isinstance(tree, ast.Call) and name in _FLOATX:
            return "float32"
        if isinstance(tree, ast.Call) and last in _POLICIES and name.removesuffix(last) in _OF_POLICIES:
            asked = [*tree.args, *(keyword.value for keyword in tree.keywords if keyword.arg == "name")]
            if len(asked) == 1 and _is_literal(asked[0]):
                return self._accepted(argument, self.literal(asked[0]), asked[0])
        if isinstance(tree, ast.Attribute) and (last in DTYPES or _is_dtype(last)):
            return self._accepted(argument, last, tree)
        if name == "float":
            return "float32"
        self.notes.append(f"dtype={self._said(tree)} is not known here: float32 is used instead")
        return argument.default

    def _accepted(self, argument: Argument, value: Any, tree: ast.expr) -> Any:
        if not argument.kind.accepts(value):
            self.wrong(f"{argument.name} {argument.kind.refusal(value)}", tree)
            return None
        return value

    def _object(self, argument: Argument, what: str, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        function = tree.func if isinstance(tree, ast.Call) else tree
        name = _normal(dotted(function))
        prefix, _, last = name.rpartition(".")
        of_keras = prefix in _modules(what)
        if isinstance(tree, ast.Call):
            if of_keras and prefix and last in _GETTERS and len(tree.args) == 1 and not tree.keywords:
                inner = tree.args[0]
                if self.reads(argument, inner):
                    return self.read(argument, layer, inner)
                return self._accepted(argument, self.literal(inner), inner)
            if what == "activation" and (known := _function(name)) is not None and catalog.find(what, last) is None:
                self.wrong(f"{name} is called here: pass the function itself, {argument.name}={known!r}", tree)
                return None
        elif what == "activation" and (known := _function(name)) is not None:
            return self._accepted(argument, known, tree) if isinstance(known, str) else known
        if cls := _class(what, name):
            return self._made(argument, cls, layer, tree)
        if why := self._mistake(argument, what, name, of_keras=of_keras):
            self.wrong(why, tree)
            return None
        return self._unknown(argument, layer, tree)

    def _mistake(self, argument: Argument, what: str, name: str, *, of_keras: bool) -> str | None:
        """Why an object is wrong, not only unknown: it is of another kind, or Keras does not have it; else None."""
        last = name.rpartition(".")[2]
        own = names.of(what)
        for known in names.LISTS:
            if known is not own and _class(known.what, name):
                return f"{argument.name} must be {article(what)}, and {last} is {article(known.what)}"
        if of_keras and last in own.unmade:
            return f"{argument.name} cannot be {last}: {own.unmade[last]}"
        if last == "ThresholdedReLU":
            return "ThresholdedReLU was removed in Keras 3: write ReLU(threshold=…)"
        if of_keras and last != name:
            return f"Keras has no {name}{nearest(last, (*catalog.names_of(what), *own.usable))}"
        return None

    def _made(self, argument: Argument, cls: ObjectClass, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        """The object of a call, or of a class alone, which Keras calls without arguments."""
        if not isinstance(tree, ast.Call):
            if cls.what == "activation":
                self.wrong(f"{cls.name} must be called: write {cls.name}()", tree)
                return None
            return cls.made({}, argument.default)
        before = len(self.source.problems)
        given = self._arguments(cls, tree)
        if len(self.source.problems) > before:
            return None
        if any(name is None or not self._readable(known, value) for name, known, value in given):
            return self._unknown(argument, layer, tree)
        values = {known.name: self._value(cls, known, value) for _, known, value in given if known is not None}
        return None if len(self.source.problems) > before else cls.made(values, argument.default)

    def _arguments(self, cls: ObjectClass, call: ast.Call) -> list[tuple[str | None, Argument | None, ast.expr]]:
        """The arguments of a call: name (None for ``*`` and ``**``), declaration in the class, and expression."""
        positional = [one for one in cls.arguments[: cls.positional] if not one.missing_in(asked())]
        if len(call.args) > len(positional):
            most = len(positional)
            self.wrong(f"{cls.name} takes at most {most} arguments by position", call.args[most])
        by_name = {one.name: one for one in cls.arguments}
        found: list[tuple[str | None, Argument | None, ast.expr]] = []
        for known, tree in zip(positional, call.args, strict=False):
            found.append((None if isinstance(tree, ast.Starred) else known.name, known, tree))
        for keyword in call.keywords:
            name = keyword.arg
            if name in cls.renamed and (name not in by_name or by_name[name].missing_in(asked())):
                now = cls.renamed[name]
                if not cls.understood:
                    self.wrong(f"{cls.name} takes no {name}: it is called {now} in Keras 3", keyword)
                    continue
                self.notes.append(f"Keras 3 warns about {name} in {cls.name} and recommends {now}")
                name = now
            if name is not None and name not in by_name:
                self.wrong(f"{cls.name} takes no argument {name}{nearest(name, by_name)}", keyword)
            elif name is not None and (why := by_name[name].missing_in(asked())):
                self.wrong(f"{cls.name} {why}", keyword)
            elif name is not None and name in [said for said, _, _ in found]:
                self.wrong(f"{name} is given twice", keyword)
            else:
                found.append((name, by_name.get(name or ""), keyword.value))
        return found

    def _readable(self, argument: Argument | None, tree: ast.expr) -> bool:
        """Whether the value of an object's argument can be read, or does not matter."""
        return argument is not None and (_is_literal(tree) or self.reads(argument, tree) or argument.name == "seed")

    def _value(self, cls: ObjectClass, argument: Argument, tree: ast.expr) -> Any:
        if self.reads(argument, tree):
            return self.read(argument, cls, tree)
        if not _is_literal(tree):
            self.notes.append(f"seed={self._said(tree)} of {cls.name} is not known here: it is left out")
            return argument.default
        before = len(self.source.problems)
        value = self.literal(tree)
        if len(self.source.problems) == before and not argument.kind.accepts(value):
            self.wrong(f"{argument.name} of {cls.name} {argument.kind.refusal(value)}", tree)
        return value

    def _unknown(self, argument: Argument, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        """Keras' default instead of an unknown value; an activation keeps its text, because cuDNN depends on it."""
        text = self._said(tree)
        default = None if argument.default is REQUIRED else argument.default
        instead = "none" if default is None else repr(default)
        note = f"{argument.name}={text} is not known here: {instead} is used instead"
        if not isinstance(argument.kind, Named) or argument.kind.of is not names.ACTIVATIONS:
            self.notes.append(note)
            return default
        if layer.name in ("LSTM", "GRU"):
            note += f", without cuDNN, which needs {instead} itself"
        made = (dotted(tree.func) or "").rpartition(".")[2] if isinstance(tree, ast.Call) else ""
        if made[:1].isupper() and catalog.find("activation", made) is None:
            note += f"; {text} may have weights, which are not counted"
        self.notes.append(note)
        return Function(text, default or "linear")

    def _said(self, tree: ast.expr) -> str:
        """The expression as Python source in one line."""
        try:
            return ast.unparse(tree)
        except (RecursionError, ValueError):
            self.wrong("this cannot be read: it is nested too deeply", tree)
            return ""


def _is_literal(tree: ast.expr) -> bool:
    """Whether ``literal`` can read the expression."""
    if isinstance(tree, ast.List | ast.Tuple):
        return all(map(_is_literal, tree.elts))
    return isinstance(tree, ast.Constant) or (isinstance(tree, ast.UnaryOp) and isinstance(tree.operand, ast.Constant))


def _is_dtype(name: str) -> bool:
    return name.rstrip("0123456789") in ("int", "uint", "float", "bfloat", "complex", "bool", "double", "half")


def _joined(tree: ast.expr) -> str | None:
    """The string of a literal, of an f-string without values, or of a sum of these; else None."""
    texts: list[str | None] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        texts.insert(0, _string(tree.right))
        tree = tree.left
    texts.insert(0, _string(tree))
    return None if None in texts else "".join(map(str, texts))


def _string(tree: ast.expr) -> str | None:
    if isinstance(tree, ast.JoinedStr):
        parts = [_string(part) for part in tree.values]
        return None if None in parts else "".join(map(str, parts))
    return tree.value if isinstance(tree, ast.Constant) and isinstance(tree.value, str) else None


def _normal(name: str | None) -> str:
    """A dotted name with ``tf`` for ``tensorflow``; empty for None."""
    return f"tf{name[len('tensorflow') :]}" if name and name.startswith("tensorflow.") else name or ""


def _modules(what: str) -> set[str]:
    """The modules with Keras' objects of a kind; the empty one is for an import by name."""
    module = "activations" if what == "activation" else f"{what}s"
    return {"", *(keras + module for keras in _KERAS), *({"tf.initializers"} if what == "initializer" else ())}


_LAYERS = {"", "L", "tfkl", *(keras + "layers" for keras in _KERAS)}


def _class(what: str, name: str) -> ObjectClass | None:
    """The class of a dotted name in Keras, or in TensorFlow with the same arguments; else None."""
    prefix, _, last = name.rpartition(".")
    of_tensorflow = what == "initializer" and last.endswith("_initializer")
    modules = {"tf", ""} if of_tensorflow else _LAYERS if what == "activation" else _modules(what)
    return catalog.find(what, last) if prefix in modules else None


def _function(name: str) -> str | Function | None:
    """The activation of a dotted name; None if it is unknown or in ``_UNLIKE_OPS``."""
    prefix, _, last = name.rpartition(".")
    if name in UNCOPIED:
        return Function(name, UNCOPIED[name])
    of_ops = prefix in {keras + "ops" for keras in _KERAS} and last not in _UNLIKE_OPS
    if of_ops or prefix in _modules("activation"):
        return last if last in names.ACTIVATIONS.known else None
    return last if last in _TENSORFLOW.get(prefix, ()) else None
