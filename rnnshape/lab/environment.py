"""The installed versions and the devices, for ``rnnshape env``."""

from __future__ import annotations

import platform
from typing import Any

from rnnshape.lab.tensorflow import held_back, keras, load
from rnnshape.version import __version__


def environment() -> dict[str, Any]:
    """Python, TensorFlow, Keras, the devices, and whether cuDNN can be used, as plain data.

    ``cudnn`` is the version that this TensorFlow was built with, None for a CPU build; ``cudnn_usable`` is whether
    Keras can choose it here.

    Raises:
        Unavailable: TensorFlow is missing or broken.
    """
    tensorflow = load()
    with held_back():
        build = tensorflow.sysconfig.get_build_info()
        devices = [_device(tensorflow, device) for device in tensorflow.config.list_physical_devices()]
    gpu = any(device["type"] == "GPU" for device in devices)
    return {
        "rnnshape": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "tensorflow": tensorflow.__version__,
        "keras": keras().__version__,
        "devices": devices,
        "gpu": gpu,
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
        "cudnn_usable": gpu and bool(build.get("is_cuda_build")),
    }


def _device(tensorflow: Any, device: Any) -> dict[str, Any]:
    details = tensorflow.config.experimental.get_device_details(device) if device.device_type == "GPU" else {}
    name = device.name.removeprefix("/physical_device:")
    return {"name": name, "type": device.device_type, "model": details.get("device_name")}
