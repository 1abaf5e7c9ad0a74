"""The simulated universe and the instrument: populations, lenses, light, PSF, noise, painting.

What the room offers stands in ``__init__.pyi``; a module is imported when one of its names is asked
for, so that a catalogue of galaxies does not wait for torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
