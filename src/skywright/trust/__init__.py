"""Judges: metrics with intervals, calibration, leak tests, and the report."""

from skywright.trust.budget import expected_against_true as expected_against_true
from skywright.trust.budget import purity_at_budget as purity_at_budget
from skywright.trust.budget import recall_at_budget as recall_at_budget
from skywright.trust.budget import survey_weights as survey_weights
from skywright.trust.calibration import brier_skill as brier_skill
from skywright.trust.calibration import calibration_error as calibration_error
from skywright.trust.calibration import calibration_slope as calibration_slope
from skywright.trust.calibration import prior_correct as prior_correct
from skywright.trust.completeness import completeness_map as completeness_map
from skywright.trust.duplicates import duplicates as duplicates
from skywright.trust.duplicates import shared_pixels as shared_pixels
from skywright.trust.image_set import images_report as images_report
from skywright.trust.leaks import background_rms_ratio as background_rms_ratio
from skywright.trust.leaks import separability as separability
from skywright.trust.leaks import shuffled_label_auroc as shuffled_label_auroc
from skywright.trust.pixel_features import pixel_features as pixel_features
from skywright.trust.population import count_galaxies as count_galaxies
from skywright.trust.population import population_report as population_report
from skywright.trust.radii import judge_radii as judge_radii
from skywright.trust.ranking import auroc as auroc
from skywright.trust.ranking import tpr_at_false_positives as tpr_at_false_positives
from skywright.trust.report import search_report as search_report
from skywright.trust.resampling import bootstrap_groups as bootstrap_groups
from skywright.trust.search import judge_search as judge_search
from skywright.trust.transfer import judge_transfer as judge_transfer
