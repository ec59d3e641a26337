"""The JSON Schema of a batch file for editors, made from the tables.

A schema checks one value at a time.  Only the reader of the file checks whether the options and defaults of a
run fit together.  The reader rejects everything that the schema rejects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.arguments import REQUIRED
from rnnshape.schema.parts import DRAFT, described, list_of, ref
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.data import NONE
from rnnshape.spec.expect import ROLE
from rnnshape.spec.options import IMPORT, LET, RUN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.layers.arguments import Argument
    from rnnshape.schema.parts import Schema

    # The declarations of an option, each with its commands; several if the commands differ.
    Declarations = list[tuple[Argument, list[str]]]

_EXPRESSION = r"\("  # every expression contains it, no command's name does


def batch_file() -> Schema:
    """The schema of a YAML file of runs; a line of JSON Lines is its ``$defs/run``."""
    options = _options()
    return {
        "$schema": DRAFT,
        "title": "rnnshape: runs",
        "description": "The file that rnnshape batch reads: RNN layers, and how each is run.",
        "type": "object",
        "properties": {
            "defaults": described(
                "Defaults of every run; a run's own keys override them.",
                anyOf=[{"type": "null"}, {"allOf": [ref("keys"), _without("name", "matrix")]}],
            ),
            "runs": described("The runs, in order.", **list_of(ref("run"), minItems=1)),
        },
        "required": ["runs"],
        "additionalProperties": False,
        "$defs": {
            "run": described(
                "One layer, or several with a matrix.",
                **{
                    # A run with an expected error may be invalid in any way.
                    "if": {"required": ["expect"], "properties": {"expect": {"required": ["error"]}}},
                    "then": {"type": "object", "properties": {"expect": ref("expect")}},
                    "else": ref("right"),
                },
            ),
            "right": {
                "allOf": [
                    ref("keys"),
                    # With a matrix, the layer may differ for each value.
                    {"if": {"not": {"required": ["matrix"]}}, "then": ref("meaning")},
                ],
            },
            "keys": _keys(options),
            "meaning": _meaning(options),
            "matrix": _matrix(options),
            "expect": _expect(),
            "size": described(
                "A size: a whole number, letters such as 2H, or _ for any.",
                anyOf=[{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9A-Za-z_'+()·/*-]+$"}],
            ),
            "layer": _layer(),
            **{name: _declared(declarations) for name, declarations in options.items()},
        },
    }


def _options() -> dict[str, Declarations]:
    """The options of all commands, those of layers first."""
    found: dict[str, Declarations] = {}
    for command in COMMANDS.values():
        for option in (*command.options.values(), *command.run_options):
            _declare(found, option, command.name)
    # "layer" is the run's own key, not the option for the layer inside a Bidirectional.
    del found["layer"]
    found |= {option.name: [(option, [])] for option in (LET, IMPORT)}
    return dict(sorted(found.items(), key=lambda item: item[0] in RUN))


def _declare(found: dict[str, Declarations], option: Argument, by: str) -> None:
    declarations = found.setdefault(option.name, [])
    for known, commands in declarations:
        if known == option:
            commands.append(by)
            return
    declarations.append((option, [by]))


def _declared(declarations: Declarations) -> Schema:
    schemas = [_option(option, commands) for option, commands in declarations]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _option(option: Argument, commands: list[str]) -> Schema:
    default = option.default if option.cli_default is REQUIRED else option.cli_default
    text = option.help.removesuffix(":").removesuffix(".") + "."
    if len(commands) < len(COMMANDS):
        text += f" For {', '.join(commands) or 'expressions'}."
    # None is listed as a default only if it is an allowed value.
    said = default is not None or option.kind.accepts(None)
    schema = option.kind.schema()
    if None in schema.get("enum", ()):
        schema["enum"] += NONE
    return described(text, **schema, **({"default": default} if said else {}))


def _keys(options: Iterable[str]) -> Schema:
    return described(
        "The keys of a run: the layer, its options, and how it is run.",
        type="object",
        properties={
            "name": described("The name of the run in its answer.", type=["string", "null"]),
            "layer": ref("layer"),
            **{name: ref(name) for name in options},
            "matrix": ref("matrix"),
            "expect": ref("expect"),
        },
        additionalProperties=False,
    )


def _layer() -> Schema:
    commands = [{"const": command.name, "description": command.help} for command in COMMANDS.values()]
    expression = described(
        "A Keras expression, as in your code.", type="string", pattern=_EXPRESSION, examples=["LSTM(8)"]
    )
    return described("A command's name, or a Keras expression.", anyOf=[*commands, expression])


def _meaning(options: dict[str, Declarations]) -> Schema:
    """For each option, the layers that take it; an expression takes only the options of a run."""
    takers = {name: [by for _, commands in options[name] for by in commands if by in COMMANDS] for name in options}
    return described(
        "The layers that an option applies to.",
        dependentSchemas={
            name: {"properties": {"layer": _one_of(commands, name in RUN)}}
            for name, commands in takers.items()
            if len(commands) < len(COMMANDS)
        },
    )


def _one_of(commands: list[str], or_expression: bool) -> Schema:
    named = {"enum": commands}
    return {"anyOf": [named, {"pattern": _EXPRESSION}]} if or_expression else named


def _matrix(options: Iterable[str]) -> Schema:
    return described(
        "A run for every combination of these values.",
        type="object",
        properties={
            **{
                name: described("The values to take.", **list_of(ref(name), minItems=1)) for name in ("layer", *options)
            },
            "include": described(
                "Combinations to add.", **list_of({"allOf": [ref("keys"), _without("matrix")]}, minItems=1)
            ),
            "exclude": described(
                "Combinations to leave out.",
                **list_of({"allOf": [ref("keys"), _without("name", "matrix", "expect")]}, minItems=1),
            ),
        },
        minProperties=1,
        additionalProperties=False,
    )


def _expect() -> Schema:
    return described(
        "The expected result; the run fails when the result differs.",
        type="object",
        properties={
            "structure": described(
                "The roles in their containers.", type="string", examples=["(output, [state_h, state_c])"]
            ),
            "params": described("The number of parameters.", type="integer", minimum=0),
            "checks": described(
                "Equalities or inequalities over the roles, in Python.",
                anyOf=[{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                examples=["output[:, -1, :] == state_h"],
            ),
            "cudnn": described("Whether Keras may use cuDNN.", enum=["eligible", "ineligible"]),
            "error": described("The expected error, or a part of its message.", type="string"),
        },
        patternProperties={f"^{ROLE.pattern}$": described("The shape of this tensor.", **list_of(ref("size")))},
        additionalProperties=described("The shape of this tensor of wired calls.", **list_of(ref("size"))),
    )


def _without(*keys: str) -> Schema:
    return {"properties": dict.fromkeys(keys, False)}
