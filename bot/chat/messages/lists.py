"""Answers to `list`, `mine`, `pending`, `history`, `show`, `envs`, `who` and `explain`: for one reader, within Slack's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.chat.message import Line, Listing, Message, Small, fields, message, quote, with_parts
from bot.chat.messages.approval_card import headline, status, ticket
from bot.chat.messages.gate_card import gate_details
from bot.chat.messages.home_parts import asked_for_you_line, asked_line, how_it_stands, own_line, owners_of
from bot.chat.messages.receipts import receipt_line
from bot.chat.rich import NOTHING, Bold, Code, Rich, Time, join, lines, marked, ours, rich, say, short, spans
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.home_view import HomeView, in_order
from bot.chat.views.overviews import Explanation, Place, break_glass_words, by_place
from bot.chat.views.request_view import RequestView
from bot.chat.views.waiting_lines import asked_so_far
from bot.chat.wording.labels import TIER_WORDS, Stage, people
from bot.chat.wording.refusals import refusal
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Environment, Tier

# So many ids are named where many cannot be read.
UNREAD_NAMED = 10


def active_list(
    views: Sequence[RequestView],
    environment: str | None = None,
    more: int = 0,
    agreed: Sequence[RequestView] = (),
    unread: Sequence[str] = (),
) -> Message:
    """`list`: live access by environment. `more`: grants that were not read. `agreed`: what begins later. `unread`: ids of
    grants that are listed as open, and cannot be read.
    """
    where = say(" in {}", short(environment, 80)) if environment else NOTHING
    lost = [cannot_be_read(unread)] if unread else []
    if not views:
        nobody = "Nobody else has access{} just now." if unread else "Nobody has access{} just now."
        return _listed(say(nobody, where), [*lost, *_agreed(agreed)])
    found = [line for place in by_place(views) for line in (_title(place), *map(_short, place.views))]
    return _listed(say("Access{} now: {}", where, len(views) + more), [*lost, *found, *_agreed(agreed)], more)


def cannot_be_read(ids: Sequence[str]) -> Rich:
    """What is left out of a list of what is open."""
    more = f" and {len(ids) - UNREAD_NAMED} more" if len(ids) > UNREAD_NAMED else ""
    records = "its record" if len(ids) == 1 else "their records"
    named = short(", ".join(ids[:UNREAD_NAMED]), 200)
    return say("⚠️ {}{} may be open: {} cannot be read. Tell the platform team.", named, more, records)


def _title(place: Place) -> Rich:
    return say("*{}* · {}", short(place.title, 100), TIER_WORDS[place.tier])


def _agreed(views: Sequence[RequestView]) -> list[Rich]:
    """What was approved and begins later, the first to begin first."""
    # What a pipeline waited for and may do now it does in a moment.
    found = [view for view in views if not view.pipeline]
    return [say("*Begins later*"), *map(_with_headline, found)] if found else []


def _short(view: RequestView) -> Rich:
    if view.hidden:
        return say("• {} · {}", view.state, view.id)
    had = say("{} · {}", short(view.holder, 80), short(view.role, 60))
    return say("• {} · {} · {}", had, status(view, left=True), view.id)


def pending(
    views: Sequence[RequestView],
    more: int = 0,
    command: str = "/prodaccess",
    agreed: Sequence[RequestView] = (),
) -> Message:
    """`pending`: what waits for an answer by environment, in each the first to expire first; then what was `agreed`."""
    if not views:
        return _listed(ours("Nothing waits for an answer."), _agreed(agreed))
    found = [row for place in _in_places(views) for row in (_title(place), *map(_asks, place.views))]
    listed = _listed(say("Waiting for an answer: {}", len(views) + more), [*found, *_agreed(agreed)], more)
    return with_parts(listed, Small(say("`{} approve ID` · `{} deny ID REASON`", command, command)))


def _in_places(views: Sequence[RequestView]) -> list[Place]:
    """By environment, production first; in each what is over first stands first."""
    found = in_order(views)
    names = dict.fromkeys(view.environment for view in found)
    places = ([view for view in found if view.environment == name] for name in names)
    return [Place(each[0].environment, each[0].title, each[0].tier, tuple(each)) for each in places]


def _asks(view: RequestView) -> Rich:
    """One request under the title of its environment."""
    if view.hidden:
        return say("• {} · {}", view.state, view.id)
    if view.pipeline:
        return say("• {}: {} · {} · {}", headline(view), short(view.reason, 100), status(view, left=True), view.id)
    whom = say(" for {}", short(view.holder, 80)) if view.asks else NOTHING
    how_long = NOTHING if view.extends else say(", for {}", format_duration(view.duration))
    what = say("{} {} {}*{}*{}{}", short(view.who, 80), view.verb, view.more, short(view.what, 60), whom, how_long)
    return say("• {}: {} · {} · {}", what, short(view.reason, 100), status(view, left=True), view.id)


def _with_headline(view: RequestView) -> Rich:
    return say("• {}", _told(view, with_reason=view.stage is Stage.WAITING))


def _told(view: RequestView, *, with_reason: bool) -> Rich:
    if view.hidden:
        return _hidden(view)
    reason = say(": {}", short(view.reason, 100)) if with_reason else NOTHING
    return say("{}{} · {} · {}", headline(view), reason, status(view, left=True), view.id)


def _hidden(view: RequestView) -> Rich:
    return say("{} · {} · {} · {}", short(view.title, 100), view.tier_words, view.state, view.id)


def history(views: Sequence[RequestView], which: str = "", more: int = 0, before: datetime | None = None) -> Message:
    """`history`: what was asked and what became of it, the newest first. `which`: `in orders-prod`, `of Dana Dev`. `before`: what
    is older has left for the archive.
    """
    whose, older = say(" {}", short(which, 100)) if which else NOTHING, older_line(before)
    if not views:
        return with_parts(_listed(say("No request{} is on the record yet.", whose)), older)
    found = [_past(view) for view in views]
    return with_parts(_listed(say("The last requests{}: {}", whose, len(views)), found, more), older)


def older_line(before: datetime | None) -> Small | None:
    """Where what is older than that day can be read."""
    if before is None:
        return None
    return Small(
        say("Older than {}: in the archive. An operator reads it with `prodaccess report`.", f"{before:%Y-%m-%d}")
    )


def _past(view: RequestView) -> Rich:
    day = Time(view.created_at, view.now, with_day=True)
    return say("• {} · {}", day, _told(view, with_reason=True))


def mine(view: HomeView, command: str = "/prodaccess") -> Message:
    """`mine`: my access, what I asked, what waits on me, production first; and why less is mine than I might think."""
    groups = (
        ("Your access", view.mine, _own),
        ("Waiting for you", view.waiting_on_me, _with_headline),
        ("Needs your review", view.reviews, _with_headline),
        ("You asked for", view.asked, lambda one: _of_mine(one, asked_line(one))),
        ("Asked for you", view.asked_for_me, lambda one: _of_mine(one, asked_for_you_line(one))),
    )
    notes = [say("⚠️ {}", marked(refusal(one, command=command, time_zone=view.zone))) for one in view.notes]
    found = [line for title, items, row in groups if items for line in (say("*{}*", title), *map(row, items))]
    if not found:
        return _listed(_nothing_is_yours(view, command), [*notes, *map(owners_of, view.whom_to_ask)])
    typed = [say("`{} {}`", command, one) for items, what in _typed(view) if items for one in what]
    return with_parts(_listed(ours("Yours"), [*notes, *found]), Small(join(typed)) if typed else None)


def _typed(view: HomeView) -> tuple[tuple[Sequence[RequestView], tuple[str, ...]], ...]:
    """What can be typed about what there is."""
    return (
        ([one for one in view.mine if one.stage is Stage.ACTIVE], ("end ID", "extend ID DURATION REASON")),
        (view.waiting_on_me, ("approve ID", "deny ID REASON")),
        (view.reviews, ("acknowledge ID", "flag ID NOTE")),
        (view.asked, ("withdraw ID",)),
        (view.asked_for_me, ("decline ID",)),
    )


def _of_mine(view: RequestView, asked: Rich) -> Rich:
    return say("• {}: {} · {} · {}", asked, short(view.reason, 100), status(view, left=True), view.id)


def _own(view: RequestView) -> Rich:
    return say("• {} · {}", own_line(view), how_it_stands(view))


def _nothing_is_yours(view: HomeView, command: str) -> Rich:
    ask = NOTHING if view.asks_nobody or view.may_not_ask else say(" `{}` asks for some.", command)
    whom = say(" You can ask for nothing here yet: ask an owner to have you added.") if view.asks_nobody else NOTHING
    return say("You have no access just now, and nothing waits for you.{}{}", ask, whom)


def show(
    view: RequestView,
    entries: Sequence[AuditEntry],
    names: Mapping[PersonId, str],
    deciders: Deciders = NOBODY,
) -> Message:
    """`show ID`: everything about one request, with its receipts. `deciders`: who can still agree to it."""
    told = [
        receipt_line(entry, names, deadline=view.deadline, hidden=view.hidden, provider=view.provider)
        for entry in entries
    ]
    if view.hidden:
        return message(lines((_hidden(view), *told)), Line(_hidden(view)), Listing(told, room=9000))
    details = fields(
        [
            ("For", NOTHING if view.pipeline else say("{}", format_duration(view.duration))),
            ("Allows", say("{}", short(view.allows))),
            *gate_details(view),
            ("Ticket", ticket(view)),
            ("Where", say("{}", short(view.resource.title if view.resource else view.environment, 300))),
        ]
    )
    waits = rich(asked_so_far(view, deciders), view.now) if view.stage is Stage.WAITING else NOTHING
    head = (headline(view), status(view, left=True), waits)
    return message(
        lines((join((*head, view.id)), *told)),
        Line(lines(head)),
        quote(view.reason),
        details,
        Listing(told, room=7000),
        Small(join((short(view.environment, 80), view.id))),
    )


def environments(items: Sequence[Environment], command: str = "/prodaccess") -> Message:
    """`envs`: what there is to ask for."""
    if not items:
        return _listed(ours("The policy has no environment yet."))
    found = [row for tier in TIER_WORDS for row in _of_tier(tier, items)]
    listed = _listed(say("Environments: {}", len(items)), found)
    example = items[0]
    role = next(iter(example.roles), "ROLE")
    return with_parts(listed, Small(say("Ask: `{} {} {} REASON`", command, short(example.name, 64), short(role, 64))))


def _of_tier(tier: Tier, items: Sequence[Environment]) -> list[Rich]:
    found = sorted((item for item in items if item.tier is tier), key=lambda item: item.name)
    return [say("*{}*", TIER_WORDS[tier]), *map(_environment, found)] if found else []


def _environment(item: Environment) -> Rich:
    roles = join((Code(spans(short(name, 64))) for name in list(item.roles)[:12]), ", ") or ours("no roles")
    more = say(" and {} more", len(item.roles) - 12) if len(item.roles) > 12 else NOTHING
    return say("• {} · {}: {}{}", short(item.name, 80), short(item.title, 80), roles, more)


def who(
    environment: Environment,
    owners: Mapping[str, Sequence[str]],
    requesters: Mapping[str, Sequence[str]],
    problems: Mapping[str, str] | None = None,
    break_glass: BreakGlass | None = None,
    command: str = "/prodaccess",
) -> Message:
    """`who ENV`: owners and requesters by group, as names; `problems`: group -> why its members are not known.

    `break_glass`: where the reader may break it.
    """
    title, name = short(environment.title, 100), short(environment.name, 80)
    head = say("*{}* · {} · {}", title, TIER_WORDS[environment.tier], name)
    found = [say("*May approve*"), *_groups(owners, problems or {})]
    found += [say("*May ask*"), *_groups(requesters, problems or {})]
    found += _emergency(environment, break_glass, command) if break_glass else []
    return message(lines((head, *found)), Line(head), Listing(found, room=10_000))


def _emergency(environment: Environment, break_glass: BreakGlass, command: str) -> list[Rich]:
    how = break_glass_words(break_glass, f"{command} break-glass {environment.name} ROLE REASON")
    roles = short(people(break_glass.roles, "or"), 300)
    return [say("🚨 *Emergency access.* You may use break-glass for {}", roles), say("• {}", ours(short(how, 400)))]


def _groups(groups: Mapping[str, Sequence[str]], problems: Mapping[str, str]) -> list[Rich]:
    return [
        say("• {}: {}", short(name, 80), _members(members, problems.get(name))) for name, members in groups.items()
    ] or [ours("• nobody")]


def _members(members: Sequence[str], problem: str | None) -> Rich:
    if problem:
        return say("not known just now: {}", short(problem, 200))
    shown = [*members[:15], *([f"{len(members) - 15} more"] if len(members) > 15 else [])]
    return say("{}", short(people(shown), 1500) or "nobody")


def explain(view: Explanation) -> Message:
    """`explain ENV ROLE`: who could approve it, under which rules, and why somebody may or may not ask."""
    head = say("*{}* in *{}* · {}", short(view.role, 80), short(view.title, 100), TIER_WORDS[view.tier])
    may = say("✅ {} may ask for this.", short(view.who, 100))
    verdict = may if view.may else say("⛔ {}", marked(view.why_not))
    rules = _rules(view)
    summary = lines((say("{}: {}", head, verdict), *rules))
    return message(summary, Line(lines((head, verdict))), Listing(rules, room=9000))


def _rules(view: Explanation) -> list[Rich]:
    told = [say("Allows: {}", short(view.allows))]
    told += [say("⚠️ Dangerous: {}", short(view.danger))] if view.danger else []
    told.append(_needs(view.deciders))
    told += [say("Approved automatically: {}", short(rule, 300)) for rule in view.rules]
    told += [say("🚨 Break-glass: {}", ours(short(view.break_glass, 400)))] if view.break_glass else []
    told.append(say("For: {}; {} at most", ", ".join(view.durations), view.longest))
    told += [say("Given: {}", short(view.hours, 200))] if view.hours else []
    told += [say("Ticket: like {}", short(view.ticket, 100))] if view.ticket else []
    told.append(say("Who may ask: {}", short(people(view.requesters, "or"), 500) or "nobody"))
    return told


def _needs(deciders: Deciders) -> Rich:
    """Every group with its people, also where one is enough."""
    if not deciders.seats:
        return ours("Nobody approves it by hand.")
    return say("Needs approval from {}", short(people(seat.words for seat in deciders.seats), 1000))


def _listed(head: Rich, found: Sequence[Rich] = (), more: int = 0) -> Message:
    """Whoever sees no blocks, on a lock screen or by ear, is told the rows, too."""
    shown = Line((Bold(head),) if found else head)
    return message(lines((head, *found)), shown, Listing(found, left_out=more, room=11_000))
