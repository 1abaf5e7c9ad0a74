from .arms import arms_profile as arms_profile
from .deeplenstronomy.drawing import draw_lens_configuration as draw_lens_configuration
from .deeplenstronomy.images import simulate_lenses as simulate_lenses
from .deeplenstronomy.reading import read_lens_configuration as read_lens_configuration
from .deeplenstronomy.rendering import render_lens_configuration as render_lens_configuration
from .deflectors import epl as epl
from .deflectors import nfw as nfw
from .deflectors import point_mass as point_mass
from .deflectors import shear as shear
from .deflectors import sie as sie
from .deflectors import sie_shear as sie_shear
from .deflectors import sis as sis
from .delays import time_delays as time_delays
from .draw import draw_systems as draw_systems
from .forecast import draw_forecast as draw_forecast
from .images_of_points import image_positions as image_positions
from .lensing import axis_ratio as axis_ratio
from .lensing import convergence as convergence
from .lensing import ellipticity as ellipticity
from .lensing import magnification as magnification
from .lensing import trace as trace
from .light import ring as ring
from .light import sersic as sersic
from .light import spiral as spiral
from .noise import add_noise as add_noise
from .noise import noise_variance as noise_variance
from .painting import paint as paint
from .painting import painted_light as painted_light
from .photometry import arc_snr as arc_snr
from .photometry import effective_area as effective_area
from .planes import arrange_planes as arrange_planes
from .planes import render_planes as render_planes
from .populations.detection import logistic_completeness_function as logistic_completeness_function
from .populations.detection import magnitude_error_rykoff as magnitude_error_rykoff
from .populations.ellipticities import beta_ellipticity as beta_ellipticity
from .populations.ellipticities import ryden04_ellipticity as ryden04_ellipticity
from .populations.ellipticities import triaxial_axis_ratio as triaxial_axis_ratio
from .populations.luminosities import (
    absolute_magnitude_from_luminosity as absolute_magnitude_from_luminosity,
)
from .populations.luminosities import (
    luminosity_from_absolute_magnitude as luminosity_from_absolute_magnitude,
)
from .populations.luminosities import schechter_lf as schechter_lf
from .populations.luminosities import schechter_lf_magnitude as schechter_lf_magnitude
from .populations.magnitudes import band_coverage as band_coverage
from .populations.magnitudes import mag_ab as mag_ab
from .populations.redshifts import (
    redshifts_from_comoving_density as redshifts_from_comoving_density,
)
from .populations.redshifts import schechter_lf_redshift as schechter_lf_redshift
from .populations.redshifts import schechter_smf_redshift as schechter_smf_redshift
from .populations.redshifts import smail as smail
from .populations.schechter import schechter as schechter
from .populations.sizes import angular_size as angular_size
from .populations.sizes import early_type_lognormal_size as early_type_lognormal_size
from .populations.sizes import late_type_lognormal_size as late_type_lognormal_size
from .populations.sizes import linear_lognormal_size as linear_lognormal_size
from .populations.special import gammaincc as gammaincc
from .populations.spectra import dirichlet_coefficients as dirichlet_coefficients
from .populations.stellar_masses import schechter_smf as schechter_smf
from .populations.stellar_masses import schechter_smf_mass as schechter_smf_mass
from .populations.stellar_masses import schechter_vdf as schechter_vdf
from .populations.templates import absolute_magnitudes as absolute_magnitudes
from .populations.templates import apparent_magnitudes as apparent_magnitudes
from .populations.templates import galaxy_stellar_mass as galaxy_stellar_mass
from .populations.templates import m300 as m300
from .populations.templates import m1000 as m1000
from .populations.templates import metallicity as metallicity
from .potentials import potential as potential
from .profiles.lights import light_part as light_part
from .profiles.masses import mass_part as mass_part
from .profiles.names import parameter_names as parameter_names
from .psf import PointSpread as PointSpread
from .psf import gaussian_psf as gaussian_psf
from .psf import moffat_psf as moffat_psf
from .psf import pixel_psf as pixel_psf
from .rendering import render as render
from .surveys import draw_conditions as draw_conditions
from .surveys import survey_value as survey_value
