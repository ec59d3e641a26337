"""Theory against every release of Keras that is promised, each in an environment of its own.

    python -m tests.versions                        # all pairs: makes the environments, which takes an hour
    python -m tests.versions 3.3.3 --draws 100      # one pair
    python -m tests.versions --envs DIR             # environments are made in DIR, and taken from there the next time

Each runs ``rnnshape audit`` and the random layers of ``tests.shared.drawing`` and ``masking`` (masks, states, calls, training).
The results are written to ``tests/versions.json``, from which ``docs/reference/versions.md`` is made.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_suffix(".json")
TESTED_WITH = ("pytest", "pytest-xdist", "hypothesis")


class Pair(NamedTuple):
    """A release of TensorFlow and one of Keras, as they were released together."""

    tensorflow: str
    keras: str

    @property
    def legacy(self) -> bool:
        return self.keras.startswith("2.")

    @property
    def packages(self) -> tuple[str, ...]:
        keras = "tf_keras" if self.legacy else "keras"
        return f"tensorflow-cpu=={self.tensorflow}", f"{keras}=={self.keras}"


PAIRS = (
    Pair("2.16.2", "3.3.3"),
    Pair("2.17.1", "3.5.0"),
    Pair("2.18.1", "3.8.0"),
    Pair("2.19.1", "3.10.0"),
    Pair("2.20.0", "3.12.0"),
    Pair("2.21.0", "3.15.1"),
    Pair("2.21.0", "2.21.0"),
)


def python_of(pair: Pair, folder: Path) -> Path:
    """The Python of an environment with this pair, made where there is none; rnnshape itself is run from the tree."""
    home = folder / f"keras-{pair.keras}"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        # tensorflow-cpu is TensorFlow under another name: the dependency itself would bring the large one.
        ours = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
        others = [one for one in ours if not one.startswith(("tensorflow", "keras"))]
        subprocess.run([python, "-m", "pip", "install", "-q", *pair.packages, *others, *TESTED_WITH], check=True)
    return python


def asked(pair: Pair, python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a module of the tree says under a pair."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_USE_LEGACY_KERAS": str(int(pair.legacy))}
    command = [str(python), "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def drawn(pair: Pair, python: Path, module: str, draws: int) -> tuple[int, str]:
    """How many of the random layers disagree, and what was printed of them."""
    out = asked(pair, python, module, str(draws), "--seed", "2026")
    last = re.search(rf"^{draws} drawn, (\d+) disagree$", out.stdout, re.MULTILINE)
    if last is None:
        raise SystemExit(f"{module} under Keras {pair.keras} ended early:\n{out.stdout[-2000:]}\n{out.stderr[-2000:]}")
    return int(last[1]), out.stdout[: last.start()]


def audited(pair: Pair, python: Path) -> dict[str, int]:
    """What ``rnnshape audit`` counts: layers that agree, that both reject, and that disagree."""
    out = asked(pair, python, "rnnshape", "audit", "-f", "jsonl")
    rows = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    if not rows:
        raise SystemExit(f"audit under Keras {pair.keras} ended early:\n{out.stderr[-2000:]}")
    for row in rows:
        if not row["ok"]:
            print(json.dumps(row["run"]), flush=True)
    agree = sum(row["ok"] and row["error"] is None for row in rows)
    rejected = sum(row["ok"] and row["error"] is not None for row in rows)
    return {"asked": len(rows), "agree": agree, "rejected": rejected, "disagree": len(rows) - agree - rejected}


def measured(pair: Pair, python: Path, draws: int) -> dict[str, Any]:
    """The row of a pair."""
    row: dict[str, Any] = {"tensorflow": pair.tensorflow, "keras": pair.keras, "audit": audited(pair, python)}
    for name in ("drawing", "masking"):
        disagree, told = drawn(pair, python, f"tests.shared.{name}", draws)
        print(told, end="", flush=True)
        row[name] = {"drawn": draws, "disagree": disagree}
    return row


def main() -> int:
    """Measure the pairs that the command line names; the number of disagreements decides the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("keras", nargs="*", choices=[[], *(pair.keras for pair in PAIRS)])
    parser.add_argument("--draws", type=int, default=500, help="random layers of each kind")
    parser.add_argument("--envs", type=Path, default=None, help="where the environments are")
    asked_for = parser.parse_args()
    folder = asked_for.envs or Path(tempfile.mkdtemp(prefix="keras-"))
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    rows = {row["keras"]: row for row in known}
    for pair in PAIRS:
        if not asked_for.keras or pair.keras in asked_for.keras:
            row = measured(pair, python_of(pair, folder), asked_for.draws)
            rows[pair.keras] = row
            print(json.dumps(row), flush=True)
            ordered = [rows[one.keras] for one in PAIRS if one.keras in rows]
            RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")
    return int(any(part["disagree"] for row in rows.values() for part in row.values() if isinstance(part, dict)))


if __name__ == "__main__":
    sys.exit(main())
