"""The border to colossus, which no other module calls: h, its global state and its files end here.

colossus counts in Msun/h and Mpc/h, keeps one current cosmology for the whole process, and stores
tables in the home directory. Outside this module there are solar masses, Mpc without h, the
cosmology of each call, and no files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from astropy.cosmology import FLRW, LambdaCDM, w0waCDM, wCDM

from skywright.sky.halos.definitions import is_overdensity

__all__ = [
    "NS",
    "SIGMA8",
    "colossus_bias",
    "colossus_concentration",
    "colossus_cosmology",
    "colossus_mass_function",
]

# Planck 2018 results VI (arXiv:1807.06209), table 2, last column: what astropy's Planck18 rests on.
SIGMA8 = 0.8102
NS = 0.9665

_T_CMB = 2.7255  # K, Fixsen 2009: the transfer function needs one even where radiation is left out
# colossus tables sigma(R) to 0.3 %, which is 1.3 % in the number of the largest clusters; with
# these settings it is 0.15 %, for a tenth of a second more.
_ACCURACY = 1e-4
_NODES_PER_DECADE = 40.0

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def colossus_cosmology(cosmology: FLRW, sigma8: float, ns: float) -> Iterator[Any]:
    """Make a cosmology the current one of colossus, and what was before current again after.

    Other threads wait meanwhile. Neutrinos count as massless: colossus knows no others.

    Parameters
    ----------
    cosmology : FLRW
        LambdaCDM, wCDM or w0waCDM, flat or not, with baryons.
    sigma8 : float
        Rms of the linear density contrast at redshift 0 in spheres of 8 Mpc/h.
    ns : float
        Slope of the primordial power spectrum.

    Raises
    ------
    ModuleNotFoundError
        When colossus is not installed.
    ValueError
        When the cosmology is of another kind or has no baryons, or a number makes no sense.
    """
    try:
        from colossus.cosmology import cosmology as library
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "halos need colossus; install it with: pip install 'skywright[sky]'"
        ) from error
    parameters = _parameters(cosmology, sigma8, ns)
    with _ONE_AT_A_TIME:
        before = library.current_cosmo
        made = library.Cosmology(**parameters)
        made.accuracy_sigma, made.R_Nbins_sigma = _ACCURACY, _NODES_PER_DECADE
        library.setCurrent(made)
        try:
            yield made
        finally:
            library.setCurrent(before)


def colossus_mass_function(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    model: str,
    mass_definition: str,
    sigma8: float,
    ns: float,
) -> np.ndarray:
    """Tabulate a halo mass function.

    Parameters
    ----------
    mass : (mass,) [Msun]
        Masses.
    redshift : (z,)
        Redshifts.
    cosmology, model, mass_definition, sigma8, ns
        As for `halo_mass_function`.

    Returns
    -------
    (z, mass) [1 / Mpc3]
        Comoving number density per unit of ln(mass).
    """
    with colossus_cosmology(cosmology, sigma8, ns) as made:
        from colossus.lss.mass_function import massFunction, models

        known = {name: entry.mdefs for name, entry in models.items()}
        _check_model("mass function", model, mass_definition, known)
        with _explained(f"{model} with mass definition {mass_definition}"):
            rows = [
                massFunction(
                    mass * made.h, float(z), mdef=mass_definition, model=model, q_out="dndlnM"
                )
                for z in redshift
            ]
        return np.asarray(np.stack(rows) * made.h**3)


def colossus_concentration(
    mass: Callable[[str, float], np.ndarray],
    redshift: np.ndarray,
    cosmology: FLRW,
    model: str,
    mass_definition: str,
    sigma8: float,
    ns: float,
) -> tuple[str, np.ndarray, np.ndarray]:
    """Tabulate concentrations in a definition that a model was fitted in.

    Parameters
    ----------
    mass : callable
        Of the definition and the redshift; returns masses (m,) [Msun] in that definition.
    redshift : (z,)
        Redshifts.
    cosmology, model, mass_definition, sigma8, ns
        As for `halo_concentration`.

    Returns
    -------
    definition : str
        The wanted definition where the model was fitted in it, else the first it was fitted in.
    mass : (z, m) [Msun]
        Masses in that definition.
    concentration : (z, m)
        Median concentrations of halos of these masses.
    """
    with colossus_cosmology(cosmology, sigma8, ns) as made:
        from colossus.halo import concentration as library
        from colossus.utils.storage import StorageUser

        _check_model(
            "concentration", model, mass_definition, {name: ["*"] for name in library.models}
        )
        native = library.models[model].mdefs
        definition = mass_definition if mass_definition in native else native[0]
        if library.storageUser is None:  # else colossus makes one that writes files
            library.storageUser = StorageUser(
                "halo.concentration", "", library._getName, library._getHash, None
            )
        masses = np.stack([mass(definition, z) for z in redshift])
        with _explained(f"concentration {model}"):
            # with range_return colossus keeps quiet about masses beyond those of the fit
            rows = [
                library.concentration(
                    m * made.h, definition, float(z), model=model, range_return=True
                )[0]
                for m, z in zip(masses, redshift, strict=True)
            ]
        values = np.stack(rows)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"concentration {model} has no value for some masses and redshifts")
        return definition, masses, values


def colossus_bias(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    model: str,
    mass_definition: str,
    sigma8: float,
    ns: float,
) -> np.ndarray:
    """Tabulate the linear bias of halos; parameters as for `halo_bias`; returns (z, mass)."""
    with colossus_cosmology(cosmology, sigma8, ns) as made:
        from colossus.lss.bias import haloBias, models

        _check_model("bias", model, mass_definition, {name: ["*", "fof"] for name in models})
        with _explained(f"{model} with mass definition {mass_definition}"):
            rows = [
                haloBias(mass * made.h, float(z), mdef=mass_definition, model=model)
                for z in redshift
            ]
        return np.stack(rows)


def _parameters(cosmology: FLRW, sigma8: float, ns: float) -> dict[str, Any]:
    """Return the arguments of colossus for a cosmology of astropy."""
    if not isinstance(cosmology, (LambdaCDM, wCDM, w0waCDM)):
        raise ValueError(
            f"cosmology is a {type(cosmology).__name__}; expected LambdaCDM, wCDM or w0waCDM of "
            "astropy, flat or not"
        )
    if not cosmology.Ob0:
        raise ValueError(
            "the cosmology has no baryons; say how many, as in "
            "FlatLambdaCDM(H0=70, Om0=0.3, Ob0=0.05)"
        )
    if not (0 < sigma8 < 10 and np.isfinite(ns)):
        raise ValueError(
            f"sigma8 is {sigma8} and ns is {ns}; expected numbers such as {SIGMA8} and {NS}"
        )
    radiation = cosmology.Tcmb0.value > 0
    energy = {"de_model": "lambda"}
    if isinstance(cosmology, wCDM):
        energy = {"de_model": "w0", "w0": cosmology.w0}
    elif isinstance(cosmology, w0waCDM):
        energy = {"de_model": "w0wa", "w0": cosmology.w0, "wa": cosmology.wa}
    return energy | {
        "name": "skywright" if cosmology.name is None else cosmology.name,
        "flat": abs(cosmology.Ok0) < 1e-8,
        "H0": cosmology.H0.value,
        "Om0": cosmology.Om0,
        "Ode0": cosmology.Ode0,
        "Ob0": cosmology.Ob0,
        "sigma8": sigma8,
        "ns": ns,
        "relspecies": radiation,
        "Tcmb0": cosmology.Tcmb0.value if radiation else _T_CMB,
        "Neff": cosmology.Neff,
        "persistence": "",
    }


def _check_model(
    kind: str, model: str, definition: str, known: Mapping[str, Iterable[str]]
) -> None:
    """Raise an error that lists what there is for an unknown model or one that does not fit."""
    if model not in known:
        raise ValueError(f"no {kind} named {model!r}; there are {', '.join(known)}")
    allowed = list(known[model])

    def fits(pattern: str) -> bool:
        if pattern == "*":
            return is_overdensity(definition)
        if pattern.endswith("*"):  # sp-apr-p*: splashback masses of any percentile
            return definition.startswith(pattern[:-1])
        return definition == pattern

    if not any(fits(pattern) for pattern in allowed):
        names = ["any overdensity, as 200m, 200c or vir" if a == "*" else a for a in allowed]
        raise ValueError(
            f"mass definition {definition!r} does not go with the {kind} {model!r}; it takes "
            f"{', '.join(names)}"
        )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn the bare exceptions of colossus into errors that say what was asked for."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{what}: colossus says: {error}") from error
