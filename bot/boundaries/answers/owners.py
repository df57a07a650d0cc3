"""Questions 11 and 12: who owns each environment of production, and whose review a change of it wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.boundaries import questions as q
from bot.boundaries.model import Answer, Evidence, Place, Verdict, judged, no, unknown, yes
from bot.boundaries.owners.codeowners import Owners
from bot.boundaries.owners.own_policy import OwnPolicy
from bot.boundaries.pipelines.job import Job
from bot.boundaries.reading.checkout import joined
from bot.boundaries.reading.kinds import Kind
from bot.boundaries.seen import Seen, shows

# How many comparisons of a file with a line of CODEOWNERS are made.
_COMPARED_MAX = 400_000
_TOLD_MAX = 12
_NEW_WORKFLOW = ".github/workflows/a-new-one.yml"
# What settings are written in, and Terraform.
_SETTINGS = (".yaml", ".yml", ".json", ".toml", ".tfvars", ".hcl", ".env", ".ini", ".conf", ".properties")
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tfvars", ".tfvars.json", ".terraform.lock.hcl")


def named(seen: Seen) -> Answer:
    found = [*dict.fromkeys((*seen.doubts_of_pipelines(), *seen.doubts_of_policies()))]
    for policy in seen.policies:
        found += _of_policy(policy)
    for job in seen.production_jobs:
        found += _of_job(seen, job)
    if not found:
        found.append(unknown("No policy folder (prodaccess.yaml) and no pipeline to production is in this checkout."))
    return judged(q.OWNER_NAMED, found)


def _of_policy(policy: OwnPolicy) -> Iterator[Evidence]:
    if policy.policy is None:
        yield no(
            f"The policy folder is not in order: {policy.problem[:200]}.", Place(policy.file("prodaccess.yaml"), 1)
        )
        return
    if not policy.production:
        yield unknown(
            "The policy folder has no environment of tier production.", Place(policy.file("prodaccess.yaml"), 1)
        )
    for environment in policy.production:
        place = policy.place(environment.name)
        groups = [policy.policy.groups[name] for name in environment.owners if name in policy.policy.groups]
        if any(group.members or group.source for group in groups):
            yield yes(f"{environment.name} belongs to {', '.join(environment.owners)}.", place)
        else:
            yield no(f"{environment.name} belongs to nobody: its owners have no members.", place)


def _of_job(seen: Seen, job: Job) -> Iterator[Evidence]:
    place = job.environment_place or job.place
    if job.environments is None:
        yield unknown(f"Which environment {job.title} runs for is worked out by a run.", place)
        return
    names = tuple(each for each in job.environments if seen.production.says(each)) or job.environments
    for name in names or tuple(gate.text for gate in job.gates):
        ours = next((one for policy in seen.policies if (one := policy.named_by(name)) is not None), None)
        if ours is not None and ours in [each for policy in seen.policies for each in policy.production]:
            yield yes(f"{job.title} runs for {name}, which is {ours.name} of the policy.", place)
        elif (rules := seen.rules.get(job.forge)) is not None:
            yield rules.reviewers(name)
        else:
            ask = q.ASK[job.forge]
            yield unknown(f"{job.title} runs for {name}: no policy folder here says whose that is ({ask}).", place)
    if not names and not job.gates:
        yield unknown(f"{job.title} reaches production and names no environment: whose it is is not told.", place)


def review(seen: Seen) -> Answer:
    found = [*seen.doubts_of_owners(), *_covered(seen)]
    if {one.verdict for one in found} == {Verdict.YES}:
        rules = seen.rules.get(seen.forge)
        if rules is not None:
            found += (rules.owners_exist(), rules.owners_review())
        else:
            found.append(unknown(f"Whether the branch wants their review files do not tell ({q.ASK[seen.forge]})."))
    return judged(q.OWNER_REVIEWS, found)


def _covered(seen: Seen) -> Iterator[Evidence]:
    paths = tuple(dict.fromkeys(_wanted(seen)))
    if not paths:
        yield unknown("No pipeline, no Terraform of production and no policy folder is in this checkout.")
        return
    if seen.owners is None:
        yield no(f"There is no CODEOWNERS, so nobody has to review {paths[0]}.", Place(paths[0]))
        return
    if seen.owners.odd:
        yield unknown(f"Whose review files want is not read here: {seen.owners.odd}.", Place(seen.owners.file))
        return
    if len(paths) * len(seen.owners.rules) > _COMPARED_MAX:
        yield unknown("There are too many files and lines of CODEOWNERS to compare.", Place(seen.owners.file))
        return
    yield from _compared(seen.owners, (*paths, seen.owners.file))


def _compared(owners: Owners, paths: tuple[str, ...]) -> Iterator[Evidence]:
    told = 0
    for path in paths:
        rule = owners.of(path)
        if rule is not None and rule.owners:
            if path == owners.file:
                yield yes(f"CODEOWNERS itself belongs to {', '.join(rule.owners)[:120]}.", owners.place(rule))
            else:
                yield yes(f"{path} belongs to {', '.join(rule.owners)[:120]}.", owners.place(rule))
        elif told < _TOLD_MAX:
            told += 1
            shown = "A new workflow" if path == _NEW_WORKFLOW else path
            yield no(f"{shown} belongs to nobody.", owners.place(rule))


def _wanted(seen: Seen) -> Iterator[str]:
    """What changes production, and what says who may: a workflow that is only added, too."""
    workflows = [path for path, _ in seen.checkout.of(Kind.WORKFLOW)]
    yield from workflows
    if workflows:
        yield _NEW_WORKFLOW
    yield from (path for path, _ in seen.checkout.of(Kind.GITLAB))
    yield from sorted(name for name in seen.checkout.names if name.startswith(".github/actions/"))
    yield from _of_terraform(seen)
    yield from _run_by_jobs(seen)
    yield from sorted(
        name
        for name in seen.checkout.names
        if name.endswith(_SETTINGS) and seen.production.says(name) and not shows(name)
    )
    for policy in seen.policies:
        yield from policy.files


def _of_terraform(seen: Seen) -> Iterator[str]:
    """Of production's root modules, and of the modules of this checkout that those are made of."""
    roots = {state.folder for state in seen.production_states}
    pending, folders = list(roots), set[str]()
    modules = _modules_of(seen)
    while pending:
        folder = pending.pop()
        if folder not in folders:
            folders.add(folder)
            pending += modules.get(folder, ())
    inside = tuple(f"{folder}/" for folder in sorted(folders) if folder)
    yield from sorted(name for name in seen.checkout.names if name.startswith(inside)) if inside else ()
    if "" in folders:
        yield from sorted(name for name in seen.checkout.names if "/" not in name and name.endswith(_TERRAFORM))


def _modules_of(seen: Seen) -> Mapping[str, list[str]]:
    """Folder -> those of the modules of this checkout that it uses."""
    found: dict[str, list[str]] = {}
    for stanza in seen.terraform.all("module"):
        source = seen.terraform.exact(stanza.folder, stanza.block.get("source"))
        if source is not None and source.startswith(".") and (used := joined(stanza.folder, source)) is not None:
            found.setdefault(stanza.folder, []).append(used)
    return found


def _run_by_jobs(seen: Seen) -> Iterator[str]:
    """Actions and scripts of this checkout that a job of production runs, where it names them by their path."""
    for job in seen.production_jobs:
        for word in job.paths:
            path = joined("", word)
            if path in seen.checkout.names:
                yield path
            elif path and word.startswith("./"):
                yield from sorted(name for name in seen.checkout.names if name.startswith(f"{path}/"))
