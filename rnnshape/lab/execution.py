"""How the real layer is run: step by step, or as one traced graph where that pays.

An eager loop costs Python for every time step; a trace costs once.  ``benchmarks`` measures where the
two cross (``lengths``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.spec import Spec

# A trace costs about as much as this many eager steps.
PAYS_FROM = 100


def chosen(spec: Spec) -> str:
    """``"eager"``, ``"graph"`` or ``"xla"``: what was asked for, or what is faster on this spec.

    An unrolled layer and a TimeDistributed repeat their graph for every step, which is slow to trace.
    """
    if spec.execution != "auto":
        return spec.execution
    steps = dict(zip(spec.letters, spec.input, strict=True)).get("T", 1)
    repeated = any(
        node.name == "TimeDistributed" or (node.has("unroll") and node["unroll"]) for node in spec.layer.walk()
    )
    return "graph" if steps >= PAYS_FROM and not repeated else "eager"


def prepared(execution: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call in this way of running, traced or compiled at its first use and not again."""
    if execution == "eager":
        return call
    compiled: Callable[..., Any] = load().function(call, jit_compile=execution == "xla", autograph=False)
    return compiled


def run(execution: str, call: Callable[..., Any], *inputs: Any) -> Any:
    """What ``call`` returns on these inputs; the containers are the same in every way of running."""
    return prepared(execution, call)(*inputs)
