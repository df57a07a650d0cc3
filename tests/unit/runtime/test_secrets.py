"""Two values for each secret while it is rotated: what a file may hold, when it counts, and what is used where one is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import structlog

from bot.observability import log
from bot.observability.redaction import Redactor
from bot.settings import Secret, Settings, load_settings
from bot.settings.secret import REFUSED_S
from bot.settings.secret_files import SecretFile, Unusable, read_values
from bot.settings.secrets import Secrets

OLD, NEW = "xoxb-old-value", "xoxb-new-value"
REDIS = "redis://worker:{}@redis.example:6379/0"


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def loaded(environ: dict[str, str]) -> Settings:
    found = load_settings(environ)
    assert isinstance(found, Settings), found
    return found


def secret_of(settings: Settings, field: str = "slack_bot_token") -> Secret:
    found = settings.secrets.of(field)
    assert found is not None
    return found


# ---------------------------------------------------------------- what a file may hold


def test_a_file_that_is_too_long_is_none_because_its_end_would_be_another_value(tmp_path: Path) -> None:
    file = tmp_path / "s"
    file.write_text("x" * 65_536)
    assert len(read_values(file)[0]) == 65_536
    file.write_text("new\n" + "x" * 65_536)
    with pytest.raises(Unusable, match="has more than 65,536 characters"):
        read_values(file)


@pytest.mark.parametrize("guessable", ["a", "-", "e" * 15, " ", "\0" * 32])
def test_what_can_be_guessed_proves_nobody(tmp_path: Path, guessable: str) -> None:
    """A line that is being written is short for a moment, and whoever has a signing secret speaks for Slack."""
    file = tmp_path / "s"
    file.write_text("e" * 32)
    settings = loaded({"SLACK_SIGNING_SECRET_FILE": str(file)})
    file.write_text(f"{'e' * 32}\n{guessable}\n")
    settings.secrets.look()
    settings.secrets.look()
    assert secret_of(settings, "slack_signing_secret").values == ("e" * 32,)
    assert load_settings({"SLACK_SIGNING_SECRET_FILE": str(file)}) == (
        "SLACK_SIGNING_SECRET must be one word of 16 characters or more: the signing secret of the app, which has 32 "
        "(line 2 of its file).",
    )


def test_a_file_that_was_swapped_after_it_was_read_at_start_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text(OLD)
    held = read_values(path)
    path.write_text(NEW)
    file = SecretFile(path, held, lambda _: None)
    assert [file.look(), file.look(), file.look()] == [None, (NEW,), None]


@pytest.mark.parametrize(
    "content",
    [
        b"new\nold",
        b"new\nold\n",
        b"new\r\nold\r\n",
        b"\xef\xbb\xbfnew\nold\n",
        b"\n\nnew\n\nold\n\n",
        b"new\nold\nnew\n",
    ],
)
def test_a_file_holds_one_value_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    assert read_values(tmp_path / "s") == ("new", "old")


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfeo\x00", None])
def test_a_file_without_a_value_says_why(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "s").write_bytes(content)
    with pytest.raises(Unusable, match=r"is empty|cannot be read"):
        read_values(tmp_path / "s")


# ---------------------------------------------------------------- when it counts


def file_with(path: Path, *values: str) -> SecretFile:
    path.write_text("\n".join(values))
    return SecretFile(path, values, lambda found: "is none of ours" if "bad" in found else None)


def test_what_two_looks_have_seen_counts(tmp_path: Path) -> None:
    file = file_with(tmp_path / "s", "old")
    assert [file.look(), file.look()] == [None, None]
    (tmp_path / "s").write_text("new\nold")
    assert [file.look(), file.look(), file.look()] == [None, ("new", "old"), None]


def test_a_file_that_is_written_at_each_look_waits(tmp_path: Path) -> None:
    file = file_with(tmp_path / "s", "old")
    for half in ("n", "ne", "new"):
        (tmp_path / "s").write_text(half)
        assert file.look() is None
    assert file.look() == ("new",)


@pytest.mark.parametrize("content", ["", "bad", None])
def test_a_file_that_gives_nothing_changes_nothing_and_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "s"
    file = file_with(path, "old")
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert [file.look(), file.look(), file.look()] == [None] * 3
    assert str(path) in file.problem()
    path.write_text("old")
    assert [file.look(), file.look()] == [None, None]
    assert file.problem() == ""


def test_a_link_that_is_swapped_as_kubernetes_does_is_seen(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "s").write_text(version)
        os.utime(tmp_path / version / "s", (1, 1))
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "s").symlink_to("..data/s")
    file = SecretFile(tmp_path / "s", ("one",), lambda _: None)
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert [file.look(), file.look()] == [None, ("two",)]


# ---------------------------------------------------------------- what is used


def test_the_newest_is_used_and_another_one_while_that_is_refused() -> None:
    clock = Clock()
    secret = Secret("SLACK_BOT_TOKEN", (NEW, OLD), monotonic=clock)
    assert secret.best() == NEW
    assert secret.refused(NEW)
    assert (secret.best(), secret.newest_is_refused()) == (OLD, True)
    # All are refused: the newest is what somebody has to mend.
    assert not secret.refused(OLD)
    assert secret.best() == NEW
    clock.s += REFUSED_S + 1
    assert secret.newest_is_refused()
    assert secret.best() == NEW
    assert not secret.newest_is_refused()
    secret.refused(NEW)
    secret.taken(NEW)
    assert not secret.newest_is_refused()


def test_what_was_taken_out_is_used_no_more() -> None:
    secret, heard = Secret("SLACK_SIGNING_SECRET", (NEW, OLD)), []
    secret.when_changed(lambda: heard.append(secret.values))
    assert secret.change((NEW,))
    assert not secret.change((NEW,))
    assert not secret.change(())
    assert (secret.values, heard) == ((NEW,), [(NEW,)])


def test_a_value_of_a_variable_stands_and_one_of_a_file_follows_it(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(OLD)
    settings = loaded({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "s"), "SLACK_APP_TOKEN": "xapp-1"})
    (tmp_path / "s").write_text(f"{NEW}\n{OLD}\n")
    settings.secrets.look()
    settings.secrets.look()
    assert secret_of(settings).values == (NEW, OLD)
    assert secret_of(settings, "slack_app_token").values == ("xapp-1",)


def test_no_new_value_is_used_before_the_log_hides_it(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(REDIS.format("old%20word"))
    settings = loaded({"REDIS_URL_FILE": str(tmp_path / "s")})
    redactor, used = Redactor(), []
    settings.secrets._hide = redactor.hide
    secret_of(settings, "redis_url").when_changed(lambda: used.append(redactor.text("is new word in new%20word?")))
    redactor.hide(settings.secret_values())
    (tmp_path / "s").write_text(REDIS.format("new%20word"))
    settings.secrets.look()
    settings.secrets.look()
    assert used == ["is [hidden] in [hidden]?"]
    assert redactor.text("old word") == "[hidden]"


def test_a_named_value_is_hidden_when_it_is_first_read(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("pager-token-2\npager-token-1\n")
    stream = io.StringIO()
    log.configure("test", stream=stream)
    secrets = Secrets({}, {}, {"PAGER_FILE": str(tmp_path / "s")})
    secrets.watch(log.hide, log.warn)
    assert secrets.named_value("PAGER") == "pager-token-2"
    assert secrets.named_refused("PAGER")
    assert secrets.named_value("PAGER") == "pager-token-1"
    structlog.get_logger().info("said pager-token-1 and pager-token-2")
    assert "said [hidden] and [hidden]" in stream.getvalue()


# ---------------------------------------------------------------- what is said


def test_each_line_is_looked_at_when_a_process_starts(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(f"{NEW}\nnot-a-token\n")
    assert load_settings({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "s")}) == (
        "SLACK_BOT_TOKEN must start with xoxb-: the bot token of the app's OAuth page (line 2 of its file).",
    )
    (tmp_path / "s").write_text("redis://:a@one/0\nredis://:b@two/0\n")
    (said,) = load_settings({"REDIS_URL_FILE": str(tmp_path / "s")})  # type: ignore[misc]  # a tuple, as asserted
    assert said == "REDIS_URL_FILE holds lines that name several servers: keep one server, with a password a line."


def test_what_needs_a_look_names_the_variable_and_never_a_value(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(f"{REDIS.format('new-word')}\n{REDIS.format('old-word')}\n")
    settings = loaded({"REDIS_URL_FILE": str(tmp_path / "s")})
    assert settings.secrets.attention() == []
    secret = secret_of(settings, "redis_url")
    secret.refused(secret.newest)
    (tmp_path / "s").write_text("redis://:third@elsewhere.example/0")
    settings.secrets.look()
    said = " ".join(settings.secrets.attention())
    assert said == (
        "The newest value of REDIS_URL, the first line of its file, is refused; another line of it is used. Make the new "
        f"value valid, or take its line out. REDIS_URL_FILE names {tmp_path / 's'}, which names another server than the one "
        "that this process was started with: start it again. What it held before is used."
    )
    assert "-word" not in repr(secret) + repr(settings)
