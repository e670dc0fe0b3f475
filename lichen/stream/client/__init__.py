"""The door for whoever reads streams, ours or others: the commands come in here."""

from lichen.stream.client.asking import Open, Wish, opener_of, overview_of, subscribe, tip_of
from lichen.stream.client.consuming import Endpoint, StreamEnded, Subscription, endpoint_of
from lichen.stream.client.crowd import Crowd, Mix, all_faults, expected_by_others, faults_of
from lichen.stream.client.replaying import Place, Replay, Tip, place_of, replay, resume_file
from lichen.stream.client.sampling import sampled
from lichen.stream.client.showing import line_of
from lichen.stream.client.sizing import HOUR_US, at_rate, told_sizes
from lichen.stream.engine import Sizes
from lichen.stream.limits import QUIET_S_MAX, SAMPLE_EVENTS_MAX, SAMPLE_S_MAX
from lichen.stream.predicting import predict, told

__all__ = [
    "HOUR_US", "QUIET_S_MAX", "SAMPLE_EVENTS_MAX", "SAMPLE_S_MAX", "Crowd", "Endpoint", "Mix",
    "Open", "Place", "Replay", "Sizes", "StreamEnded", "Subscription", "Tip", "Wish", "all_faults",
    "at_rate", "endpoint_of", "expected_by_others", "faults_of", "line_of", "opener_of",
    "overview_of", "place_of", "predict", "replay", "resume_file", "sampled", "subscribe",
    "tip_of", "told", "told_sizes",
]
