"""What Teams is like as a chat: how much it takes, what it can do, what its words mean and what can be done about them."""

from __future__ import annotations

from bot.chat.spelling import Spelling
from bot.chat.surface import NO_ANSWER, Abilities, Limits, Rate, Traits
from bot.teams.cards.render import TEXT_LENGTH_MAX
from bot.teams.client.answers import ADDRESS_NOT_LISTED, MEANS, NO_THREADS, NOT_INSTALLED
from workflows.core.identity import TEAMS

_INSTALL = "Install the app for them: a Teams administrator can do so for everybody (setup policies)"
_ADD = "Add the app to that team or chat, or name another channel in the policy"
_APP = "Look at TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID, and at the Azure Bot resource"
_REMEDIES = {
    NOT_INSTALLED: _INSTALL,
    "MessageWritesBlocked": f"They have blocked or removed the app. {_INSTALL}",
    "ConversationBlockedByUser": "They have blocked the app: they can unblock it in its chat",
    "ForbiddenOperationException": _INSTALL,
    "BotNotInConversationRoster": _ADD,
    "ConversationNotFound": _ADD,
    "BotDisabledByAdmin": "A Teams administrator has switched the app off: they can allow it in the admin center",
    "BotNotRegistered": _APP,
    "invalid_client": "The app's secret is refused, and may have run out: make a new one and set TEAMS_APP_PASSWORD",
    "unauthorized_client": _APP,
    ADDRESS_NOT_LISTED: "Teams names an address that is not on the list: look at TEAMS_SERVICE_URL",
}
_OTHERWISE = "Look up what Microsoft says about this word"


def as_typed(command: str) -> str:
    """How a command line begins in Teams, which knows no slash commands of ours: a mention of the app in a channel, and the same
    word, or nothing, in the personal chat. The app is called as the command is.
    """
    return f"@{command.removeprefix('/')}"


def spelling(command: str) -> Spelling:
    return Spelling(command, as_typed(command), _WORDS)


_WORDS = {"of the workspace": "of the organisation", "of this workspace": "of this organisation"}


TRAITS = Traits(
    surface=TEAMS,
    title="Teams",
    # Of one conversation: 7 in a second, 8 in two, 60 in 30, 1,800 in an hour ("Rate limiting for bots"). One bucket keeps to
    # the first three, another to the last. Whether an edit counts as a message nobody says, so they keep to a rate, too.
    limits=Limits(
        posts=Rate("teams:post", 1.5, 5.0),
        posts_for_long=Rate("teams:posts-an-hour", 0.25, 890.0),
        edits=Rate("teams:edit", 1.5, 6.0),
        edits_apart=True,
        searches="teams:search",
        text_length_max=TEXT_LENGTH_MAX,
    ),
    abilities=Abilities(threads=True, whispers=False, home=False, search=False),
    means=MEANS,
    never_threads=frozenset({NO_THREADS}),
    gone=frozenset({"UserNotFound", "MemberNotFoundInConversation"}),
    remedy=lambda word: _REMEDIES.get(word, _OTHERWISE),
    no_form={
        NOT_INSTALLED: "I cannot write to you: the app is not installed for you.",
        NO_ANSWER: "Teams did not answer in time. The form may still come.",
        "http_429": "Teams is busy just now.",
        "RateLimit": "Teams is busy just now.",
    },
    forms_wait="A form comes into our chat",
)
