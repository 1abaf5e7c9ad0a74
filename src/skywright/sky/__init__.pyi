from .arms import arms_profile as arms_profile
from .deflectors import epl as epl
from .deflectors import nfw as nfw
from .deflectors import point_mass as point_mass
from .deflectors import shear as shear
from .deflectors import sie as sie
from .deflectors import sie_shear as sie_shear
from .deflectors import sis as sis
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
from .populations.arguments import broadcast_arguments as broadcast_arguments
from .populations.arguments import dependent_argument as dependent_argument
from .populations.clustering import clustered_positions as clustered_positions
from .populations.clustering import field_contrast as field_contrast
from .populations.clustering import lognormal_field as lognormal_field
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
from .populations.positions import cell_area as cell_area
from .populations.positions import cells_in_cone as cells_in_cone
from .populations.positions import uniform_positions as uniform_positions
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
from .populations.spectrum_templates import SpectrumTemplates as SpectrumTemplates
from .populations.stellar_masses import schechter_smf as schechter_smf
from .populations.stellar_masses import schechter_smf_mass as schechter_smf_mass
from .populations.stellar_masses import schechter_vdf as schechter_vdf
from .populations.templates import KCorrectTemplates as KCorrectTemplates
from .populations.templates import absolute_magnitudes as absolute_magnitudes
from .populations.templates import apparent_magnitudes as apparent_magnitudes
from .populations.templates import galaxy_stellar_mass as galaxy_stellar_mass
from .populations.templates import m300 as m300
from .populations.templates import m1000 as m1000
from .populations.templates import metallicity as metallicity
from .psf import PointSpread as PointSpread
from .psf import gaussian_psf as gaussian_psf
from .psf import moffat_psf as moffat_psf
from .psf import pixel_psf as pixel_psf
from .rendering import render as render
from .transients.bands import tabulate_bands as tabulate_bands
from .transients.compact_masses import gaussian_neutron_star_masses as gaussian_neutron_star_masses
from .transients.compact_masses import power_law_peak_masses as power_law_peak_masses
from .transients.compact_masses import uniform_neutron_star_masses as uniform_neutron_star_masses
from .transients.events import draw_events as draw_events
from .transients.kilonova import kilonova_series as kilonova_series
from .transients.light_curves import light_curves as light_curves
from .transients.mergers import draw_directions as draw_directions
from .transients.mergers import draw_mergers as draw_mergers
from .transients.models import light_curve_magnitudes as light_curve_magnitudes
from .transients.rates import core_collapse_rate as core_collapse_rate
from .transients.rates import dilday10_ia_rate as dilday10_ia_rate
from .transients.rates import frohmaier19_ia_rate as frohmaier19_ia_rate
from .transients.rates import gwtc3_black_hole_rate as gwtc3_black_hole_rate
from .transients.rates import gwtc3_neutron_star_rate as gwtc3_neutron_star_rate
from .transients.rates import madau14_star_formation_rate as madau14_star_formation_rate
from .transients.supernovae import draw_core_collapse_parameters as draw_core_collapse_parameters
from .transients.supernovae import draw_ia_parameters as draw_ia_parameters
from .transients.supernovae import ia_stretch as ia_stretch
from .transients.templates import load_series as load_series
