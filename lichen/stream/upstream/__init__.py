"""The upstream: the AT Protocol's firehose, verified, as events of the stream.

`Upstream` follows one of several relays into a store; `Decoder` decodes their frames in a child;
`Cursors` remembers which relay's numbers a position of the store is in.
"""

from lichen.stream.upstream.connection import address_of
from lichen.stream.upstream.cursors import Cursors
from lichen.stream.upstream.decoder import Decoder
from lichen.stream.upstream.frames import Decoded, Verdict, decode
from lichen.stream.upstream.relay import Upstream

__all__ = ["Cursors", "Decoded", "Decoder", "Upstream", "Verdict", "address_of", "decode"]
