"""A job at the gate: what it says, how it ends, and what it goes through."""

from __future__ import annotations

import re
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.gate.client import Answer, NoAnswer
from bot.gate.done import NothingKept, give_back, keep, kept_in
from bot.gate.job import Cancelled, Job, Kept, Wanted
from bot.gate.patience import APPROVED, DENIED, REFUSED, TIMED_OUT
from bot.gate.tokens import Given, NoToken, OfGitHub, tokens_of

URL = "https://prodaccess.example.com"
ASKED = Answer(
    201,
    {
        "id": "PA-7",
        "ticket": "t",
        "expires_at": "2026-11-27T04:20:00+00:00",
        "card": "It needs approval from 1 of platform.",
    },
)
WAITING = Answer(200, {"state": "waiting"})
APPROVES = Answer(200, {"state": "approved", "by": "Olu Owner"})
REDEEMED = Answer(200, {"state": "redeemed"})
WITHDRAWN = Answer(200, {"state": "withdrawn"})
AWAY = NoAnswer("could not be reached")

Step = Answer | Exception | Callable[[], Answer]


@dataclass
class World:
    """`answers`: one after the other, the last one for ever. A minute passes with each poll that says "waiting"."""

    answers: list[Step]
    now_s: float = 1000.0
    goodbye: Step = WITHDRAWN
    said: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, str, Any]] = field(default_factory=list)

    def call(self, method: str, url: str, authorization: str, body: Any = None, timeout_s: float = 0.0) -> Answer:
        self.calls.append((method, url.removeprefix(f"{URL}/gate/v1/asks"), authorization, body))
        del timeout_s
        goes = url.endswith("/withdraw")
        step = self.goodbye if goes else self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(step, BaseException):
            raise step
        found = step if isinstance(step, Answer) else step()
        if found is WAITING:
            self.now_s += 20.0
        return found

    def pause(self, s: float) -> None:
        self.now_s += s

    def job(self, tokens: Any = None, wait: timedelta = timedelta(minutes=30)) -> Job:
        wanted = Wanted("orders-prod", "deploy", "Release 42", "", "", "", wait)
        return Job(URL, wanted, tokens or Given("jot"), self.call, self.said.append, self.pause, lambda: self.now_s)

    @property
    def paths(self) -> list[str]:
        return [f"{method} {re.sub(r'[?].*', '', path)}" for method, path, _, _ in self.calls]


def test_an_approved_job_goes_on() -> None:
    world = World([ASKED, WAITING, APPROVES, REDEEMED])

    ended = world.job().run()

    assert (ended.code, ended.sentence) == (APPROVED, "PA-7 was approved by Olu Owner: the job goes on.")
    assert world.said == [
        "PA-7 asks for the gate deploy of orders-prod. It needs approval from 1 of platform. It waits until 04:20 UTC."
    ]
    assert world.paths == ["POST ", "GET /PA-7", "GET /PA-7", "POST /PA-7/redeem"]
    assert [call[2] for call in world.calls] == ["Bearer jot", "Bearer t", "Bearer t", "Bearer t"]


@pytest.mark.parametrize(
    ("state", "code", "sentence"),
    [
        ({"state": "denied", "by": "Olu", "reason": "not on Friday"}, DENIED, "PA-7 was denied by Olu: not on Friday"),
        ({"state": "expired"}, TIMED_OUT, "Nobody decided in time: PA-7 has expired."),
        ({"state": "withdrawn"}, REFUSED, "PA-7 was withdrawn."),
        ({"state": "not_given", "reason": "It is frozen."}, REFUSED, "PA-7 was not let through: It is frozen."),
        ({"state": "used"}, REFUSED, "The decision of PA-7 was used already, and is good once."),
        ({"state": "something new"}, REFUSED, "PA-7 was not let through."),
    ],
)
def test_any_other_end_lets_nothing_through(state: dict[str, str], code: int, sentence: str) -> None:
    ended = World([ASKED, Answer(200, state)]).job().run()

    assert (ended.code, ended.sentence) == (code, sentence)


def test_nobody_decides_and_the_ask_is_withdrawn() -> None:
    world = World([ASKED, WAITING])

    ended = world.job(wait=timedelta(minutes=3)).run()

    assert (ended.code, ended.sentence) == (TIMED_OUT, "Nobody decided within 3 min. PA-7 is withdrawn.")
    assert world.paths[-1] == "POST /PA-7/withdraw"


def test_it_says_a_line_a_minute() -> None:
    world = World([ASKED, WAITING])

    world.job(wait=timedelta(minutes=4)).run()

    assert world.said[1:] == ["PA-7 has waited for 1 min.", "PA-7 has waited for 2 min.", "PA-7 has waited for 3 min."]


def test_a_refusal_is_told_as_it_was_said() -> None:
    said = {"error": "not_allowed", "sentence": "refs/heads/x is not protected."}

    ended = World([Answer(403, said)]).job().run()

    assert (ended.code, ended.sentence) == (REFUSED, "refs/heads/x is not protected.")


@pytest.mark.parametrize(
    "bad", [AWAY, Answer(502, {}), Answer(503, {"error": "later"}), Answer(429, {}, 4.0), Answer(404, {})]
)
def test_it_goes_through_restarts_of_web_and_says_so_once(bad: Step) -> None:
    world = World([bad, bad, ASKED, bad, bad, bad, WAITING, APPROVES, bad, REDEEMED])

    ended = world.job().run()

    assert ended.code == APPROVED
    assert len([line for line in world.said if line.endswith(": trying again.")]) == 3


def test_what_is_sent_again_is_the_same_ask_and_the_same_redemption() -> None:
    world = World([AWAY, AWAY, ASKED, APPROVES, AWAY, REDEEMED])
    world.job().run()

    bodies = [call[3] for call in world.calls]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[4] == bodies[5] != {"nonce": bodies[0]["nonce"]}
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", bodies[0]["nonce"])


def test_what_cannot_be_reached_at_all_lets_nothing_through() -> None:
    world = World([AWAY])

    ended = world.job(wait=timedelta(minutes=1)).run()

    assert ended.code == REFUSED
    assert ended.sentence == "prodaccess could not be reached, until the time was over. The job does not go on."
    assert len(world.calls) < 20


def test_an_approval_that_is_looked_at_again_is_waited_for() -> None:
    again = Answer(409, {"error": "looked_at_again", "sentence": "It is looked at again."})
    world = World([ASKED, APPROVES, again, WAITING, APPROVES, REDEEMED])

    assert world.job().run().code == APPROVED


def test_an_approval_that_was_used_lets_nothing_through() -> None:
    used = Answer(409, {"error": "refused", "sentence": "This decision was used already."})

    ended = World([ASKED, APPROVES, used]).job().run()

    assert (ended.code, ended.sentence) == (REFUSED, "This decision was used already.")


def test_a_job_that_is_cancelled_takes_its_ask_back() -> None:
    def cancelled() -> Answer:
        raise Cancelled(signal.SIGTERM)

    world = World([ASKED, cancelled])

    ended = world.job().run()

    assert (ended.code, ended.sentence) == (143, "The job was cancelled. PA-7 is withdrawn.")
    assert world.paths[-1] == "POST /PA-7/withdraw"


def test_no_fault_that_somebody_sees_to_hides_that_the_job_was_cancelled() -> None:
    """The signal comes at any moment: within a thread's start, within a call whose faults are told."""
    assert not issubclass(Cancelled, Exception)


def test_one_that_is_cancelled_before_has_nothing_to_take_back() -> None:
    ended = World([Cancelled(signal.SIGINT)]).job().run()

    assert (ended.code, ended.sentence) == (130, "The job was cancelled. Nothing was asked for.")


def test_something_else_at_that_address_is_told() -> None:
    assert World([Answer(201, {})]).job().run().code == REFUSED
    assert World([Answer(200, {})]).job().run().code == REFUSED


@pytest.mark.parametrize("said", [{}, {"state": "waiting"}, {"status": "ok"}, {"state": ["redeemed"]}])
def test_what_answers_well_and_is_not_prodaccess_lets_nothing_through(said: dict[str, Any]) -> None:
    """A page that says that something is mended, with 200, from a proxy before web."""
    ended = World([ASKED, APPROVES, Answer(200, said)]).job().run()

    assert ended.code == REFUSED
    assert "goes on" not in ended.sentence


@pytest.mark.parametrize("goodbye", [AWAY, Answer(503, {"error": "later"}), Answer(200, {}), Answer(404, {})])
def test_an_ask_that_could_not_be_withdrawn_is_not_said_to_be(goodbye: Step) -> None:
    world = World([ASKED, WAITING], goodbye=goodbye)

    ended = world.job(wait=timedelta(minutes=3)).run()

    assert (ended.code, ended.sentence) == (TIMED_OUT, "Nobody decided within 3 min.")
    assert world.said[-1] == "PA-7 could not be withdrawn, and will expire."


# ---------------------------------------------------------------- its token


class Several:
    can_be_new = True

    def __init__(self, *found: Any) -> None:
        self.found = list(found)

    def token(self) -> str:
        step = self.found.pop(0)
        if isinstance(step, BaseException):
            raise step
        return str(step)


EXPIRED = Answer(401, {"error": "expired", "sentence": "The token has expired."})


def test_a_token_that_has_expired_meanwhile_is_asked_for_anew() -> None:
    world = World([AWAY, EXPIRED, ASKED, APPROVES, REDEEMED])

    assert world.job(Several("one", "two")).run().code == APPROVED
    assert [call[2] for call in world.calls[:3]] == ["Bearer one", "Bearer one", "Bearer two"]
    assert world.calls[1][3] != world.calls[2][3]


def test_one_that_was_given_cannot_be_new() -> None:
    ended = World([EXPIRED]).job().run()

    assert (ended.code, ended.sentence) == (REFUSED, "The token has expired.")


def test_a_forge_that_has_a_bad_minute_is_asked_again() -> None:
    world = World([ASKED, APPROVES, REDEEMED])
    bad = NoToken("GitHub did not answer in time.", passing=True)

    assert world.job(Several(bad, bad, "jot")).run().code == APPROVED
    assert world.said[0] == "GitHub did not answer in time: trying again."


def test_github_is_asked_for_a_token_for_us_alone() -> None:
    world = World([Answer(200, {"count": 1, "value": "jot"})])
    tokens = OfGitHub("https://g.example/x/idtoken?api-version=2.0", "secret", URL, world.call)

    assert tokens.token() == "jot"
    assert world.calls == [
        (
            "GET",
            "https://g.example/x/idtoken?api-version=2.0&audience=https%3A%2F%2Fprodaccess.example.com",
            "bearer secret",
            None,
        )
    ]


@pytest.mark.parametrize(
    ("answer", "passing"), [(Answer(401, {}), False), (Answer(503, {}), True), (Answer(200, {}), False), (AWAY, True)]
)
def test_github_may_give_none(answer: Step, passing: bool) -> None:
    tokens = OfGitHub("https://g.example/idtoken", "secret", URL, World([answer]).call)

    with pytest.raises(NoToken) as told:
        tokens.token()

    assert told.value.passing is passing
    assert "secret" not in str(told.value)


def test_where_there_is_no_token_it_is_told_how_to_have_one() -> None:
    with pytest.raises(NoToken, match="id-token: write"):
        tokens_of({}, None, None, URL, "", World([AWAY]).call)
    assert tokens_of({}, "jot", None, URL, "", World([AWAY]).call).token() == "jot"


# ---------------------------------------------------------------- what the gate gives

GIVEN = Answer(
    200,
    {
        "state": "redeemed",
        "what": "inline policy prodaccess-PA-7 on the IAM role orders-deploy in account 111122223333",
        "until": "2026-11-27T04:40:00+00:00",
    },
)
BEING_GIVEN = Answer(409, {"error": "looked_at_again", "sentence": "That takes seconds."})


def test_a_job_waits_until_its_role_has_what_the_gate_gives() -> None:
    world = World([ASKED, APPROVES, BEING_GIVEN, WAITING, APPROVES, GIVEN])
    job = world.job()

    ended = job.run()

    assert ended.code == APPROVED
    assert world.said[-1] == (
        "Until 04:40 UTC there is the inline policy prodaccess-PA-7 on the IAM role orders-deploy in account 111122223333."
    )
    assert job.kept == Kept(f"{URL}/gate/v1/asks/PA-7", "t")


def test_a_gate_that_gives_nothing_leaves_nothing_to_give_back() -> None:
    job = World([ASKED, APPROVES, REDEEMED]).job()
    job.run()
    assert job.kept is None


def test_what_was_kept_is_read_by_its_owner_alone_and_gives_back(tmp_path: Path) -> None:
    file, kept = tmp_path / "gate.json", Kept(f"{URL}/gate/v1/asks/PA-7", "t")
    keep(file, kept)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    world = World([WITHDRAWN])

    ended = give_back(kept_in(file), world.call, world.pause)

    assert ended.code == APPROVED
    assert [(path, bearer) for _, path, bearer, _ in world.calls] == [("/PA-7/withdraw", "Bearer t")]


@pytest.mark.parametrize("answer", [AWAY, Answer(503, {"error": "later"})])
def test_where_nobody_can_be_told_the_end_comes_by_itself(answer: Any) -> None:
    world = World([answer])

    def call(*_: object) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    ended = give_back(Kept(f"{URL}/gate/v1/asks/PA-7", "t"), call, world.pause)
    assert ended.code == REFUSED
    assert "ends by itself" in ended.sentence


def test_what_is_over_already_is_no_fault() -> None:
    over = Answer(409, {"error": "refused", "sentence": "PA-7 has ended."})
    ended = give_back(Kept(f"{URL}/gate/v1/asks/PA-7", "t"), lambda *_: over, lambda _: None)
    assert (ended.code, ended.sentence) == (APPROVED, "PA-7 has ended.")


@pytest.mark.parametrize(
    "answer", [Answer(200, {}), Answer(301, {}), Answer(403, {}), Answer(401, {"message": "Unauthorized"})]
)
def test_what_answers_and_is_not_prodaccess_is_no_word_that_it_is_given_back(answer: Answer) -> None:
    ended = give_back(Kept(f"{URL}/gate/v1/asks/PA-7", "t"), lambda *_: answer, lambda _: None)
    assert ended.code == REFUSED
    assert "ends by itself" in ended.sentence


@pytest.mark.parametrize("text", [None, "{", "[]", '{"url": ""}'])
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "gate.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(NothingKept):
        kept_in(file)
