"""The shape of the tree, enforced: who may include whom, who may write what, that everything is built and that docs name what exists."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [name for name in subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
           if (ROOT / name).is_file()]
CODE = [name for name in TRACKED if name.endswith((".cpp", ".hpp"))]
PRODUCT = [name for name in CODE if name.startswith(("src/", "apps/")) and not name.endswith(("_test.cpp", "_test.hpp"))]

# apps -> adapters, gateway, cli, systems -> check -> ports -> messages, meta_file -> base
LAYERS = {"apps": 5, "adapters": 4, "gateway": 4, "cli": 4, "systems": 4, "check": 3, "ports": 2, "messages": 1, "meta_file": 1, "base": 0}
# Each library and the folders that may know it.
LIBRARIES = {
    r"librdkafka/": ["src/adapters/kafka"],
    r"(mongoc|bson)[/.]": ["src/adapters/repository"],
    r"boost/(beast|asio)": ["src/adapters/http", "src/adapters/docker"],
    r"yaml-cpp/": ["src/meta_file", "src/base"],
    r"valijson/": ["src/meta_file"],
    r"archive(_entry)?\.h": ["src/adapters/archive"],
    r"CLI/": ["src/cli"],
    r"openssl/": ["src/base", "src/adapters/http", "src/adapters/docker"],
}
HEAVY = r"nlohmann/json\.hpp|spdlog/|CLI/|boost/"

# CONTRACTS: one writer for each collection; by the name of its store in src/ports/repository.hpp.
WRITERS = {
    "lanes": "deployment_manager", "deployments": "deployment_manager", "releases": "deployment_manager", "instances": "deployment_manager", "failures": "deployment_manager", "attempts": "deployment_manager",
    "services": "life_cycle_manager", "service_history": "life_cycle_manager", "sensors": "sensor_manager", "bindings": "sensor_manager", "machines": "node_manager",
    "secrets": "gateway", "placements": "scheduler", "samples": "monitoring_service",
    "topics": "slipway",  # the server itself, when it starts
}
READS = {"find", "all", "where", "latest", "open", "unpublished", "plain", "columns", "containers", "load"}


def read(name: str) -> str:
    return (ROOT / name).read_text(errors="replace")


def layer(name: str) -> str:
    parts = name.removeprefix("src/").split("/")
    return parts[0]


def own_includes(name: str) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(name), re.M)


def system_includes(name: str) -> list[str]:
    return re.findall(r"^\s*#\s*include\s+<([^>]+)>", read(name), re.M)


def test_includes_run_one_way():
    wrong = []
    for name in PRODUCT:
        mine = layer(name)
        for included in own_includes(name):
            target = included.split("/")[0]
            if target not in LAYERS:
                continue  # a neighbour's header by its bare name is caught below
            same_folder = target == mine and (mine != "systems" or included.split("/")[1] == name.split("/")[2])
            if not same_folder and LAYERS[target] >= LAYERS[mine]:
                wrong.append(f"{name} includes {included}")
    assert wrong == []


def test_systems_never_include_each_other_or_an_adapter():
    wrong = []
    for name in (n for n in CODE if n.startswith("src/systems/")):
        mine = name.split("/")[2]
        for included in own_includes(name):
            parts = included.split("/")
            if parts[0] in ("adapters", "gateway", "cli", "apps") or (parts[0] == "systems" and parts[1] != mine):
                wrong.append(f"{name} includes {included}")
    assert wrong == []


def test_includes_are_written_from_the_root_of_src():
    wrong = [f"{name} includes {included}" for name in PRODUCT if name.startswith("src/") for included in own_includes(name) if not (ROOT / "src" / included).exists()
             and not included.startswith("generated/")]
    assert wrong == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_known_only_in_its_folder(library):
    wrong = [f"{name} includes {included}" for name in PRODUCT for included in system_includes(name)
             if re.match(library, included) and not any(name.startswith(folder + "/") for folder in LIBRARIES[library])]
    assert wrong == []


def test_heavy_headers_do_not_leave_their_folder():
    """A header that needs one is for the source files of its own folder: whoever includes a folder from outside does not pay for what it is made with."""
    heavy = {name: False for name in PRODUCT if name.endswith(".hpp") and any(re.match(HEAVY, included) for included in system_includes(name))}
    grew = True
    while grew:
        grew = False
        for name in PRODUCT:
            if name.endswith(".hpp") and name not in heavy and any(f"src/{included}" in heavy for included in own_includes(name)):
                heavy[name] = grew = True  # by way of another header
    wrong = [f"{name} includes {included}" for name in PRODUCT for included in own_includes(name)
             if f"src/{included}" in heavy and Path(name).parent != Path(f"src/{included}").parent and (name.endswith(".hpp") or heavy[f"src/{included}"])]
    assert wrong == []


def test_one_writer_per_collection():
    """Who does not own a collection may only call a reading method on its store, at once: a kept reference would hide what is done with it."""
    wrong = []
    for name in (n for n in PRODUCT if n.startswith(("src/systems/", "src/gateway/", "src/cli/", "src/check/", "apps/"))):
        who = name.split("/")[2] if name.startswith("src/systems/") else name.split("/")[1]
        text = re.sub(r"//[^\n]*", "", read(name))
        for store, owner in WRITERS.items():
            for found in re.finditer(rf"(?:repository_?|repo_?|stores_?|store_?)\s*(?:\.|->)\s*{store}\(\)\s*(?:(?:\.|->)\s*(\w+))?", text):
                if who != owner and found[1] not in READS:
                    line = text[:found.start()].count("\n") + 1
                    wrong.append(f"{name}:{line}: {who} uses {store}() of {owner} for {found[1] or 'a kept reference'}")
    assert wrong == []


def test_every_collection_of_the_repository_has_its_writer_named_here():
    stores = set(re.findall(r"&\s+(\w+)\([^)]*\)\s*=\s*0", read("src/ports/repository.hpp")))
    shared = {"answers", "leases", "sources"}  # answers and leases: each role its own documents; sources: anybody may add
    assert stores - shared == set(WRITERS)


def test_every_source_is_built():
    texts = {path.parent: path.read_text() for path in ROOT.rglob("CMakeLists.txt") if not {"build", ".slipway-dev"} & set(path.relative_to(ROOT).parts)}
    missing = []
    for name in (n for n in CODE if n.endswith(".cpp")):
        path = ROOT / name
        folders = [folder for folder in path.parents if folder in texts]
        whole = f"${{CMAKE_SOURCE_DIR}}/{name}"
        if not any(whole in texts[folder] or re.search(rf"(?<![\w/]){re.escape(str(path.relative_to(folder)))}(?!\w)", texts[folder]) for folder in folders):
            missing.append(name)
    assert missing == []


DOCS = [name for name in TRACKED if name.endswith(".md") and name.startswith(("README", "docs/", "examples/", "contracts/"))]
TOP = {name.split("/")[0] for name in TRACKED if "/" in name}


@pytest.mark.parametrize("document", DOCS)
def test_paths_named_in_docs_exist(document):
    text = read(document)
    words = {word.rstrip(".,:;") for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()}
    missing = [word for word in words if "/" in word and word.split("/")[0] in TOP and not re.search(r"[<>{}$|*]", word) and not (ROOT / word).exists()]
    links = {link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in link}
    missing += [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]
    assert missing == []


# In pieces, so that this file does not name them either.
HOSTS = ["pypi." + "org", "pythonhosted." + "org", "registry.npmjs." + "org", "repo1.maven." + "org", "repo.maven.apache." + "org", "proxy.golang." + "org",
         "deb.debian." + "org", "crates." + "io", "ghcr." + "io", "quay." + "io", "registry-1.docker." + "io"]
MACHINE_PATHS = ["/root/" + "w/", "/work/" + "main", "/work/" + "shared"]


def test_no_registry_and_no_path_of_one_machine_is_named():
    wrong = []
    for name in TRACKED:
        if name.startswith("tests/recorded/"):
            continue
        text = read(name)
        wrong += [f"{name} names {word}" for word in HOSTS + MACHINE_PATHS if word in text]
    assert wrong == []
