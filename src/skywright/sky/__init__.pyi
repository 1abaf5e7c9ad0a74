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
from .halos.abundance import match_abundance as match_abundance
from .halos.concentrations import draw_concentrations as draw_concentrations
from .halos.concentrations import halo_concentration as halo_concentration
from .halos.definitions import convert_halo_mass as convert_halo_mass
from .halos.definitions import halo_radius as halo_radius
from .halos.hod import draw_hod_galaxies as draw_hod_galaxies
from .halos.hod import hod_occupation as hod_occupation
from .halos.light_cone import draw_halos as draw_halos
from .halos.mass_function import halo_bias as halo_bias
from .halos.mass_function import halo_mass_function as halo_mass_function
from .halos.mass_function import halo_number_density as halo_number_density
from .halos.nfw_profile import nfw_density as nfw_density
from .halos.nfw_profile import nfw_enclosed_mass as nfw_enclosed_mass
from .halos.nfw_profile import nfw_lens as nfw_lens
from .halos.nfw_profile import nfw_surface_density as nfw_surface_density
from .halos.placing import draw_nfw_positions as draw_nfw_positions
from .halos.placing import draw_nfw_radii as draw_nfw_radii
from .halos.subhalos import draw_subhalos as draw_subhalos
from .halos.subhalos import subhalo_mass_function as subhalo_mass_function
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
from .psf import PointSpread as PointSpread
from .psf import gaussian_psf as gaussian_psf
from .psf import moffat_psf as moffat_psf
from .psf import pixel_psf as pixel_psf
from .rendering import render as render
