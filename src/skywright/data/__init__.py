"""Artefacts, units at the door, read and write, cutouts, splits, public data."""

from skywright.data.images import Images as Images
from skywright.data.model import Model as Model
from skywright.data.predictions import Predictions as Predictions
from skywright.data.report import Files as Files
from skywright.data.report import Report as Report
from skywright.data.waiting import Waiting as Waiting
