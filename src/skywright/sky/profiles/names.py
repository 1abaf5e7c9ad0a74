"""The published names of profiles and their parameters: a frozen table.

The names are those that configurations of deeplenstronomy may use: 24 of light and 60 of mass.
lenstronomy has renamed some since; `ALIASES` leads from its present names to these. Parameters
are those of lenstronomy, with one exception: light is given by its total flux, so ``amp`` is left
out but for the profiles in `SHARES`, where it says how the flux is shared out. Light that looks
like arcs and is none, `OWN_LIGHTS`, is ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "ALIASES",
    "DEFAULTS",
    "LIGHT_PROFILES",
    "LISTS",
    "MASS_PROFILES",
    "OWN_LIGHTS",
    "SHARES",
    "known_name",
    "parameter_names",
]

CENTRE = "center_x center_y"
ORIGIN = "ra_0 dec_0"
ELLIPSE = "e1 e2 center_x center_y"
CHAMELEON_2 = "ratio w_c1 w_t1 e11 e21 w_c2 w_t2 e12 e22 center_x center_y"
CHAMELEON_3 = (
    "ratio12 ratio13 w_c1 w_t1 e11 e21 w_c2 w_t2 e12 e22 w_c3 w_t3 e13 e23 center_x center_y"
)
GRID = "grid_interp_x grid_interp_y f_ f_x f_y f_xx f_yy f_xy"
STARLETS = "amp n_scales n_pixels scale center_x center_y"

MASSES = {
    "SHIFT": "alpha_x alpha_y",
    "NIE_POTENTIAL": f"theta_E theta_c {ELLIPSE}",
    "CONST_MAG": f"mu_r mu_t parity phi_G {CENTRE}",
    "SHEAR": f"gamma1 gamma2 {ORIGIN}",
    "SHEAR_GAMMA_PSI": f"gamma_ext psi_ext {ORIGIN}",
    "CONVERGENCE": f"kappa {ORIGIN}",
    "FLEXION": f"g1 g2 g3 g4 {ORIGIN}",
    "FLEXIONFG": f"F1 F2 G1 G2 {ORIGIN}",
    "POINT_MASS": f"theta_E {CENTRE}",
    "SIS": f"theta_E {CENTRE}",
    "SIS_TRUNCATED": f"theta_E r_trunc {CENTRE}",
    "SIE": f"theta_E {ELLIPSE}",
    "SPP": f"theta_E gamma {CENTRE}",
    "NIE": f"theta_E s_scale {ELLIPSE}",
    "NIE_SIMPLE": "b s q",
    "CHAMELEON": f"alpha_1 w_c w_t {ELLIPSE}",
    "DOUBLE_CHAMELEON": f"alpha_1 {CHAMELEON_2}",
    "TRIPLE_CHAMELEON": f"alpha_1 {CHAMELEON_3}",
    "SPEP": f"theta_E gamma {ELLIPSE}",
    "PEMD": f"theta_E gamma {ELLIPSE}",
    "SPEMD": f"theta_E gamma s_scale {ELLIPSE}",
    "EPL": f"theta_E gamma {ELLIPSE}",
    "NFW": f"Rs alpha_Rs {CENTRE}",
    "NFW_ELLIPSE": f"Rs alpha_Rs {ELLIPSE}",
    "NFW_ELLIPSE_GAUSS_DEC": f"Rs alpha_Rs {ELLIPSE}",
    "TNFW": f"Rs alpha_Rs r_trunc {CENTRE}",
    "CNFW": f"Rs alpha_Rs r_core {CENTRE}",
    "CNFW_ELLIPSE": f"Rs alpha_Rs r_core {ELLIPSE}",
    "CTNFW_GAUSS_DEC": f"r_s r_core r_trunc a rho_s {ELLIPSE}",
    "NFW_MC": f"logM concentration {CENTRE}",
    "SERSIC": f"k_eff R_sersic n_sersic {CENTRE}",
    "SERSIC_ELLIPSE_POTENTIAL": f"k_eff R_sersic n_sersic {ELLIPSE}",
    "SERSIC_ELLIPSE_KAPPA": f"k_eff R_sersic n_sersic {ELLIPSE}",
    "SERSIC_ELLIPSE_GAUSS_DEC": f"k_eff R_sersic n_sersic {ELLIPSE}",
    "PJAFFE": f"sigma0 Ra Rs {CENTRE}",
    "PJAFFE_ELLIPSE": f"sigma0 Ra Rs {ELLIPSE}",
    "HERNQUIST": f"sigma0 Rs {CENTRE}",
    "HERNQUIST_ELLIPSE": f"sigma0 Rs {ELLIPSE}",
    "GAUSSIAN": f"amp sigma_x sigma_y {CENTRE}",
    "GAUSSIAN_KAPPA": f"amp sigma {CENTRE}",
    "GAUSSIAN_ELLIPSE_KAPPA": f"amp sigma {ELLIPSE}",
    "GAUSSIAN_ELLIPSE_POTENTIAL": f"amp sigma {ELLIPSE}",
    "MULTI_GAUSSIAN_KAPPA": f"amp sigma scale_factor {CENTRE}",
    "MULTI_GAUSSIAN_KAPPA_ELLIPSE": f"amp sigma scale_factor {ELLIPSE}",
    "INTERPOL": GRID,
    "INTERPOL_SCALED": f"scale_factor {GRID}",
    "SHAPELETS_POLAR": f"coeffs beta {CENTRE}",
    "SHAPELETS_CART": f"coeffs beta {CENTRE}",
    "DIPOLE": "com_x com_y phi_dipole coupling",
    "CURVED_ARC": f"tangential_stretch radial_stretch curvature direction {CENTRE}",
    "ARC_PERT": f"coeff d_r d_phi {CENTRE}",
    "coreBURKERT": f"Rs alpha_Rs r_core {CENTRE}",
    "CORED_DENSITY": f"sigma0 r_core {CENTRE}",
    "CORED_DENSITY_2": f"sigma0 r_core {CENTRE}",
    "CORED_DENSITY_MST": f"lambda_approx r_core {CENTRE}",
    "CORED_DENSITY_2_MST": f"lambda_approx r_core {CENTRE}",
    "NumericalAlpha": CENTRE,
    "MULTIPOLE": f"m a_m phi_m r_E {CENTRE}",
    "HESSIAN": f"f_xx f_yy f_xy f_yx {ORIGIN}",
    "ULDM": f"kappa_0 theta_c slope {CENTRE}",
}

LIGHTS = {
    "GAUSSIAN": f"sigma {CENTRE}",
    "GAUSSIAN_ELLIPSE": f"sigma {ELLIPSE}",
    "ELLIPSOID": f"radius {ELLIPSE}",
    "MULTI_GAUSSIAN": f"amp sigma {CENTRE}",
    "MULTI_GAUSSIAN_ELLIPSE": f"amp sigma {ELLIPSE}",
    "SERSIC": f"R_sersic n_sersic {CENTRE}",
    "SERSIC_ELLIPSE": f"R_sersic n_sersic {ELLIPSE}",
    "CORE_SERSIC": f"R_sersic Rb n_sersic gamma {ELLIPSE}",
    "SHAPELETS": f"amp n_max beta {CENTRE}",
    "SHAPELETS_POLAR": f"amp n_max beta {CENTRE}",
    "SHAPELETS_POLAR_EXP": f"amp n_max beta {CENTRE}",
    "HERNQUIST": f"Rs {CENTRE}",
    "HERNQUIST_ELLIPSE": f"Rs {ELLIPSE}",
    "PJAFFE": f"Ra Rs {CENTRE}",
    "PJAFFE_ELLIPSE": f"Ra Rs {ELLIPSE}",
    "UNIFORM": "",
    "POWER_LAW": f"gamma {ELLIPSE}",
    "NIE": f"s_scale {ELLIPSE}",
    "CHAMELEON": f"w_c w_t {ELLIPSE}",
    "DOUBLE_CHAMELEON": CHAMELEON_2,
    "TRIPLE_CHAMELEON": CHAMELEON_3,
    "INTERPOL": f"image scale phi_G {CENTRE}",
    "SLIT_STARLETS": STARLETS,
    "SLIT_STARLETS_GEN2": STARLETS,
}

ALIASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "mass": MappingProxyType(
            {
                "NFW_ELLIPSE_POTENTIAL": "NFW_ELLIPSE",
                "CNFW_ELLIPSE_POTENTIAL": "CNFW_ELLIPSE",
                "PJAFFE_ELLIPSE_POTENTIAL": "PJAFFE_ELLIPSE",
                "HERNQUIST_ELLIPSE_POTENTIAL": "HERNQUIST_ELLIPSE",
                "GAUSSIAN_POTENTIAL": "GAUSSIAN",
                "MULTI_GAUSSIAN": "MULTI_GAUSSIAN_KAPPA",
                "MULTI_GAUSSIAN_ELLIPSE_POTENTIAL": "MULTI_GAUSSIAN_KAPPA_ELLIPSE",
                "CURVED_ARC_SPP": "CURVED_ARC",
                "TABULATED_DEFLECTIONS": "NumericalAlpha",
            }
        ),
        "light": MappingProxyType({}),
    }
)

# What a parameter is where it is left out.
DEFAULTS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("center_x", "center_y", "ra_0", "dec_0", "phi_G"), 0.0)
    | {"scale_factor": 1.0, "scale": 1.0, "r_E": 1.0}
)
# Light whose ``amp`` is a list: the relative strengths of its terms.
SHARES = ("MULTI_GAUSSIAN", "MULTI_GAUSSIAN_ELLIPSE", "SHAPELETS", "SHAPELETS_POLAR") + (
    "SHAPELETS_POLAR_EXP",
    "SLIT_STARLETS",
    "SLIT_STARLETS_GEN2",
)
# Parameters that hold a list or a grid, not a number.
LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(("MULTI_GAUSSIAN_KAPPA", "MULTI_GAUSSIAN_KAPPA_ELLIPSE"), ("amp", "sigma"))
    | dict.fromkeys(("MULTI_GAUSSIAN", "MULTI_GAUSSIAN_ELLIPSE"), ("amp", "sigma"))
    | dict.fromkeys(SHARES[2:], ("amp",))
    | {"SHAPELETS_CART": ("coeffs",), "SHAPELETS_POLAR": ("amp", "coeffs")}
    | {"INTERPOL": (*GRID.split(), "image"), "INTERPOL_SCALED": tuple(GRID.split())}
)

MASS_PROFILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(words.split()) for name, words in MASSES.items()}
)
LIGHT_PROFILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(words.split()) for name, words in LIGHTS.items()}
)
OWN_LIGHTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "RING": tuple(f"R_ring width {ELLIPSE}".split()),
        "SPIRAL": tuple(f"R_sersic arms pitch contrast turn {ELLIPSE}".split()),
    }
)


def known_name(kind: str, name: str) -> str:
    """Return the published name of a profile, or say which name is close to it."""
    tables = {"mass": MASS_PROFILES, "light": {**LIGHT_PROFILES, **OWN_LIGHTS}}
    if kind not in tables:
        raise ValueError(f"kind of profile is {kind!r}; expected 'mass' or 'light'")
    if name in tables[kind]:
        return name
    if name in ALIASES[kind]:
        return ALIASES[kind][name]
    close = difflib.get_close_matches(str(name).upper(), [*tables[kind], *ALIASES[kind]], 1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(tables[kind])}"
    raise ValueError(f"there is no {kind} profile {name!r}{hint}")


def parameter_names(kind: str, name: str) -> tuple[str, ...]:
    """Return the parameters of a profile.

    Parameters
    ----------
    kind : str
        ``mass`` or ``light``.
    name : str
        Published name.

    Returns
    -------
    names : tuple of str
        As lenstronomy calls them; those with a value in `DEFAULTS` may be left out.

    Raises
    ------
    ValueError
        There is no such kind or profile; the message holds the closest name.

    Examples
    --------
    >>> parameter_names("mass", "SIE")
    ('theta_E', 'e1', 'e2', 'center_x', 'center_y')
    """
    name = known_name(kind, name)
    lights = {**LIGHT_PROFILES, **OWN_LIGHTS}
    return (MASS_PROFILES if kind == "mass" else lights)[name]
