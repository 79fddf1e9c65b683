#include <fmt/format.h>

#include <algorithm>

#include "check/collect.hpp"
#include "check/labels.hpp"
#include "ports/stores/columns.hpp"

namespace slipway::check {
namespace {

constexpr milliseconds kLastMinutes{3 * 60'000};
constexpr milliseconds kAhead{60'000};

std::string our_label(const Sources& sources) {
  return fmt::format("{}={}", kInstance, sources.instance);
}

/// A list says nothing of policy and limits: what runs for a service is inspected.
Status look_at_containers(ports::Engine& engine, const std::string& label, MachineLook& look) {
  SLIPWAY_ASSIGN(auto listed, engine.list({label}));
  for (auto& container : listed) {
    if (find_label(container.labels, kRole) == "service") {
      SLIPWAY_ASSIGN(auto inspected, engine.inspect(container.id));
      if (!inspected) continue;  // removed since
      container = std::move(*inspected);
    }
    look.containers.push_back(std::move(container));
  }
  return {};
}

/// What a start of the committed release, and a way back, need on this machine.
std::set<std::string> needed_images(const std::string& machine, const Snapshot& snapshot) {
  std::set<std::string> images;
  for (const auto& lane : snapshot.lanes) {
    const auto add = [&](const std::optional<std::int64_t>& number, const auto& is_here) {
      if (!number) return;
      const ports::Release wanted{.service_id = lane.service_id, .number = *number};
      const auto found = snapshot.releases.find(wanted.id());
      if (found != snapshot.releases.end() && is_here(found->second)) images.insert(found->second.image);
    };
    const bool here = std::ranges::find(lane.machines, machine) != lane.machines.end();
    add(lane.committed, [&](const ports::Release&) { return here; });
    add(lane.previous, [&](const ports::Release& release) { return release.machine == machine; });
  }
  return images;
}

Status look_at_engine(const Sources& sources, const Snapshot& snapshot, MachineLook& look) {
  SLIPWAY_ASSIGN(const auto engine, sources.engines.open(look.machine.docker, look.machine.tls));
  SLIPWAY_TRY(engine->ping());  // one that hangs is known in seconds
  SLIPWAY_TRY(look_at_containers(*engine, our_label(sources), look));
  for (const auto& reference : needed_images(look.machine.name, snapshot)) {
    SLIPWAY_ASSIGN(const auto image, engine->inspect_image(reference));
    if (!image) look.missing_images.insert(reference);
  }
  SLIPWAY_ASSIGN(look.volumes, engine->list_volumes({our_label(sources)}));
  return {};
}

}  // namespace

MachineLook look_at_machine(const Sources& sources, const messages::Machine& machine,
                            const Snapshot& snapshot) {
  MachineLook look{.machine = machine};
  if (const Status looked = look_at_engine(sources, snapshot, look); !looked)
    look.engine_error = looked.error();
  return look;
}

Result<StoredSamples> read_samples(const Sources& sources, const messages::Machine& machine) {
  // By the machine's own clock, as samples are.
  const milliseconds offset{machine.state ? machine.state->clock_offset_ms : 0};
  const WallTime now = sources.clock.now() + offset;
  SLIPWAY_ASSIGN(const auto minutes,
                 sources.repository.samples().columns(machine.name, "", now - kLastMinutes, now + kAhead));
  StoredSamples stored;
  for (const auto& minute : minutes) {
    const auto columns = ports::Columns::decode(minute.columns);
    if (!columns) return Error(columns.error()).in("minute " + minute.id());
    for (const auto& row : columns->rows()) {
      stored.numbers[columns->boots()[row.boot]].push_back(row.seq);
      stored.newest = std::max(stored.newest.value_or(WallTime{}), from_ms(row.t));
    }
  }
  for (auto& [boot, numbers] : stored.numbers) std::ranges::sort(numbers);
  return stored;
}

}  // namespace slipway::check
