#include "systems/machine_agent/probes/network.hpp"

#include <algorithm>

#include "systems/machine_agent/probes/scan.hpp"

namespace slipway::machine_agent {
namespace {

constexpr std::uint64_t kReclassifyEvery = 10;  // a veth is attached to its bridge just after it was made

}  // namespace

std::optional<InterfaceCounters> parse_interface_line(std::string_view line, std::string_view& name) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto found = Scan{line.substr(0, colon)}.word();
  Scan numbers{line.substr(colon + 1)};
  const auto rx = numbers.number();
  numbers.skip(7);  // packets errs drop fifo frame compressed multicast
  const auto tx = numbers.number();
  if (!found || !rx || !tx) return std::nullopt;
  name = *found;
  return InterfaceCounters{*rx, *tx};
}

NetworkProbe::NetworkProbe(std::filesystem::path root)
    : root_(std::move(root)), file_(root_ / "proc/self/net/dev") {}

Result<std::vector<InterfaceUse>*> NetworkProbe::step(std::chrono::nanoseconds elapsed, std::string& buffer) {
  SLIPWAY_ASSIGN(const auto text, file_.read(buffer));
  if (++calls_ % kReclassifyEvery == 0) reclassify();
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const bool any_physical =
      std::ranges::any_of(interfaces_, [](const auto& known) { return known.kind == Kind::kPhysical; });
  uses_.clear();
  Scan lines{text};
  while (const auto line = lines.line()) {
    std::string_view name;
    const auto now = parse_interface_line(*line, name);
    if (!now) continue;
    const auto known = std::ranges::find(interfaces_, name, &Interface::name);
    if (known == interfaces_.end()) {
      interfaces_.push_back({std::string{name}, classify(name), *now, calls_});
      continue;
    }
    const bool reported = known->kind == Kind::kPhysical || (known->kind == Kind::kOwn && !any_physical);
    if (reported && seconds > 0)
      uses_.push_back({known->name, growth(known->last.rx, now->rx) / seconds,
                       growth(known->last.tx, now->tx) / seconds});
    known->last = *now;
    known->seen = calls_;
  }
  std::erase_if(interfaces_, [this](const auto& known) { return known.seen != calls_; });
  return &uses_;
}

NetworkProbe::Kind NetworkProbe::classify(std::string_view name) const {
  if (name == "lo") return Kind::kIgnored;
  const auto folder = root_ / "sys/class/net" / name;
  std::error_code failure;
  const auto has = [&](const char* entry) {
    return std::filesystem::symlink_status(folder / entry, failure).type() !=
           std::filesystem::file_type::not_found;
  };
  if (has("device")) return Kind::kPhysical;
  return has("bridge") || has("master") ? Kind::kIgnored : Kind::kOwn;
}

void NetworkProbe::reclassify() {
  for (auto& known : interfaces_)
    if (known.kind != Kind::kPhysical) known.kind = classify(known.name);
}

}  // namespace slipway::machine_agent
