"""From files and pipes to runs: every mistake of a file at once, each at its place.

A YAML file has ``runs:``, a list, and ``defaults:``, which every run begins with.  A line of JSON is one
run; a wrong line is that row's error, for the lines after it are not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.batch.places import Mistake, Unreadable
from rnnshape.batch.source import read_json_line, read_yaml
from rnnshape.errors import Invalid, Problem, RnnshapeError, nearest
from rnnshape.spec.data import from_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.batch.places import Document
    from rnnshape.spec import Spec

_TOP = ("defaults", "runs")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a batch: what is asked, or why it cannot be; ``name`` and ``asked`` as they were written."""

    name: str | None
    asked: str | None
    spec: Spec | None = None
    error: RnnshapeError | None = None


def from_files(names: Iterable[str]) -> list[Run]:
    """The runs of YAML files, and of the ``*.yaml`` and ``*.yml`` files of folders, in order.

    Raises:
        Unreadable: with every mistake of the first file that has any.
        Invalid: a file cannot be opened.
    """
    return [run for name in names for path in _files(Path(name)) for run in _runs(read_yaml(_read(path), str(path)))]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:  # a name that was mistyped is what was asked, not what the machine lacks
        raise Invalid([Problem(str(path), error.strerror or str(error))]) from None


def from_lines(lines: Iterable[str], name: str) -> Iterator[Run]:
    """The runs of JSON Lines, each as soon as its line is there; empty lines are passed over."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _line(line, name, number)


def _line(line: str, name: str, number: int) -> Run:
    try:
        document = read_json_line(line, name, number)
    except Unreadable as error:
        return Run(None, None, error=error)
    data = document.data
    assert isinstance(data, dict)  # the reader refuses what is no object
    try:
        return _run(data)
    except Invalid as error:
        mistakes = [_mistake(document, (), data, problem) for problem in error.problems]
        known = {key: value if isinstance(value := data.get(key), str) else None for key in ("name", "layer")}
        return Run(known["name"], known["layer"], error=Unreadable(document.source, mistakes))


def _run(data: dict[str, Any]) -> Run:
    spec = from_data(data)
    return Run(spec.name, spec.layer.text, spec)


def _runs(document: Document) -> list[Run]:
    data: Any = document.data
    mistakes = list(_wrong_shape(document, data))
    if mistakes:
        raise Unreadable(document.source, mistakes)
    defaults: dict[str, Any] = data.get("defaults") or {}
    runs = []
    for index, own in enumerate(data["runs"]):
        try:
            runs.append(_run({**defaults, **own}))
        except Invalid as error:
            mistakes += [_mistake(document, ("runs", index), own, problem) for problem in error.problems]
    if mistakes:
        # What is wrong with the defaults is wrong with every run, and said once.
        raise Unreadable(document.source, dict.fromkeys(mistakes))
    return runs


def _wrong_shape(document: Document, data: Any) -> Iterator[Mistake]:
    if not isinstance(data, dict):
        yield Mistake(document.place(()), "a batch file is a mapping with runs:, a list of runs, and maybe defaults:")
        return
    for key in data:
        if key not in _TOP:
            message = f"{key} is not known here{nearest(key, _TOP)}; a batch file has runs: and defaults:"
            yield Mistake(document.place((key,), key=True), message)
    if not isinstance(data.get("defaults", {}), dict | None):
        yield Mistake(document.place(("defaults",)), "defaults must be a mapping of options")
    runs = data.get("runs")
    if not isinstance(runs, list) or not runs:
        yield Mistake(document.place(("runs",) if "runs" in data else ()), "runs must be a list of at least one run")
        return
    for index, run in enumerate(runs):
        if not isinstance(run, dict):
            yield Mistake(document.place(("runs", index)), "a run must be a mapping, such as {layer: lstm, units: 8}")


def _mistake(document: Document, path: tuple[str | int, ...], own: dict[str, Any], problem: Problem) -> Mistake:
    """The problem at its place: in the run's own keys, or else in the defaults that it came from."""
    if problem.span is not None:
        key = "layer"
        text = own.get(key)
        where = (*path, key) if text is not None else ("defaults", key)
        blank = len(text) - len(text.lstrip()) if isinstance(text, str) else 0
        return Mistake(document.inner(where, problem.span[0] + blank, problem.span[1] + blank), problem.message)
    if not problem.key:
        return Mistake(document.place(path), problem.message)
    message = f"{problem.key} {problem.message}"
    unknown = problem.message.startswith("is not an option")
    if problem.key in own:
        return Mistake(document.place((*path, problem.key), key=unknown), message)
    data: Any = document.data
    if path and problem.key in (data.get("defaults") or {}):
        return Mistake(document.place(("defaults", problem.key), key=unknown), message)
    return Mistake(document.place(path), message)
