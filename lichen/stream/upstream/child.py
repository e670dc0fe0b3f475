"""The child that decodes; `decoder.py` starts it.

    parent                       child
      frames, one batch ──────▶    decode each
      what came of them ◀──────    in the same order            length (u32 LE) │ MessagePack

libipld is native code that reads what strangers wrote; a version of it once died of such a file. It
therefore runs here: a process without the environment, the files or the sockets of its parent, with
bounded memory, that the kernel ends with its parent. It answers one batch after the other until its
pipe ends, and says once, before the first, that it is there: an empty answer.
"""

import ctypes
import gc
import os
import resource
import signal
import struct
from typing import BinaryIO, Final

import msgspec

from lichen.stream.upstream.frames import Decoded, decode
from lichen.stream.upstream.limits import CHILD_MEMORY_BYTES_MAX

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
LENGTH: Final = struct.Struct("<I")

encode_batch = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(list[bytes]).decode
decode_answer = msgspec.msgpack.Decoder(list[Decoded]).decode


def main() -> None:
    """Answer batches until the pipe ends."""
    limit()
    # Records hold no cycles; what a batch made is freed when it is answered.
    gc.disable()
    serve(os.fdopen(0, "rb"), os.fdopen(1, "wb"))


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Say that the child is there, then answer each batch."""
    _send(outgoing, [])
    while len(head := incoming.read(LENGTH.size)) == LENGTH.size:
        frames = decode_batch(incoming.read(LENGTH.unpack(head)[0]))
        _send(outgoing, [decode(frame) for frame in frames])


def limit() -> None:
    """Bound this process, and let it end with its parent."""
    # prctl(2): the parent may be killed while a batch is decoded and no pipe is read.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for what, most in ((resource.RLIMIT_AS, CHILD_MEMORY_BYTES_MAX), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))


def _send(outgoing: BinaryIO, answer: list[Decoded]) -> None:
    body = encode_batch(answer)
    outgoing.write(LENGTH.pack(len(body)))
    outgoing.write(body)
    outgoing.flush()
