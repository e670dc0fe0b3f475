"""What whoever runs the stream's server may choose."""

import msgspec


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens, whom it serves how often, and what it shows."""

    host: str = "127.0.0.1"
    port: int = 6008  # 0: any free one
    connections_max: int = 10_000
    subscribers_per_address_max: int = 100
    connects_per_minute_max: int = 300  # by one address; bursts of as many
    keys: tuple[str, ...] = ()  # bearers of one are counted by it and not by address
    subscribers_per_key_max: int = 1_000
    connects_per_key_minute_max: int = 3_000
    trusted_proxies: str = "127.0.0.1,::1"  # whose X-Forwarded-For is believed
    ping_s: float = 30.0
    beat_s: float = 1.0  # between looks at pings, heartbeats and laggards
    shows_metrics: bool = True
