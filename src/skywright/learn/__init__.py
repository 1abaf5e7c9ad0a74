"""The one fit loop, the fitting and tuning of classical models, calibration."""

from skywright.learn.calibration import correct_prior as correct_prior
from skywright.learn.calibration import temperature as temperature
from skywright.learn.card import list_warnings as list_warnings
from skywright.learn.density import fit_density as fit_density
from skywright.learn.fitting import fit as fit
from skywright.learn.gradients import watch as watch
from skywright.learn.information import estimate_information as estimate_information
from skywright.learn.laplace import laplace as laplace
from skywright.learn.quantiles import fit_quantiles as fit_quantiles
from skywright.learn.regression import fit_regressor as fit_regressor
from skywright.learn.regression_nets import fit_regression as fit_regression
from skywright.learn.tuning import tune_classifier as tune_classifier
