"""observe: what the real layer returns, as plain data.

The layer is always called, because ``compute_output_shape`` and symbolic calls are wrong for stacked cells and for a
Bidirectional with two different directions.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Refused, RnnshapeError, Unavailable, foreseen
from rnnshape.lab.blame import is_keras, reason, whole_tracebacks
from rnnshape.lab.build import Stack, Wired, build, like, made
from rnnshape.lab.execution import run
from rnnshape.lab.feed import beside, feed, handed, states
from rnnshape.lab.further import further_calls, other_batch
from rnnshape.lab.kernel import noticing_cudnn, traced_or_none
from rnnshape.lab.loading import called
from rnnshape.lab.masked import mask_on, witness
from rnnshape.lab.own import KIND, running
from rnnshape.lab.seeds import seeded
from rnnshape.lab.tensorflow import gpus, held_back, keras, load, place, tf32
from rnnshape.layers.base import Given
from rnnshape.layers.imported import modules_of
from rnnshape.layers.kinds import article
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.wiring import wire
from rnnshape.spec.calls import random, stateful
from rnnshape.structure import Structure, Tensor, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

    from rnnshape.layers.node import Node
    from rnnshape.spec import Spec


@dataclass(frozen=True, slots=True)
class Observation:
    """What the real layer returned, without tensors and layers.

    * ``returned``: the structure, with unknown roles and letters; ``values``: the arrays of its tensors in order.
    * ``weights``: the shapes of the layer's weights in Keras' order.
    * ``twin``: the arrays of the fused layer with the same weights and input, if there is one.
    * ``execution``: how the layer was run; ``gpu``: whether Keras saw a GPU.
    * ``tf32``: whether products were in TF32; None if the device is not a GPU.
    * ``traced``: the kernel of each recurrent layer in the traced graph; None if not traced.
    * ``cudnn_used``: whether cuDNN's operation ran.
    * ``flow``: what each layer of a stack, or call of a graph, returned; ``into``: what the second layer returned.
    * ``warnings``: the warnings of Keras.
    * ``output_mask``: the mask attached to the output; ``witness``: see ``lab.masked.witness``.
    * ``begun``: the passed states, by role; ``calls``: the results of the further calls, by name.
    * ``other_batch``: the error of a stateful layer with another batch size.
    * ``inner``: the arrays of each call of a graph, in order.
    * ``apart``: the largest difference between the results of a saved model and those of its layers called one by one;
      None if the model was not called.
    """

    returned: Structure
    values: tuple[np.ndarray[Any, Any], ...]
    weights: tuple[tuple[int, ...], ...]
    device: str
    execution: str
    gpu: bool
    tf32: bool | None
    versions: dict[str, str]
    output_mask: tuple[tuple[bool, ...], ...] | None
    begun: dict[str, np.ndarray[Any, Any]]
    warnings: tuple[str, ...] = ()
    twin: tuple[np.ndarray[Any, Any], ...] | None = None
    traced: tuple[str, ...] | None = None
    cudnn_used: bool = False
    flow: tuple[Structure, ...] = ()
    into: Structure | None = None
    witness: tuple[np.ndarray[Any, Any], ...] | None = None
    calls: dict[str, tuple[np.ndarray[Any, Any], ...]] = field(default_factory=dict)
    other_batch: str | None = None
    inner: tuple[tuple[np.ndarray[Any, Any], ...], ...] = ()
    apart: float | None = None


# A run changes the seed, the list of warnings and file descriptor 2, which the whole process shares; a worker of a
# cluster may have several runs at a time, each in its own thread.
one_at_a_time = threading.Lock()


def observe(spec: Spec, *, trace: bool = False) -> Observation:
    """Build the real layer, feed it random input and keep what it returned as plain data.

    With ``trace``, or if there is a GPU, the kernel of each layer is read from a graph, which takes longer than the
    call.

    The input is uniform in [0, 1); a cell gets one step, and random states in the containers of its own
    ``get_initial_state``.

    Raises:
        Refused: Keras rejects the layer or the call; the message is that of Keras.
        Unavailable: no GPU although one is required, not enough memory, no TensorFlow.
    """
    with one_at_a_time:
        tensorflow = load()
        device = place(spec)
        tidy()
        with held_back(), tensorflow.device(device), explained(tensorflow), running(modules_in(spec)):
            execution = spec.faster
            try:
                return _observed(spec, device, execution, trace=trace)
            except Exception as error:
                # A graph is stricter than Python, for example about dtypes in a loop.  Only eager decides.
                if spec.execution != "auto" or execution == "eager" or not is_keras(error):
                    raise
                return _observed(spec, device, "eager", trace=trace)


def _observed(spec: Spec, device: str, execution: str, *, trace: bool) -> Observation:
    gpu = bool(gpus())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with seeded(spec.seed):
            layer, model = made(spec)
            inputs = feed(spec, layer)
            with noticing_cudnn() if gpu else nullcontext(bool) as cudnn_used:
                result = run(execution, handed(spec, layer), *inputs)
        further = further_calls(spec, layer, inputs, execution)
    flow: tuple[Any, ...] = ()
    apart: float | None = None
    if isinstance(layer, Stack):
        flow, result = tuple(result), layer.result(result, inputs)
    whole = None if model is None else _of_model(spec, model, inputs)
    if whole is not None:
        apart, result = _apart(whole, result), whole
    if isinstance(layer, Wired):
        further |= layer.stepped(inputs, flow)
    # With dropout, each would draw its own masks.
    twin = None if random(spec) else spec.layer.cls.twin(spec.layer)
    return replace(
        seen_of(spec, layer, result, device, execution),
        twin=None if twin is None else _arrays(run(execution, handed(spec, like(twin, layer, inputs[0])), *inputs)),
        traced=traced_or_none(layer, handed(spec, layer), *inputs) if (trace or gpu) and asked() >= KERAS_3 else None,
        cudnn_used=cudnn_used(),
        into=None if spec.into is None else describe(_begun(spec.into, spec, execution, inputs[0], result), bare),
        flow=tuple(describe(returned, bare) for returned in flow),
        warnings=warned(said),
        witness=witness(spec, layer, inputs[0] if len(flow) < 2 else flow[-2], execution),
        calls={name: _arrays(value) for name, value in further.items()},
        inner=tuple(map(_arrays, flow)) if isinstance(layer, Wired) else (),
        other_batch=other_batch(spec, layer, inputs),
        apart=apart,
    )


def seen_of(spec: Spec, layer: Any, result: Any, device: str, execution: str) -> Observation:
    """What every way of running a layer shows: its result, its weights, and where it ran.

    Raises:
        RnnshapeError: a custom class returns no tensor.
    """
    returned, values = describe(result, bare), _arrays(result)
    if not values:
        raise RnnshapeError(f"the call returns {result!r}, and no tensor", kind=KIND)
    return Observation(
        returned=returned,
        values=values,
        weights=tuple(tuple(weight.shape) for weight in layer.weights),
        device=device,
        execution=execution,
        gpu=bool(gpus()),
        tf32=tf32(device),
        versions={"tensorflow": load().__version__, "keras": keras().__version__},
        output_mask=mask_on(result),
        begun={role: tensor.numpy() for role, tensor in states(spec).items()},
    )


def modules_in(spec: Spec) -> tuple[str, ...]:
    """The modules of the user's own classes in the layer, or in its saved model."""
    return modules_of(spec.layer) or (spec.saved.modules if spec.saved is not None else ())


def _of_model(spec: Spec, model: Any, inputs: tuple[Any, ...]) -> Any:
    """The result of the saved model itself; None where it cannot be called like its layers.

    The call of a model has no states, kept or passed, and no mask.
    """
    if beside(spec) or spec.calls > 1 or spec.masked_data or stateful(spec.layer):
        return None
    graph = spec.layer["graph"] if spec.layer.cls.kind == "graph" else None
    names = [""] if graph is None else [entry.name for entry in graph.entries]
    in_model = dict(spec.saved.inputs) if spec.saved is not None else {}
    return called(model, dict(zip([in_model.get(name, name) for name in names], inputs, strict=True)))


def _apart(whole: Any, result: Any) -> float:
    """The largest difference between the results of the model and those of its layers called one by one."""
    import numpy as np

    pairs = [*zip(_arrays(whole), _arrays(result), strict=False)]
    same = [(left, right) for left, right in pairs if left.shape == right.shape and left.size]
    return max(
        (float(np.max(np.abs(left.astype("float64") - right.astype("float64")))) for left, right in same), default=0.0
    )


def warned(said: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    """The warnings of Keras, each once and in one line."""
    texts = (" ".join(str(one.message).split()) for one in said if issubclass(one.category, UserWarning))
    return tuple(dict.fromkeys(texts))


# TensorFlow keeps a kernel for every operation on every variable it ever had, about 140 KB for each layer.  With this
# number, memory grows by about 15 MB between two clearings, and making the common kernels again costs little.
_LAYERS_BETWEEN_CLEARINGS = 100
_looked = count(1)


def tidy() -> None:
    """Clear the caches of Keras and TensorFlow after every hundred layers, to bound the memory."""
    if next(_looked) % _LAYERS_BETWEEN_CLEARINGS == 0:
        # Collecting garbage would take longer than a layer, and frees no more memory here.
        clear = keras().backend.clear_session
        clear() if asked() < KERAS_3 else clear(free_memory=False)


def _begun(node: Node, spec: Spec, execution: str, x: Any, result: Any) -> Any:
    """The result of the second layer, started from the states of the first."""
    tensorflow = load()
    states = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype)).states
    roles = [leaf.role for leaf in tensorflow.nest.flatten(list(states))]
    by_role = dict(zip(roles, tensorflow.nest.flatten(result)[-len(roles) :], strict=True))

    def put(plan: Any) -> Any:
        if isinstance(plan, list):
            return [put(part) for part in plan]
        return tensorflow.concat([by_role[role] for role in plan], axis=-1)

    states = put(wire(spec.layer, node, spec.dims).plan)
    layer = build(node)
    return run(execution, lambda sequence, begin: layer(sequence, initial_state=begin), x, states)


def bare(value: Any, path: str) -> Tensor:
    """A tensor as it was returned.

    Raises:
        RnnshapeError: a custom class returns something else.
    """
    import numpy as np

    tensorflow = load()
    if not isinstance(value, tensorflow.Tensor | tensorflow.Variable | np.ndarray):
        what = "None" if value is None else article(type(value).__name__)
        raise RnnshapeError(
            f"the call returns {what} as y{path}", "only tensors, and tuples and lists of them, are shown", kind=KIND
        )
    shape = tuple(value.shape)
    # An array of NumPy 1, which Model.predict returns, has no device.
    device = getattr(value, "device", "").rpartition("device:")[2] or None
    return Tensor("unknown", path, shape, tuple(map(str, shape)), value.dtype.name, device)


def _arrays(result: Any) -> tuple[np.ndarray[Any, Any], ...]:
    import numpy as np

    return tuple(np.asarray(tensor) for tensor in load().nest.flatten(result))  # Model.predict returns arrays


@contextmanager
def explained(tensorflow: Any) -> Iterator[None]:
    """Turn an exception of Keras or TensorFlow into one clear error with its message.

    An exception of the lab itself is a bug of rnnshape (``Internal``); ``blame.is_keras`` decides which it is.
    """
    try:
        with whole_tracebacks():
            yield
    except RnnshapeError:
        raise
    except (MemoryError, tensorflow.errors.ResourceExhaustedError) as error:
        raise Unavailable(
            f"not enough memory: {reason(error)}", "make the layer or its input smaller", kind="memory"
        ) from error
    except Exception as error:
        if not is_keras(error):
            raise foreseen(error) from error
        raise Refused(f"{type(error).__name__}: {reason(error)}") from error
