"""Everybody's own page. It is drawn again when they open it, so nothing of it is recorded."""

from __future__ import annotations

import structlog

from bot.chat.interaction import Interaction
from bot.chat.messages.home import home, home_instead
from bot.chat.messages.notices import answer
from bot.chat.outbox.outbox import Outbox
from bot.chat.surface import Means, NotDone
from bot.chat.views.home_reader import HomeReader
from bot.chat.views.home_view import HomeView
from workflows.core import keys
from workflows.core.people import Account, GroupFacts
from workflows.core.rules.groups import groups_needed
from workflows.ports import (
    DirectoryUnreachable,
    PolicyUnavailable,
)
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.delegations import with_delegations

log = structlog.get_logger()


def show_home(box: Outbox, subject: str) -> None:
    """Draw one person's page."""
    who = keys.whose_home(subject)
    chat = box.chats.named(who)
    if chat is None or not chat.traits.abilities.home:
        return
    try:
        page = home(_home_of(box, who), box.command)
    except (DirectoryUnreachable, PolicyUnavailable) as problem:
        log.warning("a home is not known", why=str(problem))
        page = home_instead("I cannot tell just now what you may see. Please open this page again in a minute.")
    instead = f"`{box.command} mine` and `{box.command} pending` tell the same."
    for drawn in (page, home_instead(f"{chat.traits.title} does not take this page as it is drawn. {instead}")):
        try:
            chat.show_home(who, drawn)
            return
        except NotDone as problem:
            word = problem.word
            if problem.means is not Means.FORM:
                break
    log.warning("a home was not drawn", error=word)
    act = Interaction(id=subject, kind="home", who=who)
    chat.answer(act, answer(f"{chat.traits.title} did not draw your page ({word}). {instead}"))


def _home_of(box: Outbox, who: Account) -> HomeView:
    """Raises DirectoryUnreachable, PolicyUnavailable."""
    policy = box.ctx.policy.current()
    # By the record: what the chat says of an account says of nobody who they are.
    person = whose(box.ctx, policy, box.directory.refresh_person(who, policy))
    if person.standing_problem:
        return HomeReader(box.ctx, box.reader).home(policy, person, GroupFacts())
    names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
    groups = box.ctx.directory.groups(policy, names)
    old = groups.to_look_up(names, box.ctx.ledger.now())
    if old:
        box.directory.refresh_groups(policy, old)
        groups = box.ctx.directory.groups(policy, names)
    pages = HomeReader(box.ctx, box.reader, box.recipients.absent)
    return pages.home(policy, person, with_delegations(box.ctx, groups))
