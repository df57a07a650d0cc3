"""What Slack's error words mean for a message that was to be sent: the one table, for every method that we call.

A word that is not in it is tried again, and final for its place after some tries. See docs/adr/0022.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.chat.surface import NO_ANSWER, Means, NotDone

log = structlog.get_logger()


# The names are those of docs.slack.dev/reference/methods, for chat.postMessage, chat.update, chat.postEphemeral,
# conversations.open, .history, .replies, .join, views.open, .push, .update, .publish, and what all methods share.
_WORDS: dict[Means, str] = {
    Means.FORM: """
        invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text too_many_attachments
        too_many_contact_cards invalid_attachments attachment_payload_limit_exceeded missing_post_type invalid_post_type
        missing_file_data markdown_text_conflict block_mismatch blocked_file_type
        slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked
        slack_connect_blocked_file_type invalid_arguments invalid_array_arg invalid_arg_name invalid_charset
        invalid_form_data invalid_json json_not_object invalid_payload view_too_large duplicate_external_id
        invalid_metadata_format invalid_metadata_schema metadata_too_large metadata_must_be_sent_from_app
    """,
    Means.THREAD: """
        thread_not_found cannot_reply_to_message restricted_action_thread_locked thread_locked invalid_thread_ts
        restricted_action_non_threadable_channel
    """,
    Means.MESSAGE: """
        message_not_found cant_update_message edit_window_closed is_inactive message_not_owned_by_app
        streaming_state_conflict update_failed bad_timestamp
    """,
    Means.PLACE: """
        channel_not_found not_in_channel is_archived channel_is_archived restricted_action
        restricted_action_read_only_channel restricted_action_thread_only_channel channel_type_not_supported
        channel_is_limited_access channel_not_allowed method_not_supported_for_channel_type
        user_not_found user_not_in_channel user_disabled user_not_visible users_not_found users_list_not_supplied
        user_is_bot user_is_restricted cannot_dm_bot cannot_find_or_create_conversation messages_tab_disabled
        too_many_users not_enough_users invalid_user_combination
        not_enabled no_permission missing_scope access_denied no_access team_access_not_granted team_not_found
        as_user_not_supported send_on_behalf_not_allowed ekm_access_denied duplicate_channel_not_found
        duplicate_message_not_found posting_to_general_channel_denied app_access_restricted
        method_deprecated deprecated_endpoint unknown_method
    """,
    Means.ALL: """
        invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type invalid_token
        org_login_required two_factor_setup_required enterprise_is_restricted accesslimited
    """,
    Means.LATER: """
        ratelimited rate_limited internal_error fatal_error service_unavailable request_timeout team_added_to_org
        message_limit_exceeded external_channel_migrating upgrade_required no_answer
    """,
}
MEANS: dict[str, Means] = {word: means for means, words in _WORDS.items() for word in words.split()}
_LIMITED = frozenset({"ratelimited", "rate_limited"})
_WORD = re.compile(r"[a-z][a-z0-9_]{0,79}")
# "It's possible some aspect of the operation succeeded": whoever comes back looks for the message first.
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", NO_ANSWER})


def not_done(word: str, after_s: float = 0.0) -> NotDone:
    """`word`: Slack's own, in its own form. `after_s`: how long it wants to be left alone, in seconds."""
    means = MEANS.get(word, Means.UNKNOWN)
    return NotDone(word, means, after_s, perhaps_done=word in _PERHAPS_DONE or means is Means.UNKNOWN)


def ask(call: Callable[..., SlackResponse | Mapping[str, Any]], *wants: str, **arguments: Any) -> Mapping[str, Any]:
    """One call of the SDK's, and its answer, which holds all that is wanted. Raises NotDone for whatever goes wrong."""
    try:
        answer = call(**arguments)
        found = answer if isinstance(answer, Mapping) else answer.data
        # "ok" is true or false; the SDK takes anything for the former.
        whole = isinstance(found, Mapping) and found.get("ok") is True and all(_holds(found, name) for name in wants)
    except SlackApiError as problem:
        raise _refusal(problem.response) from problem
    except (SlackClientError, OSError, HTTPException, AttributeError, TypeError, ValueError) as problem:
        # No answer, or one that the SDK cannot read: the last three are how it says that.
        log.warning("Slack did not answer", error=type(problem).__name__)
        raise not_done(NO_ANSWER) from problem
    if not whole or not isinstance(found, Mapping):
        raise not_done(NO_ANSWER)
    return found


# A message's name, which is a time: it is kept, and what is no name would be asked for ever after.
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_ID = re.compile(r"[A-Z][A-Z0-9]+")


def _holds(found: Mapping[str, Any], name: str) -> bool:
    value = found.get(name)
    if name == "ts":
        return isinstance(value, str) and _TS.fullmatch(value) is not None
    if name == "channel":
        # Some methods name it, some describe it.
        named = value.get("id") if isinstance(value, Mapping) else value
        return isinstance(named, str) and _ID.fullmatch(named) is not None
    return value is not None


def word_of(problem: SlackApiError) -> str:
    """Slack's own word for what it did not do; `no_answer` where it said none."""
    return _refusal(problem.response).word


def _refusal(response: Any) -> NotDone:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return not_done("ratelimited", _seconds(response.headers))
    body = response.data if isinstance(response.data, dict) else {}
    word = str(body.get("error") or "") if response.status_code == HTTPStatus.OK else ""
    # A page of somebody in between is no word of Slack's.
    if not _WORD.fullmatch(word):
        return not_done(NO_ANSWER)
    return not_done(word, _seconds(response.headers) if word in _LIMITED else 0.0)


def _seconds(headers: Mapping[str, Any]) -> float:
    """What Slack asks for. Where it does not say, pauses grow as for anything that passes."""
    found = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return float(found) if re.fullmatch(r"[0-9]{1,5}", found) else 0.0
