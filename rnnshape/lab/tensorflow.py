"""TensorFlow as a quiet guest: imported once, its chatter held back, nothing real hidden.

TensorFlow writes to file descriptor 2 while it is imported and again at the first look for devices,
before any level variable is read, and its kernels write there when they run.  All of it happens with
the descriptor turned to a temporary file, which is replayed when the user asks for it (``--verbose``).
Its Python side logs whenever it likes, when garbage is collected or at exit: those loggers are ours from
the import on, unless TensorFlow was there before us.
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
from typing import IO, TYPE_CHECKING, Any

from rnnshape.errors import Unavailable
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.versions import legacy, tf_keras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec import Spec

# What was said, the latest last; bounded, for a batch may run for days.
_MOST_KEPT = 100_000
_said: deque[bytes] = deque(maxlen=100)


@cache
def load() -> Any:
    """The ``tensorflow`` module, with Keras on its TensorFlow backend and devices looked up.

    Raises:
        Unavailable: TensorFlow is missing or broken, or ``tf.keras`` is asked to be Keras 2 and tf_keras is missing.
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
        with held_back(), _without_collecting():
            import tensorflow

            tensorflow.keras.layers  # noqa: B018  the lazy loader imports Keras here
            _prepare_devices(tensorflow)
    except MemoryError:
        raise
    except Exception as error:  # what is broken raises what it likes, an AttributeError of NumPy's say
        if getattr(error, "name", None) == "tensorflow":
            raise Unavailable("TensorFlow is not installed", "pip install tensorflow", kind="tensorflow") from error
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise Unavailable(f"TensorFlow cannot be imported: {said}", kind="tensorflow") from error
    if ours:
        _listen()
        # What an import made stays for good; the collector need not walk over it for every layer.  Where
        # TensorFlow was there before, in a notebook, garbage of the user's might be frozen with it.
        gc.freeze()
    return tensorflow


def keras() -> Any:
    """The Keras that is asked about: ``tf.keras``, or the other one of Keras 3 and tf_keras, which go in one process.

    Raises:
        Unavailable: as ``load``; it is not installed.
    """
    tensorflow = load()
    if asked() >= KERAS_3 and not legacy():
        return tensorflow.keras
    with held_back(), _without_collecting():
        return import_module("tf_keras" if asked() < KERAS_3 else "keras")


class _Kept(logging.Handler):
    """Where a log record becomes a line of what TensorFlow said."""

    def emit(self, record: logging.LogRecord) -> None:
        _said.append(f"{self.format(record)}\n".encode())


def _listen() -> None:
    """Take what TensorFlow and Keras log in Python: a graph that is traced again, an object that was never used."""
    for name in ("tensorflow", "absl"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [_Kept()]
        logger.propagate = False


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """No garbage collection meanwhile: an import makes a million objects and none of them is garbage.

    The collector would look at them again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _prepare_devices(tensorflow: Any) -> None:
    """Look for devices once; a look at a layer must not take the whole card."""
    for gpu in tensorflow.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # initialised already, by the notebook that we run in
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    tensorflow.config.list_logical_devices()


@cache
def _chatter() -> IO[bytes]:
    """The file that takes what TensorFlow says; one for all, for making one costs as much as theory does."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process is
    atexit.register(file.close)
    return file


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Turn file descriptor 2 to a temporary file and remember what was written to it."""
    try:
        original = os.dup(2)
    except OSError:  # no standard error at all: nothing to hold back
        yield
        return
    # A crash inside must still be seen: the handler writes to the true descriptor.
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
    """Write what TensorFlow said to standard error, once."""
    while _said:
        sys.stderr.flush()
        os.write(2, _said.popleft())


def gpus() -> list[str]:
    """The names of the GPUs that TensorFlow sees, such as ``"GPU:0"``."""
    return [device.name.removeprefix("/device:") for device in load().config.list_logical_devices("GPU")]


def tf32(device: str) -> bool | None:
    """Whether products of float32 are rounded to TensorFloat-32 there, or None where there is no such thing."""
    return load().config.experimental.tensor_float_32_execution_enabled() if device.startswith("GPU") else None


def place(spec: Spec) -> str:
    """Where a layer runs: ``"CPU:0"`` or ``"GPU:0"``, for ``device`` auto, cpu or gpu.

    Raises:
        Unavailable: the device or ``use_cudnn=True`` demands a GPU, and TensorFlow sees none.
    """
    found, device = gpus(), spec.device
    insists = any(node.has("use_cudnn") and node["use_cudnn"] is True for node in spec.layer.walk())
    if not found and (device == "gpu" or insists):
        raise Unavailable(
            f"{'device gpu' if device == 'gpu' else 'use_cudnn=True'}: TensorFlow sees no GPU here",
            'install the GPU build (pip install "rnnshape[gpu]") and check nvidia-smi, '
            f"or use {'--device cpu' if device == 'gpu' else 'use_cudnn=auto'}",
            kind="device",
        )
    return "CPU:0" if device == "cpu" or not found else found[0]
