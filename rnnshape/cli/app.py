"""The Typer application: one command for each layer, made from the table, and the other commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from rnnshape.cli import commands, completion, signals, streams, topics, usage
from rnnshape.cli.flags import Group, Sectioned, with_flags
from rnnshape.cli.options import AUDIT, BATCH, COMPARE, EXPLORE_ANSWER, EXPLORE_RUN, OUTPUT, SCAN, VERBOSE, by_name
from rnnshape.cli.output import clean_ending
from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import RUN
from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.cli.flags import Panels

NAME = "rnnshape"


def main() -> None:
    """Run the command line and leave with its exit code."""
    with clean_ending(), signals.unwinding():
        streams.prepare()
        words = [word for word in sys.argv[1:] if not word.startswith("-")]
        completed = completion.asked()
        run = application(words[:1] if completed is None else completed)
        try:
            # Shell completion needs the same name for ``python -m rnnshape``.
            code = run(prog_name=NAME, standalone_mode=False)
        except NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except UsageError as error:
            options = {
                name: [one for panel in panels.values() for one in panel.values()] for name, _, panels in _commands()
            }
            raise usage.worded(error, options) from None
        sys.stdout.flush()
    raise SystemExit(code or 0)


def application(asked: list[str] | None = None) -> typer.Typer:
    """The application; with ``asked``, only the commands in it get their options.

    Only one command runs, and creating all 300 options takes longer than a prediction.
    """
    app = typer.Typer(
        name=NAME,
        cls=Group,
        help="Show what a tf.keras RNN layer returns, and verify it on the real layer.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_global)
    for name, run, panels in _commands():
        wanted = asked is None or name in asked
        heading = "Layers" if name in COMMANDS else "Commands"
        app.command(name, cls=Sectioned, rich_help_panel=heading)(with_flags(run, panels if wanted else {}))
    return app


def _commands() -> list[tuple[str, Callable[..., int | None], Panels]]:
    """The name and function of every command, and its options by heading."""
    return [
        *(
            (name, commands.layer(one), {"Layer": one.options, "Run": by_name(*one.run_options), "Answer": OUTPUT})
            for name, one in COMMANDS.items()
        ),
        ("show", commands.show, {"Run": RUN, "Answer": OUTPUT}),
        ("explore", commands.explore, {"Run": EXPLORE_RUN, "Answer": EXPLORE_ANSWER}),
        ("compare", commands.compare, {"Run": commands.COMPARE_RUN, "Answer": COMPARE}),
        ("batch", commands.batch, {"Answer": BATCH}),
        ("audit", commands.audit, {"Answer": AUDIT}),
        ("scan", commands.scan, {"Answer": SCAN}),
        ("env", commands.env, {"Answer": commands.ENV}),
        ("schema", commands.schema, {"Answer": commands.SCHEMA}),
        ("help", _help, {"Answer": by_name(VERBOSE)}),
    ]


def _topics(incomplete: str) -> list[str]:
    return completion.words([*topics.NAMES, *(name for name, *_ in _commands())])(incomplete)


def _help(
    topic: Annotated[
        str | None,
        commands.argument("[TOPIC]", "A topic, or the name of a command. Without it, the topics are listed.", _topics),
    ] = None,
    **flags: Any,
) -> None:
    """Explain masks, states, expressions, exit codes and more, with examples."""
    names = [name for name, *_ in _commands()]
    if topic in names:
        application([topic])([topic, "--help"], prog_name=NAME)
    if topic is not None and topic not in topics.NAMES:
        near = nearest(topic, (*topics.NAMES, *names))
        raise Invalid([Problem(f"TOPIC {topic}", f"must be a command or one of {', '.join(topics.NAMES)}{near}")])
    print(topics.text(topic), end="")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rnnshape {__version__}")
        raise typer.Exit


def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
