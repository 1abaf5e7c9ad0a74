"""SkyPy's ``Item``, ``Ref`` and ``Call``, as its tests make them, for plans of our engine."""

import inspect
from collections.abc import Mapping, Sequence

from astropy.cosmology import Cosmology

from skywright.flow.plan import Call as OurCall
from skywright.flow.plan import Ref as OurRef


class Item:
    """Anything that a pipeline evaluates."""

    def infer(self, context):
        """Fill what is missing from a context."""

    def depend(self, pipeline):
        """Return the names it needs."""
        return []

    def evaluate(self, pipeline):
        """Return its value."""


class Ref(Item):
    """A reference to a job."""

    def __init__(self, ref):
        self.ref = ref

    def depend(self, pipeline):
        """Return the name."""
        return [self.ref]

    def evaluate(self, pipeline):
        """Return the value that the pipeline has."""
        return pipeline[self.ref]


class Call(Item):
    """A call with arguments."""

    def __init__(self, function, args=(), kwargs=None):
        kwargs = {} if kwargs is None and args == () else kwargs
        if not callable(function):
            raise TypeError("function is not callable")
        if not isinstance(args, Sequence):
            raise TypeError("args is not a sequence")
        if kwargs is None and args != []:
            kwargs = {}
        if not isinstance(kwargs, Mapping):
            raise TypeError("kwargs is not a mapping")
        self.function, self.args, self.kwargs = function, args, kwargs

    def missing(self):
        """Return the required parameters that are not given."""
        try:
            signature = inspect.signature(self.function)
            given = signature.bind_partial(*self.args, **self.kwargs).arguments
        except (TypeError, ValueError):
            return []
        empty, several = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL,
                                                   inspect.Parameter.VAR_KEYWORD)  # fmt: skip
        return [n for n, p in signature.parameters.items()
                if p.default is empty and p.kind not in several and n not in given]  # fmt: skip

    def infer(self, context):
        """Fill missing parameters."""
        self.kwargs = {**{n: context[n] for n in self.missing() if n in context}, **self.kwargs}

    def depend(self, pipeline):
        """Return all references in the arguments."""
        found = []
        for value in (*self.args, *self.kwargs.values()):
            if isinstance(value, Item):
                found += value.depend(pipeline)
        return found

    def evaluate(self, pipeline):
        """Call the function."""
        args = [_value(v, pipeline) for v in self.args]
        return self.function(*args, **{k: _value(v, pipeline) for k, v in self.kwargs.items()})


def _value(value, pipeline):
    return value.evaluate(pipeline) if isinstance(value, Item) else value


def ours(value, names):
    """Return an expression of our engine; ``names`` maps a reference to a node and a part."""
    if isinstance(value, Ref):
        return names(value.ref)
    if isinstance(value, Call):
        function = value.function
        path = f"{function.__module__ or 'builtins'}.{getattr(function, '__qualname__', function)}"
        if getattr(function, "__self__", None).__class__.__name__ == "RandomState":
            path = f"numpy.random.{function.__name__}"
        args = tuple(ours(v, names) for v in value.args)
        kwargs = {k: ours(v, names) for k, v in value.kwargs.items() if not k.startswith(".")}
        return OurCall(path.removeprefix("builtins.") if path.count(".") == 1 else path,
                       function, args, kwargs)  # fmt: skip
    if isinstance(value, Cosmology):
        return OurCall(f"astropy.cosmology.{value.name}", value, imported=True)
    if isinstance(value, dict):
        return {k: ours(v, names) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [ours(v, names) for v in value]
    return value


__all__ = ["Call", "Item", "OurRef", "Ref", "ours"]
