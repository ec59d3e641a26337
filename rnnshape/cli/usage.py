"""Usage errors (unknown commands, options, arguments), in the style of all other errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer._click.exceptions import BadOptionUsage, NoSuchOption

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.spec.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer._click.exceptions import UsageError


def worded(error: UsageError) -> Invalid:
    """Typer's usage error as an Invalid."""
    command: Any = error.ctx and error.ctx.command
    path = error.ctx.command_path if error.ctx else "rnnshape"
    if isinstance(error, NoSuchOption):
        known = [name for option in command.params for name in option.opts] if command else []
        near = nearest(error.option_name, known)
        return _wrong(error.option_name, f"unknown option of {path}{near}; see {path} --help")
    if isinstance(error, BadOptionUsage):
        needs = "needs a value" if "requires" in error.message else "takes no value"
        return _wrong(error.option_name, needs)
    return _wrong("", error.format_message())


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
