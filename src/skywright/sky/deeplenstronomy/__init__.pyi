from .datasets import Dataset as Dataset
from .datasets import make_dataset as make_dataset
from .document import ConfigurationError as ConfigurationError
from .drawing import draw_lens_configuration as draw_lens_configuration
from .reading import read_lens_configuration as read_lens_configuration
from .rendering import LensImages as LensImages
from .rendering import render_lens_configuration as render_lens_configuration
