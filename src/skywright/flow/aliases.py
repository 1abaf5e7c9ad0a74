"""Published names that are ours under another path."""

from __future__ import annotations

__all__ = ["SKYPY"]

_MODULES = {
    "skypy.galaxies": "schechter_lf schechter_smf",
    "skypy.galaxies.redshift": """
        redshifts_from_comoving_density schechter_lf_redshift schechter_smf_redshift
        smail
    """,
    "skypy.galaxies.luminosity": "schechter_lf_magnitude",
    "skypy.galaxies.stellar_mass": "schechter_smf_mass",
    "skypy.galaxies.velocity_dispersion": "schechter_vdf",
    "skypy.galaxies.morphology": """
        angular_size beta_ellipticity early_type_lognormal_size late_type_lognormal_size
        linear_lognormal_size ryden04_ellipticity
    """,
    "skypy.galaxies.spectrum": "KCorrectTemplates dirichlet_coefficients",
    "skypy.galaxies.spectrum.kcorrect": """
        absolute_magnitudes apparent_magnitudes m300 m1000 metallicity
    """,
    "skypy.utils": "broadcast_arguments dependent_argument",
    "skypy.utils.photometry": """
        SpectrumTemplates absolute_magnitude_from_luminosity logistic_completeness_function
        luminosity_from_absolute_magnitude mag_ab magnitude_error_rykoff
    """,
    "skypy.utils.random": "schechter triaxial_axis_ratio",
    "skypy.utils.special": "gammaincc",
}

# Dotted path in SkyPy -> dotted path here: but for one, the names are the same.
SKYPY = {
    f"{module}.{name}": f"skywright.sky.{name}"
    for module, names in _MODULES.items()
    for name in names.split()
} | {"skypy.galaxies.spectrum.kcorrect.stellar_mass": "skywright.sky.galaxy_stellar_mass"}
