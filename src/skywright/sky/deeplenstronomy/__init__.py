"""Configuration files of deeplenstronomy: read, checked, drawn and rendered by our own engine.

A file is read and drawn without torch; `make_dataset` is the interface of deeplenstronomy itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
