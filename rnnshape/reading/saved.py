"""From a saved model to Specs: the config is read out of the file, and nothing of it is unpacked, loaded or run.

A ``.keras`` file is a zip with ``config.json``; HDF5 (``.h5``, ``.hdf5``) has the config in an attribute; a
``.json`` file is what ``model.to_json()`` gives.  Source: Keras' ``saving/saving_lib.py`` and ``legacy/saving``.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import release
from rnnshape.reading.config import code
from rnnshape.reading.making import make_all
from rnnshape.spec.options import KERAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.spec import Spec

_HDF5 = (".h5", ".hdf5")
_ENDINGS = (".keras", *_HDF5, ".json")
_MOST_BYTES = 16_000_000
_MOST_ARRAYS = 100_000
_WEIGHTS = "model.weights.h5"
# What a file has beside the weights of layers.
_OTHERS = ("optimizer", "optimizer_weights", "seed_generator", "random_generator")


def is_saved(text: str) -> bool:
    """Whether this is the name of a saved model, and not code: ``model.keras``, ``model.h5``, ``model.json``."""
    return text.lower().endswith(_ENDINGS) and "\n" not in text


def make_saved(path: str, options: Mapping[str, Any] | None = None, *, weights: bool = True) -> list[Spec]:
    """The Specs of a saved model, for the release of Keras that wrote the file.

    With ``weights`` the shapes of the weights in the file are compared with theory, which needs h5py.

    Raises:
        Invalid: there is no such file, it is damaged or too large, or its weights do not fit its config.
    """
    try:
        config, version = _read(Path(path))
        text = code(config)
    except Invalid as error:
        raise Invalid(Problem("", f"{path}: {problem.message}") for problem in error.problems) from None
    specs = make_config(text, version, options)
    return _compared(path, specs) if weights and not path.lower().endswith(".json") else specs


def make_live(layer: Any, options: Mapping[str, Any] | None = None) -> list[Spec]:
    """The Specs of a live layer or model of Keras 3 or tf_keras, from its config; its weights do not matter.

    Raises:
        Invalid: it is no layer, or has no config, as a model of one's own with a ``call`` has none.
    """
    cls = type(layer)
    root = next(
        (root for one in cls.__mro__ if (root := one.__module__.partition(".")[0]) in ("keras", "tf_keras")), None
    )
    if root is None or not hasattr(layer, "get_config"):
        raise _invalid(f"{cls.__name__} is not an expression, a Spec, or a layer or model of Keras")
    try:
        values = layer.get_config()
    except NotImplementedError:
        raise _invalid(f"{cls.__name__} has no config: give its layers one by one, or its code") from None
    text = code({"class_name": cls.__name__, "module": cls.__module__, "config": values})
    return make_config(text, getattr(sys.modules.get(root), "__version__", None), options)


def make_config(text: str, version: str | None, options: Mapping[str, Any] | None = None) -> list[Spec]:
    """The Specs of a model's code, for ``version`` of Keras where the options name none."""
    options = dict(options or {})
    notes = []
    if version is not None and KERAS.name not in options:
        asked = "2" if release.numbers(version) < release.KERAS_3 else version
        if not KERAS.kind.accepts(asked):
            notes.append(
                f"this is of Keras {version}, which theory does not know: Keras {release.version()} is asked about"
            )
        elif release.numbers(asked)[:2] != release.default()[:2]:
            options[KERAS.name] = asked
            notes.append(
                f"this is of Keras {version}, so Keras {version} is asked about; the option keras names another one"
            )
    return [replace(spec, notes=(*notes, *spec.notes)) for spec in make_all(text, options)]


def _invalid(why: str) -> Invalid:
    return Invalid([Problem("", why)])


def _read(path: Path) -> tuple[Any, str | None]:
    """The config in the file, and the version of Keras that wrote it."""
    try:
        if not path.is_file():
            raise _invalid("is not a file" if path.exists() else "there is no such file")
        if path.suffix.lower() in _HDF5:
            return _from_hdf5(path)
        if path.suffix.lower() == ".json":
            with path.open("rb") as stream:
                config = _parsed(_bounded(stream.read(_MOST_BYTES + 1)))
            return config, _version(config)
        with zipfile.ZipFile(path) as archive:
            config = _parsed(_member(archive, "config.json"))
            known = "metadata.json" in archive.namelist()
            return config, _version(_parsed(_member(archive, "metadata.json"))) if known else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _invalid(f"is not a .keras file, or is damaged: {error}") from None
    except OSError as error:
        raise _invalid(f"cannot be read: {error.strerror or error}") from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise _invalid(f"has no {name}: it is not a model that Keras saved")
    with archive.open(name) as stream:  # the size that the archive names can be wrong
        return _bounded(stream.read(_MOST_BYTES + 1))


def _bounded(data: bytes) -> bytes:
    if len(data) > _MOST_BYTES:
        raise _invalid(f"its config is larger than {_MOST_BYTES // 1_000_000} MB, the most that is read")
    return data


def _parsed(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise _invalid("its config is nested too deeply") from None
    except ValueError as error:
        raise _invalid(f"its config is not JSON: {error}") from None


def _version(config: Any) -> str | None:
    version = config.get("keras_version") if isinstance(config, Mapping) else None
    return version.removesuffix("-tf") if isinstance(version, str) and release.numbers(version) else None


def _from_hdf5(path: Path) -> tuple[Any, str | None]:
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise _invalid("has weights and no config: save the whole model, or give the layer as an expression")
        if file.attrs.get_id("model_config").get_storage_size() > _MOST_BYTES:
            _bounded(bytes(_MOST_BYTES + 1))
        text = file.attrs["model_config"]
        _bounded(text.encode() if isinstance(text, str) else text)
        return _parsed(text), _version({key: _text(file.attrs[key]) for key in ("keras_version",) if key in file.attrs})


def _text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


# -- weights ------------------------------------------------------------------------------------


def _compared(path: str, specs: Sequence[Spec]) -> list[Spec]:
    """The Specs, with a note of how the weights in the file compare with theory."""
    try:
        stored = Counter(_stored(path))
    except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise Invalid([Problem(path, f"its weights cannot be read, the file is damaged: {error}")]) from None
    expected: Counter[tuple[int, ...]] = Counter()
    for spec in specs:
        if spec.layer.without_rule:
            return [*specs]
        with release.of(spec.keras):
            expected.update(weight.shape for weight in spec.layer.cls.theory(spec.layer, spec.given()).weights)
    if missing := expected - stored:
        said = f"theory has {_said(missing)}, the file {_said(stored - expected) or 'nothing instead'}"
        raise Invalid([Problem(path, f"its weights do not fit its config: {said}")])
    note = f"the file has the {expected.total()} weights of theory, with their shapes"
    if others := stored - expected:
        note += f", and others: {_said(others)}"
    return [replace(spec, notes=(*spec.notes, note)) for spec in specs]


def _said(shapes: Counter[tuple[int, ...]]) -> str:
    return ", ".join(f"{count} x {shape}" if count > 1 else str(shape) for shape, count in sorted(shapes.items()))


def _stored(path: str) -> Iterator[tuple[int, ...]]:
    """The shape of each weight in the file."""
    import h5py

    if Path(path).suffix.lower() in _HDF5:
        with h5py.File(path, "r") as file:
            yield from _shapes(file["model_weights"])
        return
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(_WEIGHTS).compress_type != zipfile.ZIP_STORED:  # Keras stores; this may be a zip bomb
            raise ValueError(f"{_WEIGHTS} is compressed in the archive, which Keras never does")
        with archive.open(_WEIGHTS) as stream, h5py.File(stream, "r") as file:
            yield from _shapes(file)


def _shapes(group: Any) -> list[tuple[int, ...]]:
    """Links that lead out of the file are not followed."""
    import h5py

    found: list[tuple[int, ...]] = []

    def visit(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset) and not any(part.startswith(_OTHERS) for part in name.split("/")):
            found.append(tuple(item.shape))
        return True if len(found) > _MOST_ARRAYS else None

    if group.visititems(visit):
        raise ValueError(f"more than {_MOST_ARRAYS:,} arrays")
    return found
