"""The files around the code: CI on every supported Python, hooks, licence, changelog."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import rnnshape
from rnnshape.layers.release import LEGACY, NEWEST, OLDEST, dotted
from tests import ROOT
from tests.versions import PAIRS

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)


def workflow() -> dict[Any, Any]:
    """The workflow; YAML reads its key ``on`` as True."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    read: dict[Any, Any] = yaml.safe_load(text)
    return read


def test_ci_runs_on_every_python_that_is_promised() -> None:
    job = workflow()["jobs"]["run"]
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    setup, run = (step for step in job["steps"] if "${{ matrix.python }}" in str(step))
    assert setup["with"]["python-version"] == "${{ matrix.python }}"
    assert run["run"] == "bash .ci/run"
    assert run["env"] == {"PYTHON": "python${{ matrix.python }}"}


def test_the_workflow_measures_every_release_of_keras_that_is_promised() -> None:
    job = workflow()["jobs"]["versions"]
    assert job["strategy"]["matrix"]["keras"] == [pair.keras for pair in PAIRS]
    assert job["steps"][-1]["run"] == "python -m tests.versions ${{ matrix.keras }}"
    assert {pair.keras.rpartition(".")[0] for pair in PAIRS} >= {dotted(OLDEST), dotted(NEWEST), LEGACY}


def test_ci_may_read_and_no_more() -> None:
    read = workflow()
    assert read["permissions"] == {"contents": "read"}
    assert read[True].keys() == {"push", "pull_request"}
    assert read["concurrency"]["cancel-in-progress"] is True
    used = [step["uses"] for job in read["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", one) for one in used)


# A fake Python: its environments have programs that only log their arguments.
_PYTHON = """#!/bin/sh
echo "python $*" >> "$LOG"
[ "$1 $2" = "-m venv" ] || exit 2
mkdir -p "$3/bin"
for name in pip python ruff mypy rnnshape; do
    printf '#!/bin/sh\\necho "%s $*" >> "$LOG"\\n' "$name" > "$3/bin/$name"; chmod +x "$3/bin/$name"
done
"""


def test_the_script_of_ci_takes_the_python_that_is_named(tmp_path: Path) -> None:
    """It also runs the commands of the README, lint and types with it; nothing is installed here."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python9").write_text(_PYTHON, encoding="utf-8")
    (programs / "python9").chmod(0o755)
    (programs / "id").write_text("#!/bin/sh\necho 1000\n", encoding="utf-8")  # a user who cannot install packages
    (programs / "id").chmod(0o755)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(ROOT / "README.md", tmp_path)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "PYTHON": "python9"}  # fmt: skip
    subprocess.run(["bash", tmp_path / ".ci" / "run"], env=environment, check=True, capture_output=True, timeout=60)
    asked = [re.sub(r"/\S+", "VENV", line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert asked == [
        "python -m venv VENV",
        "pip install -e .[dev]",
        "python -m pytest",
        "python -m pytest -m (slow or draws) and not (browser or cluster or shell)",
        "python -m pytest -n 0 -m browser or cluster or shell",
        "python -c import sys; sys.exit(sys.version_info >= (3, 13))",
        "python -m venv VENV",
        "pip install -q -e .[test] tensorflow==2.16.2 keras==3.3.3",
        "python -m pytest -p no:cacheprovider testsVENV testsVENV testsVENV",
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "python -m venv VENV",
        "pip install .",
        "rnnshape lstm --return-state --return-sequences",
    ]


def test_the_fast_run_leaves_out_every_marker_but_gpu() -> None:
    """A test with ``gpu`` skips itself without a GPU."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    markers = {text.partition(":")[0] for text in options["markers"]}
    left_out = re.search(r"-m 'not \(([\w ]+)\)'", options["addopts"])
    assert left_out
    assert {*left_out[1].split(" or ")} == markers - {"gpu"}


def test_the_hooks_are_lint_and_format() -> None:
    read = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (local,) = read["repos"]
    assert [hook["entry"].split(" --")[0] for hook in local["hooks"]] == ["ruff check", "ruff format"]
    (pinned,) = {one for hook in local["hooks"] for one in hook["additional_dependencies"]}
    assert re.fullmatch(r"ruff==\d+\.\d+\.\d+", pinned)


def test_the_licence_is_there_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE"]
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (Unreleased|\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert versions[0][0] == rnnshape.__version__
    assert PROJECT["dynamic"] == ["version"]  # it is only in rnnshape/version.py
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
    }  # fmt: skip


def test_the_first_commands_are_there() -> None:
    """One line each for set-up, tests, format, types and documentation."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for wanted in ("pip install -e", "python -m pytest", "ruff format", "mypy", "sphinx-build -W", "bash .ci/run", "pre-commit install"):  # fmt: skip
        assert re.search(rf"^    .*{re.escape(wanted)}", text, re.MULTILINE), wanted


@pytest.mark.slow
def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    """The wheel installs ``rnnshape`` and nothing else."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
        assert "rnnshape/py.typed" in archive.namelist()
    assert top == {"rnnshape", f"rnnshape-{rnnshape.__version__}.dist-info"}
