"""Notifications: replies and mentions, kept by a reader of the log.

The front door: `Notifications` is the service, built by `lichen.notifications.room.build`.
"""

from lichen.notifications.model import Counts, Kind, Notice, Notification
from lichen.notifications.service import Notifications

__all__ = ["Counts", "Kind", "Notice", "Notification", "Notifications"]
