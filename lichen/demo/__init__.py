"""The demo: fills an empty folder with a believable community, the same for the same seed.

`fill` is what `lichen demo` calls. `plan` draws who wrote what when, as arrays; `words` gives
names, titles and texts; `writing` makes rows and events of a span; `filling` goes through it all.
"""

from lichen.demo.filling import DEMO_PASSWORD, fill
from lichen.demo.plan import SIZES

__all__ = ["DEMO_PASSWORD", "SIZES", "fill"]
