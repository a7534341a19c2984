"""The volumes of a Pod are folders that its containers share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spout_testbed.kubelet.environment import ConfigError
from spout_testbed.kubelet.volumes import Volumes

Json = dict[str, Any]


def read(kind: str, name: str) -> Mapping[str, bytes]:
    objects = {("secret", "kafka"): {"ca": b"certificate", "key": b"private"}, ("configmap", "topic"): {"name": b"a"}}
    if (kind, name) not in objects:
        raise ConfigError(f'{kind} "{name}" not found')
    return objects[kind, name]


def volumes(folder: Path, account: Mapping[str, bytes] | None = None, **named: Json) -> Volumes:
    created = Volumes({"volumes": [{"name": name, **volume} for name, volume in named.items()]}, folder)
    created.create(read, account or {})
    return created


def container(**mounts: str) -> Json:
    return {"volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()]}


def files(folder: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("volume", "expected", "reason"),
    [
        ({"emptyDir": {}}, {}, "an empty folder"),
        ({"secret": {"secretName": "kafka"}}, {"ca": "certificate", "key": "private"}, "a Secret"),
        ({"configMap": {"name": "topic"}}, {"name": "a"}, "a ConfigMap"),
        (
            {"secret": {"secretName": "kafka", "items": [{"key": "ca", "path": "tls/ca.crt"}]}},
            {"tls/ca.crt": "certificate"},
            "one key of a Secret, under another name",
        ),
        ({"secret": {"secretName": "none", "optional": True}}, {}, "a Secret that may be missing"),
    ],
)
def test_a_volume_has_its_content(tmp_path: Path, volume: Json, expected: dict[str, str], reason: str) -> None:
    mounts = volumes(tmp_path, data=volume).mounts(container(data="/data"))
    assert list(mounts) == ["/data"]
    assert files(mounts["/data"]) == expected, reason


def test_two_containers_see_the_same_folder_at_their_own_paths(tmp_path: Path) -> None:
    created = volumes(tmp_path, shared={"emptyDir": {}})
    first, second = created.mounts(container(shared="/pfs")), created.mounts(container(shared="/in"))
    Path(first["/pfs"], "file").write_text("content")
    assert files(second["/in"]) == {"file": "content"}


def test_a_container_may_see_only_a_part_of_a_volume(tmp_path: Path) -> None:
    created = volumes(tmp_path, tls={"secret": {"secretName": "kafka"}}, shared={"emptyDir": {}})
    mount = {"name": "shared", "mountPath": "/part", "subPath": "a/b"}
    assert Path(created.mounts({"volumeMounts": [mount]})["/part"]).parts[-2:] == ("a", "b")


def test_a_folder_of_the_machine_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "of-the-machine"
    created = volumes(tmp_path / "pod", disk={"hostPath": {"path": str(path)}})
    assert created.mounts(container(disk="/pach")) == {"/pach": str(path)}
    assert path.is_dir()


def test_every_container_sees_the_files_of_the_service_account(tmp_path: Path) -> None:
    mounts = volumes(tmp_path, {"token": b"t"}).mounts({})
    assert files(mounts["/var/run/secrets/kubernetes.io/serviceaccount"]) == {"token": "t"}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "kafka", "items": [{"key": "no", "path": "p"}]}}, "key no in secret kafka"),
        ({"persistentVolumeClaim": {"claimName": "c"}}, "persistentVolumeClaim"),
    ],
)
def test_a_volume_that_cannot_be_created_is_an_error_that_names_it(tmp_path: Path, volume: Json, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        volumes(tmp_path, data=volume)
    assert message in str(raised.value)


def test_a_volume_that_was_missing_is_created_later_and_the_others_are_kept(tmp_path: Path) -> None:
    secrets: dict[str, Mapping[str, bytes]] = {}

    def read_late(_kind: str, name: str) -> Mapping[str, bytes]:
        if name not in secrets:
            raise ConfigError(f'secret "{name}" not found')
        return secrets[name]

    spec = {"volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "tls", "secret": {"secretName": "late"}}]}
    created = Volumes(spec, tmp_path)
    with pytest.raises(ConfigError, match="late"):
        created.create(read_late, {})
    secrets["late"] = {"ca": b"certificate"}
    created.create(read_late, {})
    mounts = created.mounts(container(scratch="/scratch", tls="/tls"))
    assert files(mounts["/tls"]) == {"ca": "certificate"}
