"""The files that are scanned: files, folders as listed by git, notebooks, constants of other files; no code is run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rnnshape.errors import Invalid
from rnnshape.reading import make_all
from rnnshape.scan.files import gathered
from rnnshape.scan.one import scan_file, scan_text
from rnnshape.scan.texts import NotRead, Text, of_bytes
from tests.shared.releases import legacy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

WRONG = "import keras\nlayer = keras.layers.LSTM(8, time_major=True)\n"


def test_files_that_git_ignores_are_not_scanned(tmp_path: Path) -> None:
    for name in ("model.py", "ignored.py", "notes.ipynb", "data.txt", ".venv/inside.py", "deep/er/layer.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    plain = [str(tmp_path / name) for name in ("deep/er/layer.py", "ignored.py", "model.py", "notes.ipynb")]
    assert gathered([str(tmp_path)]) == plain
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored.py\n.venv\n", encoding="utf-8")
    assert gathered([str(tmp_path)]) == [path for path in plain if "ignored" not in path]
    assert gathered([str(tmp_path / ".venv")]) == [str(tmp_path / ".venv/inside.py")]
    # A named file is read once, even if git ignores it.
    named = str(tmp_path / "ignored.py")
    assert gathered([named, str(tmp_path), named]) == [named, *(path for path in plain if path != named)]
    with pytest.raises(Invalid, match="there is no such file or folder"):
        gathered([str(tmp_path / "missing.py")])


def notebook(*cells: str | list[str]) -> bytes:
    made = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# LSTM"}, *made]}).encode()


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("  x = 1\n  LSTM(8)\n", 2),  # IPython removes the indent of a whole cell
        ("!wget https://example.org/data.zip \\\n    -O data.zip\nLSTM(8)", 3),
        ("print 'a'\nLSTM(8)", 2),
        ("x = 7 \\\n  % 4\nLSTM(8)", 3),  # no magic: the line before goes on
        ("LSTM(8,\u00a0name='a')", 1),
    ],
)
def test_a_cell_that_is_python_only_for_ipython_is_read(cell: str, line: int) -> None:
    cells = [{"cell_type": "code", "source": source} for source in ("import keras", cell)]
    text = of_bytes(json.dumps({"cells": cells}).encode(), "model.ipynb")
    (place,) = [number for number, one in enumerate(text.code.split("\n"), 1) if "LSTM(8" in one]
    assert text.at(place) == (2, line)
    assert [spec.layer.name for spec in make_all(text.code)] == ["LSTM"]


def test_a_notebook_is_its_cells_in_order() -> None:
    text = of_bytes(
        notebook(
            "%matplotlib inline\nimport keras\n!pip install keras",
            ["x = keras.Input((10, 4))\n", "files = !ls\n", "keras.Model?"],
            "%%bash\nfor f in *; do LSTM; done",
            "this is not Python",
            "y, h = keras.layers.LSTM(8, return_state=True)(x)",
        ),
        "notes.ipynb",
    )
    (finding,) = scan_text(text).findings
    assert (finding.where, finding.code) == ("notes.ipynb:cell 6:1:8", "unpacking")
    assert finding.edits == ()


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"cells": 3}', b'{"cells": [1]}', b"\xff\xfe\x00"])
def test_an_invalid_notebook_is_an_error(data: bytes) -> None:
    with pytest.raises(NotRead):
        of_bytes(data, "notes.ipynb")


def test_constants_are_followed_into_other_files(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "config.py").write_text(
        "UNITS = 8\nclass Config:\n    wide = UNITS * 2\nCHANGED = 1\nCHANGED = 2\n", encoding="utf-8"
    )
    model = package / "model.py"
    for line in (
        "from .config import UNITS as U, Config",
        "from package.config import *\nU = UNITS",
        "from config import UNITS as U, Config",
    ):
        code = (
            f"import keras\n{line}\nx = keras.Input((10, 4))\n"
            "_, h = keras.layers.GRU(U, return_state=True)(x)\ny = keras.layers.GRU(Config.wide)(x, initial_state=[h])\n"
        )
        model.write_text(code, encoding="utf-8")
        (finding,) = scan_file(str(model)).findings
        assert (finding.code, "width 8" in finding.message) == ("widths", True)
    model.write_text(
        code.replace("GRU(U,", "GRU(CHANGED,").replace("import UNITS as U", "import CHANGED"), encoding="utf-8"
    )
    assert scan_file(str(model)).findings == ()


def test_nothing_is_run(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(
        f"import keras\nopen({str(tmp_path / 'ran')!r}, 'w')\n{WRONG}raise SystemExit(7)\n", encoding="utf-8"
    )
    assert [finding.code for finding in scan_file(str(path)).findings] == ["argument"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("from torch import nn", "nn.LSTM"),
        ("from torch.nn import LSTM", "LSTM"),
        ("from .layers import LSTM", "LSTM"),
        ("from mine import layers", "layers.LSTM"),
        ("import tf_keras", "tf_keras.layers.LSTM"),
        ("import tensorflow.compat.v1 as tf", "tf.keras.layers.LSTM"),
        ("from tensorflow.python.keras.layers import LSTM", "LSTM"),
        ("layers = object()", "layers.LSTM"),
        ("", "LSTM"),
    ],
)
def test_a_class_that_is_not_from_keras_is_not_checked(imports: str, name: str) -> None:
    for given in ("8, 4, batch_first=True", "8"):
        code = f"import keras\n{imports}\nlayer = {name}({given})\na, b, c, d = layer(x)\ne = layer([a, b])\n"
        assert scan_text(Text("model.py", code)).findings == ()


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("from keras import layers as L", "L.LSTM"),
        ("from tensorflow.keras.layers import LSTM as Long", "Long"),
        ("from keras.layers import *", "LSTM"),
        ("import tensorflow.keras as K", "K.layers.LSTM"),
        ("import tensorflow as tf\nlayers = tf.keras.layers", "layers.LSTM"),
        ("import keras.layers", "keras.layers.LSTM"),
    ],
)
def test_a_class_of_keras_is_known_by_its_import(imports: str, name: str) -> None:
    code = f"{imports}\nlayer = {name}(8, time_major=True)\na, b = {name}(8)(x)\n"
    assert [finding.code for finding in scan_text(Text("model.py", code)).findings] == ["argument", "unpacking"]


@pytest.mark.parametrize(
    "code", ["import keras\nLSTM(", "import keras # LSTM\nprint 'LSTM'", "import keras\nLSTM" + "(" * 300 + ")" * 300]
)
def test_invalid_python_is_an_error(code: str) -> None:
    scanned = scan_text(Text("model.py", code))
    assert scanned.unread
    assert scanned.findings == ()


def test_tensorflow_is_not_imported(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(WRONG, encoding="utf-8")
    code = (
        "import sys\nfrom rnnshape.scan.one import scan_file\n"
        f"assert scan_file({str(path)!r}, layers=True).findings\n"
        "print(sorted({'tensorflow', 'keras', 'numpy'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


IN_KERAS_2 = """
layer = keras.layers.LSTM(8, batch_input_shape=(2, 3, 4), stateful=True, time_major=False)
weighted = keras.layers.GRU(8, implementation=1, input_length=3, input_dim=4)
words = keras.layers.Embedding(10, 4, mask_zero=True)(keras.Input((3,)))
output, state = keras.layers.GRU(8, return_state=True)(words)
y = keras.layers.GRU(8)(words, initial_state=state)
"""


@pytest.mark.parametrize(
    "imported",
    [
        "import tf_keras as keras",
        "from tensorflow.python import keras",
        "import tf_keras as keras\nfrom keras.preprocessing import sequence",
    ],
)
def test_a_file_that_imports_keras_2_is_checked_by_its_rules(imported: str) -> None:
    """Arguments of Keras 2 are accepted and initial_state does not drop the mask; mistakes in both versions are found."""
    wrong = "a, b = keras.layers.GRU(8)(words)\n"
    assert [one.code for one in scan_text(Text("model.py", f"{imported}\n{IN_KERAS_2}{wrong}")).findings] == [
        "unpacking"
    ]


@legacy
@pytest.mark.slow
def test_keras_2_runs_it() -> None:
    import tf_keras

    exec(compile(IN_KERAS_2, "model.py", "exec"), {"keras": tf_keras})  # noqa: S102  the program is trusted


@pytest.mark.parametrize(
    ("release", "codes"),
    [("2", []), ("3.15", ["argument", "argument", "argument", "mask-beside-state"])],
)
def test_the_keras_option_selects_the_release(
    release: str, codes: list[str], run: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "model.py"
    path.write_text(f"from tensorflow import keras\n{IN_KERAS_2}", encoding="utf-8")
    found = json.loads(run("scan", str(path), "--keras", release, "-f", "json").out)
    assert [one["code"] for file in found["files"] for one in file["findings"]] == codes


def test_an_argument_that_came_later_is_named_with_its_release() -> None:
    code = "import keras\nlayer = keras.layers.GRU(8, implementation=1)\n"
    (finding,) = scan_text(Text("model.py", code), keras="3.3").findings
    assert finding.message == "GRU has no implementation in Keras 3.3: it came with Keras 3.4"
    assert scan_text(Text("model.py", code), keras="3.4").findings == ()
