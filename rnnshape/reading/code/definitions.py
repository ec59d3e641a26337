"""Reads the functions and classes that the code defines: their bodies, with the arguments of each call."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from rnnshape.reading.code.functions import (
    Closure,
    Function,
    as_function,
    assigned_twice,
    defaults,
    of_self,
    other_than_first,
    own_names,
    passed,
    returns_a_function,
    stored_in,
)
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.made import Layer, Model
from rnnshape.reading.code.options import Options
from rnnshape.reading.code.syntax import called, dotted
from rnnshape.reading.code.tensors import makes_each
from rnnshape.reading.code.values import Values

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.reading.code.naming import Names

_DEEPEST_CALL = 5
_NAMESPACES = ("SimpleNamespace", "Namespace")


class Definitions(ABC):
    """The functions and classes of one text; a subclass reads the statements of a body."""

    def __init__(self, names: Names) -> None:
        self.source = names.source
        self.names = names
        self.values = Values(names, self.value)
        self.values.layers.entered = self._returned_layer
        self.values.growing.is_lambda = lambda tree: self._in_lambda(tree) is not None
        self.options = Options(names)
        self.functions: dict[str, Function] = {}
        # The expression of the last ``return``.
        self.returns: ast.expr | None = None
        # The first call of each name, and the methods of classes that are not read before their first call: it gives
        # the arguments of the constructor.
        self.instances: dict[str, ast.Call] = {}
        self.waiting: dict[str, dict[str, Function]] = {}
        # The first call of an object of each class, which gives the input of its method call.
        self.applied: dict[str, ast.Call] = {}
        # The calls of the methods of each class, and the functions that the text uses without calling them by name.
        self.methods: dict[tuple[str, str], list[ast.Call]] = {}
        self.handed_on: set[str] = set()
        # The values that class bodies assign.
        self.classes: dict[str, dict[str, Any]] = {}
        # The fields of dataclasses, in the order of the constructor's arguments.
        self.fields: dict[str, list[str]] = {}
        # The attributes that the constructors of classes assign.
        self.stored: dict[str, set[str]] = {}
        # Classes with a base class in the text, whose attributes they may use.
        self.derived: set[str] = set()
        # The attributes that the current class assigns in several places.
        self.unsettled: set[str] = set()
        self.called: set[Function] = set()
        self.depth = 0
        # The name of the function whose body is read.
        self.within = ""

    @abstractmethod
    def run(self, body: list[ast.stmt]) -> Any:
        """Read statements; the value of the first ``return``."""

    @abstractmethod
    def value(self, tree: ast.expr, targets: int | None = None) -> Any:
        """The value of an expression."""

    def _note_defaults(self, name: str, function: Function) -> None:
        if name in self.handed_on and defaults(function):
            self.values.note(f"{name} is read with the defaults of its arguments: its calls are not followed", function)

    # -- functions ------------------------------------------------------------------------------

    def _own(self, function: ast.expr) -> Function | None:
        """The function or method that the code defines under this name."""
        if isinstance(function, ast.Name | ast.Attribute):
            return self.functions.get(self.source.said(function))
        return None

    def _given(self, function: Function, call: ast.Call | None) -> dict[str, ast.expr]:
        """The arguments of a function in this call; without a call, the defaults."""
        if call is None:
            return defaults(function)
        lists = self.values.lists
        return passed(function, lists.spread(call.args), [*lists.keywords(call)], call)

    def _enter(self, function: Function, given: dict[str, ast.expr], closure: Closure | None = None) -> Any:
        """Read the body of a function with these arguments; returns its value."""
        self.called.add(function)
        if self.depth >= _DEEPEST_CALL:
            return None
        there = {name: (self.names.known(tree), self.value(tree), tree) for name, tree in given.items()}
        before = dict(self.names.bound), dict(self.names.trees), dict(self.values.env)
        if closure is not None:
            self.names.bound |= closure.held.bound
            self.names.trees |= closure.held.trees
            self.values.env |= closure.env
        for name in (*own_names(function), *given):
            self.values.forget(name)
        for name, (known, value, tree) in there.items():
            if known is not MISSING and name not in self.names.let:
                self.names.bound[name] = known
            elif value is not None:
                self.values.bind(name, value)
            elif known is MISSING and name not in self.names.reached(tree):
                self.names.trees[name] = tree
            self._hold(name, tree)
        self.depth += 1
        self.returns, outer, self.within = None, self.within, function.name
        returned = self.run(function.body)
        self.within = outer
        fields = self._returned_fields(function)
        self.depth -= 1
        kept = tuple(map(of_self, (self.names.bound, self.names.trees, self.values.env)))
        self.names.bound, self.names.trees, self.values.env = before
        for held, own in zip(before, kept, strict=True):  # other methods see the attributes of self
            settled = (
                own if held is before[-1] else {name: one for name, one in own.items() if self._settled(name, one)}
            )
            for name in of_self(held):
                held.pop(name)
            held.update(settled)
        self.names.bound |= fields
        return returned

    def _returned_fields(self, function: Function) -> dict[str, Any]:
        """The attributes of the object that a function returns, as those of ``function()``: ``parse_args().units``."""
        name = f"{function.name}()"
        for key in [key for key in self.names.bound if key.startswith(f"{name}.")]:
            del self.names.bound[key]
        if self.returns is not None:
            self._hold(name, self.returns)
        return {key: value for key, value in self.names.bound.items() if key.startswith(f"{name}.")}

    def _settled(self, name: str, value: Any) -> bool:
        """Whether an attribute has the same value in all methods: it is assigned once, and not to an empty value."""
        return name not in self.unsettled and (bool(value) or type(value) is bool)

    def _closure(self, function: Function) -> Closure:
        """A function that another one returns, with the current values of names."""
        self.called.add(function)  # its value depends on the arguments of the outer function
        return Closure(function, self.names.now, dict(self.values.env))

    def _returned_function(self, tree: ast.expr) -> Any:
        """The called value, if a function of the code may have returned it."""
        if isinstance(tree, ast.Call):
            function = self._own(tree.func)
            return self.value(tree) if function is not None and returns_a_function(function) else None
        return self.values.env.get(self.source.said(tree)) if isinstance(tree, ast.Name | ast.Attribute) else None

    def _in_lambda(self, tree: ast.expr) -> tuple[Function | ast.expr, list[ast.keyword]] | None:
        """The function of a Lambda layer, and the other arguments of its calls; None for any other layer."""
        made = self.names.resolved(tree)
        if not isinstance(made, ast.Call) or called(made) != "Lambda" or "Lambda" in self.values.classes.shadowed:
            return None
        named = {keyword.arg: keyword.value for keyword in made.keywords}
        inner = made.args[0] if made.args else named.get("function")
        function: Function | ast.expr | None = None if inner is None else self._own(inner)
        if isinstance(inner, ast.Lambda):
            function = as_function("", inner)
        elif function is None and inner is not None:  # Lambda(K.expand_dims, arguments={"axis": 1})
            library = ast.copy_location(ast.Call(inner, [], []), inner)
            function = inner if self.values.operations.reads(library) else None
        if function is None:
            return None
        if "arguments" not in named:
            return function, []
        whole = ast.copy_location(ast.Call(tree, [], [ast.keyword(None, named["arguments"])]), tree)
        beside = [*self.values.lists.keywords(whole)]
        return None if any(keyword.arg is None for keyword in beside) else (function, beside)

    def _applied(self, tree: ast.Call) -> Any:
        """The result of calling a Lambda layer whose function can be read; else None."""
        if (found := self._in_lambda(tree.func)) is None or not tree.args:
            return None
        function, beside = found
        inner = tree.func if isinstance(function, Function) else function
        call = ast.copy_location(ast.Call(inner, tree.args[:1], beside), tree)
        return (
            self._enter(function, self._given(function, call)) if isinstance(function, Function) else self.value(call)
        )

    def _returned_layer(self, call: ast.Call) -> Node | None:
        """The layer that a function of the code returns; it is part of the layer that contains the call."""
        made = None if self._own(call.func) is None else self.value(call)
        if not isinstance(made, Layer | Model) or (isinstance(made, Model) and not made.layers):
            return None
        made.used = True
        self.values.parts_of += isinstance(made, Model)
        return made.node

    # -- classes --------------------------------------------------------------------------------

    def _class(self, own: str, bases: list[ast.expr], body: list[ast.stmt]) -> Any:
        """Record a class of the code; its methods are read at its first call, or now if there is none."""
        if any((dotted(base) or "") in self.classes for base in bases):
            self.derived.add(own)
        self.classes[own] = {}
        begins = [part for part in body if isinstance(part, Function) and part.name == "__init__"]
        fields = [self.source.said(part.target) for part in body if isinstance(part, ast.AnnAssign)]
        self.fields[own] = [] if begins else fields
        self.stored[own] = {name.removeprefix("self.") for name in stored_in(begins)}
        for part in body:
            match part:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ) if (known := self.names.known(value)) is not MISSING:
                    self.classes[own][name] = known
        for receiver in (own, "self", "cls"):
            self._bind_attributes(receiver, own)
        methods = {part.name: part for part in body if isinstance(part, Function)}
        self.called |= set(methods.values()) if own in self.instances else set()
        self.waiting[own] = methods
        if own not in self.instances:
            self._instance(own, None)
        return None

    def _instance(self, own: str, call: ast.Call | None) -> None:
        """Read the methods of a class; the constructor gets the arguments of this call."""
        methods = self.waiting.pop(own)
        before, outside = dict(self.functions), self.unsettled
        self.unsettled = assigned_twice(methods.values())
        outer = of_self(self.names.bound), of_self(self.values.env)
        if own not in self.derived:  # the attributes of another class
            for held in (self.names.bound, self.names.trees, self.values.env):
                for name in of_self(held):
                    held.pop(name)
        for receiver in (own, "self", "cls"):
            self._bind_attributes(receiver, own)
        self.functions |= {f"self.{name}": method for name, method in methods.items()}
        self.called -= set(methods.values())
        if call is None and "__init__" in methods:
            self._note_defaults(own, methods["__init__"])
        for name in dict.fromkeys(("__init__", "build", "call", *methods)):
            if name in methods and methods[name] not in self.called:
                self._method(own, name, methods[name], call)
        self.functions, self.unsettled = before, outside
        if self.depth:  # within the method of another class
            self.names.bound |= outer[0]
            self.values.env |= outer[1]

    def _method(self, own: str, name: str, method: Function, call: ast.Call | None) -> None:
        """Read a method, with the arguments of its first call; note one with other arguments."""
        calls, made = self.methods.get((own, name), []), len(self.values.made)
        given = self._given(method, call if name == "__init__" else None)
        if name == "call" and own in self.applied:
            given |= self._fed(method, self.applied[own])
        elif name != "__init__" and calls:
            given = self._fed(method, calls[0])
        self.values.functional.returned(self._enter(method, given))
        if len(self.values.made) > made and (other := other_than_first(calls)) is not None:
            first, said = self.source.said(calls[0]), self.source.said(other)
            self.values.note(f"{said} is not followed: what it makes is read once, as of {first}", other)

    def _fed(self, method: Function, call: ast.Call) -> dict[str, ast.expr]:
        """The arguments of a call of an object that are new tensors or known values."""
        given = self._given(method, call).items()
        return {name: tree for name, tree in given if makes_each(tree) or self.names.known(tree) is not MISSING}

    def _hold(self, name: str, tree: ast.expr) -> None:
        """Bind the attributes of an object to a name for it: ``name = Config(units=8)``, ``name = config``."""
        bound, said = self.names.bound, self.source.said
        function = self._own(tree.func) if isinstance(tree, ast.Call) else None
        self.options.parsed(name, tree)
        if isinstance(tree, ast.Call) and function is None:
            own = said(tree.func)
            self._bind_attributes(name, own)
            for field in self.stored.get(own, ()):
                bound.pop(f"{name}.{field}", None)
            fields = self.fields.get(own, [])
            given = [*zip(fields, tree.args, strict=False), *((one.arg or "", one.value) for one in tree.keywords)]
            for field, value in given if fields or called(tree) in _NAMESPACES else ():
                bound[f"{name}.{field}"] = self.names.known(value)
        elif isinstance(tree, ast.Call | ast.Name | ast.Attribute):
            other = f"{function.name}()" if function is not None else said(tree)
            held = [(key.removeprefix(other), one) for key, one in bound.items() if key.startswith(f"{other}.")]
            bound.update({f"{name}{key}": one for key, one in held})

    def _bind_attributes(self, receiver: str, own: str) -> None:
        """Bind the values of a class body to the attributes of a name: ``Config.units``, ``config.units``."""
        for name, value in self.classes.get(own, {}).items():
            self.names.bound[f"{receiver}.{name}"] = value
