"""The output options of each command, and the checks of all flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.arguments import Argument, Flag, Kind, OneOf, Whole
from rnnshape.render import COMPARISON_FORMATS, FORMATS, ROWS_FORMATS, SCAN_FORMATS, by_ending
from rnnshape.spec.options import IMPORT, KERAS, LET, RUN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Made = TypeVar("Made")


class FileName(Kind, frozen=True):
    """The name of a file; every text is allowed."""

    metavar = "FILE"


class Address(Kind, frozen=True):
    """Where a Dask scheduler listens."""

    allowed = "the address of a Dask scheduler, such as tcp://10.0.0.1:8786"
    metavar = "ADDRESS"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and "://" in value


class Codes(Kind, frozen=True):
    """Codes of findings; ``scan`` checks whether each code exists."""

    allowed = "codes of findings, such as cudnn,rank"
    metavar = "CODE,CODE,…"

    def from_text(self, text: str) -> Any:
        return tuple(word.strip() for word in text.split(",") if word.strip())

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple) and bool(value)


class Form(OneOf, frozen=True):
    """The name of a format; the error for a format of another command says how to get it."""

    def refusal(self, value: Any) -> str:
        had = elsewhere(value)
        return f"must be {self.allowed}{had}" if had else super().refusal(value)


def elsewhere(form: Any) -> str:
    """Which other command has this format, with an example; empty if none has it."""
    if form in ROWS_FORMATS:
        return f'; {form} is a format of batch: echo \'{{"layer": "lstm"}}\' | rnnshape batch - -f {form}'
    return f"; {form} is a format of one layer: rnnshape lstm -f {form}" if form in FORMATS else ""


def by_name(*options: Argument) -> dict[str, Argument]:
    """The options of a command, each under its name."""
    return {option.name: option for option in options}


OUTPUT_FILE = Argument(
    "output_file",
    FileName(),
    None,
    "Write the answer to this file; without -f, its extension chooses the format.",
    True,
    "o",
)
VERBOSE = Argument(
    "verbose", Flag(), False, "Show the messages of TensorFlow and Keras, and the traceback of an internal error.", True
)
TIMING = Argument("timing", Flag(), False, "Measure the time of one call: median and quartiles.", True)
OUTPUT = by_name(
    Argument("predict", Flag(), False, "Predict from rules only: no TensorFlow, nothing is verified.", True),
    Argument("values", Flag(), False, "Show the values of the returned tensors.", True),
    Argument("weights", Flag(), False, "Show the weights, their gates and the parameter count.", True),
    Argument("diagram", Flag(), False, "Show the layer unrolled over time.", True),
    Argument("cost", Flag(), False, "Show multiply-adds and bytes, with their formulas.", True),
    Argument("cudnn", Flag(), False, "Show the cuDNN rules, and which kernel each layer gets.", True),
    TIMING,
    Argument("code", Flag(), False, "Write the answer as a Python program (--format code).", True),
    Argument("format", Form(FORMATS), "table", "Output format:", True, "f"),
    OUTPUT_FILE,
    VERBOSE,
)
BATCH = by_name(
    OUTPUT["predict"],
    OUTPUT["values"],
    Argument("format", Form(ROWS_FORMATS), "table", "Output format:", True, "f"),
    OUTPUT_FILE,
    Argument("all", Flag(), False, "Show every run; a terminal shows only the failures of more than 20 runs.", True),
    Argument("jobs", Whole(), 1, "Number of processes.", True, "j"),
    Argument("scheduler", Address(), None, "Run on the Dask cluster at this address.", True),
    Argument("resume", FileName(), None, "Reuse the rows of an earlier run from this JSON Lines file.", True),
    Argument("fail_fast", Flag(), False, "Stop at the first run that fails.", True),
    VERBOSE,
)
AUDIT = by_name(
    Argument("full", Flag(), False, "Also check about 300 random layers of each class, drawn with --seed.", True),
    Argument("seed", Whole(0), 0, "Seed of weights, inputs and random masks, and of --full.", True),
    *(BATCH[name] for name in ("format", "output_file", "jobs", "scheduler", "resume", "fail_fast", "verbose")),
)
SCAN = by_name(
    Argument("select", Codes(), None, "Report only these findings: codes, or severities (error, warning, info).", True),
    Argument("ignore", Codes(), None, "Do not report these findings.", True),
    replace(KERAS, help="Scan for this Keras, instead of the installed one."),
    Argument("layers", Flag(), False, "Show each layer and model too: what it returns and what it costs.", True),
    Argument("contracts", Flag(), False, "Write a batch file that expects what each layer returns now.", True),
    Argument("diff", Flag(), False, "Show what --fix would change, and change nothing.", True),
    Argument("fix", Flag(), False, "Fix what a single edit can fix: show the changes and write the files.", True),
    Argument("statistics", Flag(), False, "Count the findings by code (--format text).", True),
    Argument("exit_zero", Flag(), False, "Exit with 0 even if there are findings.", True),
    Argument("format", OneOf(SCAN_FORMATS), "text", "Output format:", True, "f"),
    OUTPUT_FILE,
    Argument("jobs", Whole(), 1, "Number of processes.", True, "j"),
)
COMPARE = by_name(
    TIMING, Argument("format", Form(COMPARISON_FORMATS), "table", "Output format:", True, "f"), OUTPUT_FILE, VERBOSE
)
EXPLORE_ANSWER = by_name(
    OUTPUT["predict"],
    Argument("serve", Whole(1, 65535), None, "Serve the explorer to a browser on this machine, at this port.", True),
)
EXPLORE_RUN = by_name(*(option for option in RUN_OPTIONS if option not in (LET, IMPORT)))
EXPLORE = {**EXPLORE_RUN, **EXPLORE_ANSWER}


def refused(values: Mapping[str, Any], known: Mapping[str, Argument]) -> list[Problem]:
    """The problems of each value, of options that exclude each other, and of a file extension without a format."""
    wrong = [
        Problem(name, known[name].kind.refusal(value))
        for name, value in values.items()
        if not known[name].kind.accepts(value)
    ]
    if values.get(OUTPUT_FILE.name) == "":
        wrong.append(Problem(OUTPUT_FILE.name, "must be the name of a file"))
    if values.get("predict"):
        missing = [name for name in ("timing", "values") if values.get(name)]
        wrong += [Problem(name, "needs the real layer, which --predict does not run") for name in missing]
    if values.get("code") and values.get("format", "code") != "code":
        wrong.append(Problem("code", f"is --format code, and --format {values['format']} is given too: give one"))
    forms = known.get("format")
    if forms and "format" not in values and not forms.kind.accepts(meant := form(values)):
        message = f"has the extension of {meant}; the format {forms.kind.refusal(meant)}"
        wrong.append(Problem(OUTPUT_FILE.name, message))
    return wrong


def checked(make: Callable[[], Made], values: Mapping[str, Any], problems: Iterable[Problem]) -> Made:
    """The result of ``make()``.

    Raises:
        Invalid: ``make`` fails or there are ``problems``; all of them together, each with its flag.
    """
    problems = [*problems]
    try:
        made = make()
    except Invalid as error:
        others = () if problems else error.others
        told = [flagged(problem, values) for problem in (*error.problems, *problems)]
        raise Invalid(told, error.text, others) from None
    if problems:
        raise Invalid(flagged(problem, values) for problem in problems)
    return made


def accept(values: Mapping[str, Any], known: Mapping[str, Argument], *more: Problem) -> None:
    """Check each value.

    Raises:
        Invalid: a value is not allowed, or there are problems in ``more``.
    """
    checked(lambda: None, values, [*refused(values, known), *more])


def form(values: Mapping[str, Any]) -> str:
    """The output format: that of -f, else that of the file extension, else ``table``."""
    if values.get("code"):
        return "code"
    name: str = values.get("format") or by_ending(values.get(OUTPUT_FILE.name, "")) or "table"
    return name


def _as_given(value: Any) -> str:
    """The value as text on the command line."""
    if isinstance(value, dict):
        return ",".join(f"{name}={each}" for name, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def flagged(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """The problem with the name and value of its flag; unchanged for a positional argument."""
    if not problem.key or problem.key.isupper():
        return problem
    if problem.key == "layer" and "layer" not in values:
        return Problem("", problem.message)
    flag = "--" + problem.key.replace("_", "-")
    value = values.get(problem.key)
    if value is False:
        flag = flag.replace("--", "--no-", 1)
    elif value is not None and value is not True:
        flag += f" {_as_given(value) or repr('')}"
    return Problem(flag, problem.message)
