"""Redis is full: nothing new is taken, and what has to end ends."""

from __future__ import annotations

from tests.chaos.rig import Rig, id_of
from tests.support.installation import SHORT


def test_access_ends_while_redis_takes_no_more_writes(rig: Rig) -> None:
    case, other = rig.case(), rig.case()
    card = case.active(role="state-write", rest=SHORT)
    with rig.connection() as client:
        client.config_set("maxmemory", "1mb")
    answered = rig.types("dana", f"{other.name} read-only 1h INC-43 more errors")
    assert answered.ok, answered
    assert "I cannot reach my records just now" in str(answered.response)
    # The queue is full like the rest: workers look for overdue ends by themselves, after 8 s and every 5 s.
    rig.until(lambda: rig.gone(case, "state-write"), "gone")
    rig.until(lambda: rig.events(id_of(card))["grant.ended"], "on the record")
    with rig.connection() as client:
        client.config_set("maxmemory", "0")
    rig.until(lambda: "Ended" in case.cards()[0].text, "said once there is room")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    rig.wait_ready()
