"""A pipeline's ask for operators, programs and a SIEM: what it says, and that it claims nobody's access."""

from __future__ import annotations

from bot.chat.messages.gate_card import gate_card
from bot.chat.plain_text import as_text
from bot.chat.views.gate_lines import differences, run_page
from bot.chat.views.request_view import request_view
from bot.cli.audit.ocsf import ENTITY_MANAGEMENT, event_of
from bot.cli.look import request_as_json
from bot.observability.tally import counted
from tests.support import build
from tests.support.gates import COMMIT, Gates, gated, pipeline_run
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.pipelines.identity import Forge
from workflows.usecases.gates.redeem import Redeemed
from workflows.usecases.oversight.access_review import report_between


def gone_on() -> tuple[Gates, str]:
    world = Gates()
    id_ = world.waits()
    world.approve(id_)
    world.work()
    assert isinstance(world.goes_on(id_), Redeemed)
    world.goes_on(id_)
    return world, id_


def test_a_program_reads_which_run_it_was() -> None:
    world, id_ = gone_on()
    place = world.policy.policy.environments["payments-prod"]
    found = request_as_json(request_view(world.request(id_), None, place, world.clock.now()))
    assert (found["state"], found["role"], found["given_at"]) == ("used", "deploy", None)
    assert found["gate"]["commit"] == COMMIT
    assert found["gate"]["begun_by"][0] == {"did": "started", "name": "dana-gh", "person": build.DANA}
    assert found["gate"]["used_at"] == world.clock.now().isoformat()


def test_a_siem_reads_events_of_a_gate_and_none_of_access() -> None:
    world, id_ = gone_on()
    found = [event_of(entry, world.request(id_)) for entry in world.ledger.entries_of(id_)]
    assert {one["class_uid"] for one in found} == {ENTITY_MANAGEMENT}
    assert [one["status_id"] for one in found] == [1, 1, 1, 2]
    assert {one["entity"]["type"] for one in found} == {"gate"}


def test_metrics_count_it_beside_access() -> None:
    world, id_ = gone_on()
    snapshot = world.ledger.read(keys.request(id_), keys.grant(id_))
    found = counted(world.ledger.entries_of(id_), snapshot)
    told = "\n".join(sorted(found))
    assert "gate" in told
    assert "approved" in told
    assert "gate_used" in told


def test_an_access_review_has_none_of_it() -> None:
    world, _ = gone_on()
    now = world.clock.now()
    report = report_between(world.ctx, now - build.HOUR, now + build.HOUR)
    assert (report.rows, report.report.access) == ([], ())


def test_links_are_made_of_claims_and_only_where_they_lead_to_the_forge() -> None:
    run = pipeline_run()
    assert differences(run) == f"https://github.com/acme/orders/commit/{COMMIT}"
    assert run_page(run) == "https://github.com/acme/orders/actions/runs/22259804324/attempts/1"
    lab = pipeline_run(forge=Forge.GITLAB, server="https://gitlab.example.com", job="302")
    assert differences(lab) == f"https://gitlab.example.com/acme/orders/-/commit/{COMMIT}"
    assert run_page(lab) == "https://gitlab.example.com/acme/orders/-/jobs/302"
    for odd in ("acme/../evil", "acme/orders?x=", "acme/orders#", "a b"):
        assert differences(pipeline_run(repository=odd)) == ""
    assert run_page(pipeline_run(server="")) == ""


def test_a_card_that_is_over_has_no_buttons_and_says_what_became_of_it() -> None:
    world, id_ = gone_on()
    place = world.policy.policy.environments["payments-prod"]
    text = as_text(gate_card(request_view(world.request(id_), None, place, world.clock.now())))
    assert "🏁 Gone on 03:00 UTC · approved by Olu at 03:00 UTC" in text
    assert "[" not in text


def test_no_channel_reads_the_address_of_somebody_who_was_never_here() -> None:
    policy = gated(forge_ids={Address("ida.dev@example.com"): {"github": 1001}})
    world = Gates(policy)
    id_ = world.waits()
    place = policy.environments["payments-prod"]
    text = as_text(gate_card(request_view(world.request(id_), None, place, world.clock.now())))
    assert "started and pushed by Ida Dev (dana-gh)" in text
    assert "@example.com" not in text


def test_what_was_typed_calls_nobody_and_makes_no_link() -> None:
    world = Gates()
    id_ = world.waits(change="<!channel> *now* @here", url="javascript:alert(1)")
    place = world.policy.policy.environments["payments-prod"]
    view = request_view(world.request(id_), None, place, world.clock.now())
    message = gate_card(view)
    assert "<!channel> *now* @here" in as_text(message)
    assert "Link('javascript" not in repr(message)
    assert "javascript:alert(1)" in as_text(message)
