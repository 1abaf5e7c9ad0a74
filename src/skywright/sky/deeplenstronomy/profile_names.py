"""Which profiles there are and what their parameters are called: until the engine says so."""

from __future__ import annotations

LIGHT = {
    "SERSIC": ("R_sersic", "n_sersic", "center_x", "center_y"),
    "SERSIC_ELLIPSE": ("R_sersic", "n_sersic", "e1", "e2", "center_x", "center_y"),
}
MASS = {
    "SIE": ("theta_E", "e1", "e2", "center_x", "center_y"),
    "SIS": ("theta_E", "center_x", "center_y"),
    "SHEAR": ("gamma1", "gamma2", "ra_0", "dec_0"),
}
LIGHT_PROFILES, MASS_PROFILES = tuple(LIGHT), tuple(MASS)


def parameter_names(kind: str, name: str) -> tuple[str, ...]:
    """Return the parameters of a profile of light or mass."""
    return (LIGHT if kind == "light" else MASS)[name]
