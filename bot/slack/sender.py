"""Makes chat agree with the ledger: for a request, a digest, a policy that was activated. Level-triggered: it may run
twice, late, or after a crash, and shows how things stand now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.chat.actions import delegation as delegating
from bot.chat.interaction import Interaction
from bot.chat.message import Message
from bot.chat.messages import holds, receipts, target_users
from bot.chat.messages.access_review import review_message
from bot.chat.messages.break_glass import lifted, lifted_receipt
from bot.chat.messages.clock_alarm import clock_told
from bot.chat.messages.digest import digest
from bot.chat.messages.home import home, home_instead
from bot.chat.messages.notices import answer
from bot.chat.outbox import troubles_plan as troubles
from bot.chat.outbox.batch_plan import Batch, several_wanted
from bot.chat.outbox.batch_plan import wait_s as until_s
from bot.chat.outbox.break_glass_plan import glass_wanted
from bot.chat.outbox.outages import SUBJECT as PLACE
from bot.chat.outbox.outages import Outages, place_of
from bot.chat.outbox.plan import (
    ALARMS,
    Facts,
    Wanted,
    is_receipt,
    on_cards_for_s,
    passing_until_s,
    receipt_channels,
    seen_in,
    wanted,
)
from bot.chat.outbox.postings import Fenced, Later, Page, Stopped
from bot.chat.outbox.recipients import Overseers, Recipients, WhomToAsk
from bot.chat.outbox.revoke_all_plan import panic_wanted
from bot.chat.outbox.trouble_calls import Called, without_what_is_over
from bot.chat.places import direct_to
from bot.chat.views.deciders import NOBODY
from bot.chat.views.overviews import DigestStory, HomeStory
from bot.chat.views.read_model import Reader, Seen
from bot.chat.views.request_view import RequestStory
from bot.slack.answers import NO_ANSWER, Means, NotDone, ask
from bot.slack.crowd import Crowd, channel_of
from bot.slack.directory import SlackRefresher
from bot.slack.messenger import Poster
from bot.slack.places import AT_ONCE, Places
from bot.slack.render import home_of
from bot.slack.telling import Teller
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import AccountId
from workflows.core.people import Account, PersonId
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Sweepout
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import ID_PATTERN, Request, RequestState
from workflows.core.rules.batch import panels
from workflows.core.rules.groups import groups_needed
from workflows.policy_file.cron import latest_slot, next_slot
from workflows.ports import (
    LEASE_S,
    Buckets,
    Change,
    Committed,
    DirectoryUnreachable,
    IndexEntry,
    Lease,
    PolicyUnavailable,
)
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.identity.departure import open_places
from workflows.usecases.oversight.delegate import in_force
from workflows.usecases.oversight.digest import SUBJECT as DIGEST
from workflows.usecases.oversight.digest import Slot, due_slot, owed_slot, posted, schedule_next
from workflows.usecases.oversight.policy_activation import digest_due
from workflows.usecases.oversight.unblock import SUBJECT as LIFT
from workflows.usecases.revocation.revoke_all import SUBJECT as SWEEPOUT
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.target_users import SUBJECT as TARGET_USER
from workflows.usecases.shared.troubles import ALARM as TROUBLES
from workflows.usecases.shared.troubles import SUBJECT as TROUBLE
from workflows.usecases.shared.troubles import Failure, note, over
from workflows.usecases.upkeep.tell_unreadable import SUBJECT as UNREADABLE
from workflows.usecases.upkeep.timekeeping import SUBJECT as CLOCK

log = structlog.get_logger()

HOLD = "hold-"
TOLD_OF_HOLDS = frozenset(
    {
        Event.PERSON_BINDING_CHANGED,
        Event.PERSON_RESUMED,
        Event.PERSON_CONFIRM_ASKED,
        Event.PERSON_CONFIRMED,
        Event.PERSON_LEFT,
    }
)
# For so long after an ask those who can decide are looked for.
LOOKED_FOR = timedelta(minutes=15)
# A subject that cannot be shown is tried again after 1, 2, 4 ... seconds, at most this many.
RETRY_S_MAX = 60.0
# Channel, owners, who asked: so many places there are for one message, and one look that finds nothing more.
PLACES_MAX = 4
# While Slack refuses the token, nobody asks but the one who looks whether it works again (see `places`).
STOPPED_S = 30.0


class Sender:
    def __init__(
        self, ctx: WorkerContext, client: WebClient, buckets: Buckets, refresher: SlackRefresher, command: str
    ) -> None:
        self._ctx = ctx
        self._command = command
        self._client = client
        self._refresher = refresher
        self._reader = Reader(ctx)
        self._outages = Outages(ctx)
        self._poster = Poster(ctx, client, buckets, self._outages, command)
        self._recipients = Recipients(ctx, refresher.away)
        self._teller = Teller(client)
        self._places = Places(ctx, client, self._poster, self._outages, self._recipients)
        self._crowd = Crowd(ctx, self._poster, self._reader, command)

    # ------------------------------------------------------------ entry points

    def show(self, subject: str) -> None:
        """Make the messages of one subject as they should be."""
        if subject.startswith(keys.HOME):
            self._show_home(subject)
            return
        show, channel = self._shows(subject), channel_of(subject)
        if show is not None:
            self._under_lease(subject, lambda page: show(page, subject))
        elif channel:
            self._under_lease(subject, lambda page: self._crowd.show(page, channel))
        else:
            self._clear(subject)

    def _shows(self, subject: str) -> Callable[[Page, str], None] | None:
        if ID_PATTERN.fullmatch(subject):
            return self._show_request
        by_prefix = {
            "policy-": self._show_policy,
            "delegation-": self._show_delegation,
            HOLD: self._show_hold,
            LIFT: self._show_lift,
            SWEEPOUT: self._show_sweepout,
            CLOCK: self._show_clock,
            TROUBLE: self._show_trouble,
            TROUBLES: self._show_troubles,
            DIGEST: self._show_owed_digest,
            UNREADABLE: self._show_unreadable,
            TARGET_USER: self._show_target_user,
            PLACE: lambda page, subject: self._places.show(page, place_of(subject)),
        }
        return next((show for prefix, show in by_prefix.items() if subject.startswith(prefix)), None)

    def post_digest(self, key: str) -> None:
        """Post the slot of a digest that is due, once, and put the next one on the clock."""
        slot = due_slot(self._ctx, key, latest_slot)
        if slot is None:
            schedule_next(self._ctx, key, None, next_slot)
            return
        due = slot
        self._under_lease(slot.subject, lambda page: self._show_digest(page, key, due), retry=digest_due(key))

    # ------------------------------------------------------------ the frame

    def _under_lease(self, subject: str, then: Callable[[Page], None], retry: str | None = None) -> None:
        item = keys.chat(subject)
        lease = self._ctx.ledger.acquire(item)
        if lease is None:
            self._ctx.ledger.remind(retry or item, LEASE_S / 2)
            return
        try:
            with self._ctx.keeper.keep(lease) as current:
                self._try(subject, then, current, retry or item)
        finally:
            self._ctx.ledger.release(lease)

    def _try(self, subject: str, then: Callable[[Page], None], current: Callable[[], Lease | None], retry: str) -> None:
        page = self._page(subject, current)
        try:
            then(page)
        except Later as later:
            self._ctx.ledger.remind(retry, later.after_s)
        except Fenced:
            self._ctx.ledger.remind(retry, LEASE_S / 2)
        except Stopped:
            self._put_off(page, retry, STOPPED_S, page.record.failures, "stopped")
        except NotDone as problem:
            self._failed(page, retry, problem.word)
        except (SlackClientError, OSError):
            # Whoever looked people up for this found nobody there.
            self._failed(page, retry, NO_ANSWER)

    def _failed(self, page: Page, retry: str, word: str) -> None:
        failures = page.record.failures + 1
        log.warning("chat does not show this yet", subject=page.record.subject, error=word, failures=failures)
        pause_s = min(2.0 ** min(failures - 1, 10), RETRY_S_MAX)
        self._put_off(page, retry, pause_s, failures, word)
        if failures > 1:
            # Once is common. What lasts is told, and called about.
            again_at = self._ctx.ledger.now() + timedelta(seconds=pause_s)
            note(self._ctx, retry, Failure(f"Slack does not take it ({word})", again_at=again_at))

    def _put_off(self, page: Page, retry: str, pause_s: float, failures: int, word: str) -> None:
        """Later than the clock would find it due again. News of the subject are shown at once all the same."""
        now = self._ctx.ledger.now()
        seen = IndexEntry(keys.SLACK_WORDS, word, now.timestamp())
        due = {retry: now + timedelta(seconds=pause_s)}
        step = f"put-off:{failures}:{self._ctx.chance.hex(8)}"
        try:
            page.save(replace(page.record, failures=failures), step, None, seen, due=due)
        except Fenced:
            self._ctx.ledger.remind(retry, LEASE_S / 2)

    def _page(self, subject: str, current: Callable[[], Lease | None]) -> Page:
        item = keys.chat(subject)
        snapshot = self._ctx.ledger.read(item)
        # What cannot be read is said anew: twice is better than never.
        record = snapshot.readable(item, ChatRecord) or ChatRecord(subject)
        return Page(self._ctx, item, record, snapshot.items[item].version, current)

    def _clear(self, subject: str) -> None:
        """Nothing is left to show: take the mark off."""
        item = keys.chat(subject)
        snapshot = self._ctx.ledger.read(item)
        change = Change(
            commit_id=f"shown:{item}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            due={item: None},
        )
        self._ctx.ledger.commit(change)

    # ------------------------------------------------------------ a request

    def _show_request(self, page: Page, id_: str) -> None:
        policy = self._policy()
        versions = self._versions(id_)
        seen = self._reader.one(id_, policy)
        if seen is None:
            self._clear(id_)
            return
        if seen.request.batch:
            self._show_batch(page, seen.request, versions, policy)
            return
        # A break-glass is told as it goes.
        since = None if seen.request.break_glass else _since(seen.request, seen.grant)
        wait_s = passing_until_s(seen.story, since, at_work=self._at_work(seen.grant))
        if wait_s > 0:
            raise Later(wait_s)
        passing_s = on_cards_for_s(seen.story, since)
        facts = replace(self._facts(page, seen, policy), passing=passing_s > 0)

        def plan() -> list[Wanted]:
            now = replace(facts, chat=page.record)
            return [*wanted(now), *glass_wanted(now)]

        self._send_and_go_on(page, plan, versions)
        if passing_s > 0:
            raise Later(passing_s)
        _look_again([facts])
        self._shown(page, versions, id_, receipt_channels(facts.request, facts.receipts_channel))

    def _show_batch(self, page: Page, request: Request, versions: dict[str, int], policy: Policy | None) -> None:
        """What was asked in one go is told by the first one's messages."""
        ids = request.batch
        if request.id != ids[0]:
            self._ctx.ledger.remind(keys.chat(ids[0]), 0.0)
            self._shown(page, versions, request.id, ())
            return
        for id_ in ids[1:]:
            versions |= self._versions(id_)
        members = [seen for id_ in ids if (seen := self._reader.one(id_, policy)) is not None]
        decided = panels(policy, [seen.request for seen in members])
        batch = Batch(
            tuple(self._facts(page, seen, policy) for seen in members),
            tuple(tuple(one.id for one in panel) for panel in decided),
        )
        wait_s = until_s(batch, {seen.request.id: _since(seen.request, seen.grant) for seen in members})
        if wait_s > 0:
            raise Later(wait_s)

        def plan() -> list[Wanted]:
            now = tuple(replace(facts, chat=page.record) for facts in batch.members)
            return several_wanted(replace(batch, members=now))

        self._send_and_go_on(page, plan, versions)
        _look_again(batch.members)
        self._shown(page, versions, ids[0], receipt_channels(request, batch.first.receipts_channel))

    def _versions(self, id_: str) -> dict[str, int]:
        """Of all records that change when there is something new to tell: an alarm leaves the grant itself as it was."""
        snapshot = self._ctx.ledger.read(keys.request(id_), keys.grant(id_), keys.review(id_))
        grant = snapshot.get(keys.grant(id_), Grant)
        request = snapshot.get(keys.request(id_), Request)
        beside = keys.holding(grant.holding) if grant else ""
        if request is not None and request.extends:
            beside = keys.grant(request.extends)
        return snapshot.versions() | (self._ctx.ledger.read(beside).versions() if beside else {})

    def _at_work(self, grant: Grant | None) -> bool:
        """Whether the target has taken an operation and is not done with it."""
        if grant is None:
            return False
        item = keys.holding(grant.holding)
        holding = self._ctx.ledger.read(item).readable(item, Holding)
        return holding is not None and holding.operation is not None

    def _send_and_go_on(self, page: Page, plan: Callable[[], Sequence[Wanted]], versions: Mapping[str, int]) -> None:
        """What was given up at one place is in the plan for the next: a card for its owners, an alarm for those concerned."""
        for _ in range(PLACES_MAX):
            before = _given_up(page.record)
            self._send(page, plan(), versions)
            if _given_up(page.record) == before:
                return

    def _send(self, page: Page, items: Sequence[Wanted], versions: Mapping[str, int] | None = None) -> None:
        """Each of them, as far as it is its turn: what has to wait, or what Slack does not take, holds up nothing behind it.

        Raises Later for what waits, or Slack's own answer; Stopped at once. `versions`: of the records that the items were
        made from. What they say by now is sent in their place: while Slack was slow, more may have happened.
        """
        waits: list[Later] = []
        failed: list[NotDone] = []
        sent = page.version
        for item in items:
            if page.version != sent:
                self._not_overtaken(versions or {})
                sent = page.version
            try:
                self._poster.send(page, item)
            except Later as later:
                waits.append(later)
                if later.channel is not None and is_receipt(item):
                    self._crowd.waits(page.record.subject, later.channel)
            except NotDone as problem:
                failed.append(problem)
        if failed:
            raise failed[0]
        if waits:
            raise min(waits, key=lambda later: later.after_s)

    def _not_overtaken(self, versions: Mapping[str, int]) -> None:
        """Raises Later where one of these records has changed. A holding changes all the time, and its grant tells of it."""
        told_by = [item for item in versions if not item.startswith("holding:")]
        if told_by and any(self._ctx.ledger.read(*told_by).items[item].version != versions[item] for item in told_by):
            raise Later(0.0)

    def _shown(self, page: Page, versions: dict[str, int], id_: str, channels: Sequence[str]) -> None:
        """Take the mark off, in a commit that is lost when one of these records has changed meanwhile."""
        item = keys.chat(id_)
        snapshot = self._ctx.ledger.read(item, *versions)
        if any(snapshot.items[name].version != version for name, version in versions.items()):
            self._ctx.ledger.remind(item, 0.0)
            return
        change = Change(
            commit_id=f"shown:{item}:{page.version}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions() | {item: page.version},
            # The next bad minute begins with short pauses again.
            puts={item: replace(page.record, failures=0)} if page.record.failures else {},
            due={item: None},
            index=tuple(IndexEntry(keys.waiting(channel), id_, None) for channel in channels),
        )
        if not isinstance(self._ctx.ledger.commit(change), Committed):
            self._ctx.ledger.remind(item, 0.0)
        elif page.record.failures > 1:
            over(self._ctx, item)

    def _facts(self, page: Page, seen: Seen, policy: Policy | None) -> Facts:
        request = seen.request
        environment = policy.environments.get(request.terms.environment) if policy else None
        people = self._recipients.whom_to_ask(policy, environment, request) if policy and environment else None
        story = _with_people(seen.story, people) if people else seen.story
        overseers = Overseers()
        entries = self._ctx.ledger.entries_of(request.id)
        alarm = any(entry.event in ALARMS for entry in entries)
        if policy and environment and (request.break_glass or alarm):
            overseers = self._recipients.overseers(policy, environment, request)
        return Facts(
            request=request,
            story=story,
            environment=environment,
            receipts_channel=policy.receipts_channel if policy else "",
            entries=entries,
            chat=page.record,
            mentions=people.mentions if people else {},
            approver_ids=people.ids if people else (),
            deciders=people.deciders if people else NOBODY,
            reminded=people.reminded if people else (),
            called=people.called if people else (),
            called_people=people.called_people if people else (),
            warned=bool(seen.grant and seen.grant.warned),
            review=self._reader.review(request),
            overseers=overseers.people,
            security=overseers.security,
            extended=len(seen.grant.extensions) if seen.grant else 0,
            look_again_s=_look_again_s(seen, people, overseers),
            command=self._command,
        )

    def _policy(self) -> Policy | None:
        try:
            return self._ctx.policy.current()
        except PolicyUnavailable:
            return None

    # ------------------------------------------------------------ a home, a policy, a digest

    def _show_home(self, subject: str) -> None:
        """Draw one person's page. It is drawn again when they open it, so nothing of it is recorded."""
        who = keys.whose_home(subject)
        try:
            page = home(self._home_of(who), self._command)
        except (DirectoryUnreachable, PolicyUnavailable) as problem:
            log.warning("a home is not known", why=str(problem))
            page = home_instead("I cannot tell just now what you may see. Please open this page again in a minute.")
        instead = f"`{self._command} mine` and `{self._command} pending` tell the same."
        for drawn in (page, home_instead(f"Slack does not take this page as it is drawn. {instead}")):
            try:
                ask(self._client.views_publish, user_id=who.user, view=home_of(drawn))
                return
            except NotDone as problem:
                word = problem.word
                if problem.means is not Means.FORM:
                    break
        log.warning("a home was not drawn", error=word)
        act = Interaction(id=subject, kind="home", who=who)
        self._teller.tell(act, answer(f"Slack did not draw your page ({word}). {instead}"))

    def _home_of(self, who: Account) -> HomeStory:
        """Raises DirectoryUnreachable, PolicyUnavailable."""
        policy = self._ctx.policy.current()
        person = self._refresher.refresh_person(who, policy)
        if person.standing_problem:
            return HomeStory(self._ctx.ledger.now())
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        groups = self._ctx.directory.groups(policy, names)
        old = groups.to_look_up(names, self._ctx.ledger.now())
        if old:
            self._refresher.refresh_groups(policy, old)
            groups = self._ctx.directory.groups(policy, names)
        return self._reader.home(policy, person, with_delegations(self._ctx, groups))

    def _show_policy(self, page: Page, subject: str) -> None:
        policy = self._policy()
        entries = [item for item in self._ctx.ledger.entries_of(subject) if item.event is Event.POLICY_ACTIVATED]
        if policy is not None and entries:
            entry = entries[-1]
            message = receipts.policy_activated(entry, self._command)
            self._poster.send(page, _once(f"policy:{entry.number}", policy.receipts_channel, message))
        self._clear(subject)

    def _show_unreadable(self, page: Page, subject: str) -> None:
        """One alarm an hour, which grows as more is found."""
        policy = self._policy()
        if policy is not None:
            entries = [
                entry for entry in self._ctx.ledger.entries_of(subject) if entry.event is Event.LEDGER_UNREADABLE
            ]
            hour = f"{entries[-1].at:%Y-%m-%dT%H}" if entries else ""
            found = [entry for entry in entries if f"{entry.at:%Y-%m-%dT%H}" == hour]
            if found:
                alarm, key = receipts.unreadable(found), str(found[-1].number)
                self._poster.send(
                    page, Wanted(f"unreadable:{hour}", policy.receipts_channel, alarm, key=key, urgent=True)
                )
        self._clear(subject)

    def _show_delegation(self, page: Page, subject: str) -> None:
        """Tell somebody that they decide in another's place, or do so no more."""
        _, user, who = subject.split("-", 2)
        item = keys.person(PersonId(who))
        snapshot = self._ctx.ledger.read(item)
        record = snapshot.get(item, PersonRecord)
        found = in_force(record.delegation, snapshot.now) if record else None
        theirs = found if found and found.to_slack and direct_to(found.to_slack) == user else None
        name = record.name if record else ""
        self._send(page, delegating.delegation_wanted(page.record, user, name, theirs, snapshot.now, self._command))
        self._clear(subject)

    def _show_trouble(self, page: Page, subject: str) -> None:
        """Whoever waits for what fails is told, and hears when it is over."""
        self._send(page, troubles.for_people(self._ctx, subject.removeprefix(TROUBLE), page.record, self._command))
        self._clear(subject)

    def _show_troubles(self, page: Page, subject: str) -> None:
        """The people who run this are told of all that fails, and owners of what fails of theirs."""
        called = Called(self._ctx, self._recipients, self._command)
        self._send(page, called.wanted(self._policy(), page.record))
        left = without_what_is_over(page.record)
        if left != page.record:
            page.save(left, "over")
        self._clear(subject)

    def _show_lift(self, page: Page, subject: str) -> None:
        """The person is told, and so is the receipts channel."""
        policy = self._policy()
        for entry in self._ctx.ledger.entries_of(subject):
            item = keys.person(PersonId(entry.private.get("person", "")))
            record = self._ctx.ledger.read(item).get(item, PersonRecord)
            items = (
                [_once(f"lifted:{direct_to(who)}", direct_to(who), lifted(entry, entry.at)) for who in record.slack]
                if record
                else []
            )
            if policy is not None:
                mark = receipts.mark(entry.number, entry.digest)
                items.append(_once("lifted:receipt", policy.receipts_channel, lifted_receipt(entry, mark)))
            self._send(page, items)
        self._clear(subject)

    def _show_hold(self, page: Page, subject: str) -> None:
        """News of an account that is on hold: for the receipts channel and security; for the owners where it has access; and,
        once people have said whose it is, for every account that is bound to somebody whom it is about."""
        policy = self._policy()
        if policy is None:
            raise Later(RETRY_S_MAX)
        for entry in self._ctx.ledger.entries_of(subject):
            if entry.event in TOLD_OF_HOLDS:
                self._send(page, self._told_of_hold(entry, policy))
                self._redraw_what_waits(entry)
        self._clear(subject)

    def _redraw_what_waits(self, entry: AuditEntry) -> None:
        """Nobody can approve what somebody on hold has asked for, or would have: its cards say so, and later that it is over."""
        for who in dict.fromkeys(filter(None, map(entry.private.get, ("actor", "person", "before")))):
            for id_ in self._ctx.ledger.members(keys.of_person(keys.PENDING, PersonId(who)), limit=AT_ONCE):
                self._ctx.ledger.remind(keys.chat(id_), 0.0)

    def _told_of_hold(self, entry: AuditEntry, policy: Policy) -> list[Wanted]:
        plain = holds.told(entry, self._command)
        if entry.event is Event.PERSON_CONFIRM_ASKED:
            return [self._receipt_of_hold(entry, policy), *self._asked_to_agree(entry, policy)]
        users = dict.fromkeys(direct_to(facts.slack) for facts in self._recipients.security(policy))
        if entry.event in (Event.PERSON_BINDING_CHANGED, Event.PERSON_LEFT):
            places = open_places(self._ctx, PersonId(entry.private.get("actor", "")))
            users |= dict.fromkeys(direct_to(facts.slack) for facts in self._recipients.owners_of(policy, places))
        if entry.event is Event.PERSON_CONFIRMED:
            users |= dict.fromkeys(self._accounts_named(entry))
        own = self._receipt_of_hold(entry, policy)
        return [own, *(_once(f"hold:{entry.number}:{user}", user, plain) for user in users)]

    def _show_target_user(self, page: Page, subject: str) -> None:
        """A user in AWS was given to another person: for the receipts channel, security, and both people."""
        policy = self._policy()
        if policy is None:
            raise Later(RETRY_S_MAX)
        for entry in self._ctx.ledger.entries_of(subject):
            receipt = target_users.moved(entry, receipts.mark(entry.number, entry.digest))
            security = (direct_to(facts.slack) for facts in self._recipients.security(policy))
            users = dict.fromkeys((*security, *self._accounts_named(entry)))
            told = (_once(f"user:{user}", user, target_users.moved(entry)) for user in users)
            self._send(page, [_once("user:receipt", policy.receipts_channel, receipt), *told])
        self._clear(subject)

    def _receipt_of_hold(self, entry: AuditEntry, policy: Policy) -> Wanted:
        receipt = holds.told(entry, self._command, receipts.mark(entry.number, entry.digest))
        return _once(f"hold:{entry.number}:receipt", policy.receipts_channel, receipt)

    def _asked_to_agree(self, entry: AuditEntry, policy: Policy) -> list[Wanted]:
        """The others of security, with buttons for as long as what was said waits for a second one. Who said it knows."""
        others = [facts for facts in self._recipients.security(policy) if facts.id != entry.private.get("actor")]
        still = held_account(self._ctx, AccountId(entry.private.get("account", "")))
        waits = still is not None and still.account.proposal is not None and still.account.proposal.at == entry.at
        plain = holds.told(entry, self._command)
        asked = holds.with_choices(plain, still, entry.private.get("reason", "")) if still and waits else plain
        key = "asked" if waits else "over"
        slots = ((f"hold:{entry.number}:{direct_to(facts.slack)}", direct_to(facts.slack)) for facts in others)
        return [Wanted(slot, user, asked, key=key) for slot, user in slots]

    def _accounts_named(self, entry: AuditEntry) -> list[str]:
        """The chat's ids of all accounts that are bound to the people whom an entry names."""
        people = dict.fromkeys(filter(None, map(entry.private.get, ("person", "before", "claims"))))
        return [direct_to(slack) for who in people for slack in bound_to(self._ctx, PersonId(who))]

    def _show_clock(self, page: Page, subject: str) -> None:
        """The receipts channel hears of a jump, and so does everybody who may press the panic switch."""
        policy = self._policy()
        if policy is None:
            raise Later(RETRY_S_MAX)
        places = (policy.receipts_channel, *(direct_to(facts.slack) for facts in self._recipients.security(policy)))
        for entry in self._ctx.ledger.entries_of(subject):
            told = clock_told(entry)
            self._send(page, [_once(f"clock:{entry.number}:{place}", place, told) for place in places])
        self._clear(subject)

    def _show_sweepout(self, page: Page, subject: str) -> None:
        """One message for the receipts channel and one for whoever pressed; both fill up in place."""
        policy, item = self._policy(), keys.sweepout(subject.removeprefix(SWEEPOUT))
        snapshot = self._ctx.ledger.read(item)
        sweepout = snapshot.get(item, Sweepout)
        if sweepout is None or policy is None:
            self._clear(subject)
            return
        stories = self._reader.some(sweepout.taken, policy)
        self._send(page, panic_wanted(sweepout, stories, policy, self._command))
        self._shown(page, snapshot.versions(), subject, ())

    def _show_digest(self, page: Page, key: str, slot: Slot) -> None:
        self._show_slot(page, slot)
        schedule_next(self._ctx, key, slot, next_slot)

    def _show_owed_digest(self, page: Page, subject: str) -> None:
        """Its channel takes messages again: of what it did not take, the newest is posted."""
        slot = owed_slot(self._ctx, subject, latest_slot)
        if slot is not None:
            self._show_slot(page, slot)
        self._clear(subject)

    def _show_slot(self, page: Page, slot: Slot) -> None:
        """Raises PolicyUnavailable, too."""
        policy = self._ctx.policy.current()
        before = page.record.postings.get("digest")
        if before is not None and before.ts is not None:
            # What reads so much is not read again only to find that it was told.
            return
        if slot.plan.report is not None:
            self._post_slot(page, slot, review_message(self._ctx, slot.plan, policy))
        else:
            self._show_active(page, slot, policy)

    def _post_slot(self, page: Page, slot: Slot, message: Message) -> None:
        wanted = _once("digest", slot.plan.channel, message)
        self._poster.send(page, replace(wanted, entry=posted(self._ctx, slot)))

    def _show_active(self, page: Page, slot: Slot, policy: Policy) -> None:
        story = self._reader.digest(policy, slot.plan.environments)
        overdue = any(item.review_overdue for item in story.reviews)
        if story.places or story.waiting or overdue or not slot.plan.only_if_active or page.record.postings:
            shown = _visible(story, policy, slot.plan.channel)
            self._post_slot(page, slot, digest(shown, self._command))


def _visible(digest_: DigestStory, policy: Policy, channel: str) -> DigestStory:
    """Where an environment is hidden from outsiders, a digest elsewhere tells state and id alone."""

    def seen(stories: tuple[RequestStory, ...]) -> tuple[RequestStory, ...]:
        return tuple(seen_in(story, policy, channel) for story in stories)

    places = tuple(replace(place, stories=seen(place.stories)) for place in digest_.places)
    return replace(
        digest_,
        places=places,
        stuck=seen(digest_.stuck),
        waiting=seen(digest_.waiting),
        reviews=seen(digest_.reviews),
        agreed=seen(digest_.agreed),
    )


def _with_people(story: RequestStory, people: WhomToAsk) -> RequestStory:
    decidable = bool(people.deciders) or not people.nobody
    return replace(story, away=people.away, stand_ins=people.stand_ins, nobody=people.nobody, decidable=decidable)


def _given_up(record: ChatRecord) -> int:
    return sum(posting.error is not None for posting in record.postings.values())


def _once(slot: str, channel: str, message: Message) -> Wanted:
    return Wanted(slot, channel, message, key="once")


def _look_again_s(seen: Seen, people: WhomToAsk | None, overseers: Overseers) -> float | None:
    """While somebody waits for them, those who can decide are looked for until they are found; after a break-glass,
    those who oversee it. Not for ever: the reminder looks again, too.
    """
    if seen.story.now - seen.request.created_at > LOOKED_FOR:
        return None
    if seen.request.break_glass:
        return overseers.look_again_s
    waits = seen.request.state is RequestState.PENDING
    return people.look_again_s if people and waits else None


def _look_again(members: Sequence[Facts]) -> None:
    """Raises Later where somebody who should have been told was not found yet: the mark stays, and they are told then."""
    waits = [facts.look_again_s for facts in members if facts.look_again_s is not None]
    if waits:
        raise Later(min(waits))


def _since(request: Request, grant: Grant | None) -> datetime | None:
    """When a passing state began; None where there is none."""
    if grant is not None and grant.end is not None:
        return grant.end.at
    return request.decision.at if request.decision else None
