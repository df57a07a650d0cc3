"""What an operator exchanges while everything runs, and a policy that waits for people: nothing is started again for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.chat.messages.policy_change import AGREE, REFUSE
from bot.sandbox.slack import Message, words
from tests.chaos.from_files import FromFiles
from tests.chaos.rig import id_of
from tests.support.installation import CHAOS, PEOPLE, RECEIPTS, policy_in_force
from tests.support.waiting import eventually
from tests.support.webhook import Answer, Workflow, workflow
from workflows.policy_file import PolicyFolder

pytestmark = pytest.mark.fleet

GATE = "panic_group: security\npolicy_changes: {approve: {security: 1}}\n"
HOOK = "webhooks:\n  - {name: ops, url: {env: OPS_WEBHOOK}, kinds: [receipts]}\n"


def _prepared(config: Path) -> None:
    path = config / "prodaccess.yaml"
    path.write_text(path.read_text().replace("panic_group: security\n", GATE) + HOOK)


class InBoth(FromFiles):
    """Slack by Socket Mode, Teams, and an address outside that the policy names."""

    HELD = ("SLACK_APP_TOKEN", "TEAMS_APP_PASSWORD", "OPS_WEBHOOK")
    hook: Workflow

    def environment(self, process: str) -> dict[str, str]:
        # The policy's own secret is one more variable.
        env = {"OPS_WEBHOOK": self.hook.url}
        return self._from_files(super(FromFiles, self).environment(process) | env)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[InBoth]:
    with ExitStack() as stack:
        found = InBoth(tmp_path, socket=True, chats=("slack", "teams"), numbers=CHAOS, prepare=_prepared)
        found.hook = stack.enter_context(workflow())
        yield stack.enter_context(found)


def test_what_waits_for_people_and_what_is_exchanged_needs_no_restart(rig: InBoth) -> None:
    _the_policy(rig)
    secrets = {_app_token(rig), *_app_secret(rig), *_address(rig)}
    assert all(process.alive() for process in rig.processes.values())
    assert rig.exposed(secrets) == []


# ---------------------------------------------------------------- a policy that makes production looser


def _the_policy(rig: InBoth) -> None:
    """It waits; security denies it, and it is in force nowhere; another one is agreed to, and is in force everywhere."""
    before = policy_in_force(rig)
    _longer(rig, "9h")
    _press(rig, REFUSE, "waits for 1 of security")
    rig.until(lambda: _said(rig, "was denied by Sue"), "the card says that it was denied")
    assert policy_in_force(rig) == before

    denied = {message.ts for message in rig.messages(RECEIPTS)}
    wanted = _longer(rig, "10h")
    _press(rig, AGREE, "waits for 1 of security", besides=denied)
    rig.until(lambda: policy_in_force(rig) == wanted, "it is in force")
    rig.wait_ready()
    # Each process looks every few seconds which one is in force.
    case, why = rig.case(), "10h INC-42 the migration runs all day"
    rig.until(lambda: "at most" not in case.ask(rest=why), "it is decided by")
    rig.until(lambda: case.cards(), "the owners are asked")


def _longer(rig: InBoth, most: str) -> str:
    path = rig.config / "prodaccess.yaml"
    text = path.read_text()
    here = text.index("max_duration: ")
    path.write_text(f"{text[:here]}max_duration: {most}{text[text.index('}', here) :]}")
    return PolicyFolder(rig.config, monotonic=lambda: 0.0).current().hash


def _press(rig: InBoth, action: str, part: str, besides: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    def card() -> Message | None:
        return next((one for one in rig.messages(RECEIPTS) if part in words(one) and one.ts not in besides), None)

    found = rig.until(card, "security is asked")
    assert found is not None
    assert rig.slack.person(PEOPLE["sue"]).press(found, action, channel=RECEIPTS).ok


def _said(rig: InBoth, part: str) -> bool:
    return any(part in words(message) for message in rig.messages(RECEIPTS))


# ---------------------------------------------------------------- secrets


def _app_token(rig: InBoth) -> str:
    """Slack's app-level token: the connection that the old one opened is lost, and opened again with the new one."""
    app = rig.slack.app
    old, new = app.app_token, "xapp-1-the-new-token-of-the-app"
    rig.hold("SLACK_APP_TOKEN", new, old)
    app.app_token = new
    rig.slack.sockets.disconnect(abruptly=True)
    eventually(lambda: rig.types("dana", "mine").ok, "it is connected again")
    rig.hold("SLACK_APP_TOKEN", new)
    return new


def _app_secret(rig: InBoth) -> set[str]:
    """Teams' app secret: one that the login does not know yet is refused, named, and stands in nobody's way."""
    login = rig.teams.server.login
    old, new = login.password, "the-new-secret-of-the-app-in-entra"
    rig.hold("TEAMS_APP_PASSWORD", new, old)
    _asked_in_both(rig)
    eventually(lambda: "newest value of TEAMS_APP_PASSWORD" in rig.attention(), "the refused one is named")
    login.password = new
    rig.hold("TEAMS_APP_PASSWORD", new)
    eventually(lambda: "TEAMS_APP_PASSWORD" not in rig.attention(), "the new one is taken")
    _asked_in_both(rig)
    return {old, new}


def _asked_in_both(rig: InBoth) -> None:
    """Asked in Slack, where owners are asked in both."""
    case = rig.case()
    case.in_teams.card(id_of(case.asked()), "Needs approval")


def _address(rig: InBoth) -> set[str]:
    """An address outside whose signature is changed: the file has both, then the new one alone."""
    old = rig.hook.url
    new = old.rpartition("sig=")[0] + "sig=an0th3r-s1gn4tur3"
    rig.quiet()
    asked, known = len(rig.hook.asked), len(rig.hook.cards)
    rig.hook.answers.append(Answer(401))
    rig.hold("OPS_WEBHOOK", new, old)
    rig.case().active()
    eventually(lambda: len(rig.hook.cards) > known, "it comes there by the older one")
    assert [path.endswith(new[-9:]) for _, path in rig.hook.asked[asked : asked + 2]] == [True, False]
    rig.hold("OPS_WEBHOOK", new)
    known = len(rig.hook.cards)
    rig.case().active()
    eventually(lambda: len(rig.hook.cards) > known, "it comes there")
    assert rig.hook.asked[-1][1].endswith(new[-9:])
    return {old, new, old.rpartition("sig=")[2], new.rpartition("sig=")[2]}
