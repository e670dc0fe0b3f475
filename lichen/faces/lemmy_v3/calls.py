"""The table of calls: what this face speaks, one line each.

Names, paths and messages are those of lemmy-js-client 0.19.9. A call that is not here is refused
with `not_implemented`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from lichen.faces.lemmy_v3 import (
    applications,
    banning,
    comments,
    communities,
    doors,
    images,
    inbox,
    keeping,
    likes,
    messages,
    moderating,
    modlog,
    portable,
    posts,
    reporting,
    searching,
    sites,
    users,
    wire,
)
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.web import Rate

AskT = TypeVar("AskT", bound=wire.Ask)
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Call(Generic[AskT, AnswerT]):
    """One call: how it is reached, what it takes and gives, and who answers it.

    The answer may already be bytes of JSON.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    request: type[AskT]
    response: type[AnswerT]
    answer: Callable[[Parts, Caller, AskT], Awaitable[AnswerT | bytes]]
    rate: Rate = "message"

    @property
    def name(self) -> str:
        """The name of the call, in the OpenAPI description behind that of its face."""
        return self.answer.__name__

    @property
    def summary(self) -> str:
        """The first line of what the call says of itself."""
        return (self.answer.__doc__ or "").partition("\n")[0].rstrip(".")


_MODERATION: tuple[Call[Any, Any], ...] = (
    Call("POST", "/post/remove", wire.RemovePost, wire.PostResponse, moderating.remove_post),
    Call("POST", "/post/lock", wire.LockPost, wire.PostResponse, moderating.lock_post),
    Call("POST", "/post/feature", wire.FeaturePost, wire.PostResponse, moderating.feature_post),
    Call("POST", "/post/report", wire.CreatePostReport, wire.PostReportResponse,
         reporting.create_post_report),
    Call("PUT", "/post/report/resolve", wire.ResolvePostReport, wire.PostReportResponse,
         reporting.resolve_post_report),
    Call("GET", "/post/report/list", wire.ListPostReports, wire.ListPostReportsResponse,
         reporting.list_post_reports),
    Call("POST", "/comment/remove", wire.RemoveComment, wire.CommentResponse,
         moderating.remove_comment),
    Call("POST", "/comment/distinguish", wire.DistinguishComment, wire.CommentResponse,
         moderating.distinguish_comment),
    Call("POST", "/comment/report", wire.CreateCommentReport, wire.CommentReportResponse,
         reporting.create_comment_report),
    Call("PUT", "/comment/report/resolve", wire.ResolveCommentReport, wire.CommentReportResponse,
         reporting.resolve_comment_report),
    Call("GET", "/comment/report/list", wire.ListCommentReports, wire.ListCommentReportsResponse,
         reporting.list_comment_reports),
    Call("POST", "/community/remove", wire.RemoveCommunity, wire.CommunityResponse,
         moderating.remove_community),
    Call("POST", "/community/delete", wire.DeleteCommunity, wire.CommunityResponse,
         moderating.delete_community),
    Call("PUT", "/community/hide", wire.HideCommunity, wire.SuccessResponse,
         moderating.hide_community),
    Call("POST", "/community/transfer", wire.TransferCommunity, wire.GetCommunityResponse,
         banning.transfer_community),
    Call("POST", "/community/mod", wire.AddModToCommunity, wire.AddModToCommunityResponse,
         banning.add_mod_to_community),
    Call("POST", "/community/ban_user", wire.BanFromCommunity, wire.BanFromCommunityResponse,
         banning.ban_from_community),
    Call("POST", "/user/ban", wire.BanPerson, wire.BanPersonResponse, banning.ban_person),
    Call("GET", "/user/banned", wire.Nothing, wire.BannedPersonsResponse,
         banning.get_banned_persons),
    Call("POST", "/private_message/report", wire.CreatePrivateMessageReport,
         wire.PrivateMessageReportResponse, reporting.create_private_message_report),
    Call("PUT", "/private_message/report/resolve", wire.ResolvePrivateMessageReport,
         wire.PrivateMessageReportResponse, reporting.resolve_private_message_report),
    Call("GET", "/private_message/report/list", wire.ListPrivateMessageReports,
         wire.ListPrivateMessageReportsResponse, reporting.list_private_message_reports),
    Call("POST", "/admin/purge/person", wire.PurgePerson, wire.SuccessResponse,
         moderating.purge_person),
    Call("POST", "/admin/purge/community", wire.PurgeCommunity, wire.SuccessResponse,
         moderating.purge_community),
    Call("POST", "/admin/purge/post", wire.PurgePost, wire.SuccessResponse,
         moderating.purge_post),
    Call("POST", "/admin/purge/comment", wire.PurgeComment, wire.SuccessResponse,
         moderating.purge_comment),
    Call("GET", "/modlog", wire.GetModlog, wire.GetModlogResponse, modlog.get_modlog),
)

CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/site", wire.Nothing, wire.GetSiteResponse, sites.get_site),
    Call("POST", "/site", wire.CreateSite, wire.SiteResponse, keeping.create_site),
    Call("PUT", "/site", wire.EditSite, wire.SiteResponse, keeping.edit_site),
    Call("POST", "/custom_emoji", wire.CreateCustomEmoji, wire.CustomEmojiResponse,
         keeping.create_custom_emoji),
    Call("PUT", "/custom_emoji", wire.EditCustomEmoji, wire.CustomEmojiResponse,
         keeping.edit_custom_emoji),
    Call("POST", "/custom_emoji/delete", wire.DeleteCustomEmoji, wire.SuccessResponse,
         keeping.delete_custom_emoji),
    Call("POST", "/site/block", wire.BlockInstance, wire.BlockInstanceResponse,
         users.block_instance),
    Call("GET", "/search", wire.Search, wire.SearchResponse, searching.search,
         rate="search"),
    Call("GET", "/resolve_object", wire.ResolveObject, wire.ResolveObjectResponse,
         searching.resolve_object, rate="search"),
    Call("GET", "/federated_instances", wire.Nothing, wire.GetFederatedInstancesResponse,
         sites.get_federated_instances),
    Call("POST", "/community", wire.CreateCommunity, wire.CommunityResponse,
         communities.create_community, rate="post"),
    Call("GET", "/community", wire.GetCommunity, wire.GetCommunityResponse,
         communities.get_community),
    Call("PUT", "/community", wire.EditCommunity, wire.CommunityResponse,
         communities.edit_community),
    Call("GET", "/community/list", wire.ListCommunities, wire.ListCommunitiesResponse,
         communities.list_communities),
    Call("POST", "/community/follow", wire.FollowCommunity, wire.CommunityResponse,
         communities.follow_community),
    Call("POST", "/community/block", wire.BlockCommunity, wire.BlockCommunityResponse,
         communities.block_community),
    Call("POST", "/post", wire.CreatePost, wire.PostResponse, posts.create_post,
         rate="post"),
    Call("GET", "/post", wire.GetPost, wire.GetPostResponse, posts.get_post),
    Call("PUT", "/post", wire.EditPost, wire.PostResponse, posts.edit_post),
    Call("POST", "/post/delete", wire.DeletePost, wire.PostResponse, posts.delete_post),
    Call("GET", "/post/list", wire.GetPosts, wire.GetPostsResponse, posts.list_posts),
    Call("POST", "/post/like", wire.CreatePostLike, wire.PostResponse, posts.like_post),
    Call("GET", "/post/like/list", wire.ListPostLikes, wire.ListPostLikesResponse,
         likes.list_post_likes),
    Call("PUT", "/post/save", wire.SavePost, wire.PostResponse, posts.save_post),
    Call("POST", "/post/hide", wire.HidePost, wire.SuccessResponse, posts.hide_post),
    Call("POST", "/post/mark_as_read", wire.MarkPostAsRead, wire.SuccessResponse,
         posts.mark_post_as_read),
    Call("GET", "/post/site_metadata", wire.GetSiteMetadata, wire.GetSiteMetadataResponse,
         posts.get_site_metadata),
    Call("POST", "/comment", wire.CreateComment, wire.CommentResponse, comments.create_comment,
         rate="comment"),
    Call("GET", "/comment", wire.GetComment, wire.CommentResponse, comments.get_comment),
    Call("PUT", "/comment", wire.EditComment, wire.CommentResponse, comments.edit_comment),
    Call("POST", "/comment/delete", wire.DeleteComment, wire.CommentResponse,
         comments.delete_comment),
    Call("GET", "/comment/list", wire.GetComments, wire.GetCommentsResponse,
         comments.list_comments),
    Call("POST", "/comment/like", wire.CreateCommentLike, wire.CommentResponse,
         comments.like_comment),
    Call("GET", "/comment/like/list", wire.ListCommentLikes, wire.ListCommentLikesResponse,
         likes.list_comment_likes),
    Call("PUT", "/comment/save", wire.SaveComment, wire.CommentResponse, comments.save_comment),
    Call("POST", "/comment/mark_as_read", wire.MarkCommentReplyAsRead, wire.CommentReplyResponse,
         inbox.mark_reply_as_read),
    Call("POST", "/user/register", wire.Register, wire.LoginResponse, users.register,
         rate="register"),
    Call("POST", "/user/login", wire.Login, wire.LoginResponse, users.login),
    Call("POST", "/user/logout", wire.Nothing, wire.SuccessResponse, users.logout),
    Call("GET", "/user/validate_auth", wire.Nothing, wire.SuccessResponse, users.validate_auth),
    Call("GET", "/user/list_logins", wire.Nothing, list[wire.LoginToken], users.list_logins),
    Call("GET", "/user/get_captcha", wire.Nothing, wire.GetCaptchaResponse, doors.get_captcha,
         rate="register"),
    Call("GET", "/user", wire.GetPersonDetails, wire.GetPersonDetailsResponse,
         users.get_person_details),
    Call("PUT", "/user/save_user_settings", wire.SaveUserSettings, wire.SuccessResponse,
         users.save_settings),
    Call("PUT", "/user/change_password", wire.ChangePassword, wire.LoginResponse,
         users.change_password),
    Call("POST", "/user/block", wire.BlockPerson, wire.BlockPersonResponse, users.block_person),
    Call("GET", "/user/replies", wire.GetInbox, wire.GetRepliesResponse, inbox.get_replies),
    Call("GET", "/user/mention", wire.GetInbox, wire.GetPersonMentionsResponse,
         inbox.get_mentions),
    Call("POST", "/user/mention/mark_as_read", wire.MarkPersonMentionAsRead,
         wire.PersonMentionResponse, inbox.mark_mention_as_read),
    Call("POST", "/user/mark_all_as_read", wire.Nothing, wire.GetRepliesResponse,
         inbox.mark_all_as_read),
    Call("GET", "/user/unread_count", wire.Nothing, wire.GetUnreadCountResponse,
         inbox.get_unread_count),
    Call("GET", "/user/report_count", wire.GetReportCount, wire.GetReportCountResponse,
         reporting.get_report_count),
    Call("GET", "/account/list_media", wire.ListMedia, wire.ListMediaResponse,
         images.list_media),
    Call("GET", "/admin/list_all_media", wire.ListMedia, wire.ListMediaResponse,
         images.list_all_media),
    Call("GET", "/private_message/list", wire.GetPrivateMessages, wire.PrivateMessagesResponse,
         messages.list_private_messages),
    Call("POST", "/private_message", wire.CreatePrivateMessage, wire.PrivateMessageResponse,
         messages.create_private_message),
    Call("PUT", "/private_message", wire.EditPrivateMessage, wire.PrivateMessageResponse,
         messages.edit_private_message),
    Call("POST", "/private_message/delete", wire.DeletePrivateMessage,
         wire.PrivateMessageResponse, messages.delete_private_message),
    Call("POST", "/private_message/mark_as_read", wire.MarkPrivateMessageAsRead,
         wire.PrivateMessageResponse, messages.mark_private_message_as_read),
    Call("POST", "/user/verify_email", wire.VerifyEmail, wire.SuccessResponse,
         doors.verify_email),
    Call("POST", "/user/password_reset", wire.PasswordReset, wire.SuccessResponse,
         doors.reset_password, rate="register"),
    Call("POST", "/user/password_change", wire.PasswordChangeAfterReset, wire.SuccessResponse,
         doors.change_password_after_reset, rate="register"),
    Call("POST", "/user/totp/generate", wire.Nothing, wire.GenerateTotpSecretResponse,
         doors.generate_totp_secret),
    Call("POST", "/user/totp/update", wire.UpdateTotp, wire.UpdateTotpResponse,
         doors.update_totp, rate="register"),
    Call("POST", "/user/delete_account", wire.DeleteAccount, wire.SuccessResponse,
         doors.delete_account),
    Call("POST", "/user/leave_admin", wire.Nothing, wire.GetSiteResponse, doors.leave_admin),
    Call("POST", "/admin/add", wire.AddAdmin, wire.AddAdminResponse, doors.add_admin),
    Call("GET", "/user/export_settings", wire.Nothing, wire.ImportSettings,
         portable.export_settings),
    Call("POST", "/user/import_settings", wire.ImportSettings, wire.ImportReport,
         portable.import_settings, rate="settings"),
    Call("GET", "/admin/registration_application/count", wire.Nothing,
         wire.GetUnreadRegistrationApplicationCountResponse, applications.count_applications),
    Call("GET", "/admin/registration_application/list", wire.ListRegistrationApplications,
         wire.ListRegistrationApplicationsResponse, applications.list_applications),
    Call("GET", "/admin/registration_application", wire.GetRegistrationApplication,
         wire.RegistrationApplicationResponse, applications.get_application),
    Call("PUT", "/admin/registration_application/approve", wire.ApproveRegistrationApplication,
         wire.RegistrationApplicationResponse, applications.approve_application),
    *_MODERATION,
)
