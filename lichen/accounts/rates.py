"""How much of what is taken from one address, as the administrators set it. Pure."""

import msgspec

from lichen.kit.config import Rates

SITE_RATES = ("message", "post", "register", "image", "comment", "search")


class RateLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """So many of each from one address in so many seconds.

    Names and defaults are those of Lemmy 0.19, local_site_rate_limit.
    """

    rate_limit_message: int = 180
    rate_limit_message_per_second: int = 60
    rate_limit_post: int = 6
    rate_limit_post_per_second: int = 600
    rate_limit_register: int = 10
    rate_limit_register_per_second: int = 3_600
    rate_limit_image: int = 6
    rate_limit_image_per_second: int = 3_600
    rate_limit_comment: int = 6
    rate_limit_comment_per_second: int = 600
    rate_limit_search: int = 60
    rate_limit_search_per_second: int = 600

    def rate(self, kind: str) -> tuple[int, float]:
        """Return how many of one of SITE_RATES fit into how many seconds."""
        name = f"rate_limit_{kind}"
        return getattr(self, name), getattr(self, f"{name}_per_second")


def first_rates(config: Rates) -> dict[str, int]:
    """Return the rates of a new site by their names, as the configuration wishes them."""
    rates: dict[str, int] = {}
    for kind in SITE_RATES:
        rates[f"rate_limit_{kind}"] = getattr(config, kind)
        rates[f"rate_limit_{kind}_per_second"] = int(getattr(config, f"{kind}_s"))
    return rates
