"""The point spread function of a survey: the artefact `Psf`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Psf"]


@dataclass(frozen=True)
class Psf:
    """Point spread function of every band, with where it comes from.

    Parameters
    ----------
    bands : (band,)
        Names in the order of the band axis.
    fwhm : (band,) [pixel]
        Full width at half maximum.
    beta : (band,)
        Index of the Moffat profile; infinite for a Gaussian.
    origin : str
        In words: ``given``, or ``measured from 7 point-like sources``.
    stars : int
        Number of sources it was measured from; 0 when it was given.
    upper_limit : bool
        Whether the sources may be galaxies, so that the true width may be smaller.
    kernel : (band, y, x), optional
        Image of a point source of unit flux, of odd size, centred.
    """

    bands: tuple[str, ...]
    fwhm: np.ndarray
    beta: np.ndarray
    origin: str
    stars: int = 0
    upper_limit: bool = False
    kernel: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("fwhm", "beta"):
            value = np.asarray(getattr(self, name))
            if value.shape != (len(self.bands),):
                raise ValueError(f"{name} has shape {value.shape}; expected one per {self.bands}")
        if not (np.isfinite(self.fwhm).all() and (np.asarray(self.fwhm) > 0).all()):
            raise ValueError(f"fwhm is {self.fwhm} pixel; expected positive numbers")
        if not (np.asarray(self.beta) > 1).all():
            raise ValueError(f"beta is {self.beta}; a Moffat profile has finite flux above 1")
        if self.kernel is not None and (
            self.kernel.ndim != 3
            or self.kernel.shape[0] != len(self.bands)
            or self.kernel.shape[1] % 2 == 0
            or self.kernel.shape[2] % 2 == 0
        ):
            raise ValueError(
                f"kernel has shape {self.kernel.shape}; expected ({len(self.bands)}, odd, odd)"
            )

    @property
    def half_light(self) -> np.ndarray:
        """Radius that holds half the light of a point source, (band,) [pixel].

        Trujillo et al. 2001, MNRAS 328, 977, equations 2 and 3; for a Gaussian half the FWHM.
        """
        beta = np.minimum(np.asarray(self.beta, dtype=float), 1e6)
        core = np.asarray(self.fwhm) / (2 * np.sqrt(np.expm1(np.log(2) / beta)))
        return np.asarray(core * np.sqrt(np.expm1(np.log(2) / (beta - 1))))
