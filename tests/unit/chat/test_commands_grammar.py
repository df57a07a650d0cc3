"""What is typed is understood where nothing can be mistaken, and named as a slip where something could be."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.commands.model import (
    Again,
    Approve,
    Ask,
    Begin,
    BreakGlass,
    Deny,
    End,
    Envs,
    Explain,
    Extend,
    Help,
    History,
    Less,
    List,
    Mine,
    OpenForm,
    Pending,
    RevokeAll,
    Show,
    Who,
    Whom,
    Withdraw,
)
from bot.chat.commands.parser import VERBS, parse
from bot.chat.messages import lists, notices
from bot.chat.messages.help import help_text
from bot.chat.plain_text import as_text
from bot.chat.wording.refusals import refusal
from tests.support.views import environment, every_state
from workflows.core.durations import format_duration
from workflows.core.refusal import Code, Refused

ENVS = ("payments-prod", "payments-staging")
H = timedelta(hours=1)


def code(text: str) -> Code:
    found = parse(text, ENVS)
    assert isinstance(found, Refused), found
    return found.code


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", OpenForm()),
        ("   ", OpenForm()),
        ("request", OpenForm()),
        ("payments-prod", OpenForm("payments-prod")),
        ("payments-prod read-only 1h why", Ask("payments-prod", "read-only", H, "why")),
        ("request payments-prod read-only 1h why", Ask("payments-prod", "read-only", H, "why")),
        ("payments-prod read-only why", Ask("payments-prod", "read-only", None, "why")),
        ("payments-prod read-only", Ask("payments-prod", "read-only", None, "")),
        ("  PAYMENTS–PROD   “Read-Only”  1 h  30 min  why", Ask("payments-prod", "read-only", 1.5 * H, "why")),
        ("payments-prod read-only for 2d why", Ask("payments-prod", "read-only", 48 * H, "why")),
        ("payments-prod read-only for Dana", Ask("payments-prod", "read-only", None, "for Dana")),
        ("payments-prod read-only 0s why", Ask("payments-prod", "read-only", 0 * H, "why")),
        ("payments-prod read-only 1h 2 pods down", Ask("payments-prod", "read-only", H, "2 pods down")),
        ("payments-prod read-only a &amp; b: “it’s”", Ask("payments-prod", "read-only", None, "a & b: “it’s”")),
        ("paymets-prod read-only 1h why", Ask("paymets-prod", "read-only", H, "why")),
        ("break-glass payments-prod admin 15m why", BreakGlass("payments-prod", "admin", H / 4, "why")),
        ("Break Glass payments-prod admin why", BreakGlass("payments-prod", "admin", None, "why")),
        ("approve PA-1042", Approve("PA-1042")),
        ("APPROVE #pa–1042.", Approve("PA-1042")),
        ("less PA-1042 20s", Less("PA-1042", None, H / 180)),
        ("less #pa–1042 1 h 30 min", Less("PA-1042", None, 1.5 * H)),
        ("less PA-1042 Read-Only", Less("PA-1042", "read-only", None)),
        ("less PA-1042 read-only 30m", Less("PA-1042", "read-only", H / 2)),
        ("deny PA-1042 not now, please", Deny("PA-1042", "not now, please")),
        ("withdraw `PA-1042`", Withdraw("PA-1042")),
        ("show pa-7", Show("PA-7")),
        ("pa-7", Show("PA-7")),
        ("end PA-7", End("PA-7", "")),
        ("revoke PA-7 wrong account", End("PA-7", "wrong account")),
        ("revoke-all person <@U123|dana dev> left", RevokeAll(None, Whom("U123", "@dana dev"), "left")),
        ("revoke-all env payments-prod fire", RevokeAll("payments-prod", None, "fire")),
        ("extend PA-7 1 h why", Extend("PA-7", H, "why")),
        ("list", List()),
        ("list payments-prod", List("payments-prod")),
        ("Mine", Mine()),
        ("pending", Pending()),
        ("envs", Envs()),
        ("who payments-prod", Who("payments-prod")),
        ("history", History(None)),
        ("history <@U1|dana>", History(Whom("U1", "@dana"))),
        ("help", Help()),
        ("?", Help()),
        ("help end", Help("end")),
        ("explain payments-prod admin", Explain("payments-prod", "admin", None)),
        ("explain payments-prod admin <@U1|dana>", Explain("payments-prod", "admin", Whom("U1", "@dana"))),
        ("explain payments-prod admin dana@x.io", Explain("payments-prod", "admin", Whom(None, "dana@x.io"))),
    ],
)
def test_what_is_typed_is_understood(text: str, meant: object) -> None:
    assert parse(text, ENVS) == meant


SLIPS = (
    *(
        "1 fortnight",
        "2 weeks",
        "1x",
        "90",
        "30 INC-42",
        "1.5h",
        "1,5h",
        "1.5 h",
        "1,5 hours",
        "-1h",
        "+1h",
        "~1h",
        "1:30h",
    ),
    *(
        "1h1h",
        "1h 1h",
        "1hr30",
        "1 h 30",
        "1h 30 INC-42",
        "1-2h",
        "1-2 hours",
        "1h-2h",
        "90 minuts",
        "90minuts",
        "2 huors",
    ),
    *("1 huor", "90 mintues", "an hour", "half an hour", "one hour", "two days", "for 1hr30", "(1.5h)", "45min30"),
    *("１h", "１ h", "９０m", "1ｈ", "٩٠m", "٣٠", "３０ INC-42", "१h", "²h"),
)


@pytest.mark.parametrize("duration", SLIPS)
@pytest.mark.parametrize("start", ["payments-prod read-only", "extend PA-7", "break-glass payments-prod admin"])
def test_a_slip_in_a_duration_is_named_rather_than_read_as_the_reason(start: str, duration: str) -> None:
    found = parse(f"{start} {duration} why", ENVS)
    assert isinstance(found, Refused), found
    assert found.code is Code.DURATION_UNREADABLE
    assert "`1 h 30 min`" in refusal(found)
    assert found.params["text"].split()[0] in duration


@pytest.mark.parametrize(
    "reason",
    [
        *(
            "3 servers are down",
            "500 errors",
            "500 on checkout",
            "502 bad gateway",
            "5xx since 02:40",
            "2nd try of the fix",
        ),
        *(
            "5 apples",
            "2 of 3 nodes are down",
            "1 node is down",
            "10 % of orders fail",
            "100gb disk is full",
            "3 people wait",
        ),
        *("500ms latency", "24/7 support asked", "3.2.1 rollout", "10.0.0.1 does not answer", "2-factor is broken"),
        *("1042 is stuck", "1h ago it broke", "2 days ago it broke", "an hour ago it broke", "INC-42", "3-way merge"),
        *(
            "1,000 orders are stuck",
            "2fa is broken",
            "1.5 GB left on the disk",
            "a customer waits",
            "half of it is gone",
        ),
    ],
)
def test_a_reason_that_begins_with_a_number_is_a_reason(reason: str) -> None:
    assert parse(f"payments-prod read-only {reason}", ENVS) == Ask("payments-prod", "read-only", None, reason)
    assert parse(f"extend PA-7 1h {reason}", ENVS) == Extend("PA-7", H, reason)


@pytest.mark.parametrize(("typed", "seconds"), [("1h,", 3600), ("(1h)", 3600), ("90m:", 5400), ("1 h 30 min.", 5400)])
def test_what_stands_around_a_duration_is_forgiven(typed: str, seconds: int) -> None:
    meant = Ask("payments-prod", "read-only", timedelta(seconds=seconds), "why")
    assert parse(f"payments-prod read-only {typed} why", ENVS) == meant


def test_zero_and_too_much_are_read_and_refused_by_who_knows_the_limits() -> None:
    for typed, duration in (("0h", timedelta(0)), ("99d", timedelta(days=99))):
        assert parse(f"payments-prod read-only {typed} why", ENVS) == Ask("payments-prod", "read-only", duration, "why")


@pytest.mark.parametrize(
    "word", ["PA-１０４２", "PA-0", "PA-01", "1042", "PA 1042", "PA-1042x", "PA-12345678901", "<@U1>"]
)
def test_what_only_looks_like_an_id_is_refused_in_one_sentence(word: str) -> None:
    assert code(f"approve {word}") is Code.ID_UNREADABLE


def test_a_word_that_is_no_verb_gets_the_nearest_ones() -> None:
    found = parse("lst", ENVS)
    assert isinstance(found, Refused)
    assert refusal(found).startswith("I do not know `lst`. Did you mean list?")
    assert code("frobnicate") is Code.COMMAND_UNREADABLE


def test_what_is_missing_is_said_with_how_it_goes() -> None:
    for text in ("approve", "deny", "who", "explain payments-prod", "revoke-all", "revoke-all all x", "break-glass"):
        assert code(text) is Code.COMMAND_UNREADABLE
    assert code("extend") is Code.COMMAND_UNREADABLE


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_never_an_environment(verb: str) -> None:
    found = parse(f"{verb} read-only 1h why", (*ENVS, verb))
    assert not isinstance(found, Ask) or verb == "request"


def test_slips_of_the_keyboard_are_no_event_for_the_record() -> None:
    for text in ("lst", "approve x", "payments-prod read-only 1x y", "deny"):
        found = parse(text, ENVS)
        assert isinstance(found, Refused)
        assert not found.audited


@given(st.text(max_size=80))
def test_anything_typed_gets_an_answer(text: str) -> None:
    found = parse(text, ENVS)
    if isinstance(found, Refused):
        assert refusal(found)


@given(st.integers(1, 30 * 86_400))
def test_every_duration_that_is_printed_reads_back(seconds: int) -> None:
    shown = format_duration(timedelta(seconds=seconds))
    found = parse(f"payments-prod read-only {shown} why", ENVS)
    assert isinstance(found, Ask)
    assert found.duration is not None
    assert format_duration(found.duration) == shown


def _printed() -> set[str]:
    """Everything in back-ticks that begins with the command's name, from all that the bot says."""
    params = {"environment": "payments-prod", "role": "read-only", "id": "PA-1042", "ids": "PA-1042", "name": "x"}
    texts = [refusal(Refused(item, params)) for item in Code]
    texts += [refusal(Refused(Code.REASON_MISSING, {"what": "deny"})), help_text()]
    for view in every_state().values():
        texts += [as_text(notices.asked(view)), as_text(notices.ending(view)), as_text(notices.outcome(view))]
    texts += [as_text(lists.environments([environment()])), as_text(lists.pending(list(every_state().values())))]
    return {found for text in texts for found in re.findall(r"`/prodaccess([^`]*)`", text)}


@pytest.mark.parametrize("printed", sorted(_printed()))
def test_every_command_that_is_printed_is_accepted_back(printed: str) -> None:
    text = printed.replace("[", "").replace("]", "").replace("ENV", "payments-prod").replace("ROLE", "admin")
    text = text.replace("DURATION", "1 h").replace("ID", "PA-1042").replace("WHO", "<@U1|dana>")
    assert not isinstance(parse(text, ENVS), Refused)


def test_help_is_one_screen_and_names_only_what_is_offered() -> None:
    assert help_text().count("\n") < 16
    assert all(verb in help_text() for verb in VERBS if verb not in ("request", "revoke", "help"))
    assert help_text("deny") == help_text("approve") != help_text()
    assert help_text("nonsense") == help_text()


def test_the_manifest_matches_what_the_bot_listens_to() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[3] / "deploy/slack/manifest.yaml").read_text())
    command = manifest["features"]["slash_commands"][0]
    assert (command["command"], command["should_escape"]) == ("/prodaccess", True)
    shortcuts = {item["callback_id"]: item["type"] for item in manifest["features"]["shortcuts"]}
    assert shortcuts == {"request_access": "global", "request_access_here": "message"}
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == {"app_home_opened", "user_change"}


# ---------------------------------------------------------------- a later start


@pytest.mark.parametrize(
    ("typed", "begin", "reason"),
    [
        ("at 22:00 INC-42 move it", Begin("", "22:00"), "INC-42 move it"),
        ("1h at 7:30 INC-42", Begin("", "7:30"), "INC-42"),
        ("1h at 2026-12-01 22:00 INC-42", Begin("2026-12-01", "22:00"), "INC-42"),
        ("tomorrow 07:00 INC-42", Begin("tomorrow", "07:00"), "INC-42"),
        ("30m at tomorrow 07:00 INC-42", Begin("tomorrow", "07:00"), "INC-42"),
        ("30m Tomorrow at 07:00 INC-42", Begin("tomorrow", "07:00"), "INC-42"),
        ("at fri 22:00 INC-42", Begin("fri", "22:00"), "INC-42"),
        ("at last somebody looks", None, "at last somebody looks"),
        ("tomorrow we move it", None, "tomorrow we move it"),
        ("today is the day", None, "today is the day"),
    ],
)
def test_a_later_start_is_read_before_the_reason(typed: str, begin: Begin | None, reason: str) -> None:
    found = parse(f"payments-prod admin {typed}", ENVS)
    assert isinstance(found, Ask)
    assert (found.begin, found.reason) == (begin, reason)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "at 25:00 INC-42",
            "at 9 INC-42",
            "at tomorrow INC-42",
            "at 12:60 x",
            "at 7",
            "at 9am x",
            "at 9.30 x",
            "at 0900 x",
        ),
        *(
            "tomorrow 99:99 x",
            "tomorrow 9 x",
            "tomorrow 9am x",
            "tomorrow at 9 x",
            "tomorow 9:00 x",
            "tommorrow 09:00 x",
        ),
        *("tmrw 9:00 x", "wensday 9:00 x", "tues 9:00 x", "next monday 9:00 x", "on monday 9:00 x", "friday 9pm x"),
        *(
            "22:00 x",
            "25:00 x",
            "9pm x",
            "9:00-17:00 x",
            "until 18:00 x",
            "from 9:00 x",
            "by 6pm x",
            "in 2h x",
            "in 30 min x",
        ),
        *(
            "at noon x",
            "tomorrow noon at 9 x".replace("noon ", ""),
            "2026-12-01T22:00 x",
            "2026-13-45 22:00 x",
            "12/1 9:00 x",
        ),
        *("at ２２:００ x", "tomorrow ٩:٠٠ x", "at 22：00 x"),
    ],
)
@pytest.mark.parametrize("duration", ["", "1h "])
def test_a_slip_in_a_start_is_named(duration: str, typed: str) -> None:
    found = parse(f"payments-prod admin {duration}{typed}", ENVS)
    assert isinstance(found, Refused), found
    assert found.code is Code.START_UNREADABLE
    assert "`at 22:00`" in refusal(found)


@pytest.mark.parametrize(
    "reason",
    [
        *("at last somebody looks", "at 3 servers the disk is full", "tomorrow 3 servers move", "on monday we move it"),
        *(
            "by friday it must be done",
            "until it works",
            "midnight job failed",
            "next release is broken",
            "in 2 regions",
        ),
        *("at 500 requests a second it falls over", "from 3 customers", "money is lost", "2026-12-01 is the deadline"),
    ],
)
def test_a_reason_that_begins_like_a_start_is_a_reason(reason: str) -> None:
    assert parse(f"payments-prod admin 1h {reason}", ENVS) == Ask("payments-prod", "admin", H, reason)


def test_again_takes_a_new_reason_or_none() -> None:
    assert parse("again", ENVS) == Again("")
    assert parse("Again INC-43 once more", ENVS) == Again("INC-43 once more")
