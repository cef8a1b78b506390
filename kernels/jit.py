"""The one place that chooses how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(
    signature: str, *, inline: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Compile a function for exactly one *signature*, at import, from the cache when it is there.

    An explicit signature makes a float32 or non-contiguous array a ``TypeError`` at once instead
    of a silent second compilation in production. No ``fastmath``: NaN means "not measured yet"
    and must keep its meaning. ``nogil`` lets the classifier thread run beside the event loop.

    *inline*: copied into the kernels that call it. LLVM rarely decides so by itself, and a call
    that passes arrays takes some ten nanoseconds: a small kernel does its work in less.
    """
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(
        signature, cache=True, nogil=True, error_model="numpy", forceinline=inline
    )
    return compiled
