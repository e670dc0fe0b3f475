"""Pictures: what people upload, what others show, and what grows where nobody chose one.

The front door: `Media` takes, shows and deletes pictures, `Proxy` fetches outside ones,
`Blocklist` keeps those that are not taken, `PictureCheck` is the hook for further checks. Built by
`lichen.media.room.build`; `routes` speaks HTTP for all of it.
"""

from lichen.media.blocklist import Blocklist
from lichen.media.growth import Grown, banner, colony, young
from lichen.media.model import (
    Blocked,
    Picture,
    PictureCheck,
    Seen,
    Uploaded,
    Uploader,
    UploadGate,
    Usage,
)
from lichen.media.proxy import PATH as PROXY_PATH
from lichen.media.proxy import Proxy
from lichen.media.routes import grown_routes, routes
from lichen.media.service import Media
from lichen.media.uploads import SentForm, read_form

__all__ = [
    "PROXY_PATH", "Blocked", "Blocklist", "Grown", "Media", "Picture", "PictureCheck", "Proxy",
    "Seen", "SentForm", "UploadGate", "Uploaded", "Uploader", "Usage", "banner", "colony",
    "grown_routes", "read_form", "routes", "young",
]
