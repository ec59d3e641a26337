"""The form of data: the keys of an object in JSON, each with a line that explains it.

>>> from typing import NamedTuple
>>> @formed("lap", seconds="The time of one lap.", count="How many marks.", note=Key("A remark.", MAYBE))
... class Lap(NamedTuple):
...     seconds: float
...     marks: tuple[int, ...] = ()
...     note: str = ""
...
...     @property
...     def count(self) -> int:
...         return len(self.marks)
>>> as_data(Lap(1.5, (3, 4)))
{'seconds': 1.5, 'count': 2}

The type of a key is that of the field or property of the same name.  ``schema/forms.py`` makes the JSON Schema from
both, and the reference page is made from the schema.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

Class = TypeVar("Class", bound=type)


class When(Enum):
    """When an object has the key."""

    ALWAYS = "always"
    LATER = "always, but only since a minor version: the schema does not require it"
    MAYBE = "only where it has a value"


ALWAYS, LATER, MAYBE = When


class Key:
    """One key: its line, when an object has it, and ``of``, the attribute with its value if that has another name.

    ``null`` says that JSON may have null although the attribute is never None.  ``keywords`` are more keywords of JSON
    Schema, for the value or, in a list, for its innermost items.
    """

    def __init__(self, text: str, when: When = ALWAYS, of: str = "", *, null: bool = False, **keywords: Any) -> None:
        self.text, self.when, self.of, self.null, self.keywords = text, when, of, null, keywords


class Form:
    """The keys of a class in the order of its JSON; ``name`` is its name in the schema, if it has one."""

    def __init__(self, name: str, keys: Mapping[str, str | Key]) -> None:
        self.name = name
        self.keys = {key: Key(line) if isinstance(line, str) else line for key, line in keys.items()}


_FORMS: dict[type, Form] = {}


def formed(name: str = "", /, **keys: str | Key) -> Callable[[Class], Class]:
    """Class decorator that adds a form; without a name, the schema describes the class where it is used."""

    def give(cls: Class) -> Class:
        _FORMS[cls] = Form(name, keys)
        return cls

    return give


def form_of(cls: Any) -> Form | None:
    """The form of a class; None without one."""
    return _FORMS.get(cls) if isinstance(cls, type) else None


class Formed:
    """Mixin for classes that have a form: adds ``to_dict()``."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The object as plain data that ``json.dumps`` takes."""
        return as_data(self)


def as_data(made: object) -> dict[str, Any]:
    """An object of a class with a form as plain data."""
    return _writer(type(made))(made)  # type: ignore[arg-type]  # mypy does not take a class for hashable


def blank(cls: type) -> dict[str, Any]:
    """The keys that are always there, without values: null, or an empty list."""
    keys = _FORMS[cls].keys
    types = attributes(cls).items()
    return {key: [] if get_origin(hint) is tuple else None for key, hint in types if keys[key].when is not MAYBE}


@cache
def attributes(cls: type) -> dict[str, Any]:
    """The type of each key of the class."""
    return {key: _annotation(cls, one.of or key) for key, one in _FORMS[cls].keys.items()}


def without_none(hint: Any) -> Any:
    """The type without None; a union of several types becomes a tuple of them."""
    options = tuple(one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) not in (Union, UnionType):
        return hint
    return options[0] if len(options) == 1 else options


def _annotation(cls: type, name: str) -> Any:
    """The type of a field or a property."""
    for base in cls.__mro__:
        found = vars(base).get(name)
        if isinstance(found, property):
            return get_type_hints(found.fget)["return"]
        # Only this field, because the types of others may be imported for type checking only.
        if name in (texts := vars(base).get("__annotations__", {})):
            alone = type(name, (), {"__annotations__": {name: texts[name]}})
            hint = get_type_hints(alone, vars(sys.modules[base.__module__]))[name]
            return get_args(hint)[0] if get_origin(hint) is ClassVar else hint
    raise AttributeError(f"{cls.__name__} has no {name}")


@cache
def _writer(cls: type) -> Callable[[Any], dict[str, Any]]:
    """The function that writes an object of this class as data; generated once.

    As in ``dataclasses``, the source is made from the names of the keys: a batch writes a million keys a second, and a
    loop over them would take twice the time.
    """
    names: dict[str, Any] = {"as_data": as_data}
    source = ["def write(made):", f"    data = {_literal(cls, 'made', names)}"]
    for key, one in _FORMS[cls].keys.items():
        if one.when is MAYBE:
            hint, value = attributes(cls)[key], f"made.{one.of or key}"
            there = f"(value := {value}) is not None" if NoneType in get_args(hint) else f"value := {value}"
            source += [f"    if {there}:", f"        data[{key!r}] = {_written(hint, 'value', names)}"]
    source.append("    return data")
    exec("\n".join(source), names)  # noqa: S102
    write: Callable[[Any], dict[str, Any]] = names["write"]
    return write


def _literal(cls: type, made: str, names: dict[str, Any]) -> str:
    """The source of a dict of the keys that are always there; ``made`` is the name of the object in the source."""
    types = attributes(cls)
    keys = [(key, one.of or key) for key, one in _FORMS[cls].keys.items() if one.when is not MAYBE]
    written = [f"{key!r}: {_written(types[key], f'{made}.{of}', names)}" for key, of in keys]
    return f"{{{', '.join(written)}}}"


def _written(hint: Any, value: str, names: dict[str, Any]) -> str:
    """The source that makes plain data of a value of this type; the writers that it calls are added to ``names``."""
    bare = without_none(hint)
    if NoneType in get_args(hint) and (some := _written(bare, "some", names)) != "some":
        return f"None if (some := {value}) is None else {some}"
    if isinstance(bare, tuple):
        return f"as_data({value})"
    if form := form_of(bare):
        if value == "item" and all(one.when is not MAYBE for one in form.keys.values()):
            return _literal(bare, value, names)
        names[f"write_{bare.__name__}"] = _writer(bare)
        return f"write_{bare.__name__}({value})"
    if get_origin(bare) is tuple:
        item = _written(get_args(bare)[0], "item", names)
        return f"list({value})" if item == "item" else f"[{item} for item in {value}]"
    if get_origin(bare) is Mapping:
        item = _written(get_args(bare)[1], "item", names)
        return f"{{key: {item} for key, item in {value}.items()}}"
    return value
