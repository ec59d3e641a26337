"""Writes the results to ``benchmarks/results/``, as JSON with every measurement and as Markdown tables."""

from __future__ import annotations

import inspect
import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

RESULTS = Path(__file__).with_name("results")

PREAMBLE = """\
# Benchmarks

Written by `python -m benchmarks`. Both sides of a row are interleaved, in one run, on one machine.
The ratio is our median divided by theirs, followed by the lowest and the highest ratio of a single
round: below 1 is better for times and sizes, above 1 for rates. `results.json` has every measurement.
"""

HEADINGS = ("ours", "against", "ours, median", "theirs, median", "ratio", "rounds", "to reach", "verdict")


@dataclass(frozen=True, slots=True)
class Section:
    """The table of one benchmark, with its description, the machine and the versions."""

    title: str
    text: str
    facts: dict[str, Any]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, benchmark: Callable[..., object], facts: dict[str, Any], rows: Iterable[Row]) -> Section:
        """The section of a benchmark; title and text are its docstring."""
        title, _, text = (inspect.getdoc(benchmark) or benchmark.__name__).partition("\n\n")
        return cls(title.rstrip("."), " ".join(text.split()), facts, tuple(rows))

    def to_dict(self) -> dict[str, Any]:
        rows = [row.to_dict() for row in self.rows]
        return {"title": self.title, "text": self.text, "facts": self.facts, "rows": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Section:
        return cls(data["title"], data["text"], data["facts"], tuple(map(Row.from_dict, data["rows"])))

    def markdown(self) -> str:
        """The section with its table; the last column says whether the target is reached."""
        facts = " · ".join(f"{name} {value}" if name else str(value) for name, value in _described(self.facts))
        table = [HEADINGS, tuple("---" for _ in HEADINGS), *map(_cells, self.rows)]
        lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
        return f"## {self.title}\n\n{self.text}\n\n{lines}\n\n{facts}\n"


def keep(name: str, section: Section, *, order: list[str]) -> None:
    """Write the section to the results; the sections of other benchmarks do not change."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "results.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found[name] = section.to_dict()
    kept = {name: found[name] for name in order if name in found}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sections = [Section.from_dict(data).markdown() for data in kept.values()]
    (RESULTS / "results.md").write_text("\n".join([PREAMBLE, *sections]), encoding="utf-8")


def facts() -> dict[str, Any]:
    """The machine and the versions of a measurement."""
    packages = ("rnnshape", "tensorflow", "keras", "jax", "flax", "torch")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: _version(package) for package in packages},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _described(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    names = {"date": "", "system": "", "python": "Python", "tensorflow": "TensorFlow", "keras": "Keras"}
    for name, value in facts.items():
        if name == "cores":
            yield "", f"{value} cores"
        elif value is not None:
            yield names.get(name, name), value


def _cells(row: Row) -> tuple[str, ...]:
    theirs = _amount(median(row.theirs), row.unit) if row.theirs else row.note
    return (
        row.what,
        row.against,
        _amount(median(row.ours), row.unit),
        theirs,
        _ratio(row),
        str(len(row.ours)),
        "; ".join(_goal(target, row) for target in row.targets),
        "; ".join("reached" if target.reached(row) else "**missed**" for target in row.targets),
    )


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return "–"
    spread = f" ({_number(row.spread[0])} – {_number(row.spread[1])})" if row.spread else ""
    return f"{_number(row.ratio)}{spread}"


def _goal(target: Target, row: Row) -> str:
    if target.of == "ours":
        return f"{target.sign} {_amount(target.limit, row.unit)}"
    return f"ratio {target.sign} {_number(target.limit)}"


def _amount(value: float, unit: str) -> str:
    """A number as text, with three significant digits."""
    if unit == "/s":
        return f"{_number(value)} / s"
    if unit == "s" and abs(value) < 1:
        return f"{_number(value * 1000)} ms"
    return f"{_number(value)} {unit}"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
