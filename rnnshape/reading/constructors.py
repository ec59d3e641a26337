"""Constructor calls: the classes of the table, their arguments and what nests in them, read and never evaluated."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, TypeGuard

from rnnshape.errors import nearest
from rnnshape.layers import ALIASES, TABLE, Node
from rnnshape.layers.arguments import REQUIRED, Nested
from rnnshape.layers.kinds import Number, Sizes, Whole
from rnnshape.layers.merges import MERGES
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.release import asked
from rnnshape.reading import leftovers
from rnnshape.reading.declared import DECLARING, WHOLE, Declared, by_step
from rnnshape.reading.lists import Lists, constant
from rnnshape.reading.literals import MISSING
from rnnshape.reading.mistakes import is_a_cell, not_known, unknown_argument, unknown_class, wrong_role
from rnnshape.reading.objects import Objects
from rnnshape.reading.own import OwnClasses
from rnnshape.reading.syntax import called, dotted, is_none, joined
from rnnshape.reading.tensors import INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.syntax import Source
    from rnnshape.reading.tensors import Sizes as Known
    from rnnshape.reading.tensors import Tensors

# The last part of an import path, and the short names that people give to it.
_PREFIXES = {"layers", "models", "recurrent", "lstm", "gru", "rnn", "L", "KL", "kl", "tfkl", "Layers"}
_KERAS = re.compile(r"(?:^|[._])keras(?:[._]|$)")
_OF_LIBRARIES = re.compile(r"(?:^|[._])(?:keras|tf|tensorflow|torch|sklearn)[._]")
_OTHERS = {"torch", "nn", "flax", "jax", "mxnet", "mx", "chainer", "paddle", "os"}
# Their layer or cell gets one step of their input.
_BY_STEP = ("RNN", "TimeDistributed")
# What a Sequential takes beside its layers changes nothing that is asked.
_OF_MODELS = ("name", "trainable")
# What decides the structure of what a layer returns, by its kind.
_DECIDING = {"recurrent": ("return_sequences", "return_state"), "cell": ()}
_OF_BIDIRECTIONAL = ("merge_mode",)
_ROLES = {"cell": ("cell",), "recurrent": ("recurrent",), "layer": ("layer", "recurrent", "stack")}


class Constructors:
    """Reads the layers of one source."""

    def __init__(self, source: Source, tensors: Tensors) -> None:
        self.source = source
        self.names = tensors.names
        self.wrong = source.wrong
        self.tensors = tensors
        # What is said of the input in a layer's constructor call, and in those within it, under the call.
        self.says: dict[ast.expr, tuple[Declared, ...]] = {}
        # Where Keras 3 warns of it, in the order in which it is read.
        self.warned: list[ast.keyword] = []
        # The layers whose text leaves open what they return, and the stacks that it does not end.
        self._partly: list[Node] = []
        self._left_out = 0
        # Classes of the text itself under a name of Keras'.
        self.shadowed: set[str] = set()
        # What the text imports, by the name that it has there; the layers that its names hold, those that functions of
        # the text make, and where the inputs are made that its names hold.
        self.aliases: dict[str, str] = {}
        self.held: Callable[[ast.expr], Node | None] = lambda tree: None
        self.entered: Callable[[ast.Call], Node | None] = lambda call: None
        self.fed: Callable[[ast.expr], ast.expr | None] = lambda tree: None
        self.held_list: Callable[[ast.expr], list[Node] | None] = lambda tree: None
        self.lists = Lists(self.names)
        self.objects = Objects(source, self._literal)
        self.own = OwnClasses(self.names, self._made, self.value)

    def layer(self, tree: ast.expr) -> Node | None:
        """A constructor call, or layers joined by ``|``."""
        match tree:
            case ast.BinOp(op=ast.BitOr()):
                sources = self._known_first(self._behind_input(joined(tree)))
                parts = [self.layer(part) for part in sources]
                layers = tuple(part for part in parts if part is not None)
                for part, source in zip(parts, sources, strict=True):
                    if part is not None and part.cls.kind == "cell":
                        self.wrong(is_a_cell(part), source)
                if len(layers) < len(parts):
                    return None
                self._say(tree, joined(tree), sources)
                return layers[0] if len(layers) == 1 else Node.of(TABLE["Sequential"], {"layers": layers})
            case ast.Name() | ast.Attribute() | ast.Subscript() if (held := self.held(tree)) is not None:
                return held
            case ast.Name(id=name) if name in TABLE:
                self.wrong(f"{name} must be called: write {name}(…)", tree)
            case _ if isinstance(made := self._decided(tree), ast.Call):
                return self._constructed(made)
            case _ if made is not tree and isinstance(made, ast.BinOp | ast.Subscript):
                return self.layer(made)
            case ast.Name() | ast.Attribute():
                what = self.source.said(tree)
                self.source.unknown(f"{what} is not made here: add the line that makes it", tree)
            case _:
                self.wrong("a layer is expected here, such as LSTM(8)", tree)
        return None

    def _decided(self, tree: ast.expr) -> ast.expr:
        """What stands there: of two layers the one that is taken; where nothing decides, the choice stays open."""
        made = self.names.resolved(tree)
        if isinstance(made, ast.IfExp):
            holds = self.names.choose(made.test, (True, False), "this condition")
            return self._decided(made.body if holds else made.orelse)
        return made

    def knows_part(self, node: Node) -> bool:
        """Whether the text leaves open what a layer returns: arguments behind ``**``, layers of an unknown class."""
        return any(part is one for one in self._partly for part in node.walk())

    def _constructed(self, call: ast.Call) -> Node | None:
        if (made := self.entered(call)) is not None:
            return made
        if (whole := self._completed(call)) is not call:
            node = self.layer(whole)
            self.says[call] = self.says.get(whole, ())
            return node
        function = self._decided_class(call.func)
        name = dotted(function)
        if name is None:
            is_result = isinstance(call.func, ast.Call)
            result = "; a layer returns a tensor, which cannot be called" if is_result else ""
            self.wrong(f"a Keras class is expected here{result}", call.func)
            return None
        layer = self._class(function)
        if layer is None and (own := self._own(function)) is not None:
            return self.own.node(own, call)
        if layer is None:
            self.source.unknown(unknown_class(name, name.rpartition(".")[2]), call.func)
            return None
        return self._node(layer, call)

    def names_a_layer(self, function: ast.expr) -> bool:
        """Whether a class of the table is called by this name, or one that a module of the reader's own may hold."""
        function = self.names.resolved(function)
        if isinstance(function, ast.IfExp):
            return self.names_a_layer(function.body) and self.names_a_layer(function.orelse)
        if _is_partial(function):
            return self.names_a_layer(function.args[0])
        return self._class(function) is not None or self._own(function) is not None

    def _completed(self, call: ast.Call) -> ast.Call:
        """The call of a class with what ``functools.partial`` has given it before."""
        function = self.names.resolved(call.func)
        if not _is_partial(function):
            return call
        later = {keyword.arg for keyword in call.keywords}
        given = [keyword for keyword in function.keywords if keyword.arg is None or keyword.arg not in later]
        first, *before = function.args
        return ast.copy_location(ast.Call(first, [*before, *call.args], [*given, *call.keywords]), call)

    def _decided_class(self, function: ast.expr) -> ast.expr:
        """The class that is called: a name for it, or one of two, ``(LSTM if gated else SimpleRNN)(8)``."""
        made = self.names.resolved(function)
        named = isinstance(function, ast.Name | ast.Attribute) and not isinstance(made, ast.IfExp)
        return function if named else self._decided(made)

    def _class(self, function: ast.expr) -> LayerClass | None:
        """The class that a name means: with its prefix, as the text imports it, or as ``let`` gives it."""
        function = self.names.resolved(function)
        name = dotted(function)
        if name is None or name in self.shadowed:
            return None
        if name not in TABLE and isinstance(given := self.names.known(function), str):
            name = given
        prefix, _, short = self.imported_as(name).rpartition(".")
        short = ALIASES.get(short, short)
        return (TABLE.get(short) or MERGES.get(short)) if not prefix or _is_keras(prefix) else None

    def _made(self, tree: ast.expr) -> Any:
        """The layer that stands in an argument; ``MISSING`` where something else does."""
        if isinstance(tree, ast.Call) and self.names_a_layer(tree.func):
            return self.layer(tree)
        held = self.held(tree) if isinstance(tree, ast.Name | ast.Attribute) else None
        return MISSING if held is None else held

    def imported_as(self, name: str) -> str:
        """The name with the module that the text imports it from."""
        first, dot, rest = name.partition(".")
        return self.aliases[first] + dot + rest if first in self.aliases else name

    def _own(self, function: ast.expr) -> str | None:
        """The class that a name means if a module of the reader's own may hold it; Keras' modules hold none."""
        name = dotted(self.names.resolved(function)) if self.names.modules else None
        prefix, _, short = self.imported_as(name or "").rpartition(".")
        known = self._class(function) is not None or short in INPUTS or leftovers.of_class(short)
        return None if known or _OF_LIBRARIES.search(f"{prefix}.") or not short[:1].isupper() else short

    def _node(self, layer: LayerClass, call: ast.Call) -> Node | None:
        before, left_out = len(self.source.problems), self._left_out
        values = self._by_position(layer, call)
        self._by_keyword(layer, call, values)
        known = self._by_dictionary(layer, call, values)
        required = [argument.name for argument in layer.arguments if argument.default is REQUIRED]
        missing = [name for name in required if name not in values]
        # A misspelt keyword is one mistake, not also a missing argument.
        if missing and len(self.source.problems) == before:
            self.wrong(f"{layer.name} needs {' and '.join(missing)}", call)
        if len(self.source.problems) > before:
            return None
        node = Node.of(layer, values)
        if not known or (layer.kind == "stack" and self._left_out > left_out):
            self._partly.append(node)
        for problem in () if node.without_rule else layer.check(node):
            self.wrong(f"{problem.key}: {problem.message}" if problem.key else problem.message, call)
        self._declared(node, call)
        return node if len(self.source.problems) == before else None

    def _by_position(self, layer: LayerClass, call: ast.Call) -> dict[str, Any]:
        values: dict[str, Any] = {}
        release = asked()
        positional = [known for known in layer.arguments[: layer.positional] if not known.missing_in(release)]
        trees = self.lists.spread(call.args)
        for argument, tree in zip(positional, trees, strict=False):
            if isinstance(tree, ast.Starred):
                self.wrong("* cannot be read without running it: write the arguments out", tree)
            else:
                values[argument.name] = self.value(argument, layer, tree)
        if len(trees) > len(positional):
            extra = trees[len(positional)]
            self.wrong(f"{layer.name} takes at most {len(positional)} arguments by position", extra)
        return values

    def _by_keyword(self, layer: LayerClass, call: ast.Call, values: dict[str, Any]) -> None:
        for keyword in self.keywords(call):
            if keyword.arg is None:
                continue  # see _by_dictionary
            if layer.kind == "stack" and keyword.arg in _OF_MODELS:
                continue
            if keyword.arg in values:
                self.wrong(f"{keyword.arg} is given twice", keyword)
            elif (known := layer.by_name.get(keyword.arg)) is None or known.missing_in(asked()):
                if keyword.arg in DECLARING and "trainable" in layer.by_name:
                    continue  # no argument of the layer, but of its base class: see _declared
                self.wrong(unknown_argument(keyword.arg, layer, self.source.said(keyword.value)), keyword)
            else:
                values[known.name] = self.value(known, layer, keyword.value)

    def _by_dictionary(self, layer: LayerClass, call: ast.Call, values: dict[str, Any]) -> bool:
        """What ``**kwargs`` gives is not known: a size that is needed has its name, the rest is as without it.

        Returns whether the structure of what comes out is known all the same.
        """
        unknown = [keyword for keyword in self.keywords(call) if keyword.arg is None]
        deciding = _DECIDING.get(layer.kind, _OF_BIDIRECTIONAL if layer.name == "Bidirectional" else None)
        known = not unknown or (deciding is not None and all(name in values for name in deciding))
        for keyword in unknown:
            said = self.source.said(keyword.value)
            self.names.notes.append(f"what **{said} gives is not known: {layer.name} is read without it")
            for argument in layer.arguments:
                needed = argument.default is REQUIRED and argument.name not in values
                if needed and isinstance(argument.kind, Whole | Number | Sizes):
                    name = ast.copy_location(ast.Name(argument.name, ast.Load()), keyword.value)
                    values[argument.name] = self.names.value(argument, name)
        return known

    def keywords(self, call: ast.Call) -> Iterator[ast.keyword]:
        """The keywords of a call, those of a literal dictionary behind ``**`` among them."""
        for keyword in call.keywords:
            tree = self.names.resolved(keyword.value) if keyword.arg is None else None
            known = MISSING if tree is None else self.names.known(tree)
            if isinstance(known, dict):
                for key, value in known.items():
                    yield ast.copy_location(ast.keyword(str(key), constant(value, keyword.value)), keyword)
                continue
            keys = [self.names.known(key) if key else None for key in getattr(tree, "keys", ())]
            if not isinstance(tree, ast.Dict) or not all(isinstance(key, str) for key in keys):
                yield keyword
                continue
            for key, each in zip(keys, tree.values, strict=True):
                yield ast.copy_location(ast.keyword(key, each), keyword)

    def value(self, argument: Argument, layer: LayerClass, tree: ast.expr) -> Any:
        """The value of an argument; None with a mistake told."""
        if isinstance(argument.kind, Nested):
            return self._nested(argument, argument.kind, layer, tree)
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.JoinedStr) and isinstance(known := self.names.known(tree), str):
            tree = constant(known, tree)
        if self.objects.reads(argument, tree) and self.names.known(tree) is MISSING:
            return self.objects.read(argument, layer, tree)
        if self.names.reads(tree):
            return self.names.value(argument, tree)
        before = len(self.source.problems)
        value = self._literal(tree)
        if len(self.source.problems) == before and not argument.kind.accepts(value):
            self.wrong(f"{argument.name} {argument.kind.refusal(value)}", tree)
        return value

    def _nested(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Any:
        if kind.none and is_none(tree):
            return None
        if kind.many and (held := self.held_list(tree)) is not None:
            return tuple(self._checked(node, kind, layer, tree) for node in held)
        trees = self.lists.listed(tree) if kind.many else None
        if trees is None and kind.many and isinstance(tree, ast.Name | ast.Attribute):
            trees = self.lists.items(tree)
        if trees is not None:
            items = self._known_first(self._behind_input(trees)) if layer.kind == "stack" else trees
            if not items:
                self.wrong(f"{argument.name}: must be a list of at least one {kind.role}", tree)
            found = tuple(self._one(argument, kind, layer, item) for item in items)
            if layer.kind == "stack" and items[:1] == trees[:1] and items and found[0] is not None:
                self._built_on(items[0], found[0])
            self._say(tree, trees, items)
            if layer.kind == "stack":  # a model in a name is its layers
                pairs = zip(found, items, strict=True)
                return tuple(
                    part
                    for one, item in pairs
                    for part in (one.in_turn if one and isinstance(item, ast.Name | ast.Attribute) else (one,))
                )
            return found
        one = self._one(argument, kind, layer, tree)
        # RNN takes one cell or a list; where only a list may stand, one is a slip.
        if one is not None and kind.many and layer.name != "RNN":
            self.wrong(f"{argument.name} must be a list: [{one.text}]", tree)
        return one

    def _one(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Node | None:
        if not isinstance(
            tree, ast.Call | ast.BinOp | ast.Name | ast.Attribute | ast.IfExp | ast.Subscript | ast.NamedExpr
        ):
            self.wrong(f"{argument.name} of {layer.name} must be {kind.allowed}", tree)
            return None
        node = self.layer(tree)
        return None if node is None else self._checked(node, kind, layer, tree)

    def _checked(self, node: Node, kind: Nested, layer: LayerClass, tree: ast.expr) -> Node:
        if node.cls.kind not in (*_ROLES[kind.role], IMPORTED):
            self.wrong(wrong_role(layer, node, kind), tree)
        return node

    def _behind_input(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The layers behind the Input that may stand in front of them, and gives their input's shape."""
        made = trees[0] if trees and called(trees[0]) in INPUTS else self.fed(trees[0]) if trees else None
        if made is None:
            return trees
        self.says[trees[0]] = (Declared(self.tensors.fed(made), made),)
        return trees[1:]

    def _known_first(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The layers in front of the first class that is not known, and no slip of a known one; all without one."""
        for place, tree in enumerate(trees):
            name = dotted(tree.func) if place and isinstance(tree, ast.Call) else None
            short = (name or "").rpartition(".")[2]
            slip = nearest(short, TABLE) or leftovers.of_class(short)
            known = isinstance(tree, ast.Call) and self.names_a_layer(tree.func)
            if name and short[:1].isupper() and not slip and not known:
                self.names.notes.append(not_known(name))
                self._left_out += 1
                return trees[:place]
        return trees

    def _say(self, tree: ast.expr, trees: list[ast.expr], layers: list[ast.expr]) -> None:
        """What layers one after another say of the first one's input, under the tree that holds them."""
        said = (place for first in {*trees[:1], *layers[:1]} for place in self.says.get(first, ()))
        self.says[tree] = tuple(sorted(said, key=lambda place: self.source.place(place.tree)))

    def _declared(self, node: Node, call: ast.Call) -> None:
        """What a constructor call says of its layer's input, and what the calls within it say."""
        said: list[Declared] = []
        for keyword in self.keywords(call):
            known = keyword.arg in node.cls.by_name and keyword.arg != "input_length"
            if keyword.arg not in DECLARING or known or is_none(keyword.value):
                continue
            self.warned.append(keyword)
            if any(place.name in WHOLE for place in said) and keyword.arg in WHOLE:
                self.wrong(f"{node.name} takes either input_shape or input_dim, once", keyword)
            else:
                said.append(Declared(self._says_of_input(node, keyword), keyword))
        inner = _inside(node.cls, call)
        within = self.says.get(inner, ()) if inner is not None else ()
        self.says[call] = (*said, *(map(by_step, within) if node.name in _BY_STEP else within))

    def _says_of_input(self, node: Node, keyword: ast.keyword) -> Known | None:
        """The input's sizes as one argument of a constructor call has them."""
        rank = len(node.cls.letters(node, 2))
        if keyword.arg in ("batch_input_shape", "batch_shape"):
            return self.tensors.shape(keyword.value)
        if keyword.arg == "input_shape":
            behind = self.tensors.shape(keyword.value)
            return None if behind is None else (None, *behind)
        if isinstance(keyword.value, ast.List | ast.Tuple) and keyword.arg == "input_length":
            return None  # Keras does not look at it
        axis = {"batch_size": 0, "input_length": 1, "input_dim": rank - 1}[keyword.arg or ""]
        size = self.tensors.size(keyword.value)
        return tuple(size if index == axis else None for index in range(rank))

    def _built_on(self, tree: ast.expr, first: Node) -> None:
        """Keras builds a Sequential on what its first layer says: input_dim=8 is then the whole shape, (8,)."""
        for said in self.says.get(tree, ()):
            own = isinstance(tree, ast.Call) and said.tree in tree.keywords
            if own and said.name == "input_dim" and said.sizes is not None and len(said.sizes) > 2:
                what = f"Keras reads this as input_shape=({said.sizes[-1]},), which {first.name} does not take"
                self.wrong(f"{what}: write input_shape={said.sizes[1:]}", said.tree)

    def _literal(self, tree: ast.expr) -> Any:
        match tree:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return value
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as value)
            ) if not isinstance(value, bool):
                return -value if isinstance(sign, ast.USub) else value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return tuple(map(self._literal, items))
            case _:
                self.wrong("a literal is expected here: a number, a string, True, False, None, a list or a tuple", tree)
        return None


def _is_partial(tree: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(tree, ast.Call) and called(tree) == "partial" and bool(tree.args)


def _inside(layer: LayerClass, call: ast.Call) -> ast.expr | None:
    """The layer, the cell or the list of them that a constructor call must hold: its first argument."""
    first = layer.arguments[0]
    if not isinstance(first.kind, Nested):
        return None
    named = (keyword.value for keyword in call.keywords if keyword.arg == first.name)
    return call.args[0] if call.args else next(named, None)


def _is_keras(prefix: str) -> bool:
    """Whether a prefix is a module of Keras, or a short name of one."""
    first, last = prefix.partition(".")[0], prefix.rpartition(".")[2]
    return first not in _OTHERS and (_KERAS.search(prefix) is not None or last in _PREFIXES)
