"""How much of what is taken from one address, as the administrators set it. Pure."""

import msgspec


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
