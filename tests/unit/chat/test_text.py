"""What people wrote pings nobody, formats nothing and is cut where Slack would refuse it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.commands.parser import mentioned
from bot.chat.commands.typed import typed
from bot.chat.message import read_value, value_of
from bot.chat.rich import Mentions, call
from bot.chat.text import _INVISIBLE, MENTIONS_MAX, one_line
from bot.chat.wording.labels import Asked
from bot.sandbox.slack.mentions import mentions
from bot.slack import mrkdwn as t
from bot.slack.render import mrkdwn
from tests.support.slack_text import from_mrkdwn
from tests.support.views import NOW


def test_only_the_three_signs_are_escaped() -> None:
    assert t.escape("a & b <c> \"d\" 'e'") == "a &amp; b &lt;c&gt; \"d\" 'e'"


@given(st.text())
def test_no_text_pings_anybody(text: str) -> None:
    assert mentions(t.escape(text), []) == ()
    assert mentions(t.literal(text), []) == ()


@pytest.mark.parametrize("evil", ["<!channel>", "<@U1>", "<!subteam^S1>", "<!here|here>", "a <!everyone> b"])
def test_typed_mentions_ping_nobody_and_stay_readable(evil: str) -> None:
    assert mentions(t.literal(evil), []) == ()
    assert from_mrkdwn(t.literal(evil)) == evil


def test_formatting_characters_format_nothing() -> None:
    assert not set(t.literal("*bold* ~gone~ `code` ```block```")) & set("*~`")
    assert "_" not in t.literal("_slanted_ text")
    assert t.literal("some_name_here") == "some_name_here"


def test_text_that_turns_the_writing_direction_is_disarmed_and_emoji_live() -> None:
    assert t.literal("abc\u202edcba\u2066x\u200f") == "abcdcbax"
    assert t.literal("👩‍🚒 ok") == "👩‍🚒 ok"
    assert t.literal("line\none\r\n two") == "line one two"


@given(st.text(alphabet="ab <>&|^!@U1é😀"), st.integers(1, 60))
def test_cutting_never_splits_a_token_or_an_entity(text: str, length_max: int) -> None:
    escaped = t.escape(text) + t.when(NOW, NOW) + t.escape(text)
    found = t.cut_mrkdwn(escaped, length_max)
    assert len(found) <= length_max
    assert found.count("<") == found.count(">")
    assert "&" not in found.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_times_are_the_readers_own_with_utc_beside_them() -> None:
    assert t.when(NOW, NOW) == "<!date^1795230720^{time}|03:12 UTC>"
    far = t.when(NOW, NOW + timedelta(days=2))
    assert far == "<!date^1795230720^{date_short_pretty}, {time}|21 Nov, 03:12 UTC>"


def _called(asked: Asked, who: Mentions) -> str:
    return mrkdwn(call(asked, who))


def test_groups_are_called_by_user_group_or_by_people_and_by_name_otherwise() -> None:
    assert _called(Asked(("oncall",)), {"oncall": ["S0ONCALL"]}) == "<!subteam^S0ONCALL>"
    assert _called(Asked(("platform",)), {"platform": ["U1", "U2", "U1"]}) == "<@U1> or <@U2>"
    assert _called(Asked(("platform", "security")), {}) == "platform or security"


def test_a_crowd_is_not_woken() -> None:
    called = _called(Asked(("all",)), {"all": [f"U{number}" for number in range(50)]})
    assert called.count("<@") == MENTIONS_MAX
    assert called.endswith(" and 42 more")


def test_what_was_typed_comes_out_of_slacks_escapes() -> None:
    assert typed("a &amp; b &lt;c&gt;") == "a & b <c>"
    assert typed("&amp;lt;") == "&lt;"
    assert typed("ask <@U1|dana> in <#C1|inc-42>") == "ask @dana in #inc-42"
    assert (
        typed("<https://x.example/a|x.example/a> <mailto:a@b.example|a@b.example>") == "https://x.example/a a@b.example"
    )
    assert typed("<!channel> <!here|here>") == "@channel @here"


@pytest.mark.parametrize(
    ("escaped", "handed_in"),
    [
        ("for <@U1|dana> <#C1|inc-42> a &lt;b&gt;", "for <@U1|dana> #inc-42 a &lt;b&gt;"),
        (
            "<https://x.example/a|x> &amp;lt; <mailto:a@b.example|a@b.example>",
            "https://x.example/a &amp;lt; a@b.example",
        ),
        ("<!channel> <!subteam^S1|@oncall> &lt;@U2&gt;", "@channel @oncall &lt;@U2&gt;"),
    ],
)
def test_of_slacks_tokens_only_people_reach_the_chat_and_what_an_older_version_queued_reads_the_same(
    escaped: str, handed_in: str
) -> None:
    assert t.read_typed(escaped) == handed_in
    assert typed(handed_in) == typed(escaped)
    assert mentioned(handed_in) == mentioned(escaped)


def test_links_cannot_be_broken_out_of() -> None:
    assert t.link("https://x.example/a>b|c", "a|<!channel>") == "<https://x.example/a&gt;b%7Cc|a¦&lt;!channel&gt;>"


def test_button_values_read_back_and_foreign_ones_do_not() -> None:
    assert read_value(value_of("PA-1042", "0123456789abcdef")) == ("PA-1042", "0123456789abcdef")
    assert read_value("PA-1042") == ("PA-1042", None)
    for foreign in ("PA-１０４２", "PA-1042:xyz", "PA-1042:0123456789abcdef\n", "", "{}"):
        assert read_value(foreign) is None


def test_of_every_sign_the_quick_way_to_one_line_says_what_the_slow_one_says() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x10000), *range(0xE0000, 0xE0200)):
        sign = chr(code)
        whole = " ".join(_INVISIBLE.sub("", f"{sign}a{sign}b").split())
        assert one_line(f"{sign}a{sign}b") == whole, hex(code)


def test_on_one_line_spaces_are_one_and_none_at_the_ends() -> None:
    assert one_line("  two\t words\n") == one_line("two  words") == "two words"
    assert one_line("") == one_line(" ") == ""
