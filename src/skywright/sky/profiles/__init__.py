"""Mass and light profiles under their published names, those of lenstronomy, and what they become.

The names and their parameters can be looked up without torch and without lenstronomy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
