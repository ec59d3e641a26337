"""Helper functions for JSON Schemas."""

from __future__ import annotations

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

# The schemas have no $id, because they are not published at an address.
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def described(text: str, /, **keywords: Any) -> Schema:
    """A schema with a description, which editors show."""
    return {"description": text, **keywords}


def ref(name: str) -> Schema:
    """A reference to ``$defs``."""
    return {"$ref": f"#/$defs/{name}"}


def list_of(items: Schema, **keywords: Any) -> Schema:
    return {"type": "array", "items": items, **keywords}


def mapping(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with required and optional keys."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def or_null(schema: Schema, text: str) -> Schema:
    """The schema, or null."""
    return described(text, anyOf=[schema, {"type": "null"}])


def string(text: str, *, null: bool = False, **keywords: Any) -> Schema:
    """A text."""
    return described(text, type=_type("string", null), **keywords)


def boolean(text: str, *, null: bool = False) -> Schema:
    """True or false."""
    return described(text, type=_type("boolean", null))


def number(text: str, name: str = "integer", *, null: bool = False) -> Schema:
    """A number, 0 or more."""
    return described(text, type=_type(name, null), minimum=0)


def array(items: Schema, text: str) -> Schema:
    """A list of items."""
    return described(text, **list_of(items))


def _type(name: str, null: bool) -> str | list[str]:
    return [name, "null"] if null else name
