"""The commands of ./dev."""
import argparse
import os
import sys

from . import bench, build, engine, images, test, up
from .base import Failed, Steps
from .stack import STEPS, VARIABLES, Stack

HELP = """Slipway's one script. Run it from anywhere; everything it makes but Debian packages lives in .slipway-dev/.

  ./dev up [--yes]        from a fresh clone to a running example: installs, builds, starts Kafka, the Repository's server, a Docker Engine if
                          none runs, `slipway serve`, and deploys examples/boiler-monitor. Lists what it will do and asks once. Again: seconds.
  ./dev slipway ARG...    the built CLI against what ./dev up started, for instance: ./dev slipway status
  ./dev env               prints KAFKA_BROKERS MONGODB_URI DOCKER_HOST SLIPWAY_URL; in a shell: eval "$(./dev env)"
  ./dev down [--purge]    stops what ./dev up started and nothing else; --purge also removes its data, containers and bridge

  ./dev images RUNTIME... makes the base images of node, cpp or binary (a minute or two each); ./dev up makes python's

  ./dev check [--all]     before a push: format, warnings, clang-tidy on what differs from origin/main (with --all: on everything, minutes), unit tests
                           (with --all: under ThreadSanitizer too)
  ./dev test [PATH...]    every test on a stack of its own beside a running ./dev up; with paths, only those of pytest (tests/journeys/...)
  ./dev bench [NAME]      benchmarks, each closing with one line of JSON

  ./dev stack up|down|env [--name NAME]            the components alone: Kafka, Repository server, Engine, bridge, base images
  ./dev stack engine add|rm|ls|kill|restart|cut|mend|freeze|thaw [MACHINE]   further Docker Engines in network namespaces

Your own components are used instead where these are set: KAFKA_BROKERS, MONGODB_URI, DOCKER_HOST.
"""


def stack_up(options) -> int:
    with Stack(options.name) as stack:
        if options.fresh:
            stack.purge()
        groups = set() if options.no_packages else {"stack"}
        env = stack.up(Steps(STEPS), groups, not options.no_python_base)
    show(env)
    return 0


def show(env: dict[str, str]) -> None:
    print("".join(f"export {key}='{value}'\n" for key, value in env.items()), end="")


def stack_down(options) -> int:
    with Stack(options.name) as stack:
        done = stack.purge() if options.purge else stack.down() + [stack.stop_local_engine()]
    for line in done:
        if line:
            print(line)
    return 0


def stack_env(options) -> int:
    env = Stack(options.name).load().env()
    if not env:
        raise Failed(f"the stack {options.name} was never started", f"./dev stack up --name {options.name}", 3)
    show(env)
    return 0


def print_env(_) -> int:
    env = Stack("dev").load().env()
    if not env:
        raise Failed("nothing was started yet", "./dev up", 3)
    show({key: env[key] for key in VARIABLES if key in env})
    return 0


def slipway(arguments: list[str]) -> int:
    program = str(build.binary("slipway", "dev"))
    os.execve(program, [program, *arguments], {**os.environ, **Stack("dev").load().env()})


def make_images(options) -> int:
    api = Stack("dev").load().api
    if not api.answers():
        raise Failed("no Docker Engine answers", "./dev up starts one", 5)
    made = images.ensure_runtimes(api, options.runtimes)
    print("made " + ", ".join(made) if made else "all there")
    return 0


def stack_engine(options) -> int:
    with Stack(options.name) as stack:
        if options.action == "add":
            print(engine.create(stack, options.engine).endpoint)
            return 0
        if options.action == "ls":
            for one in engine.list_all(stack):
                print(one.name, one.endpoint, "up" if one.api.answers() else "down")
            return 0
        found = engine.load(stack, options.engine)
        if found is None:
            raise Failed(f"no Engine {options.engine} in the stack {options.name}", f"./dev stack engine ls --name {options.name}", 3)
        {"rm": found.remove, "kill": found.kill, "restart": found.restart, "cut": found.cut, "mend": found.mend,
         "freeze": found.freeze, "thaw": found.thaw}[options.action]()
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./dev", usage="./dev help")
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("up")
    one.add_argument("--yes", "-y", action="store_true", help="do not ask")
    one.add_argument("--no-packages", action="store_true", help="install no Debian packages")
    one.set_defaults(action_of=lambda o: up.up(o.yes, not o.no_packages))
    one = commands.add_parser("down")
    one.add_argument("--purge", action="store_true", help="also remove data, containers, bridge")
    one.set_defaults(action_of=lambda o: up.down(o.purge))
    commands.add_parser("env").set_defaults(action_of=print_env)
    one = commands.add_parser("images", help="base images of further runtimes")
    one.add_argument("runtimes", nargs="+", choices=sorted(images.RUNTIMES))
    one.set_defaults(action_of=make_images)
    one = commands.add_parser("check")
    one.add_argument("--all", action="store_true", help="clang-tidy on every source, not only on what differs from origin/main; unit tests under ThreadSanitizer too")
    one.set_defaults(action_of=lambda o: test.check(o.all))
    one = commands.add_parser("test")
    one.add_argument("paths", nargs="*")
    one.add_argument("--keep", action="store_true", help="leave the stack named test running")
    one.add_argument("--yes", "-y", action="store_true", help="as CI: install what is missing without asking")
    one.set_defaults(action_of=lambda o: test.test(o.paths, o.keep))
    one = commands.add_parser("bench")
    one.add_argument("bench", nargs="?")
    one.set_defaults(action_of=lambda o: bench.bench(o.bench))
    stack = commands.add_parser("stack", help="Kafka, Repository server, Engines alone").add_subparsers(dest="verb", required=True)

    def verb(name, action):
        one = stack.add_parser(name)
        one.add_argument("--name", default="dev")
        one.set_defaults(action_of=action)
        return one

    components = verb("up", stack_up)
    components.add_argument("--fresh", action="store_true", help="remove what an earlier run of this stack left, data included")
    components.add_argument("--no-packages", action="store_true")
    components.add_argument("--no-python-base", action="store_true")
    verb("down", stack_down).add_argument("--purge", action="store_true")
    verb("env", stack_env)
    engines = verb("engine", stack_engine)
    engines.add_argument("action", choices=["add", "rm", "ls", "kill", "restart", "cut", "mend", "freeze", "thaw"])
    engines.add_argument("engine", nargs="?", default="")
    return top


def main() -> int:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    try:
        if arguments[0] == "slipway":
            return slipway(arguments[1:])
        options = parser().parse_args(arguments)
        return options.action_of(options)
    except Failed as failure:
        print(f"\n./dev: {failure}", file=sys.stderr)
        if failure.hint:
            print(f"  what to do: {failure.hint}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
