"""The few words of JSON Schema that both schemas are made of."""

from __future__ import annotations

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

# There is no $id beside it: the schemas have no address to be fetched from.
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def described(text: str, /, **keywords: Any) -> Schema:
    """A schema with the text that an editor shows."""
    return {"description": text, **keywords}


def ref(name: str) -> Schema:
    """What stands in ``$defs`` under this name."""
    return {"$ref": f"#/$defs/{name}"}


def list_of(items: Schema, **keywords: Any) -> Schema:
    return {"type": "array", "items": items, **keywords}
