// A Heart Beat Manager of your own, in JavaScript without packages: kcat speaks Kafka for it. Needs node, kcat and KAFKA_BROKERS.
// A machine is up with its first sample, suspect after 5 s without one and down after 15 s; its own deafness it does not notice.
const { spawn, spawnSync } = require("node:child_process");
const { createInterface } = require("node:readline");

const brokers = process.env.KAFKA_BROKERS;
const SAMPLES = "slipway.machine.stats", REGISTRY = "slipway.machine.registry", STATE = "slipway.machine.state";
const machines = new Map(); // those that are registered: name -> { state, since, heard, seq }

function read(text) { // null: it cannot be read
  try { return JSON.parse(text); } catch { return null; }
}

function say(machine, text) { // without a text: takes back what was said
  const headers = ["-H", `ce_id=${machine}:${Date.now()}`, "-H", "ce_source=/heart_beat_manager", "-H", "content-type=application/json"];
  const done = spawnSync("kcat", ["-P", "-Z", "-b", brokers, "-t", STATE, "-k", machine, ...headers], { input: `${text}\n` });
  if (done.status !== 0) throw new Error(`what ${machine} is could not be said: ${done.stderr}`);
}

function judge(name, state) {
  const machine = machines.get(name);
  if (machine.state === state) return;
  Object.assign(machine, { state, since: new Date().toISOString() });
  const last = machine.seq === undefined ? {} : { last_seq: machine.seq, last_sample_at: new Date(machine.heard).toISOString() };
  say(name, JSON.stringify({ machine: name, state, cause: null, since: machine.since, ...last }));
}

function hear(record) {
  if (record.topic === REGISTRY && record.payload !== null) machines.set(record.key, machines.get(record.key) ?? { heard: Date.now() });
  if (record.topic === REGISTRY && record.payload === null && machines.delete(record.key)) say(record.key, "");
  if (record.topic !== SAMPLES) return;
  const sample = read(record.payload);
  if (!machines.has(sample?.machine)) return; // nobody registered it
  Object.assign(machines.get(sample.machine), { heard: Date.now(), seq: sample.seq });
  judge(sample.machine, "up");
}

function listen(...how) {
  const kcat = spawn("kcat", ["-u", "-q", "-J", "-b", brokers, ...how], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => kcat.kill()); // it leaves the group
  kcat.on("exit", (code) => process.exit(code ?? 1)); // without its ears it is none
  createInterface({ input: kcat.stdout }).on("line", (line) => hear(JSON.parse(line)));
}

process.on("SIGTERM", () => process.exit(0));
listen("-C", "-o", "beginning", "-t", REGISTRY);
// Only what comes from now on says anything about now: nothing is committed.
listen("-X", "enable.auto.commit=false", "-X", "auto.offset.reset=latest", "-G", "slipway.heart_beat_manager", SAMPLES);
setInterval(() => {
  for (const [name, { heard }] of machines) {
    const silent = Date.now() - heard;
    if (silent > 5000) judge(name, silent > 15000 ? "down" : "suspect");
  }
}, 500);
