"""Two who want one thing at once get one."""

from __future__ import annotations

from threading import Thread

from bot.sandbox.made_once import made_once


def test_whoever_asks_while_it_is_made_gets_the_same() -> None:
    got: list[object] = []
    others: list[Thread] = []

    @made_once
    def thing() -> object:
        if len(others) < 5:
            others.append(Thread(target=lambda: got.append(thing())))
            others[-1].start()
        return object()

    got.append(thing())
    for other in others:
        other.join()
    assert len(others) == 1
    assert len(set(map(id, got))) == 1


def test_another_name_is_another_thing() -> None:
    made = made_once(lambda name: [name])
    assert made("a") is made("a")
    assert made("a") is not made("b")
