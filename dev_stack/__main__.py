"""The commands of ./dev."""
import argparse
import sys

from . import engine
from .base import Failed, Steps
from .stack import STEPS, Stack


def stack_up(options) -> int:
    with Stack(options.name) as stack:
        if options.fresh:
            stack.purge()
        groups = set() if options.no_packages else {"stack"}
        env = stack.up(Steps(STEPS), groups, not options.no_python_base)
    print("".join(f"export {key}='{value}'\n" for key, value in env.items()), end="")
    return 0


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
    print("".join(f"export {key}='{value}'\n" for key, value in env.items()), end="")
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
    top = argparse.ArgumentParser(prog="./dev")
    commands = top.add_subparsers(dest="command", required=True)
    stack = commands.add_parser("stack", help="Kafka, Repository server, Engines alone").add_subparsers(dest="verb", required=True)

    def verb(name, action):
        one = stack.add_parser(name)
        one.add_argument("--name", default="dev")
        one.set_defaults(action_of=action)
        return one

    up = verb("up", stack_up)
    up.add_argument("--fresh", action="store_true", help="remove what an earlier run of this stack left, data included")
    up.add_argument("--no-packages", action="store_true")
    up.add_argument("--no-python-base", action="store_true")
    verb("down", stack_down).add_argument("--purge", action="store_true")
    verb("env", stack_env)
    engines = verb("engine", stack_engine)
    engines.add_argument("action", choices=["add", "rm", "ls", "kill", "restart", "cut", "mend", "freeze", "thaw"])
    engines.add_argument("engine", nargs="?", default="")
    return top


def main() -> int:
    options = parser().parse_args()
    try:
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
