"""The calls about accounts: signing up, logging in, one's own settings, people."""

import msgspec

from lichen.accounts import Account, Login, ProfileDraft, Settings, Viewer
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import CommentQuery, CommentSort, Listing, PersonView, PostQuery, Sort
from lichen.kit import Refused
from lichen.store import Unit

# Settings that the API names as we do; the others are named in `_settings`.
_SAME_NAME = frozenset(wire.SaveUserSettings.__struct_fields__) & frozenset(
    Settings.__struct_fields__
)
_PROFILE = {  # the API's name of a field of the profile, and ours
    "display_name": "display_name", "bio": "bio", "avatar": "avatar", "banner": "banner",
    "matrix_user_id": "matrix_user_id", "bot_account": "bot",
}


async def register(parts: Parts, caller: Caller, asked: wire.Register) -> wire.LoginResponse:
    """Sign up, and log in where nothing has to be waited for."""
    if asked.honeypot:
        raise Refused("honeypot_failed", "That field is for robots; leave it empty.")
    check_same(asked.password, asked.password_verify)
    return _logged_in(await parts.accounts.register(
        asked.username, asked.password, email=asked.email or None, answer=asked.answer,
        address=caller.address, agent=caller.agent, show_nsfw=bool(asked.show_nsfw),
        captcha=(asked.captcha_uuid or "", asked.captcha_answer or ""),
    ))


async def login(parts: Parts, caller: Caller, asked: wire.Login) -> wire.LoginResponse:
    """Log in by name or address of mail."""
    return _logged_in(await parts.accounts.log_in(
        asked.username_or_email, asked.password, address=caller.address, agent=caller.agent,
        code=asked.totp_2fa_token,
    ))


async def logout(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.SuccessResponse:
    """End the login that this request came with."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.accounts.log_out(unit, viewer))
    return wire.SuccessResponse(success=True)


async def validate_auth(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.SuccessResponse:
    """Say whether the token is good; a bad one is refused."""
    caller.person()
    return wire.SuccessResponse(success=True)


async def list_logins(parts: Parts, caller: Caller, _: wire.Nothing) -> list[wire.LoginToken]:
    """Return every login of the caller's account."""
    viewer = caller.person()
    sessions = await parts.store.read(lambda unit: parts.accounts.logins(unit, viewer))
    return [
        wire.LoginToken(
            user_id=viewer.account_id, published=wire.time_of(session.published_us),
            ip=session.address, user_agent=session.agent,
        )
        for session in sessions
    ]


async def change_password(
    parts: Parts, caller: Caller, asked: wire.ChangePassword
) -> wire.LoginResponse:
    """Change the caller's password; every other login ends."""
    viewer = caller.person()
    check_same(asked.new_password, asked.new_password_verify)
    return _logged_in(
        await parts.accounts.change_password(viewer, asked.old_password, asked.new_password)
    )


async def save_settings(
    parts: Parts, caller: Caller, asked: wire.SaveUserSettings
) -> wire.SuccessResponse:
    """Change the caller's profile and settings."""
    viewer = caller.person()
    said = wire.fields_of(asked)
    settings = _settings(viewer.settings, said)
    profile = {ours: said[name] for name, ours in _PROFILE.items() if name in said}

    def command(unit: Unit) -> None:
        if profile:
            parts.accounts.save_profile(unit, viewer, ProfileDraft(**profile))
        if settings != viewer.settings:
            parts.accounts.save_settings(unit, viewer, settings)

    await parts.store.write(command)
    if settings.email and settings.email != viewer.settings.email:
        await parts.accounts.send_verification(viewer.account_id)
    return wire.SuccessResponse(success=True)


async def get_person_details(
    parts: Parts, caller: Caller, asked: wire.GetPersonDetails
) -> wire.GetPersonDetailsResponse:
    """Return a person with a page of what it wrote, or of what the caller keeps."""
    if asked.person_id is None and not asked.username:
        raise Refused("no_id_given", "Give a person_id or a username.")
    viewer = caller.viewer

    def query(unit: Unit) -> wire.GetPersonDetailsResponse:
        shown = parts.forum.person(unit, viewer, id=asked.person_id, name=asked.username)
        posts, _ = parts.forum.post_list(unit, viewer, _posts_of(shown, asked))
        comments = parts.forum.comment_list(unit, viewer, _comments_of(shown, asked))
        moderates = parts.forum.moderated_by(unit, shown.person.id)
        moderator = views.person(shown.person)
        return wire.GetPersonDetailsResponse(
            person_view=views.person_view(shown),
            posts=views.post_views(posts),
            comments=views.comment_views(comments),
            moderates=[
                wire.CommunityModeratorView(
                    community=views.community(view.community), moderator=moderator
                )
                for view in moderates
            ],
        )

    return await parts.store.read(query)


async def block_person(
    parts: Parts, caller: Caller, asked: wire.BlockPerson
) -> wire.BlockPersonResponse:
    """Block a person, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> PersonView:
        shown = parts.forum.person(unit, viewer, id=asked.person_id)
        parts.accounts.block_person(unit, viewer, asked.person_id, blocked=asked.block)
        return shown

    shown = await parts.store.write(command)
    return wire.BlockPersonResponse(person_view=views.person_view(shown), blocked=asked.block)


async def block_instance(
    parts: Parts, caller: Caller, asked: wire.BlockInstance
) -> wire.BlockInstanceResponse:
    """Block a server, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.accounts.block_instance(unit, viewer, asked.instance_id, blocked=asked.block)

    await parts.store.write(command)
    return wire.BlockInstanceResponse(blocked=asked.block)


def check_same(password: str, again: str) -> None:
    """Refuse a password that was typed differently the second time."""
    if password != again:
        raise Refused("passwords_do_not_match", "The two passwords differ; type them again.")


def _logged_in(login: Login) -> wire.LoginResponse:
    return wire.LoginResponse(
        jwt=login.token, registration_created=login.registration_created,
        verify_email_sent=login.verify_email_sent,
    )


def _settings(settings: Settings, said: dict[str, object]) -> Settings:
    changes = {name: value for name, value in said.items() if name in _SAME_NAME}
    for name in ("default_sort_type", "default_listing_type", "post_listing_mode"):
        if name in changes:
            changes[name] = str(changes[name])
    if "discussion_languages" in said:
        changes["languages"] = said["discussion_languages"]
    return msgspec.structs.replace(settings, **changes)


def _posts_of(shown: PersonView, asked: wire.GetPersonDetails) -> PostQuery:
    return PostQuery(
        listing=Listing.ALL, sort=asked.sort, community_id=asked.community_id,
        # Saved things are the caller's, whoever wrote them.
        creator_id=None if asked.saved_only else shown.person.id,
        page=asked.page, limit=asked.limit,
        saved_only=asked.saved_only, show_read=True, show_nsfw=True,
    )


def _comments_of(shown: PersonView, asked: wire.GetPersonDetails) -> CommentQuery:
    return CommentQuery(
        listing=Listing.ALL, sort=_COMMENT_SORTS.get(asked.sort, CommentSort.TOP),
        community_id=asked.community_id,
        creator_id=None if asked.saved_only else shown.person.id,
        page=asked.page, limit=asked.limit,
        saved_only=asked.saved_only,
    )


# Lemmy 0.19, post_to_comment_sort_type: every other order of posts is Top for comments.
_COMMENT_SORTS = {
    Sort.ACTIVE: CommentSort.HOT, Sort.HOT: CommentSort.HOT, Sort.SCALED: CommentSort.HOT,
    Sort.NEW: CommentSort.NEW, Sort.NEW_COMMENTS: CommentSort.NEW,
    Sort.MOST_COMMENTS: CommentSort.NEW, Sort.OLD: CommentSort.OLD,
    Sort.CONTROVERSIAL: CommentSort.CONTROVERSIAL,
}


def local_user(viewer: Viewer) -> wire.LocalUser:
    """Return the caller's account with what its person has chosen."""
    account = Account(
        id=viewer.account_id, actor=viewer.actor, settings=viewer.settings,
        accepted=viewer.accepted, email_verified=viewer.email_verified,
    )
    return local_user_of(account, totp_enabled=viewer.totp_enabled)


def local_user_of(account: Account, *, totp_enabled: bool) -> wire.LocalUser:
    """Return an account with what its person has chosen."""
    settings = account.settings
    same = {
        name: getattr(settings, name)
        for name in _SAME_NAME & frozenset(wire.LocalUser.__struct_fields__)
    }
    return wire.LocalUser(**same | {
        "id": account.id, "person_id": account.actor.id, "admin": account.actor.admin,
        "email_verified": account.email_verified, "accepted_application": account.accepted,
        "totp_2fa_enabled": totp_enabled,
        "default_sort_type": Sort(settings.default_sort_type),
        "default_listing_type": Listing(settings.default_listing_type),
        "post_listing_mode": wire.PostListingMode(settings.post_listing_mode),
    })


def vote_display(viewer: Viewer) -> wire.LocalUserVoteDisplayMode:
    """Return which tallies of votes a person wants to see."""
    settings = viewer.settings
    return wire.LocalUserVoteDisplayMode(
        local_user_id=viewer.account_id, score=settings.show_scores,
        upvotes=settings.show_upvotes, downvotes=settings.show_downvotes,
        upvote_percentage=settings.show_upvote_percentage,
    )
