"""Media: pictures. For now the grown ones: lichens for everybody without a picture.

The front door. `Grown` makes and remembers them; `routes` serves them under `/grown/…`.
"""

from lichen.media.growth import Grown, banner, colony, young
from lichen.media.routes import routes

__all__ = ["Grown", "banner", "colony", "routes", "young"]
