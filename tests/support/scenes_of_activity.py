"""What was done with access, as it is told once a worker has looked it up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.support.build import SUE
from tests.support.scenes import done, scene
from tests.support.spoken import Listener
from workflows.core.activity import Deed
from workflows.targets.aws.memory import Refuse
from workflows.usecases.oversight.activity import ask_for_look


@scene
def looked_at_afterwards(t: Listener) -> Iterator[tuple[str, ...]]:
    """What was done with it: seen, seen in part, and not known; of an environment of which others see little, too."""
    w, id_ = t.world, t.world.active()
    hidden = t.world.asked(environment="books-prod")
    done(w.approve(hidden, SUE))
    w.work()
    changing = Deed(w.clock.now(), "s3 PutBucketPolicy", changes=True)
    w.target().deeds = {"eu-central-1": [(changing, replace(changing, refused=True), replace(changing, changes=None))]}
    for one in (id_, hidden):
        done(w.end(one))
    w.work()
    w.advance(21 * 60, step_s=60)
    _look(t, id_, hidden)
    yield id_, hidden
    w.target().next("activity", Refuse("AWS does not let the worker do cloudtrail LookupEvents."))
    _look(t, id_)
    yield id_, hidden
    w.target().next("activity", *(Refuse("AWS does not let the worker do cloudtrail LookupEvents."),) * 2)
    _look(t, id_)
    yield id_, hidden


def _look(t: Listener, *ids: str) -> None:
    for one in ids:
        ask_for_look(t.world.ctx, one)
        t.world.work()
