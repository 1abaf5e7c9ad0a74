"""The simulated universe and the instrument: lenses, light, PSF, noise, painting."""

from skywright.sky.deflectors import epl as epl
from skywright.sky.deflectors import nfw as nfw
from skywright.sky.deflectors import point_mass as point_mass
from skywright.sky.deflectors import shear as shear
from skywright.sky.deflectors import sie as sie
from skywright.sky.deflectors import sie_shear as sie_shear
from skywright.sky.deflectors import sis as sis
from skywright.sky.lensing import axis_ratio as axis_ratio
from skywright.sky.lensing import convergence as convergence
from skywright.sky.lensing import ellipticity as ellipticity
from skywright.sky.lensing import magnification as magnification
from skywright.sky.lensing import trace as trace
from skywright.sky.light import ring as ring
from skywright.sky.light import sersic as sersic
from skywright.sky.light import spiral as spiral
from skywright.sky.psf import PointSpread as PointSpread
from skywright.sky.psf import gaussian_psf as gaussian_psf
from skywright.sky.psf import moffat_psf as moffat_psf
from skywright.sky.psf import pixel_psf as pixel_psf
from skywright.sky.render import render as render
