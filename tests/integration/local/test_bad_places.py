"""Folders that cannot be used, and a full disk: what run-local says, and that no commit is half there."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.local.test_run_local import events, manifest, resumed, run

RUN_LOCAL = [sys.executable, "-m", "spout_operator", "run-local"]
#: Root may write anywhere; without these two rights it is an owner as any other.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []

#: Counts from the marker, and commits 64 KiB with the marker in each archive.
FILL = """
pfs=${SPOUT_PFS:-/pfs}; cd "$WORK"; n=$(cat $pfs/offset 2>/dev/null || echo 0)
while true; do
  n=$((n+1)); head -c 65536 /dev/zero > data-$n; echo $n > offset
  tar -cf $pfs/out data-$n offset || exit 1; rm data-$n
done
"""
#: A disk of 1 MiB that becomes full, and then one of 8 MiB with the same content.
FULL_DISK = """
mount -t tmpfs -o size=1m none disk
"$@" --out disk/out --json > full 2> full-error; echo $? >> codes
ls disk/out/commits | wc -l >> codes; cat disk/out/marker/offset >> codes; ls -a disk/out > left
mount -o remount,size=8m disk
"$@" --out disk/out --json --commits 3 > more; echo $? >> codes
tail -n 3 disk/out/commits.jsonl > lines; ls -s disk/out/commits/*/files/* > sizes
for n in disk/out/commits/*/; do basename $n | sed 's/^0*//' | cmp -s - $n/marker/offset || echo $n >> torn; done
"""


def test_a_full_disk_is_told_and_every_commit_is_whole_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "work").mkdir()
    spout = manifest(tmp_path, FILL, transform__env={"WORK": str(tmp_path / "work")})

    subprocess.run(  # noqa: S603 - a script of this file
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh", *RUN_LOCAL, str(spout)],  # noqa: S607
        cwd=tmp_path,
        check=True,
        timeout=120,
    )

    full, commits, marker, more = (int(line) for line in (tmp_path / "codes").read_text().split())
    said = (tmp_path / "full-error").read_text()
    assert (full, "No space left on device; free some space" in said) == (7, True), said
    assert commits == marker > 5, "the newest commit has its marker"
    assert ".staging" not in (tmp_path / "left").read_text().split(), "nothing of the archive that did not fit is left"
    assert more == 0, (tmp_path / "more").read_text()
    lines = [json.loads(line)["commit"] for line in (tmp_path / "lines").read_text().splitlines()]
    assert lines == [f"{commits + number:04d}" for number in (1, 2, 3)]
    assert not (tmp_path / "torn").exists(), (tmp_path / "torn").read_text()
    assert {line.split()[0] for line in (tmp_path / "sizes").read_text().splitlines()} == {"64"}


def test_a_folder_without_rights_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    result = subprocess.run(  # noqa: S603 - the program under test
        [*AS_ANYBODY, *RUN_LOCAL, str(manifest(tmp_path)), "--out", "locked/out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 7
    assert result.stderr == (
        "Error: locked/out: cannot write locked/out: Permission denied; mend that, or choose another folder\n"
    )


def test_a_pipe_that_the_command_replaces_by_a_file_is_told_and_the_file_stays(tmp_path: Path) -> None:
    spout = manifest(tmp_path, 'pfs=${SPOUT_PFS:-/pfs}; rm "$pfs/out"; echo mine > "$pfs/out"; sleep 60')
    for says in ("write to the pipe, and do not replace it", "in the place of the named pipe; remove it"):
        result = run(tmp_path, spout)
        assert (result.returncode, says in result.stderr) == (7, True), result
        assert "out: found -rw" in result.stderr
        assert (tmp_path / "spout-data/my-spout/pfs/out").read_text() == "mine\n"


def test_of_two_on_one_folder_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    spout = manifest(tmp_path, "echo $$; exec sleep 60")
    with subprocess.Popen([*RUN_LOCAL, str(spout)], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as first:  # noqa: S603 - the program under test
        try:
            assert first.stdout is not None
            assert "running sh" in first.stdout.readline()
            command = int(first.stdout.readline().rpartition(" ")[2])
            second = run(tmp_path, spout)
            fresh = run(tmp_path, spout, "--fresh")
            running = first.poll() is None
        finally:
            first.terminate()
            said = first.communicate(timeout=60)[0]
    for result in (second, fresh):
        assert result.returncode == 7
        assert f"the process {first.pid} uses this folder; end it, or choose another folder" in result.stderr
    assert running, "the first goes on"
    assert (first.returncode, "ended: interrupted" in said) == (130, True), "SIGTERM is as Ctrl-C"
    assert not Path("/proc", str(command)).exists(), "the command of the Spout ended, too"


def test_where_the_kernel_refuses_a_mount_namespace_the_pipe_is_named(tmp_path: Path) -> None:
    """As on macOS: the command finds its folder by SPOUT_PFS. The kernel refuses here because it may make none."""
    (tmp_path / "work").mkdir()
    spout = manifest(tmp_path)
    refuse = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "$@"'
    result = subprocess.run(  # noqa: S603 - the program under test
        [
            *("unshare", "--user", "--map-root-user", "sh", "-c", refuse, "sh"),
            *(*RUN_LOCAL, str(spout), "--commits", "4", "--crash-after", "2", "--json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result
    [note] = events(result, "note")
    folder = tmp_path / "spout-data/my-spout/pfs"
    assert note["message"].endswith(f": the pipe is {folder / 'out'}, and SPOUT_PFS names its folder")
    assert note["message"].startswith("no mount namespace (")
    assert resumed(result) >= 2
    assert [line["value"] for line in events(result, "marker")] == ["1", "2", "3", "4"]
