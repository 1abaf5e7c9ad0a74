"""Decorators of SkyPy: broadcast the arguments of a function, or call those that are functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

__all__ = ["broadcast_arguments", "dependent_argument"]

Function = Callable[..., Any]


def broadcast_arguments(*names: str) -> Callable[[Function], Function]:
    """Decorate a function so that some of its arguments arrive as arrays of one shape.

    Parameters
    ----------
    *names : str
        Of the arguments.

    Raises
    ------
    ValueError
        When the function has no such argument; at a call, when shapes do not fit.

    Examples
    --------
    >>> @broadcast_arguments("a", "b")
    ... def shapes(a, b):
    ...     return a.shape, b.shape
    >>> shapes([1, 2, 3], [[4], [5]])
    ((2, 3), (2, 3))
    """

    def decorate(function: Function) -> Function:
        signature = _checked(function, names)

        @wraps(function)
        def broadcast(*args: Any, **kwargs: Any) -> Any:
            bound = _bound(signature, args, kwargs)
            arrays = np.broadcast_arrays(*(bound.arguments[name] for name in names))
            bound.arguments.update(zip(names, arrays, strict=True))
            return function(*bound.args, **bound.kwargs)

        return broadcast

    return decorate


def dependent_argument(dependent: str, *independent: str) -> Callable[[Function], Function]:
    """Decorate a function so that an argument may be a function of others, which is then called.

    Parameters
    ----------
    dependent : str
        Name of the argument.
    *independent : str
        Names of those that it is called with.

    Raises
    ------
    ValueError
        When the function has no such argument.

    Examples
    --------
    >>> @dependent_argument("y", "x")
    ... def total(x, y):
    ...     return x + y
    >>> total(2, lambda x: 10 * x), total(2, 3)
    (22, 5)
    """

    def decorate(function: Function) -> Function:
        signature = _checked(function, (dependent, *independent))

        @wraps(function)
        def evaluate(*args: Any, **kwargs: Any) -> Any:
            bound = _bound(signature, args, kwargs)
            if callable(bound.arguments[dependent]):
                values = (bound.arguments[name] for name in independent)
                bound.arguments[dependent] = bound.arguments[dependent](*values)
            return function(*bound.args, **bound.kwargs)

        return evaluate

    return decorate


def _checked(function: Function, names: tuple[str, ...]) -> inspect.Signature:
    signature = inspect.signature(function)
    for name in names:
        if name not in signature.parameters:
            raise ValueError(
                f"{function.__name__} has no argument {name!r}; it has "
                f"{', '.join(signature.parameters)}"
            )
    return signature


def _bound(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound
