"""How long people wait until what they typed or pressed is acknowledged, and how many a second the web process takes.

    python -m bench.acks [--quick]

Signed requests come from a process of their own. Each command asks for an access that its person does not have, each press
approves one of these requests: nothing is answered from an earlier answer. At 100 a second everything else is at work, too
(workers giving what was approved, cards, receipts, and the stand-ins for Slack and AWS on the same two cores). The most
that the web process takes is measured with workers and clock stopped, beside a bare Bolt app that only acknowledges.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

from bench.alone import alone
from bench.figures import Figure, at_least, at_most, figure, spread
from bench.load import Answers, Body, send
from bench.place import DEVELOPERS, OWNERS, Place, person, running, say, until
from bench.profiles import COMMANDS, PRESSES
from bench.tuned import NO_QUOTA
from bot.chat.messages.approval_card import APPROVE
from bot.sandbox.slack import Message
from bot.sandbox.slack.events import payloads
from bot.sandbox.slack.events.courier import Delivery
from bot.sandbox.slack.events.http import encoded
from bot.sandbox.slack.people.reading import element, elements
from tests.support.installation import CASES, COMMAND, GENERAL, PEOPLE, ROOT, case_name, free_port
from workflows.core import keys
from workflows.core.people import Account

RATE, AT_ONCE = 100, 16
SHARES = 0.35, 0.6
# Below what a person may have pending (10).
ASKS_EACH = 8
CHANNELS = [number for number in range(CASES) if number % 10 != 9]
# One worker makes some eight a second, with everything on two cores.
CARDS_WITHIN_S = 180


def measure(quick: bool) -> list[Figure]:
    count = 60 if quick else 250
    developers = 2 * count // ASKS_EACH + 1
    # Slack lets us look up a hundred people in a minute; here twice as many come in a second, all of them for the first time.
    with running(*NO_QUOTA, developers=developers, owners=8, unlimited=True) as place:
        bind_everybody(place, developers)
        url, secret = str(place.slack.app.request_url), place.slack.app.signing_secret
        lines = lines_of(developers)
        say("commands")
        typed = send([command(place, *next(lines)) for _ in range(count)], url, secret, rate=RATE)
        most_typed = _alone(place, [command(place, *next(lines)) for _ in range(count)])
        say("waiting for the cards")
        taken = len(typed.seconds) + len(most_typed.seconds)
        shown = until(lambda: buttons_of(place, taken), "a button for each request", CARDS_WITHIN_S, 1)
        presses = [press(place, message, value, number % 8) for number, (value, message) in enumerate(shown.items())]
        half = len(presses) // 2
        place.warm()
        say("presses")
        pressed = send(presses[:half], url, secret, rate=RATE)
        most_pressed = _alone(place, presses[half:])
        limits = _bare([command(place, DEVELOPERS, 0, "help") for _ in range(count)], presses[half:], secret)
        _check(place, half + len(presses[half:]), taken)
    return _figures((typed, pressed), (most_typed, most_pressed), limits)


def bind_everybody(place: Place, developers: int) -> None:
    """The first thing that somebody ever types binds their account to their address; that is not what is measured.

    A worker does it, after the acknowledgement, because the chat has to be asked who they are.
    """
    everybody = [(DEVELOPERS, number) for number in range(developers)] + [(OWNERS, number) for number in range(8)]
    bodies = [command(place, prefix, number, "mine") for prefix, number in everybody]
    done = send(bodies, str(place.slack.app.request_url), place.slack.app.signing_secret, at_once=4)
    if done.failed:
        raise SystemExit(f"{done.failed} were not answered: {done.said}")
    team = place.slack.app.team_id
    accounts = [keys.account(Account("slack", team, PEOPLE[person(*who)]).id) for who in everybody]
    ledger = place.ledger()
    until(lambda: not any(item.is_absent for item in ledger.read(*accounts).items.values()), "everybody is bound", 60)
    place.warm()


def lines_of(developers: int) -> Iterator[tuple[str, int, str]]:
    """Who types what, each line another person's or environment's; so many channels that each request gets its card at once."""
    for turn in range(ASKS_EACH):
        for number in range(developers):
            place = CHANNELS[(number + developers * turn) % len(CHANNELS)]
            yield DEVELOPERS, number, f"{case_name(place)} read-only 1h INC-42 checkout errors"


def command(place: Place, prefix: str, number: int, text: str) -> Body:
    ws = place.slack.workspace
    user = ws.user(PEOPLE[person(prefix, number)])
    return _body("slash_commands", payloads.command(ws, user, ws.channel(GENERAL), COMMAND, text))


def press(place: Place, message: Message, value: str, owner: int) -> Body:
    """On the button with this value."""
    ws = place.slack.workspace
    user = ws.user(PEOPLE[person(OWNERS, owner)])
    block, button = element(message.blocks, APPROVE, value)
    url = payloads.response_url(ws, user, ws.channel(message.channel), message)
    more = {"trigger_id": ws.triggers.issue(user.id), "response_url": url}
    payload = payloads.in_message(ws, "block_actions", user, message) | more
    payload["actions"] = [payloads.action(ws, block, button, {"value": button["value"]})]
    return _body("interactive", payload)


def _body(kind: str, payload: object) -> Body:
    body, content_type = encoded(Delivery("bench", kind, payload, 0.0))  # type: ignore[arg-type]
    return content_type, body.decode()


def buttons_of(place: Place, wanted: int) -> dict[str, Message] | None:
    """By what each says: the button that approves one request, and the newest message that has it (its card, or a board before).
    Once so many are there.
    """
    looking = place.slack.person(PEOPLE["sue"])
    found = {
        one["value"]: message
        for number in CHANNELS
        for message in looking.messages(f"C0SHOP{number:03}")
        for one in elements(message)
        if one["action_id"] == APPROVE
    }
    return found if len(found) >= wanted else None


def _alone(place: Place, bodies: list[Body]) -> Answers:
    """The most that the web process takes, with workers and clock stopped meanwhile."""
    for name in ("worker", "clock"):
        place.processes[name].freeze()
    try:
        return send(bodies, str(place.slack.app.request_url), place.slack.app.signing_secret, at_once=AT_ONCE)
    finally:
        for name in ("worker", "clock"):
            place.processes[name].thaw()


def _bare(commands: list[Body], presses: list[Body], secret: str) -> tuple[Answers, Answers]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port), secret], cwd=ROOT)
    try:
        until(lambda: _listens(port), "the bare app listens", 20)
        url = f"http://127.0.0.1:{port}/slack/events"
        send(commands[:20], url, secret, at_once=4)
        return tuple(send(bodies, url, secret, at_once=AT_ONCE) for bodies in (commands, presses))  # type: ignore[return-value]
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _check(place: Place, pressed: int, asked: int) -> None:
    """What was acknowledged is on the record: so many requests, and each press was an approval."""
    ledger = place.ledger()
    made, pending = ledger.count(keys.RECENT), ledger.count(keys.PENDING)
    if made != asked or made - pending != pressed:
        say(f"NOT AS EXPECTED: {asked} asked, {made} on the record; {pressed} pressed, {made - pending} decided")


Two = tuple[Answers, Answers]


def _figures(at_rate: Two, most: Two, bare: Two) -> list[Figure]:
    """Of commands and of presses."""
    figures = [
        spread(
            f"{name} acknowledged, {RATE} a second",
            "ms",
            answers.seconds,
            at_most(50, "p99"),
            scale=1000,
            note=_failed(answers),
            profile=profile,
        )
        for name, profile, answers in zip(("command", "press"), (COMMANDS, PRESSES), at_rate, strict=True)
    ]
    for name, ours, limit, least in zip((COMMANDS, PRESSES), most, bare, SHARES, strict=True):
        rates = f"{ours.a_second:.0f} of {limit.a_second:.0f} a second"
        note = ", ".join(filter(None, (rates, _failed(ours))))
        share = ours.a_second / limit.a_second
        figures.append(figure(f"{name}, share of a bare Bolt app", "", share, at_least(least), note=note, profile=name))
    failed = sum(answers.failed for answers in (*at_rate, *most))
    return [*figures, figure("commands and presses that were not acknowledged", "", failed, at_most(0))]


def _failed(answers: Answers) -> str:
    return f"{answers.failed} FAILED" if answers.failed else ""


if __name__ == "__main__":
    alone(__doc__, measure)
