"""TensorFlow is loaded only when a real layer is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import ROOT

HEAVY = ("tensorflow", "keras", "numpy")

WITHOUT = {
    "import": "import rnnshape; rnnshape.__version__",
    "predict": "import rnnshape; rnnshape.predict('lstm').to_dict()",
    "help": "import sys; sys.argv = ['rnnshape', '--help']; from rnnshape.cli import main; main()",
    "command help": "import sys; sys.argv = ['rnnshape', 'lstm', '--help']; from rnnshape.cli import main; main()",
    "compare help": "import sys; sys.argv = ['rnnshape', 'compare', '--help']; from rnnshape.cli import main; main()",
    "compare mistake": "import sys; sys.argv = ['rnnshape', 'compare', 'LSTM(8)']; from rnnshape.cli import main; main()",
    "compare's schema": "import sys; sys.argv = ['rnnshape', 'schema', 'compare']; from rnnshape.cli import main; main()",
    "completion": "import os, sys; os.environ.update(_RNNSHAPE_COMPLETE='complete_bash', COMP_WORDS='rnnshape\\nshow\\nGR', COMP_CWORD='2'); from rnnshape.cli import main; main()",
    "help on a topic": "import sys; sys.argv = ['rnnshape', 'help', 'masks']; from rnnshape.cli import main; main()",
    "version": "import sys; sys.argv = ['rnnshape', '--version']; from rnnshape.cli import main; main()",
    "theory": "import sys; sys.argv = ['rnnshape', 'gru', '--predict']; from rnnshape.cli import main; main()",
    "diagram": "import sys; sys.argv = ['rnnshape', 'gru', '--predict', '--diagram']; from rnnshape.cli import main; main()",
    "json": "import sys; sys.argv = ['rnnshape', 'gru', '--predict', '-f', 'json']; from rnnshape.cli import main; main()",
    "schema": "import sys; sys.argv = ['rnnshape', 'schema']; from rnnshape.cli import main; main()",
    "report's schema": "import sys; sys.argv = ['rnnshape', 'schema', 'report']; from rnnshape.cli import main; main()",
    "mistake": "import sys; sys.argv = ['rnnshape', 'gru', '--units', '0']; from rnnshape.cli import main; main()",
}


def loaded_by(code: str, heavy: tuple[str, ...] = HEAVY) -> set[str]:
    """The heavy modules that a new interpreter has loaded after running this code."""
    program = (
        "import sys\ntry:\n"
        + "".join(f"    {line}\n" for line in code.split("; "))
        + f"except SystemExit: pass\nprint('LOADED', *(set({heavy!r}) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("what", WITHOUT)
def test_no_tensorflow(what: str) -> None:
    assert loaded_by(WITHOUT[what]) == set()


@pytest.mark.parametrize("what", ["completion", "help on a topic"])
def test_no_rich(what: str) -> None:
    """Completion and other quick answers do not load Rich either."""
    assert loaded_by(WITHOUT[what], ("rich",)) == set()


@pytest.mark.parametrize("file", ["encoder_decoder.keras", "nested.h5", "encoder_decoder.weights.h5"])
def test_theory_of_a_saved_model_needs_no_tensorflow(file: str) -> None:
    """h5py reads the weights in the file, and loads NumPy."""
    words = ["rnnshape", "show", str(ROOT / "tests/reading/saved" / file), *(["LSTM(4)"] if "weights" in file else [])]
    code = f"import sys; sys.argv = {[*words, '--predict']!r}; from rnnshape.cli import main; main()"
    assert loaded_by(code) == {"numpy"}


@pytest.mark.slow
def test_the_tests_above_can_fail() -> None:
    assert "rich" in loaded_by(WITHOUT["theory"], ("rich",))
    assert "numpy" in loaded_by("import rnnshape; rnnshape.explore('lstm')")


def test_only_the_lab_names_tensorflow() -> None:
    import ast
    from pathlib import Path

    import rnnshape

    package = Path(rnnshape.__file__).parent
    guilty = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in ("tensorflow", "keras") for name in names):
                guilty.add(path.relative_to(package).parts[0])
    assert guilty == {"lab"}
