"""The JSON Schema of a class with a form (``rnnshape.form``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from rnnshape.form import ALWAYS, MAYBE, attributes, form_of, without_none
from rnnshape.schema.parts import described, list_of, ref
from rnnshape.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.form import Key
    from rnnshape.schema.parts import Schema

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    # All numbers of a report are counts, measures or distances, so never negative.
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number", "minimum": 0},
    Any: {},
}
_STRUCTURES = frozenset(get_args(Structure))


def schema_of(cls: Any) -> Schema:
    """The schema of an object of this class."""
    form = form_of(cls)
    assert form is not None
    return {
        "type": "object",
        "properties": {name: _property(form.keys[name], hint) for name, hint in attributes(cls).items()},
        "required": [name for name, key in form.keys.items() if key.when is ALWAYS],
    }


def definitions(cls: Any) -> dict[str, Schema]:
    """The schemas of all classes within this one whose form has a name, by that name."""
    return {form.name: schema_of(one) for one in dict.fromkeys(_met(cls)) if (form := form_of(one)) and form.name}


def _met(cls: Any) -> Iterator[Any]:
    for hint in attributes(cls).values():
        for one in _classes(hint):
            yield one
            if one not in _STRUCTURES:
                yield from _met(one)


def _classes(hint: Any) -> Iterator[Any]:
    """The classes with a form in a type."""
    if form_of(hint):
        yield hint
    for inner in get_args(hint):
        yield from _classes(inner)


def _property(key: Key, hint: Any) -> Schema:
    null = key.null or (type(None) in get_args(hint) and key.when is not MAYBE)
    schema = _of(without_none(hint), key.keywords)
    if not null:
        # The referenced schema has its own text.
        return {**(described(key.text) if key.text and "$ref" not in schema else {}), **schema}
    if "enum" in schema:
        return described(key.text, enum=[*schema["enum"], None])
    if isinstance(schema.get("type"), str) and schema["type"] != "array" and "properties" not in schema:
        return described(key.text, **{**schema, "type": [schema["type"], "null"]})
    return described(key.text, anyOf=[schema, {"type": "null"}])


def _of(hint: Any, keywords: Mapping[str, Any]) -> Schema:
    """The schema of a type without a description; ``keywords`` apply to the value, or to the items of a list."""
    if isinstance(hint, tuple) or hint == Structure:
        return ref("structure")
    if form := form_of(hint):
        return ref(form.name) if form.name else schema_of(hint)
    if get_origin(hint) is tuple:
        return list_of(_of(get_args(hint)[0], keywords))
    if get_origin(hint) is Literal:
        values = get_args(hint)
        return {"const": values[0]} if len(values) == 1 else {"enum": [*values]}
    if get_origin(hint) in (dict, Mapping):
        inner = _of(get_args(hint)[1], keywords)
        return {"type": "object", **({"additionalProperties": inner} if inner else {})}
    return {**_PLAIN[hint], **keywords}
