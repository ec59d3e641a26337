"""Usage errors (unknown commands, options, arguments), in the style of all other errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer._click.exceptions import BadOptionUsage, NoSuchOption

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.spec.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typer._click.exceptions import UsageError

    from rnnshape.layers.arguments import Argument


def worded(error: UsageError, commands: Mapping[str, Iterable[Argument]]) -> Invalid:
    """Typer's usage error as an Invalid; ``commands`` has the options of every command, for those of another one."""
    command: Any = error.ctx and error.ctx.command
    path = error.ctx.command_path if error.ctx else "rnnshape"
    if isinstance(error, NoSuchOption):
        known = [name for option in command.params for name in option.opts] if command else []
        others = (name for name, options in commands.items() if error.option_name in {one.option for one in options})
        other = next(others, None)
        near = f" (rnnshape {other} has it)" if other else nearest(error.option_name, known)
        return _wrong(error.option_name, f"unknown option of {path}{near}; see {path} --help")
    if isinstance(error, BadOptionUsage):
        if "requires" in error.message:
            return without_value(error.option_name)
        return _wrong(error.option_name, "takes no value")
    return _wrong("", error.format_message())


def without_value(option: str) -> Invalid:
    """The error for an option at the end of the line, or before another option, that needs a value."""
    return _wrong(option, "needs a value")


def no_command(word: str, known: Iterable[str]) -> Invalid:
    """The error for an unknown command; for an expression it suggests ``show``."""
    if "(" in word:
        return _wrong(word, f"unknown command; for an expression use rnnshape show '{word}'")
    return _wrong(word, f"unknown command{nearest(word, known)}; see rnnshape --help")


def left_over(word: str, command: str, taken: Iterable[str]) -> Invalid:
    """The error for an unexpected argument; it suggests the first option that accepts the value."""
    meant = ""
    for option in COMMANDS[command].options.values() if command in COMMANDS else ():
        value = option.kind.from_text(word)
        if option.kind.accepts(value) and value is not None:
            meant = f" (did you mean {option.option} {word}?)"
            break
    takes = " ".join([*taken, "and options"]) if taken else "only options"
    return _wrong(word, f"unexpected argument: {command} takes {takes}{meant}")


def _wrong(key: str, message: str) -> Invalid:
    return Invalid([Problem(key, message)])
