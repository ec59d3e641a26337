"""Models that other releases of Keras saved: those of 3.3.3 lie beside this file, those of tf_keras are made here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.reading.saved.model import make_saved
from rnnshape.structure import Nest, leaves
from rnnshape.versions import legacy as legacy_mode
from tests.shared.releases import legacy
from tests.shared.saving import MODELS

if TYPE_CHECKING:
    from rnnshape.report import Report

HERE = Path(__file__).parent / "saved"
ROOT = Path(__file__).parents[2]
SHAPES = {
    "encoder_decoder": [(2, 5, 2), (2, 4)],
    "bidirectional": [(2, 2)],
    "nested": [(2, 3)],
}
WEIGHTS = {"encoder_decoder": 8, "bidirectional": 16, "nested": 9}


def _answers(path: Path, **options: str) -> Report:
    """The answer to a saved model, which was called, and which agrees."""
    (spec,) = make_saved(str(path), {"time": 5, **options} if "bidirectional" in path.name else options)
    report = rnnshape.explore(spec)
    assert report.error is None, report.error
    assert report.agrees, report.disagreements
    name = path.name.partition(".")[0]
    assert [leaf.shape for leaf in leaves(report.structure)] == SHAPES[name]
    assert isinstance(report.structure, Nest) is (name == "encoder_decoder")
    assert report.structure.kind == ("list" if name == "encoder_decoder" else "tensor")
    return report


@pytest.mark.skipif(legacy_mode(), reason="the files are of Keras 3")
@pytest.mark.parametrize("file", ["encoder_decoder.keras", "bidirectional.keras", "nested.h5"])
def test_files_of_keras_3_3_are_loaded_by_the_installed_keras(file: str) -> None:
    report = _answers(HERE / file)
    assert report.file is not None
    assert len(report.file.weights) == WEIGHTS[file.partition(".")[0]]
    assert all(one.fits for one in report.file.weights)
    assert report.file.apart == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def of_tf_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, saved by tf_keras in a process of its own: which Keras ``tf.keras`` is, the first import decides."""
    folder = tmp_path_factory.mktemp("tf_keras")
    command = [sys.executable, "-m", "tests.shared.saving", str(folder)]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


@legacy
@pytest.mark.slow
@pytest.mark.parametrize("ending", [".keras", ".h5", ""])
@pytest.mark.parametrize("make", MODELS)
def test_files_of_tf_keras_are_loaded_by_tf_keras(of_tf_keras: Path, make: object, ending: str) -> None:
    name = make.__name__  # type: ignore[attr-defined]
    report = _answers(of_tf_keras / f"{name}{ending}")
    assert report.spec.keras == "2"
    if ending:
        assert report.file is not None
        assert len(report.file.weights) == WEIGHTS[name]
    else:
        assert report.file is None  # the variables of a SavedModel are not read


@legacy
@pytest.mark.slow
def test_keras_3_reads_a_file_of_keras_2_where_that_is_asked(of_tf_keras: Path) -> None:
    (spec,) = make_saved(str(of_tf_keras / "nested.h5"), {"keras": "3.15"})
    assert spec.keras == "3.15"
    assert rnnshape.predict(spec).ok


def test_a_saved_model_without_the_metadata_of_keras_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(Invalid, match=r"is a SavedModel without keras_metadata\.pb: save the model as \.keras"):
        make_saved(str(tmp_path))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x0a\xff\xff\xff\xff\x7f",
        b"\xff" * 100,
        b"\x0f",
        b"\x0a\x0b\x1a\x04root\x2a\x03[[[",
        b"\x0a\x0a\x1a\x04root\x2a\x02{}",
    ],
)
def test_damaged_metadata_is_one_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "keras_metadata.pb").write_bytes(data)
    with pytest.raises(Invalid) as caught:
        make_saved(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
