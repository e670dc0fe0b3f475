"""Plugins that are ill, each in its own way."""

import os
import sys
from pathlib import Path

from lichen.kit import Reason
from lichen.plugins import Change, Hold, hookimpl


class Ill:
    @hookimpl
    def before_create(self, writing):
        if writing.body == "well":
            return None
        return self.fall(writing)


class Raising(Ill):
    def fall(self, writing):
        raise ValueError(f"the private text {writing.body}")


class Endless(Ill):
    def fall(self, writing):
        while True:
            pass


class Greedy(Ill):
    def fall(self, writing):
        kept = []
        while True:
            kept.append(bytearray(16 << 20))


class Gone(Ill):
    def fall(self, writing):
        os._exit(3)


class Chatty(Ill):
    """Prints, which must not be taken for an answer."""

    def fall(self, writing):
        sys.stdout.write("\x00\x00\x00\x05hello")
        sys.stdout.flush()
        return None


class Meddling(Ill):
    def fall(self, writing):
        return Change(fields={"community_id": 1})


class Mistaken(Ill):
    def fall(self, writing):
        return Change(fields={"body": 7})


class Answering(Ill):
    def fall(self, writing):
        return "yes"


class Holding:
    """Holds an edit, where nothing can wait."""

    @hookimpl
    def before_edit(self, writing):
        return Hold(reason=Reason(rule="no"))


class Unknown:
    @hookimpl
    def before_breakfast(self):
        return None


class Wrapping:
    @hookimpl(wrapper=True)
    def before_create(self, writing):
        return (yield)


class Snooping:
    """Looks for what the house keeps to itself."""

    @hookimpl
    def before_create(self, writing):
        open_files = [path.name for path in Path("/proc/self/fd").iterdir()]
        return Change(fields={"body": ",".join(os.environ) + "|" + ",".join(open_files)})


raising, endless, greedy, gone, chatty = Raising(), Endless(), Greedy(), Gone(), Chatty()
meddling, mistaken, answering, holding = Meddling(), Mistaken(), Answering(), Holding()
unknown, wrapping, snooping = Unknown(), Wrapping(), Snooping()
