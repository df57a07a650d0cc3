"""What owners do with the card of a certification: open its form, and say what stays."""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import Reply
from bot.chat.commands.model import Certify
from bot.chat.forms.certification import PART, certification_form, numbers_in
from bot.chat.interaction import Interaction
from bot.chat.messages import notices
from bot.chat.wording.labels import done_words
from workflows.core import keys
from workflows.core.certification.rules import answerers, may_answer, own_of
from workflows.core.records.certification import Certification, CertificationPart, Verdict
from workflows.core.refusal import Code, Refused
from workflows.usecases.certification.answer import Saying, say
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.parties import alike

_OVER = Refused(Code.CERTIFICATION_OVER, audited=False)


def open_certification_form(forms: FormOpener, act: Interaction, trigger: str) -> None:
    """For those who may answer, with all that is not about themselves."""
    part = _open_part(forms, act.value)
    if part is None:
        forms.refuse(act, _OVER, "-")
        return
    person = forms.person(act)
    if person is None:
        return
    policy = forms.ctx.policy.current()
    groups = forms.groups(policy, answerers(policy, part.environment))
    if forms.kept_out(act, may_answer(policy, part.environment, person, groups), "-"):
        return
    item = keys.identity(person.id)
    me = alike(forms.ctx.ledger.read(item), (person.id,)).get(person.id, frozenset()) | {person.id}
    own = own_of(part.items, me)
    left = [one for one in part.items if one not in own]
    if not left:
        forms.refuse(act, Refused(Code.OWN_CERTIFICATION, {"numbers": ", ".join(str(one.number) for one in own)}), "-")
        return
    forms.open(act, trigger, certification_form(part, left), f"certify {part.id} keep NUMBER,NUMBER REASON")


def _open_part(forms: FormOpener, id_: str) -> CertificationPart | None:
    if PART.fullmatch(id_) is None:
        return None
    item, whole = keys.certification_part(id_), keys.certification(id_.partition("-")[0])
    snapshot = forms.ctx.ledger.read(item, whole)
    part, run = snapshot.readable(item, CertificationPart), snapshot.readable(whole, Certification)
    return part if run is not None and run.is_open else None


def sent(at: Acting, act: Interaction) -> Reply:
    """The card tells; only what it cannot show is said."""
    fields = act.fields or {}
    saying = Saying(fields["part"], numbers_in(fields["items"]), Verdict(fields["said"]), fields["reason"])
    return at.quiet(act, "-", say(at.ctx, saying, act.who, act.id))


def typed(at: Acting, act: Interaction, command: Certify) -> Reply:
    numbers = numbers_in(command.numbers)
    saying = Saying(command.part, numbers, Verdict.KEEP if command.keeps else Verdict.REMOVE, command.reason)
    answer = say(at.ctx, saying, act.who, act.id)
    if isinstance(answer, Outcome):
        return Reply(notices.answer(done_words(f"certified_{answer.outcome}", command.numbers)))
    return at.refuse(act, answer)
