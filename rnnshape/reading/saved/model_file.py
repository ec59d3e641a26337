"""Reads the config in the file of a saved model, and the version of Keras that wrote it; nothing is unpacked or run.

A ``.keras`` file is a zip with ``config.json``; HDF5 (``.h5``, ``.hdf5``) has the config in an attribute; a ``.json``
file is from ``model.to_json()``; a SavedModel of tf_keras has the config in ``keras_metadata.pb``.
Source: Keras' ``saving/saving_lib.py`` and ``legacy/saving``; ``tf_keras/src/protobuf/saved_metadata.proto``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import release
from rnnshape.reading.files import HDF5, JSON, KERAS, METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 16_000_000
# The files that Keras itself writes into an archive.
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


def read(path: str) -> tuple[Any, str | None]:
    """The config, and the version of Keras.

    Raises:
        Invalid: there is no such file, it is damaged or too large, or it has no config.
    """
    file = Path(path)
    with failing(path):
        if file.is_dir():
            return _from_saved_model(file)
        if not file.is_file():
            raise invalid("is not a file" if file.exists() else "there is no such file")
        if file.suffix.lower() in HDF5:
            return _from_hdf5(file)
        if file.suffix.lower() == JSON:
            with file.open("rb") as stream:
                config = _parsed(_bounded(stream.read(_MOST_BYTES + 1)))
            return config, _version(config)
        with zipfile.ZipFile(file) as archive:
            config = _parsed(_member(archive, "config.json"))
            known = "metadata.json" in archive.namelist()
            return config, _version(_parsed(_member(archive, "metadata.json"))) if known else None


@contextmanager
def failing(path: str) -> Iterator[None]:
    """Turn the exceptions of a damaged file into one error with the name of the file."""
    try:
        yield
    except Invalid as error:
        raise Invalid(Problem("", f"{path}: {problem.message}") for problem in error.problems) from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise invalid(f"{path}: is not a .keras file, or is damaged: {_line(error)}") from None
    except OSError as error:
        if error.strerror is None and "signature not found" in str(error):  # a message of h5py
            raise invalid(f"{path}: is not an HDF5 file, or is damaged: {_line(error)}") from None
        raise invalid(f"{path}: cannot be read: {_line(error.strerror or error)}") from None
    except (RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise invalid(f"{path}: cannot be read, the file is damaged: {_line(error)}") from None


def invalid(why: str) -> Invalid:
    return Invalid([Problem("", why)])


def _line(error: object) -> str:
    return " ".join(str(error).split())


def beside(path: str) -> tuple[str, ...]:
    """The other files in an archive, such as assets, which Keras would unpack into a folder."""
    if not path.lower().endswith(KERAS):
        return ()
    with zipfile.ZipFile(path) as archive:
        return tuple([name for name in archive.namelist() if name not in _MEMBERS])


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise invalid(f"has no {name}: it is not a model that Keras saved")
    with archive.open(name) as stream:  # the size in the archive's directory can be wrong
        return _bounded(stream.read(_MOST_BYTES + 1))


def _bounded(data: bytes) -> bytes:
    if len(data) > _MOST_BYTES:
        raise invalid(f"its config is larger than {_MOST_BYTES // 1_000_000} MB, the most that is read")
    return data


def _parsed(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise invalid("its config is nested too deeply") from None
    except ValueError as error:
        raise invalid(f"its config is not JSON: {error}") from None


def _version(config: Any) -> str | None:
    version = config.get("keras_version") if isinstance(config, Mapping) else None
    return version.removesuffix("-tf") if isinstance(version, str) and release.numbers(version) else None


# -- HDF5 ---------------------------------------------------------------------------------------


def _from_hdf5(path: Path) -> tuple[Any, str | None]:
    import h5py

    with h5py.File(path, "r") as file:
        text = attribute(file, "model_config")
        if text is None:
            raise invalid('has weights and no config: give the layer beside it, such as "LSTM(64)"')
        return _parsed(text), _version({"keras_version": attribute(file, "keras_version")})


def attribute(item: Any, name: str) -> str | None:
    """The text in an attribute; None without the attribute.

    Raises:
        Invalid: it is too large, or not text.
    """
    if name not in item.attrs:
        return None
    if item.attrs.get_id(name).get_storage_size() > _MOST_BYTES:
        _bounded(bytes(_MOST_BYTES + 1))
    text = item.attrs[name]
    if isinstance(text, bytes):
        text = _bounded(text).decode(errors="replace")
    if not isinstance(text, str):
        raise invalid(f"its attribute {name} is not text")
    _bounded(text.encode(errors="replace"))
    return text


# -- SavedModel ---------------------------------------------------------------------------------


def _from_saved_model(folder: Path) -> tuple[Any, str | None]:
    """The config of the root, which contains the layers."""
    file = folder / METADATA
    if not file.is_file():
        if (folder / "saved_model.pb").is_file():
            raise invalid(f"is a SavedModel without {METADATA}: save the model as .keras, whose config can be read")
        raise invalid(f"is a folder without {METADATA}: it is not a SavedModel of Keras")
    with file.open("rb") as stream:
        data = _bounded(stream.read(_MOST_BYTES + 1))
    for number, node in _fields(data):
        if number == _NODE and isinstance(node, bytes):
            fields = dict(_fields(node))
            if fields.get(_PATH) == b"root" and isinstance(metadata := fields.get(_METADATA), bytes):
                whole = _parsed(metadata)
                if not isinstance(whole, Mapping) or "config" not in whole:
                    raise invalid("has a model of a custom class, which has no config")
                # The other keys say how TensorFlow calls the model.
                config = {key: whole[key] for key in ("class_name", "config") if key in whole}
                return config, _version(whole) or "2"
    raise invalid(f"its {METADATA} has no model in it")


# Field numbers: ``SavedMetadata.nodes``, and the path and the metadata of a node.
_NODE, _PATH, _METADATA = 1, 3, 5
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message of protocol buffers, each with its number (protobuf.dev/programming-guides/encoding)."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise invalid(f"its {METADATA} is damaged")
        if at + size > len(data):
            raise invalid(f"its {METADATA} is damaged: it ends too early")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise invalid(f"its {METADATA} is damaged")
