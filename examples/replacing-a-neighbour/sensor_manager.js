// A Sensor Manager of your own, in JavaScript without packages: kcat speaks Kafka for it. Needs node, kcat and KAFKA_BROKERS.
// It keeps what it knows in sensors.json (or $SENSORS_FILE); it simulates nothing, and the topics of its sensors must be there.
const { spawn, spawnSync } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const brokers = process.env.KAFKA_BROKERS;
const file = process.env.SENSORS_FILE ?? "sensors.json";
const known = existsSync(file) ? JSON.parse(readFileSync(file)) : { sensors: {}, bindings: {} };

function say(reply) {
  const where = ["-t", "slipway.sensor.replies", "-k", reply.service_id || reply.sensor_id, "-H", `ce_id=${reply.correlation_id || reply.request_id}`];
  const done = spawnSync("kcat", ["-P", "-b", brokers, ...where, "-H", "ce_source=/sensor_manager"], { input: JSON.stringify(reply) });
  if (done.status !== 0) throw new Error(`the reply could not be sent: ${done.stderr}`);
}

function read(text) { // null: it cannot be read
  try { return JSON.parse(text); } catch { return null; }
}

function fits(need, sensor) {
  const place = (at) => (typeof at === "string" ? at.split("/") : [at?.site, at?.room]); // "site/room", or an object
  const there = place(sensor.location);
  return need.type === sensor.type && place(need.location).every((part, i) => !part || part === there[i]);
}

function bind(request) {
  const topics = {}, missing = {};
  for (const need of request.sensors) {
    const found = Object.values(known.sensors).sort((a, b) => (a.sensor_id < b.sensor_id ? -1 : 1)).find((sensor) => fits(need, sensor));
    if (found) topics[need.name] = { topic: found.topic, sensor_id: found.sensor_id, key: found.sensor_id };
    else missing[need.name] = `no sensor of type ${need.type} there; known are ${Object.keys(known.sensors).join(", ") || "none"}`;
  }
  const before = known.bindings[request.service_id] ?? { binding: 0 };
  const changed = JSON.stringify(before.topics) !== JSON.stringify(topics);
  known.bindings[request.service_id] = { binding: before.binding + Number(changed), topics };
  return { ...known.bindings[request.service_id], missing, error: Object.keys(missing).length ? { code: "sensor.no_match", message: Object.values(missing).join("; ") } : null };
}

function change(request) {
  const sensor = { ...request, ...request.sensor };
  if (request.action === "add") known.sensors[sensor.sensor_id] = { ...sensor, topic: sensor.topic ?? `sensor.${sensor.type}.${sensor.sensor_id}` };
  if (request.action === "remove") delete known.sensors[sensor.sensor_id];
  return { sensor_id: sensor.sensor_id, error: /^(add|remove)$/.test(request.action) ? null : { code: "request.action", message: `this Sensor Manager does not ${request.action}` } };
}

const ears = ["-G", "slipway.sensor_manager", "-u", "-q", "-J", "-b", brokers, "-X", "auto.offset.reset=earliest", "slipway.sensor.requests"];
const kcat = spawn("kcat", ears, { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => kcat.kill()); // it leaves the group
process.on("SIGTERM", () => process.exit(0));
kcat.on("exit", (code) => process.exit(code ?? 1)); // without its ears it is none
createInterface({ input: kcat.stdout }).on("line", (line) => {
  const record = JSON.parse(line), request = read(record.payload);
  if (!request?.action) return;
  const reply = request.action === "bind" ? bind(request) : change(request);
  writeFileSync(file, JSON.stringify(known)); // kept before it is said
  const { request_id = `s-${record.partition}-${record.offset}`, service_id, correlation_id } = request;
  say({ request_id, service_id, correlation_id, ...reply });
});
