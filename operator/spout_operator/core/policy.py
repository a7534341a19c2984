"""What a Spout may ask of Pachyderm's namespace: the rules that an administrator made, and what they refuse.

docs/decisions/0018-policy.md has the reasons.
"""

import dataclasses
import enum
import fnmatch
import re
from collections.abc import Iterator, Sequence

from spout_operator.core.model import DEFAULT_PROJECT, PipelineName, Spout

#: Denials that one message tells in full: more would hide each other.
MOST_TOLD = 4


class Permission(enum.StrEnum):
    """What a rule can allow, in the words of the policy file."""

    SECRETS = "secrets"
    POD_PATCH = "podPatch"
    SERVICE_TYPES = "serviceTypes"
    PIPELINE_NAMES = "pipelineNames"
    PROJECTS = "projects"


@dataclasses.dataclass(frozen=True, slots=True)
class Glob:
    """A pattern of a whole name: `*` is any number of characters, `?` is one, each other character is itself."""

    text: str
    _pattern: re.Pattern[str] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A bracket would begin a set of characters. What `translate` makes takes no time that explodes.
        pattern = fnmatch.translate(self.text.replace("[", "[[]"))
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        return self._pattern.fullmatch(name) is not None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What the Spouts of some namespaces may use. What is empty allows nothing."""

    namespaces: tuple[Glob, ...]
    secrets: tuple[Glob, ...] = ()
    pod_patch: bool = False
    service_types: tuple[str, ...] = ()
    pipeline_names: tuple[Glob, ...] = ()
    projects: tuple[Glob, ...] = (Glob(DEFAULT_PROJECT),)

    def is_for(self, namespace: str) -> bool:
        """Whether it is a rule for this namespace."""
        return _any_matches(self.namespaces, namespace)


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Rules that each allow something; what none of them allows is refused."""

    rules: tuple[Rule, ...]


RESTRICTED = Policy(
    (
        Rule(
            namespaces=(Glob("*"),),
            service_types=("ClusterIP",),
            pipeline_names=(Glob("*"),),
            projects=(Glob("*"),),
        ),
    )
)
"""Of an operator that was given no policy file."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Denial:
    """Something that a Spout asks for and that no rule allows."""

    permission: Permission
    field: str
    """The path of the field in the resource."""
    found: str
    """What it asks for, in words."""
    would_allow: str
    """The fields of a rule that would allow it, beside its namespaces."""


def denials(policy: Policy, spout: Spout) -> tuple[Denial, ...]:
    """What a Spout asks for and may not have, in the order of its fields; none where all of it is allowed.

    Args:
        policy: the rules.
        spout: with the server's defaults in its spec.
    """
    rules = [rule for rule in policy.rules if rule.is_for(spout.key.namespace)]
    return tuple(_denials(rules, spout))


def allows_name(policy: Policy, namespace: str, name: PipelineName) -> bool:
    """Whether a Spout of this namespace may name this pipeline, whatever else it asks for."""
    rules = [rule for rule in policy.rules if rule.is_for(namespace)]
    return next(_pipeline_name(rules, name), None) is None


def message(namespace: str, refused: Sequence[Denial]) -> str:
    """What a person is told of denials: what is asked for, and the rule that would allow it."""
    told = [
        f"{denial.field}: the policy does not allow {denial.found} in the namespace {namespace!r}; a rule with "
        f"namespaces: [{namespace}] and {denial.would_allow} would allow it"
        for denial in refused[:MOST_TOLD]
    ]
    if len(refused) > MOST_TOLD:
        told.append(f"{len(refused) - MOST_TOLD} more are not allowed either")
    return "; ".join(told)


def _denials(rules: Sequence[Rule], spout: Spout) -> Iterator[Denial]:
    spec = spout.spec
    yield from _pipeline_name(rules, spout.pipeline_name)
    for index, secret in enumerate(spec.transform.secrets):
        yield from _secret(rules, f"spec.transform.secrets[{index}].name", secret.name)
    for index, name in enumerate(spec.transform.image_pull_secrets):
        yield from _secret(rules, f"spec.transform.imagePullSecrets[{index}]", name)
    if spec.spout.service is not None:
        yield from _service_type(rules, spec.spout.service.type)
    if spec.pod_patch and not any(rule.pod_patch for rule in rules):
        yield Denial(
            permission=Permission.POD_PATCH, field="spec.podPatch", found="a podPatch", would_allow="podPatch: true"
        )


def _pipeline_name(rules: Sequence[Rule], name: PipelineName) -> Iterator[Denial]:
    """One rule has to allow the name and the project: a pipeline is named by both."""
    named = [rule for rule in rules if _any_matches(rule.pipeline_names, name.name)]
    if any(_any_matches(rule.projects, name.project) for rule in named):
        return
    would_allow = f"pipelineNames: [{name.name}]"
    if name.project != DEFAULT_PROJECT:
        would_allow += f" and projects: [{name.project}]"
    if named:
        permission, field, found = Permission.PROJECTS, "spec.project", f"the project {name.project!r}"
    else:
        permission, field, found = Permission.PIPELINE_NAMES, "spec.name", f"the pipeline name {name.name!r}"
    yield Denial(permission=permission, field=field, found=found, would_allow=would_allow)


def _secret(rules: Sequence[Rule], field: str, name: str) -> Iterator[Denial]:
    if not any(_any_matches(rule.secrets, name) for rule in rules):
        yield Denial(
            permission=Permission.SECRETS, field=field, found=f"the Secret {name!r}", would_allow=f"secrets: [{name}]"
        )


def _service_type(rules: Sequence[Rule], kind: str) -> Iterator[Denial]:
    if not any(kind in rule.service_types for rule in rules):
        yield Denial(
            permission=Permission.SERVICE_TYPES,
            field="spec.spout.service.type",
            found=f"the service type {kind} (if the field is missing, Pachyderm chooses the type)",
            would_allow=f"serviceTypes: [{kind}]",
        )


def _any_matches(globs: Sequence[Glob], name: str) -> bool:
    return any(glob.matches(name) for glob in globs)
