"""What people write where Keras takes an object: an initializer, an activation, a dtype, a name; never evaluated.

What is of Keras is read as data (``Made``) or as the name that means the same.  What cannot be known, a function or a
class of one's own or a variable, is replaced by Keras' default, and a note says so.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.layers import catalog, names
from rnnshape.layers.arguments import DTYPE, DTYPES, REQUIRED
from rnnshape.layers.kinds import LayerName, Named, article
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
# TensorFlow's functions that compute what Keras' ones of the same name do, and are copied as those by Keras.
_TENSORFLOW = {
    "tf": ("tanh", "sigmoid"),
    "tf.nn": ("elu", "gelu", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "softplus", "softsign", "tanh"),
    "tf.math": ("log_sigmoid", "sigmoid", "softplus", "softsign", "tanh"),
}
# Those of keras.ops that do not: it takes arguments, it approximates, and it has no function of that name.
_UNLIKE_OPS = ("threshold", "gelu", "linear", "exponential", "mish")
_POLICIES = ("Policy", "DTypePolicy", "FloatDTypePolicy")
_OF_POLICIES = [keras + module for keras in _KERAS for module in ("mixed_precision.", "dtype_policies.", "")]
_FLOATX = {keras + name for keras in (*_KERAS, "K.") for name in ("backend.floatx", "config.floatx", "floatx")}
# Functions of ``activations``, ``initializers`` … that are no object, and give the one that is named.
_GETTERS = ("get", "deserialize")


class Objects:
    """Reads the objects of one source; ``notes`` says what was replaced."""

    def __init__(self, source: Source, literal: Callable[[ast.expr], Any]) -> None:
        self.source = source
        self.wrong = source.wrong
        self.literal = literal
        self.notes: list[str] = []

    def reads(self, argument: Argument, tree: ast.expr) -> bool:
        """Whether what stands there is for this reader: no literal, and an argument that Keras takes an object for."""
        takes = isinstance(argument.kind, Named | LayerName) or argument.name == DTYPE.name
        return takes and not _is_literal(tree)

    def read(self, argument: Argument, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        """The value of the argument; None with a mistake told."""
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
        at_home = prefix in _homes(what)
        if isinstance(tree, ast.Call):
            if at_home and prefix and last in _GETTERS and len(tree.args) == 1 and not tree.keywords:
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
        if why := self._misplaced(argument, what, name, at_home=at_home):
            self.wrong(why, tree)
            return None
        return self._unknown(argument, layer, tree)

    def _misplaced(self, argument: Argument, what: str, name: str, *, at_home: bool) -> str | None:
        """Why what stands there is a mistake, and not just unknown: Keras has no such thing, or it is another thing."""
        last = name.rpartition(".")[2]
        own = names.of(what)
        for known in names.LISTS:
            if known is not own and _class(known.what, name):
                return f"{argument.name} must be {article(what)}, and {last} is {article(known.what)}"
        if at_home and last in own.unmade:
            return f"{argument.name} cannot be {last}: {own.unmade[last]}"
        if last == "ThresholdedReLU":
            return "ThresholdedReLU was removed in Keras 3: write ReLU(threshold=…)"
        if at_home and last != name:
            return f"Keras has no {name}{nearest(last, (*catalog.names_of(what), *own.usable))}"
        return None

    def _made(self, argument: Argument, cls: ObjectClass, layer: LayerClass | ObjectClass, tree: ast.expr) -> Any:
        """The object that a call makes; a class by itself is what Keras calls without arguments."""
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
        """Each argument of a call, with what the class has of that name; None for what ``*`` and ``**`` give."""
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
                self.notes.append(f"Keras 3 warns of {name} in {cls.name} and recommends {now}")
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
        """Keras' default in the place of what cannot be known; an activation stays in the text, for cuDNN's sake."""
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
        """A tree in one line, from which the same tree can be read."""
        try:
            return ast.unparse(tree)
        except (RecursionError, ValueError):
            self.wrong("this cannot be read: it is nested too deeply", tree)
            return ""


def _is_literal(tree: ast.expr) -> bool:
    """Whether ``literal`` is the one to read it."""
    if isinstance(tree, ast.List | ast.Tuple):
        return all(map(_is_literal, tree.elts))
    return isinstance(tree, ast.Constant) or (isinstance(tree, ast.UnaryOp) and isinstance(tree.operand, ast.Constant))


def _is_dtype(name: str) -> bool:
    return name.rstrip("0123456789") in ("int", "uint", "float", "bfloat", "complex", "bool", "double", "half")


def _joined(tree: ast.expr) -> str | None:
    """The string that an f-string without values, or a sum of strings, is; None for what has to be run."""
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
    """A dotted name under the usual import; empty for what is no name."""
    return f"tf{name[len('tensorflow') :]}" if name and name.startswith("tensorflow.") else name or ""


def _homes(what: str) -> set[str]:
    """Behind which names Keras' objects of a kind stand; the empty one is an import by name."""
    module = "activations" if what == "activation" else f"{what}s"
    return {"", *(keras + module for keras in _KERAS), *({"tf.initializers"} if what == "initializer" else ())}


_LAYERS = {"", "L", "tfkl", *(keras + "layers" for keras in _KERAS)}


def _class(what: str, name: str) -> ObjectClass | None:
    """The class of Keras, or of TensorFlow with the same arguments, that a dotted name means."""
    prefix, _, last = name.rpartition(".")
    of_tensorflow = what == "initializer" and last.endswith("_initializer")
    homes = {"tf", ""} if of_tensorflow else _LAYERS if what == "activation" else _homes(what)
    return catalog.find(what, last) if prefix in homes else None


def _function(name: str) -> str | Function | None:
    """The activation that a dotted name means; ``_UNLIKE_OPS`` stay unknown."""
    prefix, _, last = name.rpartition(".")
    if name in UNCOPIED:
        return Function(name, UNCOPIED[name])
    of_ops = prefix in {keras + "ops" for keras in _KERAS} and last not in _UNLIKE_OPS
    if of_ops or prefix in _homes("activation"):
        return last if last in names.ACTIVATIONS.known else None
    return last if last in _TENSORFLOW.get(prefix, ()) else None
