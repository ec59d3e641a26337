"""Makes the runs of one entry of ``runs:``, or of one JSON line; a ``matrix:`` makes several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Internal, Invalid, RnnshapeError, foreseen
from rnnshape.reading.batch.data import from_data
from rnnshape.reading.batch.matrix import combinations
from rnnshape.reading.batch.matrix import mistakes as matrix_mistakes
from rnnshape.reading.batch.placing import mistake, placed
from rnnshape.reading.places import Unreadable
from rnnshape.spec.expect import KEY as EXPECT
from rnnshape.versions import report_it

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.reading.places import Document, Mistake, Place
    from rnnshape.reading.places import Path as At
    from rnnshape.spec import Spec


@dataclass(frozen=True, slots=True)
class Where:
    """Where a run is written: its document, the path of the run, and the path of its contract."""

    document: Document
    run: At
    expect: At

    @property
    def file(self) -> str:
        return self.document.source.name

    def place(self, expected: str | None = None) -> Place:
        """The run's place, or that of one line of its contract (``"output"``)."""
        return self.document.place(self.run if expected is None else (*self.expect, expected), key=expected is not None)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a batch: its Spec, or its error; ``name`` and ``asked`` (the layer) as they were written.

    ``axes`` are the values that come from a matrix.  ``expects`` is the error that a run without a Spec expects.
    """

    name: str | None
    asked: str | None
    where: Where | None = None
    spec: Spec | None = None
    error: RnnshapeError | None = None
    expects: str | None = None
    axes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Meant:
    """One run with defaults and matrix values filled in, and the path of each key in the document."""

    values: dict[str, Any]
    paths: dict[str, At]
    axes: Mapping[str, Any]


def of_line(document: Document, data: dict[str, Any]) -> Iterator[Run]:
    """The runs of a JSON line; each mistake is the error of its run."""
    wrong = [placed(document, path, message) for path, message in _wrong_matrix(data, ())]
    for meant in () if wrong else meanings(data, (), {}):
        mistakes: list[Mistake] = []
        yield run_of(document, (), meant, mistakes) or _broken(document, data, mistakes)
    if wrong:
        yield _broken(document, data, wrong)


def wrong_run(own: Any, path: At) -> Iterator[tuple[At, str]]:
    """The mistakes in the form of an entry, each with its path."""
    if not isinstance(own, dict):
        yield path, "a run must be a mapping, such as {layer: lstm, units: 8}"
        return
    yield from _wrong_matrix(own, path)


def _wrong_matrix(own: dict[str, Any], path: At) -> Iterator[tuple[At, str]]:
    if "matrix" not in own:
        return
    matrix = own["matrix"]
    for at, message in matrix_mistakes(matrix):
        yield (*path, "matrix", *at), message
    for key in matrix if isinstance(matrix, dict) else ():
        if key in own:
            yield (*path, key), f"{key} is also in the matrix of this run: keep one"


def meanings(own: dict[str, Any], path: At, defaults: dict[str, Any]) -> Iterator[_Meant]:
    """The runs of one entry of ``runs:``: one, or one for each combination of its matrix."""
    values = {key: value for key, value in {**defaults, **own}.items() if key != "matrix"}
    paths: dict[str, At] = {key: ("defaults", key) for key in defaults} | {key: (*path, key) for key in own}
    if "matrix" not in own:
        yield _Meant(values, paths, {})
        return
    for one in combinations(own["matrix"]):
        name = own.get("name")
        named = {"name": f"{name} ({one.label})" if name else one.label or None} if isinstance(name, str | None) else {}
        inside: dict[str, At] = {key: (*path, "matrix", *at) for key, at in one.paths.items()}
        yield _Meant({**values, **named, **one.values}, {**paths, **inside}, one.axes)


def run_of(document: Document, path: At, meant: _Meant, mistakes: list[Mistake]) -> Run | None:
    """The run; None if it is wrong, and its mistakes are added to ``mistakes``."""
    values = meant.values
    where = Where(document, path, meant.paths.get(EXPECT, (*path, EXPECT)))
    try:
        spec = from_data(values)
    except Invalid as error:
        wrong = [mistake(document, path, meant.paths, problem) for problem in error.problems]
        expects = _expects_error(values, error)
        if expects is None:
            mistakes += wrong
            return None
        refusal = RnnshapeError("; ".join(mistake.message for mistake in wrong), kind=error.kind)
        return Run(values.get("name"), str(values["layer"]), where, error=refusal, expects=expects, axes=meant.axes)
    except Exception as error:  # noqa: BLE001  the other runs can be read
        return unread(values, error, where, meant.axes)
    return Run(spec.name, spec.layer.text, where, spec, axes=meant.axes)


def _expects_error(values: dict[str, Any], error: Invalid) -> str | None:
    """The error that the run expects; None also if the contract or the name of the run is wrong."""
    expect = values.get(EXPECT)
    wanted = expect.get("error") if isinstance(expect, dict) else None
    own = any(problem.key.split(".")[0] in (EXPECT, "name") for problem in error.problems)
    return wanted if isinstance(wanted, str) and isinstance(values.get("layer"), str) and not own else None


def unread(data: Any, error: Exception, where: Where | None = None, axes: Mapping[str, Any] | None = None) -> Run:
    """The run of data whose reading raised an unexpected exception."""
    failure = foreseen(error)
    if isinstance(failure, Internal):
        failure.hint = report_it(data)
    return Run(_text(data, "name"), _text(data, "layer"), where, error=failure, axes=axes or {})


def _text(data: Any, key: str) -> str | None:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else None


def _broken(document: Document, data: Mapping[str, Any], mistakes: list[Mistake]) -> Run:
    where = Where(document, (), (EXPECT,))
    return Run(_text(data, "name"), _text(data, "layer"), where, error=Unreadable(document.source, mistakes))
