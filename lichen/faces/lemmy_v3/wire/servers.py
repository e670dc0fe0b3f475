"""Servers as the Lemmy API shows them: as an actor, and as a name one can block."""

from lichen.faces.lemmy_v3.wire.base import Answer, Time


class Site(Answer, frozen=True, kw_only=True):
    """The site as an actor."""

    id: int
    name: str
    sidebar: str | None = None
    published: Time
    updated: Time | None = None
    icon: str | None = None
    banner: str | None = None
    description: str | None = None
    actor_id: str
    last_refreshed_at: Time
    inbox_url: str
    public_key: str
    instance_id: int
    content_warning: str | None = None


class Instance(Answer, frozen=True, kw_only=True):
    """A server."""

    id: int
    domain: str
    published: Time
    updated: Time | None = None
    software: str | None = None
    version: str | None = None


class ReadableFederationState(Answer, frozen=True, kw_only=True):
    """How deliveries to a server go."""

    instance_id: int
    last_successful_id: int | None = None
    last_successful_published_time: Time | None = None
    fail_count: int
    last_retry: Time | None = None
    next_retry: Time | None = None


class InstanceWithFederationState(Instance, frozen=True, kw_only=True):
    """A server and how deliveries to it go."""

    federation_state: ReadableFederationState | None = None
