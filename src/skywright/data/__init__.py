"""Artefacts, units at the door, read and write, cutouts, splits, public data."""

from skywright.data.area import searched_area as searched_area
from skywright.data.background import measure_background as measure_background
from skywright.data.cutouts import cut_out as cut_out
from skywright.data.cutouts import cutout_size as cutout_size
from skywright.data.hull import fit_hull as fit_hull
from skywright.data.hull import outside_hull as outside_hull
from skywright.data.image_summary import image_summary as image_summary
from skywright.data.images import Images as Images
from skywright.data.model import Model as Model
from skywright.data.noise import measure_noise_excess as measure_noise_excess
from skywright.data.open_cutouts import central_positions as central_positions
from skywright.data.open_cutouts import open_cutouts as open_cutouts
from skywright.data.open_survey import open_survey as open_survey
from skywright.data.open_table import open_table as open_table
from skywright.data.predictions import Predictions as Predictions
from skywright.data.psf import Psf as Psf
from skywright.data.regions import sky_regions as sky_regions
from skywright.data.report import Files as Files
from skywright.data.report import Report as Report
from skywright.data.sampling import draw_groups as draw_groups
from skywright.data.shuffling import shuffle_labels as shuffle_labels
from skywright.data.splits import assert_disjoint as assert_disjoint
from skywright.data.splits import cross_fit as cross_fit
from skywright.data.survey import Survey as Survey
from skywright.data.survey import Tile as Tile
from skywright.data.waiting import Waiting as Waiting
