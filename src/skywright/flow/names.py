"""Safe names: which object a tag may mean, and nothing else. A security boundary.

Importing a module runs its code and reading an attribute may, so a path is first compared with
what is allowed, and only then followed.
"""

from __future__ import annotations

import builtins
import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any, NoReturn

import numpy as np
from astropy.constants import Constant
from astropy.cosmology import Cosmology, default_cosmology
from astropy.units import FunctionUnitBase, UnitBase

from skywright.flow.aliases import SKYPY
from skywright.flow.allowed import BUILTINS, COSMOLOGY, DISTRIBUTION, LIBRARIES
from skywright.flow.plan import Mark, RecipeError
from skywright.flow.plan import parts as parts_of

__all__ = ["ROOMS", "did_you_mean", "may_not_be_handed", "resolve", "unknown", "words"]

ROOMS = ("data", "sky", "nets", "learn", "find", "trust", "plan", "serve")
# These read and write by themselves.
CLOSED = (
    "skywright.data.artefacts",
    "skywright.data.fetch",
    "skywright.serve.query",
    "skywright.serve.runs",
)
OPENING = ("open_cutouts", "open_survey")  # the doors by which images come in, and nothing else
TOUCHES_FILES = re.compile(r"(save|load|write|read|fetch|download|open|query)(_|$)")
SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LONGEST = 200
GUESSES = 500  # names that a misspelt one is compared with
# What other libraries may call: functions of numbers, and nothing else of astropy.
MATHEMATICS = ("astropy.cosmology.", "astropy.modeling.", "astropy.units.")

# Where what is missing comes from.
EXTRAS = {
    **dict.fromkeys(("torch", "lightning", "safetensors", "skops"), "learn"),
    "speclite": "sky",
}


def resolve(path: str, mark: Mark | None = None, allow: Sequence[str] = ()) -> Any:
    """Return the object that a tag names.

    Parameters
    ----------
    path : str
        What stands behind the exclamation mark.
    mark : Mark, optional
        Where it stands.
    allow : sequence of str
        Top-level packages that the user opens.

    Raises
    ------
    RecipeError
        If there is no such object, or a recipe may not use it.

    Examples
    --------
    >>> from skywright.flow.names import resolve
    >>> resolve("numpy.cumsum").__name__
    'cumsum'
    >>> resolve("os.system")
    Traceback (most recent call last):
    skywright.flow.plan.RecipeError: !os.system: recipes may not use the package 'os'
    """
    try:
        return _resolve(path, allow)
    except RecipeError as error:
        raise RecipeError(f"!{path[:LONGEST]}: {error}", mark) from None
    except Exception as error:  # an attribute of an opened package may run code that fails
        message = f"!{path[:LONGEST]}: following it failed with {type(error).__name__}: {error}"
        raise RecipeError(message, mark) from None


def may_not_be_handed(path: str, value: Any) -> str:
    """Return the name of a function among arguments that the function at ``path`` may not get.

    numpy, scipy and astropy call what they are given with arguments that no check has seen: a step
    of ours, or a function of tables that fills templates, is not for them. Empty if all is well.

    Examples
    --------
    >>> may_not_be_handed("scipy.optimize.minimize", {"fun": np.cos})
    ''
    >>> may_not_be_handed("numpy.fromfunction", [may_not_be_handed])
    'may_not_be_handed'
    """
    if not path.startswith(("numpy.", "scipy.", "astropy.")) and "." in path:
        return ""
    for part in filter(callable, parts_of(value)):
        module = str(getattr(part, "__module__", None) or type(part).__module__)
        theirs = module.startswith("astropy.") and not module.startswith(MATHEMATICS)
        if theirs or module.startswith("skywright."):
            return str(getattr(part, "__name__", type(part).__name__))
    return ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)``, or an empty string."""
    # the search takes the product of the lengths, and nobody misspells a name this long
    names = [n for n in known if len(n) <= LONGEST] if len(name) <= LONGEST else []
    close = difflib.get_close_matches(name, names[:GUESSES], 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def words(names: Iterable[str], limit: int = 12) -> str:
    """Return a list of names for a message, not too long."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return (", ".join(names[:limit]) or "nothing") + more


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a message that something is not there, with what might be meant and what there is."""
    known = list(known)
    return f"there is no {kind} {name!r}{did_you_mean(name, known)}; there is {words(known)}"


def _resolve(path: str, allow: Sequence[str]) -> Any:
    parts = path.split(".")
    for part in parts:
        if part.startswith("_"):
            _refuse(f"{part!r} is private")
        if len(path) > LONGEST or not SEGMENT.fullmatch(part):
            _refuse("a tag is a dotted path of plain names, as !numpy.linspace")
    top = parts[0]
    if len(parts) == 1:
        if top not in BUILTINS:
            _refuse(f"no such function{did_you_mean(top, BUILTINS)}; without a module recipes "
                    f"know {', '.join(sorted(BUILTINS))}")  # fmt: skip
        return getattr(builtins, top)
    if top in allow:
        return _opened(parts)
    if top == "skypy":
        if path not in SKYPY:
            _refuse(f"SkyPy has no such function that a recipe may call{did_you_mean(path, SKYPY)}")
        return _ours(SKYPY[path].split("."))
    if top == "skywright":
        return _ours(parts)
    if top not in ("numpy", "scipy", "astropy"):
        known = ("numpy", "scipy", "astropy", "skywright", "skypy")
        trust = f"; if you trust its code and this recipe, add --allow {top}"
        trust = "" if top in sys.stdlib_module_names else trust
        _refuse(f"recipes may not use the package {top!r}{did_you_mean(top, known)}{trust}")
    return _library(parts)


def _refuse(message: str) -> NoReturn:
    raise RecipeError(message)


def _library(parts: list[str]) -> Any:
    """Return a listed object of numpy, scipy or astropy, or a listed method of one."""
    count = len(parts) - 1
    while count and ".".join(parts[:count]) not in LIBRARIES:
        count -= 1
    module, name, method = ".".join(parts[:count]), *parts[count : count + 1], parts[count + 1 :]
    listed = LIBRARIES.get(module, frozenset())
    home = _import(module) if count else None
    # vars, not getattr: numpy imports submodules when they are merely asked for
    target = getattr(home, name, None) if name in listed else vars(home).get(name) if home else None
    if target is None or not (name in listed or _is_harmless(module, target)):
        _refuse(_unlisted(parts, module, name))
    if not method:
        return target
    if len(method) > 1 or method[0] not in _methods(module, target):
        _refuse(f"{'.'.join(method)!r} of {module}.{name} is not among what recipes may use"
                f"{did_you_mean(method[0], _methods(module, target))}")  # fmt: skip
    return getattr(target, method[0])


def _unlisted(parts: list[str], module: str, name: str) -> str:
    places = [f"{m}.{parts[-1]}" for m, names in LIBRARIES.items() if parts[-1] in names]
    known = [f"{module}.{n}" for n in LIBRARIES.get(module, ())] or LIBRARIES
    hint = f" (did you mean {places[0]!r}?)" if places else did_you_mean(".".join(parts), known)
    if name in getattr(sys.modules.get(module), "__dict__", {}):
        hint = ""  # it exists and is refused: nothing is misspelt
    return (
        f"not among what recipes may use of {parts[0]} (nothing that reads, writes, downloads, "
        f"compiles or takes code){hint}"
    )


def _is_harmless(module: str, target: Any) -> bool:
    """Tell whether the type alone makes an object of this module safe."""
    from scipy.stats import rv_continuous, rv_discrete

    kinds: dict[str, tuple[type, ...]] = {
        "numpy": (np.ufunc,),
        "scipy.special": (np.ufunc,),
        "scipy.stats": (rv_continuous, rv_discrete),
        "scipy.constants": (float, int),
        "astropy.constants": (Constant,),
        "astropy.units": (UnitBase, FunctionUnitBase),
        "astropy.cosmology": (Cosmology,),
    }
    return isinstance(target, kinds.get(module, ()))


def _methods(module: str, target: Any) -> frozenset[str]:
    if target is default_cosmology:
        return frozenset({"get"})  # which files of SkyPy call; setting it is another matter
    if isinstance(target, type):
        return frozenset()
    return {"astropy.cosmology": COSMOLOGY, "scipy.stats": DISTRIBUTION}.get(
        module if _is_harmless(module, target) else "", frozenset()
    )


def _ours(parts: list[str]) -> Any:
    """Return a public step of a room."""
    if parts[1] not in ROOMS:
        _refuse(f"recipes use the rooms {', '.join(ROOMS)}{did_you_mean(parts[1], ROOMS)}")
    module = _submodule(parts[:-1])
    name = parts[-1]
    target = getattr(module, name, None)
    home = sys.modules.get(getattr(target, "__module__", None) or "")
    if (
        not isinstance(target, (FunctionType, type))
        or home is None
        or name not in getattr(home, "__all__", ())
        or getattr(home, name, None) is not target
        or not _is_open(home.__name__)
    ):
        steps = _public(module)  # only now: it imports all that the room offers
        _refuse(f"no public step of this name{did_you_mean(name, steps)}; there are "
                f"{', '.join(steps) or 'none'}")  # fmt: skip
    if TOUCHES_FILES.match(name) and name not in OPENING:
        _refuse("a step that reads or writes files by itself may not stand in a recipe")
    room = sys.modules[".".join(parts[:2])]
    if getattr(room, name, None) is not target:
        hint = did_you_mean(name, _public(room))
        _refuse(f"not among the steps that {room.__name__} offers{hint}")
    if isinstance(target, type) and home.__name__.startswith("skywright.data."):
        _refuse("artefacts are made by steps, not written down in a recipe")
    return target


def _is_open(module: str) -> bool:
    top, _, rest = module.partition(".")
    return top == "skywright" and rest.partition(".")[0] in ROOMS and module not in CLOSED


def _public(module: ModuleType) -> list[str]:
    found = (n for n in dir(module) if not n.startswith("_"))
    functions = (n for n in found if isinstance(getattr(module, n), (FunctionType, type)))
    return [n for n in functions if str(getattr(module, n).__module__).startswith("skywright.")]


def _submodule(parts: list[str]) -> ModuleType:
    """Import a module step by step, each found in its parent before it is imported."""
    module = _import(parts[0])
    for end in range(2, len(parts) + 1):
        name = ".".join(parts[:end])
        if name in CLOSED:
            _refuse("a module that reads or writes files by itself may not stand in a recipe")
        if not hasattr(module, "__path__") or find_spec(name) is None:
            _refuse(f"there is no module {name!r}{did_you_mean(parts[end - 1], _public(module))}")
        module = _import(name)
    return module


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        install = f": pip install 'skywright[{extra}]'" if extra else ""
        _refuse(f"the module {name} cannot be imported ({error}){install}")
    except (Exception, SystemExit) as error:  # its own code failed
        _refuse(f"importing {name} failed with {type(error).__name__}: {error}")


def _opened(parts: list[str]) -> Any:
    """Return an object that a package defines which the user opened."""
    top = parts[0]
    if find_spec(top) is None:
        _refuse(f"there is no package {top!r} to import")
    target: Any = _import(top)
    for end in range(2, len(parts) + 1):
        name, deeper = parts[end - 1], ".".join(parts[:end])
        is_package = isinstance(target, ModuleType) and hasattr(target, "__path__")
        if not hasattr(target, name) and is_package and find_spec(deeper):
            target = _import(deeper)
            continue
        if not hasattr(target, name):
            known = [n for n in dir(target) if not n.startswith("_")]
            where = ".".join(parts[: end - 1])
            _refuse(f"{where} has no {name!r}{did_you_mean(name, known)}")
        target = getattr(target, name)
        if isinstance(target, ModuleType) and target.__name__.partition(".")[0] != top:
            _refuse(f"{name!r} is the module {target.__name__}, which is no part of {top}")
    if isinstance(target, ModuleType):
        _refuse("this is a module; a tag names a function, a class or an object")
    home = _home(target)
    if home.partition(".")[0] != top and not isinstance(target, (bool, int, float, str, np.ufunc)):
        _refuse(f"it is defined in {home}, not in {top}, so --allow {top} does not cover it")
    return target


def _home(target: Any) -> str:
    """Return the module that defines a function, a method, a class, or the class of an object."""
    target = getattr(target, "__func__", target)
    for owner in (getattr(target, "__objclass__", None), target, type(target)):
        home = getattr(owner, "__module__", None)
        if isinstance(home, str):
            return home
    return "?"
