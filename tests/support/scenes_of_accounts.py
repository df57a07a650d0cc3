"""What can become of somebody's account: another address, a new account, leaving; and who says whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from bot.chat.interaction import COMMAND, Interaction
from bot.chat.messages.leavers import END_ALL, STILL_HERE
from tests.support import build
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.people import acts, gets_address, in_teams, joins_teams, new_account
from tests.support.scenes import done, for_nia, scene
from tests.support.spoken import CAST, OLGA, Listener, Said
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import Address, TargetUser
from workflows.core.people import Account, PersonId
from workflows.core.policy import OnMover
from workflows.core.records.leavers import Leavers
from workflows.ports import Change
from workflows.usecases.identity.confirm_account import Saying, confirm, held_account
from workflows.usecases.identity.leavers_vote import END, HERE, say
from workflows.usecases.identity.second_chat import Answer, answer
from workflows.usecases.shared.target_users import move_by_hand, users_called

NEW = "dana.new@example.com"
SAYS = "she showed her badge"
PROBLEMS = ("person_guest", "person_bot", "person_foreign", "person_no_address", "person_odd", "person_deactivated")


def on_hold(t: Listener, who: PersonId, address: str) -> None:
    gets_address(t.world, who, address)
    acts(t.world, account(who))


def says(t: Listener, by: PersonId, about: Account, *, same: bool) -> None:
    w = t.world
    w.knows(by)
    held = held_account(w.ctx, w.chat.people[about].account)
    assert held is not None
    done(confirm(w.ctx, Saying(held.account.account, same, SAYS, held.hash), account(by), w.press_id()))


def confirming(whom: str = NEW) -> list[tuple[PersonId, str]]:
    """Security is shown the question, and says both; others may not."""
    words = [f"person confirm {whom} {said}{SAYS}" for said in ("", "same ", "another ")]
    return [*((SUE, text) for text in words), (OLU, words[0]), (DANA, words[1]), (SUE, f"person confirm {whom}")]


@scene
def an_address_that_has_changed(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    waits = w.asked(role="admin")
    t.posted(id_, waits)
    on_hold(t, DANA, NEW)
    t.brief = True
    t.tries = [
        *confirming(),
        (DANA, "payments-prod quick 1h INC-42 errors"),
        (DANA, "mine"),
        (DANA, f"end {id_}"),
        (DANA, f"withdraw {waits}"),
        (DANA, f"extend {id_} 30m INC-42 goes on"),
        (OLU, f"approve {waits}"),
        (OLU, f"show {waits}"),
        (PAT, "for <@UDANA|dana> payments-prod quick 1h INC-42 errors"),
    ]
    w.knows(SUE)
    # From her home, in place of what she types.
    asked = t.opens(SUE, "confirm", w.chat.people[account(DANA)].account)
    t.beside = [asked] if asked is not None else []
    yield id_, waits
    t.beside = []
    says(t, SUE, account(DANA), same=True)
    t.tries = [(SUE, f"person confirm {NEW} again"), (DANA, "payments-prod office 1h INC-42 errors"), (DANA, "mine")]
    yield id_, waits


@scene
def an_address_that_was_wrong_for_a_while(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.knows(DANA)
    on_hold(t, DANA, NEW)
    t.brief = True
    t.posted()
    on_hold(t, DANA, str(DANA))
    yield ()


@scene
def whose_account_two_have_to_say(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    done(w.approve(id_))
    w.work()
    on_hold(t, OLU, "olu.o@example.com")
    says(t, SUE, account(OLU), same=False)
    t.brief = True
    t.tries = [
        (SUE, f"person confirm olu.o@example.com another {SAYS}"),
        (SUE, f"person confirm olu.o@example.com same {SAYS}"),
        (PAT, f"person confirm olu.o@example.com {SAYS}"),
        (OLU, f"person confirm olu.o@example.com {SAYS}"),
        (OLU, "mine"),
    ]
    yield (id_,)
    says(t, PAT, account(OLU), same=False)
    t.tries = [(OLU, "mine"), (OLU, f"show {id_}")]
    yield (id_,)


@scene
def a_new_account_under_somebodys_address(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(PAT)
    new = new_account(w, "UOLGA", str(PAT), "Olga")
    t.cast = (*CAST, OLGA)
    acts(w, new)
    t.brief = True
    t.tries = [
        (OLGA, "payments-prod read-only 1h INC-42 errors"),
        (OLGA, "mine"),
        (SUE, f"person confirm {PAT} {SAYS}"),
        (SUE, f"person confirm {PAT} same {SAYS}"),
        # Never about oneself.
        (PAT, f"person confirm {PAT} {SAYS}"),
    ]
    yield ()


def _in_a_second_chat(t: Listener) -> Account:
    """Dana's address acts in Teams, and she is asked in Slack."""
    w = t.world
    w.knows(DANA, SUE)
    there = in_teams(w, "aad-dana", str(DANA), "Dana")
    acts(w, there)
    t.brief = True
    t.beside = [_answer_there(t, there, "mine")]
    return there


def _answer_there(t: Listener, there: Account, text: str) -> Said:
    """What the account reads that is on hold: Dana, who uses it."""
    t.world.chat.refresh_person(there, t.world.policy.policy)
    reply = t.dry.carry_out(Interaction(t.world.press_id(), COMMAND, there, text=text))
    assert reply.message is not None
    return Said(f"{there.user} types {text}", DANA, reply.message, refused=reply.refused)


def _says_of_it(t: Listener, there: Account, *, mine: bool) -> None:
    w = t.world
    held = held_account(w.ctx, there.id)
    assert held is not None
    w.knows(DANA)
    done(answer(w.ctx, Answer(there.id, mine, held.hash), account(DANA), w.press_id()))
    acts(w, there)


@scene
def an_account_in_a_second_chat_that_is_theirs(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    there = _in_a_second_chat(t)
    held = held_account(w.ctx, there.id)
    assert held is not None
    asked = json.dumps({"a": there.id, "h": held.hash})
    changed = json.dumps({"a": there.id, "h": "another"})
    t.tries = [(SUE, f"person confirm {DANA} {SAYS}")]
    t.presses_at = [(OLU, "is_me", asked), (DANA, "is_me", changed), (DANA, "is_not_me", asked)]
    yield ()
    _says_of_it(t, there, mine=True)
    t.beside = []
    t.tries = []
    t.presses_at = [(DANA, "is_me", asked)]
    yield ()


@scene
def an_account_in_a_second_chat_that_is_not_theirs(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    there = _in_a_second_chat(t)
    held = held_account(w.ctx, there.id)
    assert held is not None
    t.posted()
    _says_of_it(t, there, mine=False)
    t.beside = [_answer_there(t, there, "mine")]
    t.tries = [(SUE, f"person confirm {DANA} {SAYS}")]
    t.presses_at = [(DANA, "is_me", json.dumps({"a": there.id, "h": held.hash}))]
    yield ()


@scene
def an_account_in_a_second_chat_of_somebody_who_has_left_the_first(t: Listener) -> Iterator[tuple[str, ...]]:
    """Between the question and its message."""
    w = t.world
    _in_a_second_chat(t)
    w.chat.people[account(DANA)] = replace(w.chat.people[account(DANA)], standing_problem="person_deactivated")
    w.chat.refresh_person(account(DANA), w.policy.policy)
    yield ()


@scene
def two_who_may_be_one(t: Listener) -> Iterator[tuple[str, ...]]:
    """Olu's second account says that it is Pat."""
    w = t.world
    w.knows(OLU, PAT)
    second = new_account(w, "UOLU2", str(OLU), "Olu")
    acts(w, second)
    for by in (SUE, PAT):
        says(t, by, second, same=True)
    acts(w, second)
    id_ = w.asked(role="admin")
    w.chat.people[second] = replace(w.chat.people[second], address=Address(str(PAT)))
    acts(w, second)
    done(w.approve(id_, OLU))
    t.posted(id_)
    t.brief = True
    t.tries = [(PAT, f"approve {id_}"), (SUE, f"show {id_}")]
    yield (id_,)


@scene
def an_account_on_hold_that_is_gone_by_now(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.knows(DANA)
    on_hold(t, DANA, NEW)
    facts = t.world.chat.people[account(DANA)]
    t.world.chat.people[account(DANA)] = replace(facts, standing_problem="person_deactivated")
    t.world.chat.refresh_person(account(DANA), t.world.policy.policy)
    t.brief = True
    t.tries = [(SUE, f"person confirm {NEW} same {SAYS}")]
    yield ()


@scene
def a_party_on_hold(t: Listener) -> Iterator[tuple[str, ...]]:
    """Somebody else asked for Nia, and her account is on hold before it is approved."""
    id_ = for_nia(t)
    t.posted(id_)
    on_hold(t, NIA, "nia.new@example.com")
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (OLU, f"deny {id_} not now"), (NIA, f"decline {id_}"), (DANA, f"show {id_}")]
    yield (id_,)


@scene
def an_address_that_somebody_else_has_by_now(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(DANA)
    new = new_account(w, "UOLGA", str(DANA), "Olga")
    t.cast = (*CAST, OLGA)
    acts(w, new)
    says(t, SUE, new, same=False)
    acts(w, account(DANA))
    t.brief = True
    t.tries = [
        (SUE, f"person confirm <@UDANA|dana> same {SAYS}"),
        (DANA, "mine"),
        (DANA, "payments-prod quick 1h INC-42"),
    ]
    yield ()


def gone(t: Listener, *people: PersonId) -> None:
    for who in people:
        t.world.chat.people[account(who)] = replace(
            t.world.chat.people[account(who)], standing_problem="person_deactivated"
        )


def looks(t: Listener) -> None:
    t.world.run(keys.LEAVERS)


@scene
def somebody_leaves(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    t.posted(id_)
    gone(t, DANA)
    w.run(keys.whois(account(DANA)))
    looks(t)
    t.brief = True
    yield (id_,)
    w.work()
    t.tries = [(PAT, "for <@UDANA|dana> payments-prod quick 1h INC-42 errors"), (OLU, f"end {id_}")]
    yield (id_,)


@scene
def somebody_leaves_who_waits(t: Listener) -> Iterator[tuple[str, ...]]:
    waits = t.world.asked(role="admin")
    t.posted(waits)
    gone(t, DANA)
    looks(t)
    t.brief = True
    t.tries = [(OLU, f"approve {waits}"), (OLU, f"show {waits}")]
    yield (waits,)


@scene
def one_account_of_somebody_is_gone(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    joins_teams(w, DANA)
    t.posted(id_)
    gone(t, DANA)
    looks(t)
    t.brief = True
    yield (id_,)


@scene
def somebody_moves(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    t.posted(id_)
    before = w.policy.policy
    groups = {**before.groups, "developers": replace(before.groups["developers"], members=frozenset({NIA}))}
    w.policy.policy = replace(before, groups=groups)
    looks(t)
    # By the time that it is read they are back: who asks for more time is not refused.
    w.policy.policy = before
    t.brief = True
    yield (id_,)
    w.policy.policy = replace(before, groups=groups, on_mover=OnMover.END)
    looks(t)
    yield (id_,)
    w.work()
    yield (id_,)


FOUR = ("PA-1", "PA-2", "PA-3", "PA-4")


def many_at_once(t: Listener) -> str:
    """All four who hold access seem to have left. Returns what the card's buttons stand for."""
    four_have_access(t)
    gone(t, *LEAVING)
    looks(t)
    return the_card(t)


LEAVING = (DANA, NIA, OLU, PAT)


def four_have_access(t: Listener) -> None:
    w = t.world
    for who, agrees in zip(LEAVING, (OLU, OLU, PAT, OLU), strict=True):
        done(w.approve(w.asked(who), agrees))
        w.work()


def the_card(t: Listener) -> str:
    found = t.world.ledger.read(keys.LEAVERS).get(keys.LEAVERS, Leavers)
    assert found is not None
    assert found.finding is not None
    return found.finding.named


def sue_says(t: Listener, named: str, what: str) -> None:
    t.world.knows(SUE)
    done(say(t.world.ctx, named, what, account(SUE), t.world.press_id()))


@scene
def so_many_leave_at_once(t: Listener) -> Iterator[tuple[str, ...]]:
    named = many_at_once(t)
    t.brief = True
    t.presses_at = [
        (SUE, END_ALL, named),
        (SUE, STILL_HERE, named),
        (GUS, END_ALL, named),
        (SUE, END_ALL, "another"),
        (SUE, END_ALL, f"{named[:-4]}ffff"),
    ]
    yield FOUR
    sue_says(t, named, END)
    yield FOUR
    looks(t)
    t.world.work()
    yield FOUR


@scene
def one_more_leaves_after_others(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(SUE)
    four_have_access(t)
    gone(t, *LEAVING[:3])
    looks(t)
    w.work()
    gone(t, LEAVING[3])
    looks(t)
    t.brief = True
    yield FOUR
    sue_says(t, the_card(t), HERE)
    yield FOUR


@scene
def so_many_are_still_here(t: Listener) -> Iterator[tuple[str, ...]]:
    named = many_at_once(t)
    t.brief = True
    yield FOUR
    sue_says(t, named, HERE)
    yield FOUR


@scene
def so_many_and_nobody_to_ask(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.policy.policy = replace(t.world.policy.policy, panic_group=None)
    many_at_once(t)
    t.brief = True
    yield FOUR


@scene
def so_many_are_there_again(t: Listener) -> Iterator[tuple[str, ...]]:
    many_at_once(t)
    t.brief = True
    yield FOUR
    for who in (DANA, NIA, OLU, PAT):
        t.world.chat.people[account(who)] = replace(t.world.chat.people[account(who)], standing_problem=None)
    looks(t)
    yield FOUR


# ---------------------------------------------------------------- whose the user in AWS is


@scene
def a_user_in_aws_that_is_anothers(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(NIA)
    name = "identity-store:id-of-dana@example.com"
    snapshot = w.ledger.read(keys.target_user(name))
    record = TargetUser(name, NIA, "Nia", snapshot.now)
    w.ledger.commit(Change("nias", snapshot.now, snapshot.versions(), {keys.target_user(name): record}))
    t.brief = True
    yield (w.asked(),)


@scene
def a_user_in_aws_with_two_addresses(t: Listener) -> Iterator[tuple[str, ...]]:
    people = t.world.target().people
    t.world.knows(DANA, NIA)
    people[Address("nia@example.com")] = people[Address("dana@example.com")]
    t.brief = True
    yield (t.world.asked(),)


@scene
def a_user_in_aws_that_goes_to_somebody_else(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(NIA)
    id_ = w.active()
    done(w.end(id_))
    w.work()
    (user,) = users_called(w.ctx, "id-of-dana@example.com")
    done(move_by_hand(w.ctx, user.id, NIA, "Ada", "handed over", w.press_id()))
    t.brief = True
    yield (id_,)


@scene
def a_user_in_aws_that_was_made_anew(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.active()
    done(w.end(id_))
    w.work()
    w.target().people[Address("dana@example.com")] = "made-anew"
    t.brief = True
    yield id_, w.asked()


@scene
def who_may_nothing(t: Listener) -> Iterator[tuple[str, ...]]:
    """Each kind of account that may do nothing at all."""
    t.brief = True
    for problem in PROBLEMS:
        w = t.world
        w.chat.people[account(GUS)] = replace(build.facts(GUS), standing_problem=problem)
        t.tries = [
            (GUS, "mine"),
            (GUS, "payments-prod read-only 1h INC-42 errors"),
            (DANA, "for <@UGUS|gus> payments-prod quick 1h INC-42 errors"),
            (OLU, "delegate <@UGUS|gus> tomorrow"),
            (DANA, "explain payments-prod read-only <@UGUS|gus>"),
        ]
        yield ()
