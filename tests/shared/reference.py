"""Generates the pages in ``docs/reference`` from the schemas, ``--help``, and the tables of changes and versions.

``tests/docs/test_reference.py`` compares the pages with these texts; ``--rewrite-golden`` writes them.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import typer.main

from rnnshape import layers, theory
from rnnshape.cli.app import application
from rnnshape.errors import EXIT_CODES
from rnnshape.layers import TABLE
from rnnshape.layers.kinds import INT64
from rnnshape.layers.release import CHANGES, KERAS_3, dotted
from rnnshape.schema.comparison import comparison
from rnnshape.schema.file import batch_file
from rnnshape.schema.report import report
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import RUN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Schema = dict[str, Any]
    # The key, its values, its default, its meaning.
    Row = tuple[str, ...]

_MADE = "<!-- Made by tests/shared/reference.py: python -m pytest tests/docs/test_reference.py --rewrite-golden -->"
# The rest of 80 columns.
_COLUMNS = 78


def commands() -> dict[str, Any]:
    """Every public command, in the order of ``rnnshape --help``, with all its options."""
    found: dict[str, Any] = _group().commands
    return {name: command for name, command in found.items() if not command.hidden}


def _group() -> Any:
    return typer.main.get_command(application())


def help_of(name: str | None) -> str:
    """The output of ``rnnshape NAME --help`` in a pipe; without a name, of ``rnnshape --help``."""
    group = _group()
    context = group.make_context("rnnshape", [], resilient_parsing=True, terminal_width=_COLUMNS)
    if name is None:
        return str(group.get_help(context))
    command = group.commands[name]
    return str(command.get_help(command.make_context(name, [], parent=context, resilient_parsing=True)))


def cli_page() -> str:
    """``docs/reference/cli.md``."""
    text = [
        _MADE,
        "",
        "# The command line",
        "",
        "The help of each command. Options have the names of Keras; values are checked before anything runs, and all errors",
        "are shown at once.",
        "",
        "| exit code | meaning |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
        *_shown("rnnshape", None),
    ]
    for name in commands():
        text += ["", f"## {name}", "", *_shown(f"rnnshape {name}", name)]
    return "\n".join(text) + "\n"


def _shown(line: str, name: str | None) -> list[str]:
    return ["```console", f"$ {line} --help", help_of(name).rstrip(), "```"]


def yaml_page() -> str:
    """``docs/reference/yaml.md``."""
    schema = batch_file()
    definitions = schema["$defs"]
    words = _Words(
        definitions, {"run": "a-run", "keys": "a-run", "size": "sizes", "matrix": "matrix", "expect": "expect"}
    )
    keys = definitions["keys"]["properties"]
    run_options = [option.name for option in RUN_OPTIONS if option.name in keys]
    own = [name for name in keys if "$ref" not in keys[name] or name in ("layer", "matrix", "expect")]
    of_layers = [name for name in keys if name not in {*run_options, *own}]
    columns = ("key", "values", "default", "meaning")

    def table(names: Iterable[str]) -> list[str]:
        return _table(columns, [row for name in names for row in words.rows(name, keys[name])])

    return _page(
        "The YAML file",
        f"{schema['description']} A line of JSON Lines on standard input is one run.",
        "`rnnshape schema` prints the schema that this page is made from, for an editor. Where `null` is a value, `none` and",
        "`None` mean the same.",
        "",
        *_table(columns, [row for name, one in schema["properties"].items() for row in words.rows(name, one)]),
        "",
        "## A run",
        "",
        definitions["run"]["description"] + " " + definitions["keys"]["description"],
        "",
        *table(own),
        "",
        "Options of the run:",
        "",
        *table(run_options),
        "",
        "Options of the layer, where `layer` is a command's name; an expression says them itself:",
        "",
        *table(of_layers),
        "",
        "## Names of layers",
        "",
        *_table(("layer", "meaning"), [(f"`{name}`", command.help) for name, command in COMMANDS.items()]),
        "",
        "## matrix",
        "",
        definitions["matrix"]["description"],
        "Any key of a run except `name`, `matrix` and `expect` is allowed, with a list of values: "
        + ", ".join(f"`{name}`" for name in definitions["matrix"]["properties"] if name not in ("include", "exclude"))
        + ". Beside them:",
        "",
        *_table(
            columns,
            [
                row
                for name in ("include", "exclude")
                for row in words.rows(name, definitions["matrix"]["properties"][name])
            ],
        ),
        "",
        "## expect",
        "",
        definitions["expect"]["description"],
        "",
        *_table(
            columns,
            [
                *(row for name, one in definitions["expect"]["properties"].items() for row in words.rows(name, one)),
                *(
                    row
                    for one in definitions["expect"]["patternProperties"].values()
                    for row in words.rows("a role, such as output or state_h", one, code=False)
                ),
            ],
        ),
        "",
        "## Sizes",
        "",
        definitions["size"]["description"],
    )


def report_page() -> str:
    """``docs/reference/report.md``."""
    one, two = report(), comparison()
    known = one["$defs"]
    text = [
        f"{one['description']}",
        "`-f json` prints one such object, `-f jsonl` one on each line; `rnnshape schema report` prints the schema that this",
        "page is made from. A later version may have more fields. A field in *italics* may be missing.",
        "",
        *_fields(one, _Words(known, dict.fromkeys(known))),
    ]
    for name, schema in known.items():
        if name not in ("asked", "unasked"):
            text += ["", f"## {name}", "", *_definition(schema, _Words(known, dict.fromkeys(known)))]
    targets = {name: name if known.get(name) == schema else f"{name}-compared" for name, schema in two["$defs"].items()}
    words = _Words(two["$defs"], targets)
    text += ["", "## A comparison", ""]
    text += [
        f"{two['description']} `rnnshape compare -f json` prints it; `rnnshape schema compare` prints its schema.",
        "",
        *_fields(two, words),
    ]
    for name, schema in two["$defs"].items():
        if known.get(name) != schema:
            text += ["", f"## {name}, compared", "", *_definition(schema, words)]
    return _page("The report", *text)


def _definition(schema: Schema, words: _Words) -> list[str]:
    said = [schema["description"], ""] if "description" in schema else []
    return [*said, *(_fields(schema, words) if "properties" in schema else [f"One of: {words.values(schema)}."])]


def _fields(schema: Schema, words: _Words) -> list[str]:
    return _table(("field", "values", "meaning"), list(_field_rows(schema, words, "")))


def _field_rows(schema: Schema, words: _Words, before: str) -> Iterator[Row]:
    """One row for each field; the fields of a nested object have a path with dots."""
    for name, one in schema["properties"].items():
        path = f"`{before}{name}`"
        yield (path if name in schema.get("required", ()) else f"*{path}*", words.values(one), words.meaning(one))
        inside, mark = (one["items"], "[].") if one.get("type") == "array" else (one, ".")
        for choice in inside.get("anyOf", [inside]):
            if "properties" in choice:
                yield from _field_rows(choice, words, f"{before}{name}{mark}")


class _Words:
    """A schema as text.  ``sections`` has the definitions with a heading, and their anchors (None: their name)."""

    def __init__(self, definitions: Mapping[str, Schema], sections: Mapping[str, str | None]) -> None:
        self._definitions = definitions
        self._sections = sections

    def rows(self, name: str, schema: Schema, *, code: bool = True) -> Iterator[Row]:
        """The rows of a key: one for each of its declarations."""
        schema = self._looked_up(schema)
        key = f"`{name}`" if code else name
        declared = [one for one in schema.get("anyOf", ()) if "default" in one or "description" in one]
        for one in declared if len(declared) > 1 and "description" not in schema else [schema]:
            default = f"`{json.dumps(one['default'])}`" if "default" in one else ""
            yield key, self.values(one), default, self.meaning(one)

    def meaning(self, schema: Schema) -> str:
        """The description in one line."""
        if "description" in schema:
            return str(schema["description"])
        return str(self._definitions[_target(schema)].get("description", "")) if "$ref" in schema else ""

    def values(self, schema: Schema) -> str:
        """The allowed values."""
        if "$ref" in schema:
            name = _target(schema)
            if name in self._sections:
                return f"[{name}](#{self._sections[name] or name})"
            return self.values(self._definitions[name])
        if "const" in schema:
            return f"`{schema['const']}`"
        if "examples" in schema:
            return "text such as " + " or ".join(f"`{example}`" for example in schema["examples"])
        if "enum" in schema:
            return ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in schema["enum"] if value not in _NONE)
        for both in ("anyOf", "allOf"):
            if both in schema:
                names = ", ".join(f"`{one['const']}`" for one in schema[both] if "const" in one)
                parts = [said for one in schema[both] if "const" not in one and (said := self.values(one))]
                return " or ".join(dict.fromkeys([names, *parts] if names else parts))
        return self._typed(schema)

    def _typed(self, schema: Schema) -> str:
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not kinds:
            return "" if "properties" in schema else "anything"
        return " or ".join(self._of_type(kind, schema) for kind in kinds)

    def _of_type(self, kind: str, schema: Schema) -> str:
        match kind:
            case "integer" | "number":
                return f"{'whole number' if kind == 'integer' else 'number'}{_range(schema)}"
            case "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems")
                many = "" if not least else f" of {least}" if least == most else f", {least} or more"
                return f"list{many}: {self.values(schema.get('items', {}))}"
            case _:
                return {"string": "text", "boolean": "`true`, `false`", "object": "mapping", "null": "`null`"}[kind]

    def _looked_up(self, schema: Schema) -> Schema:
        if "$ref" in schema and _target(schema) not in self._sections:
            return self._definitions[_target(schema)]
        return schema


# The other spelling of null; the page explains it once.
_NONE = ("none", "None")


def _target(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None and most < INT64:  # TensorFlow's limit, which the page does not need
        return f" from {least} to {most}"
    return "" if least is None or least < -INT64 else f", {least} or more"


def _table(header: Row, rows: Iterable[Row]) -> list[str]:
    lines = [header, tuple("---" for _ in header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]


def _page(title: str, *lines: str) -> str:
    return "\n".join([_MADE, "", f"# {title}", "", *lines]) + "\n"


def changes_page() -> str:
    """``docs/reference/changes.md``."""
    # A change is registered when the module of its rule is imported, so import all modules first.
    for room in (layers, theory):
        for module in iter_modules(room.__path__, f"{room.__name__}."):
            import_module(module.name)
    told = sorted(CHANGES, key=lambda change: (change.since, change.what))
    rows = [(dotted(change.since), change.what, "yes" if change.in_2 else "", f"`{change.source}`") for change in told]
    arguments = {
        (argument.since, argument.name): [cls.name for cls in TABLE.values() if argument in cls.arguments]
        for cls in TABLE.values()
        for argument in cls.arguments
        if argument.since > KERAS_3
    }
    new = [(dotted(since), f"`{name}`", ", ".join(of)) for (since, name), of in sorted(arguments.items())]
    return _page(
        "What changed in Keras",
        "Theory has a rule for each of these. *In Keras 2* says that only the first releases of Keras 3 did not have it.",
        "",
        *_table(("since", "what", "in Keras 2", "source"), rows),
        "",
        "## New arguments",
        "",
        *_table(("since", "argument", "of"), new),
    )


def versions_page() -> str:
    """``docs/reference/versions.md``."""
    rows = []
    for row in json.loads((Path(__file__).parent.parent / "versions.json").read_text("utf-8")):
        audit, drawn = row["audit"], [row["drawing"], row["masking"]]
        layers = sum(part["drawn"] for part in drawn)
        rows.append(
            (
                row["tensorflow"],
                ("tf_keras " if row["keras"].startswith("2.") else "") + row["keras"],
                f"{audit['agree']:,}",
                f"{audit['rejected']:,}",
                f"{layers:,}",
                str(audit["disagree"] + sum(part["disagree"] for part in drawn)),
            )
        )
    return _page(
        "Theory against each release",
        "`python -m tests.versions` measures this in an environment for each release: `rnnshape audit`, and random layers, half of",
        "them with masks, states, several calls and training.",
        "",
        *_table(("TensorFlow", "Keras", "audit: agree", "audit: both reject", "random layers", "disagree"), rows),
    )


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "yaml.md": yaml_page,
    "report.md": report_page,
    "changes.md": changes_page,
    "versions.md": versions_page,
}
