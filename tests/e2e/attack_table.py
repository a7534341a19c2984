"""What a hostile Spout can ask of any Pachyderm: Secrets, a podPatch, names of others, and Services."""

from tests.e2e.attack_changes import (
    Changes,
    add,
    add_volume,
    mount,
    patch,
    pull,
    refused_name,
    refused_secret,
    service,
    variable,
)
from tests.e2e.attacks import OURS, POSTGRES, REGISTRY, THEIRS, Attack

NO_OBJECT = "is not a valid name of a Kubernetes object"
NO_TEXT = "must be of type string"


def no_secret(name: str, reason: str) -> list[Attack]:
    """A name that no Secret can have, for each use of a Secret."""
    found = f"found {name!r}, expected the name of a Kubernetes object"
    return [
        Attack(
            reason=f"{reason}: a Secret that is mounted",
            changes=mount(name),
            refused=NO_OBJECT,
            ends="InvalidSpec",
            says=f"spec.transform.secrets[].name: {found}",
        ),
        Attack(
            reason=f"{reason}: a Secret to pull with",
            changes=pull(name),
            refused=NO_OBJECT,
            ends="InvalidSpec",
            says=f"spec.transform.imagePullSecrets[]: {found}",
        ),
    ]


def patched(reason: str, changes: Changes) -> Attack:
    """A podPatch: no rule allows any."""
    return Attack(reason=f"podPatch: {reason}", changes=changes, says="spec.podPatch: the policy does not allow")


FROM_SECRET = {"secretKeyRef": {"name": POSTGRES, "key": "password"}}
TOKEN = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
EXTRA = {"name": "extra", "image": "python:3.13", "envFrom": [{"secretRef": {"name": POSTGRES}}]}

SECRETS = [
    Attack(reason="a Secret that is mounted", changes=mount(POSTGRES), says=refused_secret(POSTGRES)),
    Attack(reason="a Secret as a variable", changes=variable(POSTGRES), says=refused_secret(POSTGRES)),
    Attack(
        reason="the credentials of the object store, as a variable",
        changes=variable("pachyderm-storage-secret"),
        says=refused_secret("pachyderm-storage-secret"),
    ),
    Attack(
        reason="the credentials of the object store, mounted over Pachyderm's own",
        changes=mount("pachyderm-storage-secret"),
        refused="already has a volume 'pachyderm-storage-secret'",
        says=refused_secret("pachyderm-storage-secret"),
    ),
    Attack(
        reason="a Secret to pull the image with",
        changes=pull(REGISTRY),
        says=f"spec.transform.imagePullSecrets[0]: the policy does not allow the Secret {REGISTRY!r}",
    ),
    Attack(
        reason="a second Secret behind one that is allowed",
        changes=mount(OURS, POSTGRES),
        says=refused_secret(POSTGRES, 1),
    ),
    Attack(
        reason="a second Secret to pull with behind one that is allowed",
        changes=pull(OURS, REGISTRY),
        says=f"spec.transform.imagePullSecrets[1]: the policy does not allow the Secret {REGISTRY!r}",
    ),
    Attack(reason="the Secret that another namespace may use", changes=variable(THEIRS), says=refused_secret(THEIRS)),
    Attack(
        reason="a Secret whose name begins like one that is allowed",
        changes=mount(f"{OURS}2"),
        says=refused_secret(f"{OURS}2"),
    ),
    Attack(
        reason="a Secret that is not there, to learn whether it is",
        changes=mount("nothing"),
        says=refused_secret("nothing"),
    ),
    Attack(
        reason="a Spout that is suspended is sent too",
        changes={**mount(POSTGRES), "suspend": True},
        says=refused_secret(POSTGRES),
    ),
    *no_secret("Kafka-Team-A", "an allowed name in odd case"),
    *no_secret(f"{OURS}.", "an allowed name with a dot at the end"),
    *no_secret(f"{OURS} ", "an allowed name with a blank at the end"),
    *no_secret(f"{OURS}\n", "an allowed name with a newline at the end"),
    *no_secret("k\u0430fka-team-a", "a Cyrillic letter that looks like ours"),
    *no_secret("*", "a glob for a name"),
    *no_secret("..", "two dots"),
    *no_secret(f"pachyderm/{POSTGRES}", "a namespace before the name"),
    Attack(
        reason="a Secret that is no object, where the CRD checks nothing",
        changes={"transform.secrets": [POSTGRES]},
        refused="must be of type object",
        ends="InvalidSpec",
        says="spec.transform.secrets: expected every item",
    ),
    Attack(
        reason="a name that is a list, where the CRD checks nothing",
        changes=mount([POSTGRES]),
        refused=NO_TEXT,
        ends="InvalidSpec",
        says="spec.transform.secrets[].name: found a list",
    ),
]

POD_PATCHES = [
    patched("a volume of a Secret", add_volume(secret={"secretName": POSTGRES})),
    patched("a projected volume", add_volume(projected={"sources": [{"secret": {"name": POSTGRES}}]})),
    patched("the token of a service account, projected", add_volume(projected=TOKEN)),
    patched(
        "a CSI volume that reads Secrets",
        add_volume(
            csi={"driver": "secrets-store.csi.k8s.io", "nodePublishSecretRef": {"name": POSTGRES}, "readOnly": True}
        ),
    ),
    patched("a folder of the host", add_volume(hostPath={"path": "/"})),
    patched("envFrom", patch(add("/containers/0/envFrom", [{"secretRef": {"name": POSTGRES}}]))),
    patched("valueFrom", patch(add("/containers/0/env/-", {"name": "STOLEN", "valueFrom": FROM_SECRET}))),
    patched("another service account", patch(add("/serviceAccountName", "pachyderm"))),
    patched("the token of the service account", patch(add("/automountServiceAccountToken", value=True))),
    patched("a container more", patch(add("/containers/-", EXTRA))),
    patched("an init container more", patch(add("/initContainers/-", EXTRA))),
    patched("an ephemeral container", patch(add("/ephemeralContainers", [EXTRA]))),
    patched("the network of the host", patch(add("/hostNetwork", value=True))),
    patched("the processes of the host", patch(add("/hostPID", value=True))),
    patched("a privileged container", patch(add("/containers/0/securityContext", {"privileged": True}))),
    patched("Secrets to pull with", patch(add("/imagePullSecrets", [{"name": REGISTRY}]))),
    patched(
        "another image for Pachyderm's own container",
        patch({"op": "replace", "path": "/containers/1/image", "value": "python:3.13"}),
    ),
    patched("another node", patch(add("/nodeName", "node-1"))),
    patched(
        "a test first",
        patch({"op": "test", "path": "/restartPolicy", "value": "Always"}, add("/hostNetwork", value=True)),
    ),
    patched("a copy", patch({"op": "copy", "from": "/volumes/0", "path": "/volumes/-"})),
    patched("a move", patch({"op": "move", "from": "/containers/1/env", "path": "/containers/0/env"})),
    patched("nothing at all", {"podPatch": "[]"}),
    patched("blanks around it", {"podPatch": " \n[ ]\t"}),
    patched("an escaped path", {"podPatch": r'[{"op":"add","p\u0061th":"/host\u004eetwork","value":true}]'}),
    patched("a member that is there twice", {"podPatch": '[{"op":"test","op":"add","path":"/hostPID","value":true}]'}),
    Attack(
        reason="podPatch: another kind of patch",
        changes={"podPatch": '{"hostNetwork": true}'},
        refused="podPatch is not a JSON patch",
        ends="InvalidSpec",
        says="spec.podPatch: is no JSON patch",
    ),
    Attack(
        reason="podPatch: a path that ends pachd for everybody",
        changes=patch({"op": "replace", "path": "/containers/-1/image", "value": "x"}),
        refused="podPatch has a path with a negative index",
        ends="InvalidSpec",
        says="spec.podPatch: operation 1 of 1",
    ),
    Attack(
        reason="podPatch: a list instead of its text, where the CRD checks nothing",
        changes={"podPatch": [add("/hostNetwork", value=True)]},
        refused="unknown field",
        ends="InvalidSpec",
        says="spec.podPatch: found a list",
    ),
]

NAMES = [
    Attack(
        reason="the name of another team's pipeline, in spec.name",
        changes={"name": "team-b-orders"},
        says=refused_name("team-b-orders"),
    ),
    Attack(
        reason="the name of another team's pipeline, in metadata.name",
        name="team-b-orders",
        says=refused_name("team-b-orders"),
    ),
    Attack(
        reason="a name of another team that nobody has yet, in spec.name",
        changes={"name": "team-b-new"},
        says=refused_name("team-b-new"),
    ),
    Attack(
        reason="a name of another team that nobody has yet, in metadata.name",
        name="team-b-next",
        says=refused_name("team-b-next"),
    ),
    Attack(
        reason="another team's pipeline, to be adopted and deleted",
        changes={"name": "team-b-orders", "adoptionPolicy": "IfUnowned", "deletionPolicy": "Delete"},
        says=refused_name("team-b-orders"),
    ),
    Attack(
        reason="a pipeline without an owner whose name is not allowed, to be adopted",
        changes={"name": "unowned", "adoptionPolicy": "IfUnowned"},
        says=refused_name("unowned"),
    ),
    Attack(
        reason="a name that ends as ours begin",
        changes={"name": "a-team-a-orders"},
        says=refused_name("a-team-a-orders"),
    ),
    Attack(
        reason="an allowed name in odd case",
        changes={"name": "Team-A-orders"},
        refused="Pachyderm cannot run a spout named 'Team-A-orders'",
        ends="InvalidSpec",
        says="spec.name: 'Team-A-orders' is no name under which Pachyderm can run a spout",
    ),
    Attack(
        reason="an allowed name with a newline and another one",
        changes={"name": "team-a-x\nteam-b-orders"},
        refused="Pachyderm cannot run a spout of that name",
        ends="InvalidSpec",
        says=r"spec.name: 'team-a-x\nteam-b-orders' is no name",
    ),
    Attack(
        reason="a path from an allowed name to another one",
        changes={"name": "team-a-x/../team-b-orders"},
        refused="Pachyderm cannot run a spout named",
        ends="InvalidSpec",
        says="spec.name: 'team-a-x/../team-b-orders' is no name",
    ),
    Attack(
        reason="a name that is a number, where the CRD checks nothing",
        changes={"name": 5},
        refused=NO_TEXT,
        says=refused_name("5"),
    ),
    Attack(
        reason="labels, annotations and an owner that pretend to be another team's",
        changes={"name": "team-b-orders"},
        metadata={
            "labels": {"spout-operator.io/policy": "allowed"},
            "annotations": {
                "spout-operator.io/policy": "allowed",
                "spout-operator.io/spout": "team-b/team-b-orders",
                "spout-operator.io/cluster": "cluster",
            },
            "ownerReferences": [
                {
                    "apiVersion": "spout-operator.io/v1alpha1",
                    "kind": "Spout",
                    "name": "team-b-orders",
                    "uid": "00000000-0000-0000-0000-000000000000",
                }
            ],
            "finalizers": ["spout-operator.io/pipeline"],
        },
        says=refused_name("team-b-orders"),
    ),
]


SERVICES = [
    Attack(
        reason=f"a service {reason}",
        changes=service(**fields),
        says=f"spec.spout.service.type: the policy does not allow the service type {kind}",
    )
    for reason, kind, fields in (
        ("on every node", "NodePort", {"type": "NodePort", "externalPort": 30080}),
        ("that the Internet sees", "LoadBalancer", {"type": "LoadBalancer", "externalPort": 80}),
    )
]
EVERYTHING = Attack(
    reason="everything at once: the first of all is told, and the others",
    changes={**mount(POSTGRES), **pull(REGISTRY), **service(type="NodePort"), "podPatch": "[]", "name": "team-b-x"},
    says=f"{refused_name('team-b-x')} in the namespace",
)
ON_EACH_SERVER = [*SECRETS, *POD_PATCHES, *NAMES, *SERVICES, EVERYTHING]
