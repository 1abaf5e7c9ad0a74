from .lights import light_part as light_part
from .masses import mass_part as mass_part
from .names import ALIASES as ALIASES
from .names import LIGHT_PROFILES as LIGHT_PROFILES
from .names import MASS_PROFILES as MASS_PROFILES
from .names import OWN_LIGHTS as OWN_LIGHTS
from .names import parameter_names as parameter_names
