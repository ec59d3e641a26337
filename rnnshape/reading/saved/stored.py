"""Reads the names and shapes of the weights in the file of a saved model, by layer; no values are read.

Keras 3 stores each weight under the groups of its layer (``layers/lstm/cell/vars/0``), also in the ``model.weights.h5``
of a ``.keras`` file; the older HDF5 has a group for each layer of the model, by name, with ``weight_names`` in order.
Links out of the file are not followed.
"""

from __future__ import annotations

import re
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.reading.files import HDF5, JSON
from rnnshape.reading.saved.model_file import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.reading.saved.model_layers import Placed
    from rnnshape.spec.saved import Shape

    Found = dict[tuple[str, ...], Shape]

_MOST_ARRAYS = 100_000
_MOST_NAMES = 16_000_000
_MEMBER = "model.weights.h5"
# Names of groups that are not weights of layers.
_OTHERS = ("optimizer", "seed_generator", "random_generator", "top_level_model_weights")
_LEGACY = "model_weights"


def has_weights(path: str) -> bool:
    """Whether weights can be read from this file; JSON has none, and those of a SavedModel are not read."""
    return not path.lower().endswith(JSON) and not Path(path).is_dir()


def of_layers(
    path: str, layers: Sequence[Placed]
) -> tuple[list[tuple[tuple[str, Shape], ...] | None], tuple[tuple[str, Shape], ...]]:
    """The weights of each layer (None where the file does not say), and the weights of no layer.

    Raises:
        Invalid: the file is damaged, or not a file of weights.
    """
    with opened(path) as file:
        legacy = within(file, _LEGACY)
        every = arrays(file if legacy is None else legacy)
        if legacy is None:
            found: list[Found | None] = [
                {place: shape for place, shape in every.items() if place[: len(layer.groups)] == layer.groups}
                for layer in layers
            ]
        else:
            found = _by_names(legacy, every, layers)
    if not any(found):
        found = [None for _ in layers]
    taken = {place for one in found if one for place in one}
    others = {place: shape for place, shape in every.items() if place not in taken}
    return [None if one is None else named(one) for one in found], named(others)


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open the file of weights, or the one in an archive.

    Raises:
        Invalid: there is no such file, or it is compressed in the archive.
    """
    import h5py

    if not Path(path).is_file():
        raise invalid("there is no such file")
    if path.lower().endswith(HDF5):
        with h5py.File(path, "r") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        if _MEMBER not in archive.namelist():
            raise invalid(f"has no {_MEMBER}: it is not a model that Keras saved")
        if archive.getinfo(_MEMBER).compress_type != zipfile.ZIP_STORED:  # this may be a zip bomb
            raise invalid(f"{_MEMBER} is compressed in the archive, which Keras never does")
        with archive.open(_MEMBER) as stream, h5py.File(stream, "r") as file:
            yield file


def within(group: Any, name: str) -> Any:
    """The group of this name; None if there is none, or if it is a link."""
    import h5py

    there = group.get(name, getclass=True, getlink=True) is h5py.HardLink
    return group[name] if there and isinstance(group[name], h5py.Group) else None


def arrays(group: Any) -> Found:
    """The path and the shape of every array in a group, in Keras' order.

    Raises:
        Invalid: there are too many, or one of them is not numeric or is stored in another file.
    """
    import h5py

    found: Found = {}

    def visit(name: str, item: Any) -> bool | None:
        if not isinstance(item, h5py.Dataset):
            return None
        path = tuple(name.split("/"))
        if any(part.startswith(_OTHERS) for part in path):
            return None
        # A dtype that NumPy does not have, such as bfloat16, is stored as raw bytes.
        if item.dtype.kind not in "biufcV" or item.shape is None:
            raise invalid(f"{name} contains {item.dtype}, not numbers: this is not a file of weights")
        if item.external or item.is_virtual:
            raise invalid(f"{name} is stored in another file, which is not read")
        found[path] = tuple(item.shape)
        return True if len(found) > _MOST_ARRAYS else None

    if group.visititems(visit):
        raise invalid(f"has more than {_MOST_ARRAYS:,} arrays")
    return dict(sorted(found.items(), key=lambda pair: [_rank(part) for part in pair[0]]))


def _rank(part: str) -> tuple[int, list[tuple[int, str]]]:
    """The sort key of a path's part: ``vars/2`` before ``vars/10``, forward before backward."""
    numbers = [(int(one), "") if one.isdigit() else (-1, one) for one in re.split(r"(\d+)", part)[:20] if one]
    return part.startswith("backward"), [(min(number, 10**9), text) for number, text in numbers]


def _by_names(group: Any, every: Found, layers: Sequence[Placed]) -> list[Found | None]:
    """The weights of each layer, by the names that the older HDF5 lists for each layer of the model."""
    by_name = {name: listed(group, every, name) for name in {layer.names[0] for layer in layers}}
    found: list[Found | None] = []
    for layer in layers:
        mine = by_name[layer.names[0]]
        if mine is not None and len(layer.names) > 1:
            # In a nested model, the weights are unknown unless their names contain the layer's name.
            mine = {place: shape for place, shape in mine.items() if layer.names[-1] in place[1:]} or None
        found.append(mine)
    return found


def listed(group: Any, every: Found, name: str) -> Found | None:
    """The weights of one layer of the model, in the listed order."""
    layer = within(group, name)
    if layer is None:
        return None
    found: Found = {}
    for text in texts(layer, "weight_names"):
        place = (name, *filter(None, text.split("/")))
        if any(part.startswith(_OTHERS) for part in place):
            continue
        if place not in every:
            raise invalid(f"{name} lists the weight {text}, which is missing")
        found[place] = every[place]
    return found


def texts(group: Any, attribute: str) -> Iterator[str]:
    """The names in an attribute of a group, in order; a long list is stored in several parts.

    Raises:
        Invalid: they are too large.
    """
    for key in (attribute, *(f"{attribute}{number}" for number in range(len(group.attrs)))):
        if key not in group.attrs or not group.attrs.get_id(key).shape[0]:
            continue
        if group.attrs.get_id(key).get_storage_size() > _MOST_NAMES:
            raise invalid(f"the {attribute} of {group.name} are larger than {_MOST_NAMES // 1_000_000} MB")
        for one in group.attrs[key]:
            yield one.decode(errors="replace") if isinstance(one, bytes) else str(one)


def named(found: Found) -> tuple[tuple[str, Shape], ...]:
    """The weights with their names in the file."""
    return tuple([("/".join(place), shape) for place, shape in found.items()])
