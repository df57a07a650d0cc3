"""What Slack is like as a chat: how much it takes, what it can do, what its words mean and what can be done about them."""

from __future__ import annotations

from bot.chat.surface import NO_ANSWER, Abilities, Limits, Rate, Traits
from bot.slack import mrkdwn
from bot.slack.answers import MEANS
from workflows.core.identity import SLACK

_REMEDIES = {
    "is_archived": "Unarchive it, or name another channel in the policy",
    "channel_not_found": "Invite the bot there, or name another channel in the policy",
    "not_in_channel": "Invite the bot there, or add the scope channels:join",
    "missing_scope": "Add the scopes of deploy/slack/manifest.yaml to the app and install it again",
    "messages_tab_disabled": "Switch on the Messages tab of the app's home",
    "user_disabled": "Their Slack account is deactivated: see what they own or hold",
    "user_not_found": "Slack does not know them any more: see what they own or hold",
}
_RESTRICTED = "Let the app post there: an administrator's setting keeps it out"
_OTHERWISE = "Look up what Slack says about this word"
_FORMS_WAIT = "Slack opens a form within three seconds only"


def _remedy(word: str) -> str:
    return _REMEDIES.get(word, _RESTRICTED if word.startswith("restricted_action") else _OTHERWISE)


TRAITS = Traits(
    surface=SLACK,
    title="Slack",
    # About one message a second in a channel, with bursts; chat.update 50 a minute
    # (docs.slack.dev/apis/web-api/rate-limits).
    limits=Limits(
        posts=Rate("slack:chat.postMessage", 1.0, 4.0),
        edits=Rate("slack:chat.update", 50 / 60, 20.0),
        searches="slack:conversations.history",
        text_length_max=mrkdwn.FALLBACK_LENGTH_MAX,
    ),
    abilities=Abilities(threads=True, whispers=True, home=True, search=True, boards=True),
    means=MEANS,
    never_threads=frozenset({"restricted_action_non_threadable_channel"}),
    locks_thread=frozenset({"restricted_action_thread_locked", "thread_locked"}),
    gone=frozenset({"user_disabled"}),
    remedy=_remedy,
    no_form={
        "expired_trigger_id": f"{_FORMS_WAIT}, and they had passed.",
        "exchanged_trigger_id": "Slack opens a form once for each press, and says that it has.",
        NO_ANSWER: "Slack did not answer in time. It may still open.",
        "ratelimited": "Slack is busy just now.",
    },
    forms_wait=_FORMS_WAIT,
)
