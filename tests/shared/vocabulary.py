"""Draws valid and invalid layers, and checks that rnnshape and Keras both reject them, or both run them.

``python -m tests.shared.vocabulary 5000 --seed 1`` draws 5,000 and prints every disagreement as a run to paste.
``STRICTER`` lists what rnnshape rejects on purpose although Keras accepts it.
"""

from __future__ import annotations

import argparse
import json
import random
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import rnnshape
from rnnshape.layers import TABLE, catalog
from rnnshape.layers import arguments as arg
from rnnshape.layers.arguments import REQUIRED, Argument, Kind
from rnnshape.layers.objects import Function, Made
from rnnshape.layers.release import NEWEST, asked
from rnnshape.reading import make
from tests.shared.drawing import wrong
from tests.shared.releases import offered
from tests.shared.surroundings import FREE, PICTURES, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells")
CONVOLUTIONS = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", *CONVOLUTIONS)
AROUND = ("Masking", "Embedding", "Dense", "Dropout", *PICTURES, *STEPS, *FREE)
SEEDED = ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D")
CLASSES = tuple(name for name in TABLE if name != "Sequential")


@dataclass
class Draft:
    """An unchecked constructor call: a class and its arguments by keyword."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"{self.name}({', '.join(f'{name}={_text(value)}' for name, value in self.values.items())})"

    def walk(self) -> Iterator[Draft]:
        yield self
        for value in self.values.values():
            for inner in value if isinstance(value, list) else (value,):
                if isinstance(inner, Draft):
                    yield from inner.walk()

    def faults(self) -> list[tuple[Draft, str, Any]]:
        """The arguments whose values rnnshape rejects."""
        found = []
        for part in self.walk():
            known = TABLE[part.name].by_name
            for name, value in part.values.items():
                nested = isinstance(value, Draft | list)
                if name not in known or (not nested and not known[name].kind.accepts(value)):
                    found.append((part, name, value))
        return found


def _text(value: Any) -> str:
    if isinstance(value, Draft):
        return value.text
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else repr(value).replace("inf", "1e999")


# -- rejected on purpose, although Keras accepts it -----------------------------------------------------------------


def _no_flag(part: Draft, argument: Argument, value: Any) -> bool:
    return isinstance(argument.kind, arg.Flag) and not isinstance(value, bool)


def _boolean(part: Draft, argument: Argument, value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, tuple) and any(isinstance(one, bool) for one in value))


def _fraction(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name in ("dropout", "recurrent_dropout") and isinstance(value, int | float)


def _choice(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name in ("implementation", "use_cudnn")


def _base_class(part: Draft, argument: Argument, value: Any) -> bool:
    return value in ("Regularizer", "regularizer")


def _ignored(part: Draft, argument: Argument, value: Any) -> bool:
    unused = {
        "SimpleRNN": ("activity_regularizer",),
        "Bidirectional": ("weights",),
        "Dense": ("lora_alpha",),
        "Embedding": ("lora_alpha",),
        "Conv1D": ("lora_alpha",),
        "Conv2D": ("lora_alpha",),
        "AlphaDropout": ("noise_shape",),
        "BatchNormalization": () if part.values.get("renorm") else ("renorm_clipping", "renorm_momentum"),
    }
    if part.name in SEEDED and argument.name == "seed":
        return part.values.get("rate", part.values.get("stddev")) in (0, 0.0)
    return argument.name in unused.get(part.name, ())


def _converted(part: Draft, argument: Argument, value: Any) -> bool:
    return part.name == "BatchNormalization" and argument.name in ("axis", "momentum", "epsilon")


def _unchecked(part: Draft, argument: Argument, value: Any) -> bool:
    return part.name == "AlphaDropout" and argument.name == "rate"


def _rounded(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name == "target_shape" and isinstance(value, tuple) and any(isinstance(one, float) for one in value)


def _empty(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name in ("target_shape", "dims", "axis") and value == ()


def _checked_later(part: Draft, argument: Argument, value: Any) -> bool:
    return asked()[:2] < NEWEST


def _integral(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name == "dtype"


def _infinite(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name == "mask_value" and isinstance(value, float) and abs(value) == float("inf")


def _listed(part: Draft, argument: Argument, value: Any) -> bool:
    return isinstance(argument.kind, arg.Number | arg.Maybe) and isinstance(value, tuple)


def _surrogate(part: Draft, argument: Argument, value: Any) -> bool:
    return argument.name == "name" and value == "\ud800"


STRICTER = {
    _no_flag: "Keras takes anything for a flag: return_sequences='no' is true",
    _boolean: "True is no whole number, though Python counts it as 1",
    _fraction: "Keras cuts a dropout off at 0 and 1 without a word",
    _choice: "Keras never checks implementation and use_cudnn: 3 does what 2 does, 'no' what False does not",
    _base_class: "the base class of the regularizers regularizes nothing, and fails within Bidirectional",
    _ignored: "what Keras never looks at, it does not check either",
    _integral: "of the dtypes that rnnshape supports, those in which a recurrent layer can be trained",
    _infinite: "no padding is infinite",
    _listed: "a number is one number, though Keras computes with a list too",
    _converted: "BatchNormalization makes numbers of what it gets: axis=2.5 is 2, momentum='0.5' is 0.5",
    _unchecked: "the AlphaDropout of tf.keras is an older class than that of keras, and looks at no rate",
    _rounded: "Reshape takes any fraction for -1",
    _empty: "no axes at all leave nothing to compute",
    _checked_later: "each release of Keras checks more values; rnnshape rejects in all of them what the newest rejects",
    _surrogate: "a name that is no text cannot be written out",
}
COMBINATIONS = {
    **dict.fromkeys(
        ("activation", "recurrent_activation"),
        "glu runs for one step of a SimpleRNN, and fails in the second; an activation layer of another dtype runs in some",
    ),
    "autocast": "autocast=False is taken where it changes no dtype: theory does not follow it further",
    "cells": "a stack of no cells computes nothing, and RNN does not take it",
    **({} if asked()[:2] == NEWEST else {"the kernel is larger": "Keras 3.8 to 3.12 returns the input as it is"}),
    "the pool is larger": "TensorFlow returns a tensor without numbers, raises, or ends the process",
}


def deliberate(faults: list[tuple[Draft, str, Any]]) -> bool:
    """Whether all rejected arguments are rejected on purpose."""
    for part, name, value in faults:
        argument = TABLE[part.name].by_name.get(name)
        if argument is None or not any(rule(part, argument, value) for rule in STRICTER):
            return False
    return bool(faults)


# -- values of arguments -----------------------------------------------------------------------------------------


def good(kind: Kind) -> tuple[Any, ...]:
    """All values of a kind with few values, and some of a kind with many."""
    match kind:
        case arg.Maybe(of=inner):
            return (*good(inner), None)
        case arg.Named(of=names, values=values):
            return (*values, *objects(names.what))
        case arg.OneOf(values=values):
            return values
        case arg.Whole(least=least):
            return tuple(dict.fromkeys((max(least, 0), 1, 2, 3)))
        case arg.Sizes(rank=rank):
            return 1, 2, (1,) * rank, (2,) + (1,) * (rank - 1)
    return _GOOD[type(kind)]


def objects(what: str) -> tuple[Made | Function, ...]:
    """An object of each class of Keras with other arguments than the defaults, and functions that are not names."""
    made = []
    for cls in (known for known in catalog.CLASSES if known.what == what):
        others = {
            argument.name: [value for value in good(argument.kind) if value != argument.default]
            for argument in offered(cls.arguments)
            if argument.name != "dtype"
        }
        made.append(Made(what, cls.name, tuple((name, values[0]) for name, values in others.items() if values)))
    return (*made, *(_FUNCTIONS if what == "activation" else ()))


class Text(str):
    """The value as Python source."""

    __slots__ = ()
    __repr__ = str.__str__


_FUNCTIONS = (Function("tf.nn.softmax", "softmax"), Function("my_act", "tanh"), Function("lambda x: x", "tanh"))
# Values that both reject, with any other arguments.
_HALF_FORMED = {
    "initializer": (
        Text("Orthogonal(gain='a')"),
        Text("Orthogonal(seed=1.5)"),
        Text("Orthogonal(1.0, 2, 3)"),
        Text("Orthogonal(size=2)"),
        Text("RandomNormal(mean=None)"),
        Text("RandomUniform(seed=1000000000000000000000000000000)"),
        Text("VarianceScaling(scale=0)"),
        Text("VarianceScaling(mode='fan')"),
        Text("VarianceScaling(distribution='nonsense')"),
        Text("Constant('a')"),
        Text("Constant(1e39)"),
        Text("Zeros(1)"),
        Text("Initializer()"),
        Text("initializers.Orthogonall()"),
        Text("L2(0.1)"),
    ),
    "regularizer": (
        Text("L1(-1.0)"),
        Text("L2('a')"),
        Text("L2(l=0.1)"),
        Text("L1L2(0.1, 0.1, 0.1)"),
        Text("OrthogonalRegularizer(mode='diagonals')"),
        Text("regularizers.l3(0.1)"),
    ),
    "constraint": (
        Text("MaxNorm(3, 0, 1)"),
        Text("MaxNorm(m=3)"),
        Text("NonNeg(1)"),
        Text("UnitNorm(axes=0)"),
        Text("constraints.positive()"),
    ),
    "activation": (
        Text("LeakyReLU"),
        Text("LeakyReLU(-0.1)"),
        Text("LeakyReLU(0.1, 0.2)"),
        Text("ReLU(max_value=-1.0)"),
        Text("ReLU(slope=0.1)"),
        Text("LeakyReLU(dtype='nonsense')"),
        Text("activations.tanhh"),
        Text("activations.tanh(1.0)"),
    ),
}

_GOOD: dict[type[Kind], tuple[Any, ...]] = {
    catalog.Float32: (0.5, 1, 2.0),
    catalog.Axes: (0, (0, 1), None, 1),
    arg.Flag: (True, False),
    arg.MaskValue: (0, 0.0, 1.5, -3, 70000.0, 3.4e38, 2**62),
    arg.Number: (0.0, 0.3, 1),
    arg.Numbers: (0.0, 0.3, 1, (0.5,)),
    arg.DropRate: (0.0, 0.3, 1),
    arg.LayerName: (None, "a_name", "", "a b", "漢"),
    arg.NoiseShape: ((), (1,), (2, 1, 1), (None, 1, None), (2, 3, 4)),
    arg.Arrays: ((), (1, 2), ((1.0,), (2.0,))),
    arg.Axes: (-1, 1, 2, 0, (1,), (1, 2), (2, -1), (-1, 1)),
    arg.TargetShape: ((-1,), (1, -1), (-1, 3), (2, 3), (6,), (1, 2, 3)),
    arg.Order: ((2, 1), (1, 2), (1,), (3, 1, 2)),
    arg.Margins: (0, 1, (1, 0), ((1, 0), (0, 1)), (1, (0, 1)), ((0, 0), 1)),
    arg.Unwritten: (None,),
    Kind: (None, 3, "int8", (1, 2)),
}


def bad(kind: Kind) -> tuple[Any, ...]:
    """Wrong values; a few of them may be valid for the kind."""
    match kind:
        case arg.Maybe(of=inner):
            return bad(inner)
        case arg.Named(of=names):
            return (*names.unmade, "nonsense", "", 3, "Glorot_Uniform", "l1_l2", True, *_HALF_FORMED[names.what])
        case arg.Sizes(rank=rank):
            return 0, -1, (1,) * (rank + 1), "3", None, 1.5, (1,) * (rank - 1) + (0,)
    return _BAD[type(kind)]


_BAD: dict[type[Kind], tuple[Any, ...]] = {
    **dict.fromkeys((arg.OneOf, arg.AnyCase, arg.Implementation), ("nonsense", "", 3, "int32", None, True, "none")),
    arg.Flag: ("no", None, 2, 0.0),
    arg.Whole: (0, -1, 2.5, 2.0, True, "3", None, 10**30, (2,)),
    arg.MaskValue: (1e39, -1e39, 2**63, "0", None, float("inf"), (0.0,)),
    arg.Number: (-0.1, 1.5, "0.5", None, (0.1,), 10**400),
    arg.Numbers: ("0.5", None, ("a",), 10**400),
    arg.DropRate: (-0.1, 1.5, "0.5", None, (0.1,), 10**400),
    arg.LayerName: ("a/b", "/", 3, True, ("a",), "\ud800"),
    arg.NoiseShape: ((0,), (-1, 1), ("a",), 3, "abc", (1.0,), (True, 1, 1)),
    arg.Arrays: (3, True, 1.5, 0),
    arg.Axes: (3, -4, 2.5, True, "1", None, 10**30, (1, 1), (-1, 2), ("a",), (1.5,), ()),
    arg.TargetShape: ((-1, -1), (0,), (-2,), (7,), 6, "ab", None, (1.5,), (True, 6), ()),
    arg.Order: ((0, 1), (2, 2), (1, 3), 2, "12", None, (1.5, 2), ()),
    arg.Margins: (-1, (1, 2, 3), "3", None, 1.5, ((1,), 1), ((-1, 0), 0), ()),
    arg.Unwritten: ((1.0,), ((1.0, 2.0),), 0, "a"),
    Kind: (),
}


# -- a sweep: each choice of each argument of each class ----------------------------------------------------------


def plain(name: str) -> Draft:
    """The class with only its required arguments."""
    nested = {
        "RNN": {"cell": Draft("GRUCell", {"units": 2})},
        "StackedRNNCells": {"cells": [Draft("LSTMCell", {"units": 2}), Draft("GRUCell", {"units": 2})]},
        "Bidirectional": {"layer": Draft("SimpleRNN", {"units": 2})},
        "TimeDistributed": {"layer": Draft("Dense", {"units": 2})},
    }
    needed = {"units": 2, "filters": 2, "kernel_size": 2, "rate": 0.3, "input_dim": 5, "output_dim": 2, "n": 3}
    needed |= {"activation": "relu", "scale": 0.5, "stddev": 0.3, "pool_size": 2, "target_shape": (-1,), "dims": (2, 1)}
    required = [argument.name for argument in TABLE[name].arguments if argument.default is REQUIRED]
    own = {name: needed[name] for name in required if name in needed}
    return Draft(name, nested.get(name) or own)


def sweep(name: str) -> Iterator[Draft]:
    """Each value of each argument of a class, valid and invalid; the others have their defaults."""
    for argument in offered(TABLE[name].arguments):
        if isinstance(argument.kind, arg.Nested):
            continue
        for value in (*good(argument.kind), *bad(argument.kind)):
            yield Draft(name, {**plain(name).values, argument.name: value})
    yield Draft(name, {**plain(name).values, "nonsense": 1})
    yield Draft(
        name, {key: value for key, value in plain(name).values.items() if key not in ("units", "layer", "cell")}
    )


def wrapped(draft: Draft) -> Draft:
    """The layer inside another that copies or calls it: a recurrent one in Bidirectional, a cell in RNN."""
    if draft.name in CELLS:
        return Draft("RNN", {"cell": draft})
    return Draft("Bidirectional" if draft.name in RECURRENT else "TimeDistributed", {"layer": draft})


# -- random draws ------------------------------------------------------------------------------------------------


class Drawer:
    """Draws drafts and runs from one seed."""

    def __init__(self, seed: int, executions: tuple[str, ...] = ("graph", "xla")) -> None:
        self.rng = random.Random(seed)
        self.executions = executions

    def flag(self, chance: float) -> bool:
        return self.rng.random() < chance

    def values(self, name: str, wrongly: float) -> dict[str, Any]:
        """Arguments that are not layers: the required ones, and some of the others."""
        said = {}
        for argument in offered(TABLE[name].arguments):
            if isinstance(argument.kind, arg.Nested):
                continue
            if argument.default is REQUIRED or self.flag(0.12 if argument.name != "dtype" else 0.2):
                choices = bad(argument.kind) if self.flag(wrongly) and bad(argument.kind) else good(argument.kind)
                said[argument.name] = self.rng.choice(choices)
        if name == "ConvLSTM3D" and said.get("data_format") == "channels_first":
            del said["data_format"]  # it takes more than ten seconds on a CPU; the sweep has it once
        return said

    def draft(self, name: str, depth: int = 0) -> Draft:
        wrongly = 0.02
        said = self.values(name, wrongly)
        astray = self.flag(0.01)
        match name:
            case "RNN":
                cells = [self.draft(self.rng.choice(CELLS), depth + 1) for _ in range(self.rng.choice((1, 2)))]
                said["cell"] = cells if self.flag(0.3) else self.draft(self._astray(CELLS, astray), depth + 1)
            case "StackedRNNCells":
                inner = CELLS if depth < 3 else CELLS[:3]
                count = self.rng.choice((0, 1, 2, 2, 3) if astray else (1, 2, 2, 3))
                said["cells"] = [self.draft(self.rng.choice(inner), depth + 1) for _ in range(count)]
            case "Bidirectional":
                said["layer"] = self.draft(self._astray(RECURRENT, astray), depth + 1)
                if self.flag(0.15):
                    said["backward_layer"] = self._backward(said["layer"])
            case "TimeDistributed":
                inner = (*RECURRENT, *AROUND, "Bidirectional", *(("TimeDistributed",) if depth < 2 else ()))
                said["layer"] = self.draft(self._astray(inner, astray), depth + 1)
        if self.flag(0.004):
            said["nonsense"] = 1
        return Draft(name, said)

    def _astray(self, names: tuple[str, ...], astray: bool) -> str:
        return self.rng.choice(CLASSES if astray else names)

    def _backward(self, forward: Draft) -> Draft:
        """A backward layer that fits the forward layer, most of the time."""
        if self.flag(0.2) or forward.name not in RECURRENT:
            return self.draft(self.rng.choice(RECURRENT), 2)
        shared = {
            name: forward.values[name]
            for name in ("return_sequences", "return_state", "stateful")
            if name in forward.values
        }
        back = self.draft(forward.name, 2)
        kept = {
            name: value
            for name, value in back.values.items()
            if name not in ("return_sequences", "return_state", "stateful")
        }
        return Draft(back.name, {**kept, **shared, "go_backwards": not forward.values.get("go_backwards", False)})

    def run(self) -> tuple[Draft, dict[str, Any]]:
        draft = self.draft(self.rng.choice((*CLASSES, "Bidirectional", "RNN", "TimeDistributed")))
        return draft, self.options(draft)

    def options(self, draft: Draft) -> dict[str, Any]:
        order = axes(draft)
        if draft.name in ("Dense", "Dropout", *FREE) and order == "NTC":
            order = self.rng.choice(("NC", "NTC", "NTC", "NTXC"))
        sizes = {"N": (1, 2, 2, 5), "T": (1, 2, 3), "C": (1, 2, 4), "X": (2, 3, 5)}
        options: dict[str, Any] = {"input": tuple(self.rng.choice(sizes[axis]) for axis in order)}
        if self.flag(0.3):
            options["training"] = True
        if self.flag(0.02):
            options["execution"] = self.rng.choice(self.executions)
        return options


def axes(draft: Draft) -> str:
    """The axes of a draft's input: N, T, C, and X for space."""
    inner = draft.values.get("layer")
    if draft.name == "TimeDistributed" and isinstance(inner, Draft):
        within = axes(inner)
        return "NT" + within[1:] if len(within) > 2 or inner.name == "Embedding" else "NTC"
    if draft.name == "Bidirectional" and isinstance(inner, Draft):
        return axes(inner)
    if draft.name in CONVOLUTIONS:
        space = "X" * int(draft.name[-2])
        return "NTC" + space if draft.values.get("data_format") == "channels_first" else "NT" + space + "C"
    if draft.name in (*PICTURES, *STEPS):
        space = "X" if draft.name in STEPS else "XX"
        return "NC" + space if draft.values.get("data_format") == "channels_first" else "N" + space + "C"
    if draft.name == "Permute" and isinstance(draft.values["dims"], tuple):
        return "NTCXYZ"[: len(draft.values["dims"]) + 1]
    return {"Embedding": "NT", "RepeatVector": "NC", **dict.fromkeys(CELLS, "NC")}.get(draft.name, "NTC")


# -- comparison with Keras ---------------------------------------------------------------------------------------


def disagreement(draft: Draft, options: dict[str, Any]) -> str | None:
    """How Keras and rnnshape disagree, in one line; None if they agree."""
    try:
        spec = make(draft.text, options)
    except rnnshape.Invalid as error:
        if deliberate(draft.faults()) or (not draft.faults() and _combined(error)):
            return None
        refused = _refused_by_keras(draft, options)
        return None if refused else f"rnnshape rejects it ({error.message}), and Keras runs it"
    if draft.faults():
        return "rnnshape accepts a value that its kinds reject"
    message = wrong(spec)
    # On this machine, use_cudnn=True may fail only because there is no GPU.
    return None if message is not None and message.startswith("use_cudnn=True: TensorFlow sees no GPU") else message


def _combined(error: rnnshape.Invalid) -> bool:
    """Whether a combination of arguments is rejected on purpose although Keras accepts it."""
    return all(any(key == one.key or one.message.startswith(key) for key in COMBINATIONS) for one in error.problems)


def _refused_by_keras(draft: Draft, options: dict[str, Any]) -> bool:
    """Whether the same text fails in Keras, when the layer is constructed or called."""
    import numpy as np
    import tensorflow as tf

    shape = options["input"]
    eats_tokens = any(part.name == "Embedding" for part in draft.walk())
    x = tf.constant(np.zeros(shape, "int32") if eats_tokens else np.full(shape, 0.5, "float32"))
    called = {"training": True} if options.get("training") else {}
    classes = {name: getattr(tf.keras.layers, name) for name in CLASSES}
    for known in catalog.CLASSES:
        home = "layers" if known.what == "activation" else f"{known.what}s"
        classes[known.name] = getattr(getattr(tf.keras, home), known.name)
    modules = {name: getattr(tf.keras, name) for name in ("activations", "constraints", "initializers", "regularizers")}
    classes |= {"tf": tf, "my_act": tf.tanh, **modules}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layer = eval(draft.text, {"__builtins__": {}}, classes)  # noqa: S307  the text is drawn here
            if draft.name in CELLS:
                layer(x, layer.get_initial_state(batch_size=shape[0]), **called)
            elif options.get("execution"):
                tf.function(lambda x: layer(x, **called), jit_compile=options["execution"] == "xla")(x)
            else:
                layer(x, **called)
    except Exception:  # noqa: BLE001  any exception means that Keras rejects it
        return True
    return False


def main() -> None:
    """Draw the requested number, and print each disagreement as a run to paste."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    drawer, ended = Drawer(asked.seed), Counter[str]()
    for _ in range(asked.count):
        draft, options = drawer.run()
        message = disagreement(draft, options)
        ended[_ending(draft, options) if message is None else "disagree"] += 1
        if message is not None:
            print(f"{json.dumps({'layer': draft.text, **options})}\n    {message[:600]}\n", flush=True)
    print(f"{asked.count} drawn: {', '.join(f'{count} {what}' for what, count in sorted(ended.items()))}")


def _ending(draft: Draft, options: dict[str, Any]) -> str:
    try:
        error = rnnshape.predict(draft.text, **options).error
    except rnnshape.Invalid:
        return "stricter on purpose" if deliberate(draft.faults()) else "malformed for both"
    return "run by both" if error is None else "rejected by both"


if __name__ == "__main__":
    main()
