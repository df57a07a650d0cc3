"""Access past the record, on running processes: found, told, gone, told; ours by its mark is taken away, another's is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.slack import buttons, words
from tests.support.installation import RECEIPTS, Installation, account_of, case_name, environment_yaml, eventually
from workflows.core import keys
from workflows.core.records.drift import Drift, DriftPass
from workflows.core.records.installation import Installation as Named
from workflows.ports import Change, Committed

# A fleet of its own, and passes of several seconds. The short form: tests/contract/ledger/test_drift_on_redis.py.
pytestmark = pytest.mark.fleet

# One environment in which anybody may hold the same assignment, and one in which ours is told by name.
BY_HAND, BY_NAME = 0, 1
LATER = timedelta(minutes=11)


def _two_places(config: Path) -> None:
    for number, role, more in ((BY_HAND, "read-only", ""), (BY_NAME, "state-write", "drift: revoke\n")):
        text = environment_yaml(number, f"C0SHOP{number:03}")
        kept = [line for line in text.partition("roles:")[0].splitlines() if not line.startswith("break_glass")]
        (config / "environments" / f"{case_name(number)}.yaml").write_text(
            "\n".join(kept) + f"\n{more}roles:\n  {role}: {{}}\n"
        )


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("drift"), numbers=range(2), prepare=_two_places) as running:
        yield running


def stands(at: Installation) -> DriftPass:
    return at.ledger().read(keys.DRIFT_PROGRESS).get(keys.DRIFT_PROGRESS, DriftPass) or DriftPass()


def compared(at: Installation) -> int:
    """A whole comparison from now on. Returns its number."""
    before = stands(at).number
    at.soon(keys.DRIFT_DUE)
    eventually(
        lambda: stands(at).number > before and stands(at).started_at is None,
        lambda: f"compared: {stands(at)} {at.state()}",
    )
    return stands(at).number


def told(at: Installation, *parts: str) -> str:
    def look() -> str | None:
        found = [text for text in map(words, at.messages(RECEIPTS)) if all(part in text for part in parts)]
        return found[-1] if found else None

    return eventually(look, f"{parts} in the receipts channel")


def test_an_assignment_by_hand_is_told_when_it_is_found_and_when_it_is_gone(at: Installation) -> None:
    at.aws.world.assign("nia@example.com", "ReadOnlyAccess", account_of(BY_HAND))
    number = compared(at)
    assert "could be asked for instead" in told(at, "Standing access that nobody asked me for", "nia@example.com")
    assert at.events(f"drift-{number}") == ["drift.found"]
    assert at.aws.world.who_has("ReadOnlyAccess", account_of(BY_HAND)) == {"nia@example.com"}, "it is left alone"
    at.aws.world.unassign("nia@example.com", "ReadOnlyAccess", account_of(BY_HAND))
    number = compared(at)
    assert "it is not there any more" in told(at, "As on my record again", "nia@example.com")
    assert at.events(f"drift-{number}") == ["drift.gone"]


def _written(at: Installation, user: str, name: str, mark: str) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Id": mark, "Statement": [statement]})
    at.aws.client("iam").put_user_policy(UserName=user, PolicyName=name, PolicyDocument=document)


def _as_if_found_before(at: Installation) -> None:
    """Nobody waits ten minutes here."""
    ledger = at.ledger()
    for id_ in ledger.members(keys.DRIFT):
        snapshot = ledger.read(keys.drift(id_))
        found = snapshot.get(keys.drift(id_), Drift)
        assert found is not None
        older = replace(found, first_seen=found.first_seen - LATER)
        done = ledger.commit(Change(f"older:{id_}", snapshot.now, snapshot.versions(), puts={keys.drift(id_): older}))
        assert isinstance(done, Committed)


def test_what_carries_our_mark_is_taken_away_and_anothers_mark_is_left_alone(at: Installation) -> None:
    compared(at)  # the first one, at the latest, gives the installation its name
    made = at.ledger().read(keys.INSTALLATION).get(keys.INSTALLATION, Named)
    assert made is not None
    ours, others = f"prodaccess-{at.ledger().next_id()}", f"prodaccess-{at.ledger().next_id()}"
    _written(at, "dana", ours, made.id[:12])
    _written(at, "nia", others, "00000000000f")
    compared(at)
    told(at, "Access does not match my record", ours, "it carries my mark, and I never gave it")
    assert set(at.aws.world.iam_policies("dana")) == {ours}, "once seen is not enough"
    _as_if_found_before(at)
    compared(at)
    eventually(lambda: not at.aws.world.iam_policies("dana"), "ours is taken away")
    told(at, "Taken away", ours, "saw that it is gone")
    compared(at)
    assert set(at.aws.world.iam_policies("nia")) == {others}
    held = at.ledger().members(keys.DRIFT)
    assert len(held) == 1, "what is another's stays known"
    assert not any("Remove" in buttons(message) for message in at.messages(RECEIPTS)), "nobody had to be asked"
