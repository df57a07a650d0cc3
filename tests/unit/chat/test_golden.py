"""What Slack and Teams are given is to the letter what it was: every message, form, list and home of every scene.

Where a change is meant, `python -m tests.support.golden` writes the files anew, and the difference is read line by line.
"""

from tests.support import golden
from tests.support.one_walk import walked


def test_what_chats_are_given_is_what_it_was() -> None:
    _, found = walked()
    kept = golden.kept()
    assert found.keys() == kept.keys()
    changed = [
        f"{name}:{number}\n  was {was}\n  is  {is_}"
        for name in found
        for number, (was, is_) in enumerate(_pairs(kept[name], found[name]), 1)
        if was != is_
    ]
    assert not changed, f"{len(changed)} lines differ, the first of them:\n" + "\n".join(changed[:3])


def _pairs(was: str, is_: str) -> list[tuple[str, str]]:
    before, after = was.splitlines(), is_.splitlines()
    longest = max(len(before), len(after))
    return list(zip(before + [""] * (longest - len(before)), after + [""] * (longest - len(after)), strict=True))
