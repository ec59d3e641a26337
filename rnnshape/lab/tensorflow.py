"""Imports TensorFlow once, and holds its messages back until ``--verbose`` shows them.

TensorFlow writes to file descriptor 2 during its import and when it first looks for devices, before it reads the
variables for the log level; its kernels write there when they run.  Meanwhile, the descriptor points to a temporary
file, which is replayed with ``--verbose``.  Its Python code may log at any time, such as at garbage collection or at
exit: we replace the handlers of its loggers after the import, unless TensorFlow was imported before.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import logging
import os
import sys
import tempfile
from collections import deque
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from typing import IO, TYPE_CHECKING, Any

from rnnshape.errors import Unavailable
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.versions import legacy, tf_keras

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from rnnshape.spec import Spec

# The messages, the latest last; limited because a batch may run for days.
_MOST_KEPT = 100_000
_said: deque[bytes] = deque(maxlen=100)


@cache
def load() -> Any:
    """The ``tensorflow`` module, with Keras on the TensorFlow backend and the devices looked up.

    Raises:
        Unavailable: TensorFlow is missing or broken, or ``tf.keras`` is set to Keras 2 and tf_keras is missing.
    """
    if legacy() and tf_keras() is None:
        raise Unavailable(
            "TF_USE_LEGACY_KERAS makes tf.keras Keras 2, and tf_keras is not installed",
            'pip install "rnnshape[legacy]", or unset TF_USE_LEGACY_KERAS',
            kind="tensorflow",
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    ours = "tensorflow" not in sys.modules
    try:
        with held_back(), _without_collecting(), _some_at_first_use():
            import tensorflow

            tensorflow.keras.layers  # noqa: B018  the lazy loader imports Keras here
            _prepare_devices(tensorflow)
    except MemoryError:
        raise
    except Exception as error:  # a broken package may raise anything, such as an AttributeError of NumPy
        if getattr(error, "name", None) == "tensorflow":
            raise Unavailable("TensorFlow is not installed", "pip install tensorflow", kind="tensorflow") from error
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise Unavailable(f"TensorFlow cannot be imported: {said}", kind="tensorflow") from error
    if ours:
        _listen()
        # The objects of an import are never freed, so the collector need not visit them for every layer.  If TensorFlow
        # was imported before, in a notebook, this could freeze garbage of the user too.
        gc.freeze()
    return tensorflow


def keras() -> Any:
    """The Keras that the answer is for: ``tf.keras``, or the other one of Keras 3 and tf_keras in this process.

    Raises:
        Unavailable: as ``load``; it is not installed.
    """
    tensorflow = load()
    if asked() >= KERAS_3 and not legacy():
        return tensorflow.keras
    with held_back(), _without_collecting():
        return import_module("tf_keras" if asked() < KERAS_3 else "keras")


class _Kept(logging.Handler):
    """Keeps log records with the other messages of TensorFlow."""

    def emit(self, record: logging.LogRecord) -> None:
        _said.append(f"{self.format(record)}\n".encode())


def _listen() -> None:
    """Keep what TensorFlow and Keras log in Python, such as a retraced graph or an unused object."""
    for name in ("tensorflow", "absl"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [_Kept()]
        logger.propagate = False


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Turn off garbage collection: an import makes a million objects, none of them garbage.

    The collector would visit them again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# Slow to load: TensorFlow 1, and Lite.  Keras 3 uses neither.
_LATER = ("tensorflow._api.v2.compat", "tensorflow._api.v2.lite")


class _Lazy(MetaPathFinder):
    """Finds the modules ``_LATER``, and lets each run at the first use of one of its names."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in _LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def _some_at_first_use() -> Iterator[None]:
    """Load ``tf.compat`` and ``tf.lite`` at their first use."""
    finder = _Lazy()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _prepare_devices(tensorflow: Any) -> None:
    """Look for devices; let TensorFlow take GPU memory only as needed, not all of it."""
    for gpu in tensorflow.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # already initialised, by a notebook
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    tensorflow.config.list_logical_devices()


@cache
def _chatter() -> IO[bytes]:
    """The file for the messages of TensorFlow; only one, because creating it takes as long as a prediction."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  open until the process ends
    atexit.register(file.close)
    return file


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Redirect file descriptor 2 to a temporary file and keep what is written to it."""
    try:
        original = os.dup(2)
    except OSError:  # no standard error: nothing to hold back
        yield
        return
    # A crash must still be visible, so the fault handler writes to the original descriptor.
    if not faulthandler.is_enabled():
        faulthandler.enable(file=os.fdopen(os.dup(original), "w"))
    if sys.stderr is not None:
        sys.stderr.flush()
    chatter = _chatter()
    os.dup2(chatter.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        chatter.seek(0)
        _said.append(chatter.read(_MOST_KEPT))
        chatter.seek(0)
        chatter.truncate()


def replay() -> None:
    """Write the messages of TensorFlow to standard error, and forget them."""
    while _said:
        sys.stderr.flush()
        os.write(2, _said.popleft())


def gpus() -> list[str]:
    """The names of the GPUs that TensorFlow sees, such as ``"GPU:0"``."""
    return [device.name.removeprefix("/device:") for device in load().config.list_logical_devices("GPU")]


def tf32(device: str) -> bool | None:
    """Whether float32 products use TensorFloat-32 on this device; None if it is not a GPU."""
    return load().config.experimental.tensor_float_32_execution_enabled() if device.startswith("GPU") else None


def place(spec: Spec) -> str:
    """Where a layer runs: ``"CPU:0"`` or ``"GPU:0"``, for ``device`` auto, cpu or gpu.

    Raises:
        Unavailable: the device or ``use_cudnn=True`` requires a GPU, and TensorFlow sees none.
    """
    found, device = gpus(), spec.device
    insists = any(node.has("use_cudnn") and node["use_cudnn"] is True for node in spec.layer.walk())
    if not found and (device == "gpu" or insists):
        raise Unavailable(
            f"{'device gpu' if device == 'gpu' else 'use_cudnn=True'}: TensorFlow sees no GPU here",
            'install the GPU build (pip install "rnnshape[gpu]") and check nvidia-smi, '
            f"or {'use --device cpu' if device == 'gpu' else 'drop use_cudnn=True'}",
            kind="device",
        )
    return "CPU:0" if device == "cpu" or not found else found[0]
