"""Answers to `list`, `mine`, `pending`, `history`, `show`, `envs`, `who` and `explain`: for one reader, within Slack's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.chat.messages.approval_card import headline, status, ticket
from bot.chat.messages.receipts import receipt_line
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.overviews import Explanation, HomeStory, by_place, glass_words
from bot.chat.views.request_view import RequestStory
from bot.chat.views.waiting_lines import asked_so_far
from bot.chat.wording.labels import TIER_WORDS, Stage, people
from bot.chat.wording.tickets import like
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Environment

# So many ids are named where many cannot be read.
UNREAD_NAMED = 10


def active_list(
    stories: Sequence[RequestStory],
    environment: str | None = None,
    more: int = 0,
    agreed: Sequence[RequestStory] = (),
    unread: Sequence[str] = (),
) -> Message:
    """`list`: live access by environment. `more`: grants that were not read. `agreed`: what begins later. `unread`: ids of
    grants that are listed as open, and cannot be read.
    """
    where = f" in {t.literal(environment, 80)}" if environment else ""
    lost = [cannot_be_read(unread)] if unread else []
    if not stories:
        nobody = f"Nobody else has access{where} just now." if unread else f"Nobody has access{where} just now."
        return _lines(nobody, [*lost, *_agreed(agreed)])
    lines = [
        line
        for place in by_place(stories)
        for line in (f"*{t.literal(place.title, 100)}* · {TIER_WORDS[place.tier]}", *map(_short, place.stories))
    ]
    return _lines(f"Access{where} now: {len(stories) + more}", [*lost, *lines, *_agreed(agreed)], more)


def cannot_be_read(ids: Sequence[str]) -> str:
    """What is left out of a list of what is open."""
    named = t.literal(", ".join(ids[:UNREAD_NAMED]), 200)
    more = f" and {len(ids) - UNREAD_NAMED} more" if len(ids) > UNREAD_NAMED else ""
    records = "its record" if len(ids) == 1 else "their records"
    return f"⚠️ {named}{more} may be open: {records} cannot be read. Tell the platform team."


def _agreed(stories: Sequence[RequestStory]) -> list[str]:
    """What was approved and begins later, the first to begin first."""
    return ["*Begins later*", *map(_with_headline, stories)] if stories else []


def _short(story: RequestStory) -> str:
    if story.hidden:
        return f"• {story.state} · {story.id}"
    return f"• {t.literal(story.holder, 80)} · {t.literal(story.role, 60)} · {status(story, left=True)} · {story.id}"


def pending(
    stories: Sequence[RequestStory],
    more: int = 0,
    command: str = "/prodaccess",
    agreed: Sequence[RequestStory] = (),
) -> Message:
    """`pending`: what waits for an answer, the first to expire first; then what was `agreed` and begins later."""
    if not stories:
        return _lines("Nothing waits for an answer.", _agreed(agreed))
    lines = [_with_headline(story) for story in sorted(stories, key=lambda item: (item.expires_at, item.id))]
    message = _lines(f"Waiting for an answer: {len(stories) + more}", [*lines, *_agreed(agreed)], more)
    return b.message(message.text, [*message.blocks, b.context(f"`{command} approve ID` · `{command} deny ID REASON`")])


def _with_headline(story: RequestStory) -> str:
    if story.hidden:
        return f"• {t.literal(story.title, 100)} · {story.tier_words} · {story.state} · {story.id}"
    reason = f": {t.literal(story.reason, 100)}" if story.stage is Stage.WAITING else ""
    return f"• {headline(story)}{reason} · {status(story, left=True)} · {story.id}"


def history(stories: Sequence[RequestStory], which: str = "", more: int = 0) -> Message:
    """`history`: what was asked and what became of it, the newest first. `which`: `in orders-prod`, `of Dana Dev`."""
    whose = f" {t.literal(which, 100)}" if which else ""
    if not stories:
        return _lines(f"No request{whose} is on the record yet.", [])
    return _lines(f"The last requests{whose}: {len(stories)}", [_past(story) for story in stories], more)


def _past(story: RequestStory) -> str:
    day = t.when(story.created_at, story.now, with_day=True)
    if story.hidden:
        return f"• {day} · {_with_headline(story).removeprefix('• ')}"
    reason = f": {t.literal(story.reason, 100)}"
    return f"• {day} · {headline(story)}{reason} · {status(story, left=True)} · {story.id}"


def mine(story: HomeStory, command: str = "/prodaccess") -> Message:
    """`mine`: my access, what I asked, what waits on me."""
    groups = (
        ("You have", story.mine),
        ("You asked for", story.asked),
        ("Asked for you", story.asked_for_me),
        ("Waiting on you", story.waiting_on_me),
        ("Reviews that you owe", story.reviews),
    )
    lines = [line for title, items in groups if items for line in (f"*{title}*", *map(_with_headline, items))]
    if not lines:
        return _lines(f"You have no access just now, and nothing waits on you. `{command}` asks for some.", [])
    return _lines("Yours", lines)


def show(
    story: RequestStory,
    entries: Sequence[AuditEntry],
    names: Mapping[PersonId, str],
    deciders: Deciders = NOBODY,
) -> Message:
    """`show ID`: everything about one request, with its receipts. `deciders`: who can still agree to it."""
    lines = [receipt_line(entry, names, deadline=story.deadline, hidden=story.hidden) for entry in entries]
    if story.hidden:
        head = f"{t.literal(story.title, 100)} · {story.tier_words} · {story.state} · {story.id}"
        return b.message(head, [b.section(head), *b.paragraphs(lines, 9000)])
    details = b.fields(
        [
            ("For", format_duration(story.duration)),
            ("Allows", t.literal(story.allows)),
            ("Ticket", ticket(story)),
            ("Where", t.literal(story.resource.title if story.resource else story.environment, 300)),
        ]
    )
    told = t.render(asked_so_far(story, deciders), story.now) if story.stage is Stage.WAITING else ""
    state = f"{status(story, left=True)} · {f'{told} · ' if told else ''}{story.id}"
    head = headline(story)
    return b.message(
        f"{head} · {state}",
        [b.section(head), b.quote(story.reason), details, b.section(state), *b.paragraphs(lines, 7000)],
    )


def environments(items: Sequence[Environment], command: str = "/prodaccess") -> Message:
    """`envs`: what there is to ask for."""
    if not items:
        return _lines("The policy has no environment yet.", [])
    lines = [
        _environment(item) for item in sorted(items, key=lambda item: (list(TIER_WORDS).index(item.tier), item.name))
    ]
    message = _lines(f"Environments: {len(items)}", lines)
    example = items[0]
    role = next(iter(example.roles), "ROLE")
    hint = f"Ask: `{command} {t.literal(example.name, 64)} {t.literal(role, 64)} REASON`"
    return b.message(message.text, [*message.blocks, b.context(hint)])


def _environment(item: Environment) -> str:
    roles = ", ".join(f"`{t.literal(name, 64)}`" for name in list(item.roles)[:12])
    more = f" and {len(item.roles) - 12} more" if len(item.roles) > 12 else ""
    return f"• *{t.literal(item.name, 80)}* · {t.literal(item.title, 80)} · {TIER_WORDS[item.tier]} · {roles or 'no roles'}{more}"


def who(
    environment: Environment,
    owners: Mapping[str, Sequence[str]],
    requesters: Mapping[str, Sequence[str]],
    problems: Mapping[str, str] | None = None,
    glass: BreakGlass | None = None,
    command: str = "/prodaccess",
) -> Message:
    """`who ENV`: owners and requesters by group, as names; `problems`: group -> why its members are not known.

    `glass`: where the reader may break it.
    """
    head = f"*{t.literal(environment.title, 100)}* · {TIER_WORDS[environment.tier]} · {t.literal(environment.name, 80)}"
    lines = ["*May approve*", *_groups(owners, problems or {}), "*May ask*", *_groups(requesters, problems or {})]
    lines += _emergency(environment, glass, command) if glass else []
    return b.message(head, [b.section(head), *b.paragraphs(lines, 10_000)])


def _emergency(environment: Environment, glass: BreakGlass, command: str) -> list[str]:
    how = glass_words(glass, f"{command} break-glass {environment.name} ROLE REASON")
    return [f"🚨 *You may break the glass* for {t.literal(people(glass.roles, 'or'), 300)}", f"• {t.literal(how, 400)}"]


def _groups(groups: Mapping[str, Sequence[str]], problems: Mapping[str, str]) -> list[str]:
    return [
        f"• {t.literal(name, 80)}: {_members(members, problems.get(name))}" for name, members in groups.items()
    ] or ["• nobody"]


def _members(members: Sequence[str], problem: str | None) -> str:
    if problem:
        return f"not known just now: {t.literal(problem, 200)}"
    shown = [*members[:15], *([f"{len(members) - 15} more"] if len(members) > 15 else [])]
    return t.literal(people(shown), 1500) or "nobody"


def explain(story: Explanation) -> Message:
    """`explain ENV ROLE`: who could approve it, under which rules, and why somebody may or may not ask."""
    head = f"*{t.literal(story.role, 80)}* in *{t.literal(story.title, 100)}* · {TIER_WORDS[story.tier]}"
    verdict = f"✅ {t.literal(story.who, 100)} may ask for this." if story.may else f"⛔ {t.escape(story.why_not)}"
    return b.message(f"{head}: {verdict}", [b.section(f"{head}\n{verdict}"), *b.paragraphs(_rules(story), 9000)])


def _rules(story: Explanation) -> list[str]:
    lines = [f"Allows: {t.literal(story.allows)}"]
    lines += [f"⚠️ Dangerous: {t.literal(story.danger)}"] if story.danger else []
    lines.append(_needs(story.deciders))
    lines += [f"Approved by itself: {t.literal(rule, 300)}" for rule in story.rules]
    lines += [f"🚨 Break-glass: {t.literal(story.glass, 400)}"] if story.glass else []
    lines.append(f"For: {', '.join(story.durations)}; {story.longest} at most")
    lines += [f"Given: {t.literal(story.hours, 200)}"] if story.hours else []
    lines += [f"Ticket: like {t.literal(like(story.ticket), 100)}"] if story.ticket else []
    lines.append(f"Who may ask: {t.literal(people(story.requesters, 'or'), 500) or 'nobody'}")
    return lines


def _needs(deciders: Deciders) -> str:
    """Every group with its people, also where one is enough."""
    if not deciders.seats:
        return "Nobody approves it by hand."
    return f"Needs approval from {t.literal(people(seat.words for seat in deciders.seats), 1000)}"


def _lines(head: str, lines: Sequence[str], more: int = 0) -> Message:
    title = b.section(f"*{head}*" if lines else head)
    return b.message(head, [title, *b.paragraphs(lines, 11_000, left_out=more)])
