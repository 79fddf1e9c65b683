"""The rows of FAULTS.md for meta files, archives and requests on Kafka: what comes in, and how it must be refused. Written with ordinary means only.
NAME in a text is the row's own service, RUN one that all rows share. docs/decisions/0007 lists the rows where the contract wants something else than the table there."""
import gzip
import io
import json
import struct
from dataclasses import dataclass, field

HEAD = "name: NAME\nruntime: python@3.11\ncommand: python main.py\n"
MAIN = {"main.py": "print()\n"}


@dataclass(frozen=True)
class Source:
    """A service's source that must be refused, with a place and a hint. `says` is in message or hint. Rows with `files` are also a folder for the CLI."""
    id: str
    code: str
    where: str
    files: dict = field(default_factory=dict)
    tar: object = None  # bytes, or a function that makes them
    says: str = ""

    def archive(self, name: str) -> bytes:
        if self.tar is not None:
            return self.tar() if callable(self.tar) else self.tar
        return tar(*(entry(path, with_name(data, name)) for path, data in self.files.items()))


def with_name(data: str | bytes, name: str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return data.replace(b"NAME", name.encode())


# --- meta files ---

def meta(row: str, text: str | bytes, code: str, line: int | str, says: str = "", file: str = "service.yaml") -> Source:
    return Source(row, code, line if isinstance(line, str) else rf"{file}:{line}:\d+$", {file: text, **MAIN}, says=says)


def below(row: str, lines: str, code: str, line: int = 1, says: str = "") -> Source:
    """Lines after a good beginning; `line` counts from there."""
    return meta(row, HEAD + lines + "\n", code, line + 3, says)


def laughs() -> str:
    text = "a: &a [lol,lol,lol]\n"
    for before, letter in zip("abcdefgh", "bcdefghi"):
        text += f"{letter}: &{letter} [" + ",".join([f"*{before}"] * 9) + "]\n"
    return text


META = [
    meta("M01 empty", "", "meta.empty", 1), meta("M01 comments", "# nothing\n", "meta.empty", 1), meta("M01 dashes", "---\n", "meta.empty", 1),
    meta("M02 not UTF-8", b"name: x\nowner: \xff\xfe\xc0\xaf\n", "meta.encoding", 2, "byte"),
    meta("M04 UTF-16", "name: x\n".encode("utf-16-le"), "meta.encoding", 1, "UTF-16"),
    meta("M05 NUL", b"name: x\nowner: a\x00b\n", "meta.control_char", 2),
    below("M05 escaped NUL", 'owner: "a\\0b"', "meta.control_char"),
    meta("M07 open bracket", "name: x\nports: [1, 2\nowner: y\n", "meta.syntax", r"service.yaml:\d+:\d+$", "opened on line 2"),
    meta("M07 open quote", "name: x\nowner: \"y\nuser: z\n", "meta.syntax", 2, "opened on line 2"),
    meta("M08 two documents", "name: x\n---\nname: y\n", "meta.multiple_documents", 2),
    below("M10 unknown key", "prots: [8080]", "meta.unknown_key", says="did you mean 'ports'?"),
    below("M10 unknown inner key", "resources:\n  memroy: 1Gi", "meta.unknown_key", 2, "memory"),
    meta("M11 nothing but a comment's worth", "# c\ndescription: x\n", "meta.missing_field", 2, "name"),
    meta("M13 billion laughs", laughs(), "meta.yaml_alias_not_allowed", 1),
    meta("M14 self alias", "a: &a [*a]\n", "meta.yaml_alias_not_allowed", 1),
    below("M16 python tag", "owner: !!python/object/apply:os.system [id]", "meta.yaml_tag_not_allowed"),
    below("M16 binary tag", "owner: !!binary aGk=", "meta.yaml_tag_not_allowed"), below("M16 include tag", "owner: !include /etc/passwd", "meta.yaml_tag_not_allowed"),
    meta("M17 ten thousand brackets", "[" * 10_000, "meta.too_deep", 1), meta("M17 sixty thousand in JSON", "[" * 60_000, "meta.too_deep", 1, file="service.json"),
    meta("M19 a megabyte", "name: " + "x" * (1 << 20), "meta.too_long", "service.yaml"),
    *[meta(f"M20 name {name!r}", HEAD.replace("NAME", json.dumps(name)), "meta.name", 1, "at most 40 characters")
      for name in ("../../etc", "a/b", ".hidden", "-rm", "a b", "ünï", "UPPER", "a..b", "trailing-", "")],
    meta("M20 name of 64", HEAD.replace("NAME", "x" * 64), "meta.too_long", 1),
    meta("M22 reserved name", HEAD.replace("NAME", "slipway-x"), "meta.name_reserved", 1),
    *[meta(f"M23 name {name}", HEAD.replace("NAME", name), "meta.type", 1, "quotes") for name in ("no", "1e3", "0x10")], meta("M23 name ~", HEAD.replace("NAME", "~"), "meta.type", 1),
    below("M25 port 22", "ports: [22]", "meta.port_forbidden"), below("M25 port 2375", 'ports: ["2375:80"]', "meta.port_forbidden"),
    below("M25 port 2376 in a range", 'ports: ["2370-2380:2370-2380"]', "meta.port_forbidden"), below("M26 port twice", 'ports: [8080, "8080:9090"]', "meta.port_conflict"),
    *[below(f"M28 cpus {cpus}", f"resources: {{cpus: {cpus}}}", "meta.range") for cpus in ("0", "-1", ".nan", ".inf", "1e9")],
    below("M29 env list", "env:\n  - A=B", "meta.type", 2), below("M29 env nested", "env: {A: {B: c}}", "meta.type"), below("M29 env null", "env: {A: }", "meta.type"),
    below("M31 env escape", 'env: {A: "\\e[1m"}', "meta.control_char"), below("M31 env NUL", 'env: {A: "\\0"}', "meta.control_char"),
    below("M31 env of 33 KB", "env: {A: " + "x" * 33_000 + "}", "meta.too_long"), below("M34 open quote in a command", "entrypoint: sh -c 'id", "meta.type"),
    below("M35 no words", "entrypoint: []", "meta.range"), below("M35 empty word", 'entrypoint: [""]', "meta.range"),
    *[below(f"M37 {folder}", f"working_dir: {folder}", "meta.working_dir") for folder in ("/proc/self/fd/8", "/", "/proc", "/sys", "/dev", "relative")],
    *[meta(f"M38 {runtime}", HEAD.replace("python@3.11", json.dumps(runtime)), "meta.runtime_unknown", 2, "python@3.11")
      for runtime in ("python3; id", "python@99", "ubuntu:latest", "FROM x")],
    below("M40 privileged", "privileged: true", "meta.unknown_key"), below("M40 cap_add", "cap_add: [SYS_ADMIN]", "meta.unknown_key"),
    below("M40 pid host", "pid: host", "meta.unknown_key"), below("M40 the machine's root", 'volumes: ["/:/host"]', "meta.not_yet", says="machine.allow"),
    below("M40 the Engine's socket", 'volumes: ["/var/run/docker.sock:/x"]', "meta.not_yet", says="machine.allow"),
    below("M40 devices", "devices: [/dev/i2c-1]", "meta.not_yet", says="machine.allow"), below("M40 network host", "network: host", "meta.not_yet", says="machine.allow"),
    *[below(f"M41 user {user}", f"user: {user}", "machine.not_allowed", says="machine.allow") for user in ("root", "0", '"0:0"')],
    *[below(f"M41 user {user}", f"user: {user}", "meta.user") for user in ('"65532:0"', "nobody; id", "4294967296")],
    *[below(f"M43 interval {interval}", f"healthcheck: {{tcp: 80, interval: {interval}}}", "meta.range") for interval in ("0", "-1s", "1ns", "100h", "abc")],
    below("M43 retries", "healthcheck: {tcp: 80, retries: 1000000000}", "meta.range"),
    below("M44 sensor without a name", 'sensors: [{name: "", type: a}]', "meta.sensor", says="sensors[0]"), below("M44 sensor ../x", "sensors: [{name: ../x, type: a}]", "meta.sensor"),
    below("M44 sensor of 250 characters", "sensors: [{name: " + "x" * 250 + ", type: a}]", "meta.too_long"),
    below("M44 sensor twice", "sensors:\n  - {name: a, type: b}\n  - {name: a, type: c}", "meta.sensor", 3, "sensors[1]"),
    below("M44 a thousand sensors", "sensors:\n" + "".join(f"  - {{name: s{i}, type: b}}\n" for i in range(1000)), "meta.sensor", 2),
    below("M46 empty version", 'version: ""', "meta.version"), below("M46 version with a newline", 'version: "1.0\\n2"', "meta.version"),
    below("M46 version of 300", "version: " + "1" * 300, "meta.too_long"), below("M47 restart forever", "restart: forever", "meta.enum", says="never"),
    meta("M49 lines that end in CR", (HEAD + "prots: [80]\n").replace("\n", "\r"), "meta.unknown_key", 4),
    meta("M49 mixed line ends", "name: NAME\r\nruntime: python@3.11\rcommand: python main.py\nprots: [80]\n", "meta.unknown_key", 4),
    *[meta(f"M50 {what}", text, "meta.syntax", 1, file="service.json") for what, text in
      (("comment", '{"name": "x"} // c'), ("trailing comma", '{"name": "x",}'), ("NaN", '{"a": NaN}'), ("single quotes", "{'a': 'b'}"), ("1e400", '{"a": 1e400}'),
       ("garbage after", "{} {}"), ("empty", ""))],
    Source("M52 both", "meta.ambiguous", "", {"service.yaml": HEAD, "service.json": "{}", **MAIN}),
    Source("M52 none", "meta.not_found", "", MAIN, says="service.json"),
    Source("M52 another letter case", "meta.not_found", "", {"Service.yaml": HEAD, **MAIN}, says="rename 'Service.yaml'"),
]

# --- archives ---

GOOD = HEAD.encode()
END = bytes(1024)


def entry(path: str | bytes, data: bytes = b"", kind: bytes = b"0", target: str | bytes = b"", size: bytes = b"", mode: int = 0o644) -> bytes:
    """One entry of a ustar archive as nobody's library would write it. `size`: the field as it is."""
    path = path if isinstance(path, bytes) else path.encode()
    target = target if isinstance(target, bytes) else target.encode()
    block = bytearray(512)
    for at, value in ((0, path[:100]), (100, b"%07o" % mode), (108, b"0000000"), (116, b"0000000"), (124, size or b"%011o" % len(data)), (136, b"00000000001"),
                      (148, b" " * 8), (156, kind), (157, target[:100]), (257, b"ustar\x0000")):
        block[at:at + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data + bytes(-len(data) % 512)


def tar(*entries: bytes) -> bytes:
    return b"".join(entries) + END


def pax(*records: tuple[str, str]) -> bytes:
    lines = b""
    for key, value in records:
        rest = f" {key}={value}\n".encode()
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        lines += str(length).encode() + rest
    return entry("pax", lines, b"x")


def holding(*entries: bytes) -> bytes:
    """With a good service.yaml."""
    return tar(entry("service.yaml", GOOD), entry("main.py", b"print()"), *entries)


def huge(size: int) -> bytes:
    """The header alone, of a file of that size."""
    return entry("huge", size=b"%011o" % size)


def gzip_bomb() -> bytes:
    """Two files of 100 MiB: a legal one, then one too many; 200 KB on the wire."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        packed.write(entry("service.yaml", GOOD))
        for _ in range(2):
            packed.write(huge(100 << 20))
            for _ in range(100):
                packed.write(bytes(1 << 20))
        packed.write(END)
    return out.getvalue()


def zstd_bomb() -> bytes:
    """The same, and then 16 GiB of zeros: blocks that say "this byte, 128 KiB times", 4 bytes each."""
    begin = entry("service.yaml", GOOD) + huge(120 << 20)
    raw = struct.pack("<I", len(begin) << 3)[:3] + begin
    zeros = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"\0"
    last = struct.pack("<I", 1 << 3 | 1 << 1 | 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([10 << 3]) + raw + zeros * (16 << 13) + last


def many(count: int) -> bytes:
    """1,000,000 entries are 512 MB, but gzip members may follow each other: one that is written once comes again and again."""
    ten_thousand = gzip.compress(b"".join(entry(f"again{i}") for i in range(10_000)), 1)
    first = entry("service.yaml", GOOD) + b"".join(entry(f"f{i}") for i in range(min(count, 20_001)))
    return gzip.compress(first, 1) + ten_thousand * ((count - 20_001) // 10_000) + gzip.compress(END)


def one(path: str | bytes) -> bytes:
    return holding(entry(path, b"x"))


def link(path: str, target: str) -> bytes:
    return holding(entry(path, kind=b"2", target=target))


def archive(row: str, code: str, where: str, content, says: str = "") -> Source:
    return Source(row, code, where, tar=content, says=says)


WHOLE = r"^bad"  # the archive itself: its path in the Repository

ARCHIVE = [
    archive("A01 up", "archive.path_escape", r"^\.\./\.\./etc", one("../../etc/cron.d/x")), archive("A01 absolute", "archive.path_escape", "^/etc", one("/etc/cron.d/x")),
    archive("A03 up in the middle", "archive.path_escape", "^a/", one("a/../../b")), archive("A03 up after a dot", "archive.path_escape", r"^\./", one("./../b")),
    archive("A03 one file twice after cleaning", "archive.name_collision", "^a/", holding(entry("a//b"), entry("a/./b"))),
    archive("A03 a file that ends with a slash", "archive.ambiguous", "^a/$", one("a/")),
    *[archive(f"A04 {path}", "archive.path_chars", "x|stream", one(path)) for path in ("C:\\x", "..\\..\\x", "\\\\srv\\x", "a:stream")],
    archive("A06 through a link", "archive.symlink_write_through", "^d/x$", holding(entry("d", kind=b"2", target="sub"), entry("d/x", b"x"))),
    archive("A06 the link after the file", "archive.symlink_write_through", "^d/x$", holding(entry("d/x", b"x"), entry("d", kind=b"2", target="sub"))),
    archive("A06 absolute link", "archive.link_escape", "^l$", link("l", "/etc/passwd")), archive("A06 link out", "archive.link_escape", "^l$", link("l", "../x")),
    archive("A07 hard link outside", "archive.hardlink", "^h$", holding(entry("h", kind=b"1", target="/etc/passwd"))),
    archive("A07 hard link to a later entry", "archive.hardlink", "^h$", holding(entry("h", kind=b"1", target="x"), entry("x"))),
    archive("A07 hard link to a link", "archive.hardlink", "^h$", holding(entry("l", kind=b"2", target="x"), entry("h", kind=b"1", target="l"))),
    archive("A10 sparse", "archive.unsupported", "^s$", holding(entry("s", kind=b"S"))), archive("A10 sparse by pax", "archive.unsupported", WHOLE, holding(pax(("GNU.sparse.major", "1")), entry("s"))),
    archive("A10 multi-volume", "archive.unsupported", "^s$", holding(entry("s", kind=b"M"))),
    archive("A12 letter case", "archive.name_collision", "(?i)^readme", holding(entry("Readme"), entry("README"))),
    archive("A12 Unicode form", "archive.name_collision", "^caf", holding(entry("caf\u00e9"), entry("cafe\u0301"))),
    archive("A13 newline", "archive.path_chars", r"a\\x0ab", one("a\nb")), archive("A13 escape", "archive.path_chars", r"\\x1b", one("a\x1b[1m")),
    archive("A13 NUL", "archive.path_chars", r"\\x00", holding(pax(("path", "a\0b")), entry("a"))), archive("A13 right to left", "archive.path_chars", r"\\xe2\\x80\\xae", one("a\u202eb")),
    archive("A13 not UTF-8", "archive.path_chars", r"\\xff", one(b"a\xff")), archive("A13 300 bytes", "archive.path_chars", "^xxx", holding(pax(("path", "x" * 300)), entry("a"))),
    archive("A15 20,001 entries", "archive.too_many_entries", "^f", lambda: many(20_001)), archive("A15 a million entries", "archive.too_many_entries", "^f", lambda: many(1_000_000)),
    archive("A15 gzip bomb", "archive.too_large", "^huge$", gzip_bomb), archive("A15 zstd bomb", "archive.too_large", WHOLE, zstd_bomb),
    archive("A16 depth 5,000", "archive.too_deep", "^d/", holding(pax(("path", "d/" * 5000 + "x")), entry("a"))),
    archive("A18 two sizes", "archive.ambiguous", "^a$", holding(pax(("size", "0")), entry("a", b"x" * 512))),
    archive("A18 pax, then a GNU long name", "archive.ambiguous", "", holding(pax(("path", "b")), entry("l", b"c", b"L"), entry("a"))),
    archive("A18 GNU long name, then pax", "archive.ambiguous", "", holding(entry("l", b"c", b"L"), pax(("path", "b")), entry("a"))),
    archive("A18 more after the end", "archive.ambiguous", "", holding() + holding(entry("hidden"))),
    archive("A18 zip", "archive.corrupt", WHOLE, b"PK\x03\x04" + b"x" * 600),
    archive("A19 8 EiB", "archive.corrupt", WHOLE, holding(entry("a", size=b"\x80" + bytes(3) + (1 << 63).to_bytes(8, "big")))),
    archive("A19 negative", "archive.corrupt", WHOLE, holding(entry("a", size=b"\xff" * 12))),
    archive("A19 beyond base 256", "archive.corrupt", WHOLE, holding(entry("a", size=b"\x80" + b"\xff" * 11))),
    archive("A19 long name of 4 GiB", "archive.corrupt", WHOLE, holding(entry("l", kind=b"L", size=b"40000000000"))),
    archive("A21 two top folders", "meta.not_found", "", tar(entry("a/service.yaml", GOOD), entry("b/x"))),
    archive("A25 files without bytes only", "meta.empty", "service.yaml:1:1", tar(entry("service.yaml"), entry("main.py"))),
    Source("A25 no entry file", "meta.entry_missing", "service.yaml:3:1", {"service.yaml": HEAD, "mian.py": ""}, says="mian.py"),
    Source("A22 Dockerfile that is not there", "meta.entry_missing", "service.yaml:2:", {"service.yaml": "name: NAME\nbuild: {dockerfile: Dockerfile}\n"}),
]

# A24 has no archive at all: the same words whether a path is another's or nobody's.

# --- requests on Kafka ---


@dataclass(frozen=True)
class Record:
    """A record on the request topic. `reason`: of its dead letter; else `state` and `code` of its only status. PATH is a source that is not there."""
    id: str
    value: object  # bytes, None or a dict
    reason: str = ""
    state: str = ""
    code: str = ""
    where: str = ""
    says: str = ""
    key: bytes | None = None
    headers: tuple = ()


def dead(row: str, value, reason: str, says: str = "", **more) -> Record:
    return Record(row, value, reason=reason, says=says, **more)


def refused(row: str, code: str, where: str, says: str = "", **request) -> Record:
    return Record(row, {"service_id": "NAME", "path": "no/such/path", **request}, state="rejected", code=code, where=where, says=says)


REQUEST = b'{"request_id": "NAME", "service_id": "NAME", "path": "no/such/path"}'
MEGABYTE = "x" * 1_000_000

KAFKA = [
    dead("K01 tombstone", None, "request.empty"), dead("K01 empty value", b"", "request.empty"),
    dead("K02 not JSON", b"deploy it please", "json.syntax", "(1:1)"), dead("K02 cut in half", REQUEST[:30], "json.syntax", "(1:"),
    dead("K02 garbage after", REQUEST + b"\n}", "json.syntax", "(2:1)"), dead("K02 byte order mark", b"\xef\xbb\xbf" + REQUEST, "json.syntax", "(1:1)"),
    dead("K02 no object", b"[1, 2]", "request.invalid"), dead("K02 not UTF-8", b'{"service_id": "\xff"}', "json.utf8", "(1:"),
    dead("K02 deeper than 32", b"[" * 100, "json.too_deep"), dead("K02 300 KB", b'{"request_id": "' + b"x" * 300_000 + b'"}', "json.too_large"),
    dead("K04 request_id twice", b'{"request_id": "a", "request_id": "b", "service_id": "NAME"}', "json.duplicate_key", "request_id"),
    *[dead(f"K05 request_id {what}", json.dumps({"request_id": value, "service_id": "NAME", "path": "x/y"}).encode(), "request.id", "/request_id")
      for what, value in (("empty", ""), ("a number", 7), ("of 300", "x" * 300), ("../", "../x"), ("newline", "a\nb"), ("an operator", {"$ne": None}))],
    Record("K05 no request_id", {"service_id": "NAME", "path": "no/such/path"}, state="rejected", code="source.not_found"),
    refused("K08 no service", "request.invalid", "/service_id", "/release", service_id=None, release="seven"),
    refused("K08 no path", "request.invalid", "/path", path=None), refused("K08 path leaves", "request.invalid", "/path", path="../../etc"),
    refused("K10 an extra field", "source.not_found", "no/such/path", priority="highest"),
    refused("K14 deadline in the year 9999", "request.invalid", "/deadline", deadline="9999-12-31T23:59:59Z"),
    refused("K14 deadline that is no time", "request.invalid", "/deadline", deadline="tomorrow"), refused("K14 deadline without a zone", "request.invalid", "/deadline", deadline="2026-11-22T20:00:00"),
    Record("K14 deadline past", {"service_id": "NAME", "path": "no/such/path", "deadline": "2020-01-01T00:00:00Z"}, state="expired", code="request.expired"),
    dead("K16 10,000 headers", b"{", "json.syntax", headers=tuple((f"h{i}", b"v") for i in range(10_000))),
    dead("K16 a header of a megabyte", b"{", "json.syntax", headers=(("h", MEGABYTE.encode()),)), dead("K16 a header's name of a megabyte", b"{", "json.syntax", headers=((MEGABYTE, b"v"),)),
    dead("K16 a key of a megabyte", b"{", "json.syntax", key=MEGABYTE.encode()), dead("K16 half a megabyte each", b"{", "json.syntax", key=b"k" * 500_000, headers=(("h" * 500_000, b""),)),
    dead("K16 header that is not UTF-8", b"{", "json.syntax", headers=(("h", b"\xff\xfe"),)), dead("K16 the same header twice", b"{", "json.syntax", headers=(("signature", b"a"), ("signature", b"b"))),
    Record("K16 a good request with 10,000 headers", {"service_id": "NAME", "path": "no/such/path"}, state="rejected", code="source.not_found",
           headers=tuple((f"h{i}", b"v") for i in range(10_000))),
    refused("K20 cancel of nothing named", "request.invalid", "/cancels", action="cancel"),
    Record("K20 cancel before the request", {"action": "cancel", "service_id": "RUN", "cancels": "RUN-later"}, state="succeeded"),
    Record("K20 the request after its cancel", {"request_id": "RUN-later", "service_id": "RUN", "path": "no/such/path"}, state="cancelled"),
    Record("K20 a request that ends at once", {"request_id": "RUN-ended", "service_id": "RUN", "action": "dploy"}, state="rejected", code="request.action", where="/action"),
    Record("K20 cancel of a finished one", {"request_id": "RUN-late", "action": "cancel", "service_id": "RUN", "cancels": "RUN-ended"}, state="rejected", code="cancel.too_late"),
    Record("K20 cancel of another's", {"action": "cancel", "service_id": "NAME", "cancels": "RUN-ended"}, state="rejected", code="cancel.forbidden"),
    Record("K20 cancel of a cancel", {"action": "cancel", "service_id": "RUN", "cancels": "RUN-late"}, state="rejected", code="cancel.too_late"),
    Record("K07 a request id", {"request_id": "RUN-once", "service_id": "RUN", "path": "no/such/path"}, state="rejected", code="source.not_found"),
    dead("K07 the same with another wish", b'{"request_id": "RUN-once", "service_id": "RUN", "path": "another"}', "request.conflict", "RUN-once"),
    refused("request.action misspelt", "request.action", "/action", "deploy", action="dploy"), refused("request.not_yet: machines", "request.not_yet", "/machine", machine=["a", "b"]),
    refused("A24 no such archive", "source.not_found", "no/such/path", path="no/such/path"),
    Record("request.key contradicts", {"service_id": "NAME", "path": "no/such/path"}, state="rejected", code="request.key", where="/service_id", key=b"another"),
]
