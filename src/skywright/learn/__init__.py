"""The one fit loop, the fitting and tuning of classical models, calibration."""

from skywright.learn.calibration import correct_prior as correct_prior
from skywright.learn.calibration import temperature as temperature
from skywright.learn.fitting import fit as fit
from skywright.learn.information import estimate_information as estimate_information
from skywright.learn.regression import fit_regressor as fit_regressor
from skywright.learn.tuning import tune_classifier as tune_classifier
