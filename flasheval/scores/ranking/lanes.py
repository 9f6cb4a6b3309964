"""Sixteen numbers handled as one, inside compiled functions.

LLVM vectorises only innermost loops and keeps their totals in memory; the kernels here need totals
that stay in registers across an outer loop. So these few operations on LLVM's own vector type are
spelled out. LLVM splits a vector into what the machine has (16 floats are one AVX-512 register, two
of AVX2, four of SSE or NEON), which changes no result: each lane is computed on its own.

Arrays are C-contiguous, float32 or float64; offsets count elements from the array's start and are
not checked. These names mean something only inside a compiled function; each definition below
receives numba's typing context first, which a caller does not pass.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import models, register_model

from flasheval.scores.ranking.jit import intrinsic

__all__ = [
    "LANES",
    "add",
    "count_above",
    "count_below",
    "count_nan",
    "load",
    "share_of",
    "store",
    "subtract",
    "total",
    "zero_like",
]

LANES = 16


class Lanes(types.Type):
    """The compiled type of sixteen numbers of one dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Sixteen numbers are one LLVM vector."""

    def __init__(self, manager: Any, lanes: Any) -> None:
        element = manager.lookup(lanes.dtype).get_value_type()
        vector = ir.VectorType(element, LANES)
        super().__init__(manager, lanes, vector)  # type: ignore[no-untyped-call]


@intrinsic
def load(context: Any, array: Any, offset: Any) -> Any:
    """Read sixteen numbers of array from the offset on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = context.get_value_type(signature.return_type)
        place = _place(context, builder, signature, args, vector)
        return builder.load(place, align=_element_bytes(signature))

    return Lanes(array.dtype)(array, types.intp), generate


@intrinsic
def store(context: Any, array: Any, offset: Any, lanes: Any) -> Any:
    """Write sixteen numbers into array from the offset on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature, args, args[2].type)
        builder.store(args[2], place, align=_element_bytes(signature))
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic
def add(context: Any, left: Any, right: Any) -> Any:
    """Compute left + right, lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fadd(*args)

    return left(left, left), generate


@intrinsic
def subtract(context: Any, left: Any, right: Any) -> Any:
    """Compute left - right, lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fsub(*args)

    return left(left, left), generate


@intrinsic
def share_of(context: Any, value: Any, others: Any) -> Any:
    """Compute value / (value + other) for every lane; 0 where the other is infinite."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = _spread(builder, args[0], args[1].type)
        return builder.fdiv(values, builder.fadd(values, args[1]))

    return others(others.dtype, others), generate


@intrinsic
def zero_like(context: Any, lanes: Any) -> Any:
    """Sixteen zeros of the dtype of lanes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(args[0].type, [0.0] * LANES)

    return lanes(lanes), generate


@intrinsic
def total(context: Any, lanes: Any) -> Any:
    """Add the lanes up, from the first to the last."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = ir.IntType(32)
        added = builder.extract_element(args[0], index(0))
        for lane in range(1, LANES):
            added = builder.fadd(added, builder.extract_element(args[0], index(lane)))
        return added

    return lanes.dtype(lanes), generate


@intrinsic
def count_above(context: Any, lanes: Any, limit: Any) -> Any:
    """Count the lanes > limit (NaN is not), int64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        limits = _spread(builder, args[1], args[0].type)
        return _count(builder, builder.fcmp_ordered(">", args[0], limits))

    return types.int64(lanes, lanes.dtype), generate


@intrinsic
def count_below(context: Any, lanes: Any, limit: Any) -> Any:
    """Count the lanes < limit (NaN is not), int64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        limits = _spread(builder, args[1], args[0].type)
        return _count(builder, builder.fcmp_ordered("<", args[0], limits))

    return types.int64(lanes, lanes.dtype), generate


@intrinsic
def count_nan(context: Any, lanes: Any) -> Any:
    """Count the lanes that are NaN, int64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _count(builder, builder.fcmp_unordered("uno", args[0], args[0]))

    return types.int64(lanes), generate


def _place(context: Any, builder: Any, signature: Any, args: Any, vector: Any) -> Any:
    """Point at sixteen numbers: the array's data (argument 0) plus the offset (argument 1)."""
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())


def _element_bytes(signature: Any) -> int:
    """Return the size of an element of argument 0: all the alignment that may be relied on."""
    return int(signature.args[0].dtype.bitwidth) // 8


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    """Put the value in all sixteen lanes."""
    index = ir.IntType(32)
    unset = ir.Constant(vector, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(index, LANES), [index(0)] * LANES)
    return builder.shuffle_vector(builder.insert_element(unset, value, index(0)), unset, zeros)


def _count(builder: Any, found: Any) -> Any:
    """Count set bits among sixteen; cheaper than sixteen counters added up at the end."""
    bits = builder.ctpop(builder.bitcast(found, ir.IntType(LANES)))
    return builder.zext(bits, ir.IntType(64))
