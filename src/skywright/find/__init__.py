"""Apply and combine: detection, features, prediction, ranking."""

from skywright.find.arc_statistic import arc_statistic as arc_statistic
from skywright.find.attack import attack_gradient as attack_gradient
from skywright.find.attributions import attribute as attribute
from skywright.find.attributions import attribute_net as attribute_net
from skywright.find.attributions import attribute_sample as attribute_sample
from skywright.find.attributions import randomise_weights as randomise_weights
from skywright.find.detect import detect as detect
from skywright.find.einstein import einstein_radius as einstein_radius
from skywright.find.features import append_scores as append_scores
from skywright.find.features import features as features
from skywright.find.positions import locate as locate
from skywright.find.predict import predict as predict
from skywright.find.predict import predict_table as predict_table
from skywright.find.predict import predict_values as predict_values
from skywright.find.psf import measure_psf as measure_psf
from skywright.find.quantiles import predict_quantiles as predict_quantiles
from skywright.find.rank import rank as rank
from skywright.find.regression import predict_regression as predict_regression
from skywright.find.scoring import make_input_scorer as make_input_scorer
from skywright.find.scoring import make_scorer as make_scorer
from skywright.find.select import select_galaxies as select_galaxies
from skywright.find.unknown import find_unknown as find_unknown
