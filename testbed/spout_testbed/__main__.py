"""`python -m spout_testbed`: builds the servers, runs commands that use them, and starts them for manual use."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from spout_testbed import assets, build, namespaces, recipes, tools, versions
from spout_testbed.errors import TestbedError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        match options.action:
            case "build":
                build.build([*build.NAMES, f"pachyderm-{options.pachyderm}"] if options.pachyderm else options.only)
                return 0
            case "run":
                return _run(options.command, oldest=options.oldest, pachyderm=options.pachyderm)
            case "enter":
                return namespaces.enter(options.pid, options.command)
            case _:
                return _serve(options.pachyderm, kafka=options.kafka)
    except TestbedError as error:
        print(f"spout_testbed: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m spout_testbed", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    builder = actions.add_parser("build", help="build and fetch the servers, or the tools, once")
    which = builder.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", choices=(*build.NAMES, recipes.OLDEST, *build.TOOLS), default=build.NAMES)
    which.add_argument("--tools", dest="only", action="store_const", const=build.TOOLS, help="linters and validators")
    which.add_argument("--pachyderm", metavar="VERSION", help="the servers, and this Pachyderm, such as 2.8.10")
    runner = actions.add_parser("run", help="run a command in its own namespaces")
    runner.add_argument("--oldest", action="store_true", help="with the oldest Kubernetes that the project supports")
    runner.add_argument(
        "--pachyderm",
        metavar="VERSION",
        help="the only version for the tests that run against all: 1.13, 2.12 or 2.8.10",
    )
    runner.add_argument("command", nargs="+")
    entry = actions.add_parser("enter", help="run a command in a running test bed")
    entry.add_argument("pid", type=int, help="the process ID of `run` or `serve`")
    entry.add_argument("command", nargs="+")
    server = actions.add_parser("serve", help="start the servers and keep them until Ctrl-C")
    server.add_argument(
        "--pachyderm", nargs="+", default=["1.13"], metavar="VERSION", help="1.13 (the default), 2.12, both, or 2.8.10"
    )
    server.add_argument("--kafka", action="store_true", help="start a Kafka broker too")
    return parser


def _run(command: Sequence[str], *, oldest: bool = False, pachyderm: str | None = None) -> int:
    if pachyderm:
        versions.whole(pachyderm)
        os.environ[versions.VARIABLE] = pachyderm
    if oldest:
        recipe = recipes.oldest_recipe()
        if not recipe.is_built:
            raise TestbedError(f"{recipe.name} is not built yet. Build it with `make test-oldest`")
        os.environ[assets.VARIABLE] = str(recipe.folder())
    if not namespaces.is_inside():
        tools.require(tools.NEEDED_TO_RUN)
        tools.require_namespaces()
    return namespaces.run(command)


def _serve(pachyderm: Sequence[str], *, kafka: bool) -> int:
    if not namespaces.is_inside():
        options = ["--pachyderm", *pachyderm, *(["--kafka"] if kafka else [])]
        return _run([sys.executable, "-m", "spout_testbed", "serve", *options])
    from spout_testbed.bed import Testbed  # noqa: PLC0415 - `build` and `run` do not need the servers

    endings = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    with Testbed.start(pachyderm=tuple(pachyderm), kafka=kafka) as bed:
        enter = f"python -m spout_testbed enter {os.environ[namespaces.OUTER_PID]} --"
        print(f"kubectl:  {enter} kubectl get nodes")
        print(f"pachctl:  {enter} pachctl list pipeline")
        for other in map(bed.pachyderm, pachyderm[1:]):
            pachctl = f"env PACH_CONFIG={other.pachctl_config} {other.pachctl_program}"
            print(f"          {enter} {pachctl} list pipeline  # Pachyderm {other.version}")
        if kafka:
            print(f"kafka:    {bed.kafka_bootstrap}, from inside: {enter} PROGRAM")
        print(f"logs:     {enter} ls {bed.folder}")
        print("Ctrl-C ends everything.", flush=True)
        signal.sigwait(endings)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
