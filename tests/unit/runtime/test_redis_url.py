"""REDIS_URL with sentinels: what it may look like, what it means, and what of it is secret."""

from __future__ import annotations

import pytest

from bot.settings import Settings, load_settings
from bot.settings.redis_url import SentinelUrl, passwords, sentinel_url

REAL = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("url", "means"),
    [
        (
            "redis+sentinel://h1:26380,h2/ledger-prod/0",
            SentinelUrl((("h1", 26380), ("h2", 26379)), "ledger-prod", 0, tls=False),
        ),
        (
            "redis+sentinel://[2001:db8::1]:26379,h2:26379/ledger",
            SentinelUrl((("2001:db8::1", 26379), ("h2", 26379)), "ledger", 0, tls=False),
        ),
        (
            "rediss+sentinel://bot:a%2Fb@h1:26379/ledger/2?sentinel_username=s&sentinel_password=c%26d&ssl_ca_certs=/ca.pem",
            SentinelUrl((("h1", 26379),), "ledger", 2, True, "bot", "a/b", "s", "c&d", "/ca.pem"),
        ),
        (
            "redis+sentinel://:p/w@x@h1:26379/ledger/0",
            SentinelUrl((("h1", 26379),), "ledger", 0, tls=False, password="p/w@x"),
        ),
    ],
)
def test_what_an_address_means(url: str, means: SentinelUrl) -> None:
    assert sentinel_url(url) == means
    assert isinstance(load_settings({"REDIS_URL": url, **REAL}), Settings)


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://h1:26379",
        "redis+sentinel://h1:26379/",
        "redis+sentinel:///ledger/0",
        "redis+sentinel://h1:26379,/ledger/0",
        "redis+sentinel://h1:0/ledger/0",
        "redis+sentinel://h1:99999/ledger/0",
        "redis+sentinel://h1:26379/ledger/zero",
        "redis+sentinel://h1:26379/led ger/0",
        "redis+sentinel://h1:26379/ledger/0?socket_timeout=1",
    ],
)
def test_what_is_no_address_is_said_in_one_sentence(url: str) -> None:
    found = load_settings({"REDIS_URL": url.replace("://", "://:hidden-word@"), **REAL})
    assert isinstance(found, tuple)
    (sentence,) = found
    assert sentence.startswith("REDIS_URL ")
    assert "hidden-word" not in sentence
    assert ("option that is not known" in sentence) == ("socket_timeout" in url)


def test_several_servers_without_sentinels_are_told_what_there_is() -> None:
    found = load_settings({"REDIS_URL": "redis://h1:6379,h2:6379/0", **REAL})
    assert isinstance(found, tuple)
    assert "redis+sentinel://" in found[0]


def test_all_passwords_of_an_address_are_looked_for_in_the_log() -> None:
    url = "redis+sentinel://bot:a%2Fb@h1:26379/ledger/0?sentinel_password=c%26d"
    assert set(passwords(url)) == {"a%2Fb", "a/b", "c&d", "c%26d"}
    assert passwords("redis+sentinel://h1:26379/ledger/0") == ()
    # Whoever forgets the colon writes the password where the user stands.
    assert set(passwords("redis+sentinel://hunter%402@h1:26379/ledger/0")) == {"hunter%402", "hunter@2"}
    assert set(passwords("redis://hunter22@h1:6379/0")) == {"hunter22"}
    assert passwords("redis://prodaccess-worker@h1:6379/0") == passwords("rediss://worker@h1:6379") == ()
    assert set(passwords("redis://:p%40w@h1:6379/0")) == {"p%40w", "p@w"}
    found = load_settings({"REDIS_URL": url, **REAL})
    assert isinstance(found, Settings)
    assert {"a/b", "c&d"} <= set(found.secret_values())
