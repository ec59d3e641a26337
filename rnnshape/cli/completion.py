"""Shell completion: the values of an option, and the classes of an expression.

Typer calls one of these functions for the current word.  If it returns nothing, the shell offers file names, as for
``-o`` and ``batch``.

If only one candidate is left, a shell closes the word and adds a space.  So an incomplete word (``LSTM(``,
``right:``) is offered together with a complete example, which keeps the word open.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Unavailable
from rnnshape.layers import TABLE
from rnnshape.layers.arguments import REQUIRED, Nested, OneOf
from rnnshape.spec.masks import Mask
from rnnshape.spec.options import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping

    from rnnshape.layers.arguments import Argument, Kind

MASKS = {"right:": "right:3,2", "left:": "left:3,2", "random": None, "empty-last": None}
"""The named forms of a mask; an incomplete one has an example."""


def of(kind: Kind) -> Callable[[str], list[str]] | None:
    """The completion function of a kind of value; None if it has no fixed words."""
    if isinstance(kind, Expression):
        return layers
    if isinstance(kind, Mask):
        return lambda incomplete: _offered(MASKS, incomplete, lambda mask: MASKS[mask])
    return words(kind.texts) if isinstance(kind, OneOf) else None


def words(texts: Iterable[str]) -> Callable[[str], list[str]]:
    """A completion function that offers these words."""
    return lambda incomplete: _offered(texts, incomplete)


def layers(incomplete: str) -> list[str]:
    """The expression, completed with each class that is allowed at its end.

    >>> layers("GR"), layers("LSTM(8) | Em")
    (['GRU(', 'GRUCell('], ['LSTM(8) | Embedding(', 'LSTM(8) | Embedding(10, 4)'])
    >>> layers("Bidirectional(G"), layers("LSTM(")  # units are not completed
    (['Bidirectional(GRU(', 'Bidirectional(GRU(1)'], [])
    """
    found = re.search(r"\w*$", incomplete)
    before = incomplete[: found.start()] if found else ""
    fitting = {f"{before}{name}(": f"{before}{_example(name)}" for name in _fitting(before)}
    return _offered(fitting, incomplete, fitting.get)


def _offered(texts: Iterable[str], incomplete: str, example: Callable[[str], str | None] = lambda _: None) -> list[str]:
    """The texts that start with the word; if only one is left, its example too."""
    found = [text for text in texts if text.startswith(incomplete)]
    if len(found) == 1 and (whole := example(found[0])):
        found.append(whole)
    return found


def joined(complete: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """``complete`` for ``--format=js`` too, which zsh and fish treat as one word."""

    def shell_complete(ctx: Any, incomplete: str) -> list[Any]:
        items = complete(ctx, incomplete)
        if option := re.search(r"\s(--[\w-]+=)\S*$", os.environ.get("_TYPER_COMPLETE_ARGS", "")):
            for item in items:
                item.value = option[1] + item.value
        return items

    return shell_complete


def _fitting(before: str) -> Iterator[str]:
    """The classes allowed after this text: at the start, after a ``|``, or as the first argument of a wrapper."""
    if not before.strip() or before.rstrip().endswith("|"):
        yield from TABLE
    elif (opened := re.search(r"(\w+)\(\[?$", before)) and opened[1] in TABLE:
        arguments = TABLE[opened[1]].arguments
        if arguments and isinstance(arguments[0].kind, Nested):
            yield from _playing(arguments[0].kind.role)


def _playing(role: str) -> list[str]:
    """The classes that can be nested in this role."""
    return [name for name, cls in TABLE.items() if cls.kind == role or (role == "layer" and cls.kind != "cell")]


def _example(name: str) -> str:
    """The shortest expression of a class.

    >>> [_example(name) for name in ("GRU", "RNN", "Sequential")]
    ['GRU(1)', 'RNN([LSTMCell(1)])', 'Sequential([LSTM(1)])']
    """
    return f"{name}({', '.join(_literal(one) for one in TABLE[name].arguments if one.default is REQUIRED)})"


def _literal(argument: Argument) -> str:
    if not isinstance(argument.kind, Nested):
        return repr(argument.cli_default)
    inner = _example(_playing(argument.kind.role)[0])
    return f"[{inner}]" if argument.kind.many else inner


def needs_a_shell(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the callback of ``--show-completion`` and ``--install-completion``: clear error if no shell is detected."""

    def call(ctx: Any, parameter: Any, value: Any) -> Any:
        if value and not ctx.resilient_parsing and not isinstance(value, str) and _shell() not in _SHELLS:
            hint = "_RNNSHAPE_COMPLETE=source_bash rnnshape prints the script for bash; also source_zsh, source_fish"
            raise Unavailable("the shell cannot be detected, or it has no completion", hint)
        return callback(ctx, parameter, value)

    return call


_SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def _shell() -> str | None:
    import shellingham

    try:
        return str(shellingham.detect_shell()[0])
    except (shellingham.ShellDetectionFailure, OSError):
        return None


def asked() -> list[str] | None:
    """The words of the command line being completed; None if the shell did not ask for completion."""
    environment = os.environ
    if "_RNNSHAPE_COMPLETE" not in environment:
        return None
    if environment.get("COMP_CWORD", "").isdigit() and "COMP_WORDS" in environment:
        _join(environment)
    return (environment.get("COMP_WORDS") or environment.get("_TYPER_COMPLETE_ARGS", "")).split()


def _join(environment: MutableMapping[str, str]) -> None:
    """Remove ``=`` from bash's words: bash splits ``--format=js`` in three, and Typer would not find the option.

    >>> line = {"COMP_WORDS": "rnnshape\\nlstm\\n--format\\n=\\njs", "COMP_CWORD": "4"}
    >>> _join(line)
    >>> line["COMP_WORDS"].split(), line["COMP_CWORD"]
    (['rnnshape', 'lstm', '--format', 'js'], '3')
    """
    given, at = environment["COMP_WORDS"].split("\n"), int(environment["COMP_CWORD"])
    idle = [
        place for place, word in enumerate(given) if word == "=" and place < at and given[place - 1].startswith("--")
    ]
    environment["COMP_WORDS"] = "\n".join(word for place, word in enumerate(given) if place not in idle)
    environment["COMP_CWORD"] = str(at - len(idle))
