#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "systems/machine_agent/probes/kept_file.hpp"

namespace slipway::machine_agent {

/// Bytes of one interface since it was made.
struct InterfaceCounters {
  std::uint64_t rx = 0, tx = 0;
};

/// Parses one line of /proc/net/dev; `name` points into it. Nothing for the two lines of its heading.
std::optional<InterfaceCounters> parse_interface_line(std::string_view line, std::string_view& name);

struct InterfaceUse {
  std::string name;
  double rx_bps = 0, tx_bps = 0;  ///< bytes per second
};

/// The machine's own traffic, in the network namespace of this process: its physical interfaces; where there
/// are none (a machine that is a namespace), all but `lo`, bridges and what hangs on a bridge. So the bytes
/// of containers, which cross a veth pair and docker0 as well, count once.
class NetworkProbe {
 public:
  explicit NetworkProbe(std::filesystem::path root);
  /// Use since the last call, `elapsed` ago; valid until the next call. Empty on the first one; an interface
  /// appears with its second reading.
  Result<std::vector<InterfaceUse>*> step(std::chrono::nanoseconds elapsed, std::string& buffer);

 private:
  enum class Kind { kPhysical, kOwn, kIgnored };
  struct Interface {
    std::string name;
    Kind kind = Kind::kIgnored;
    InterfaceCounters last;
    std::uint64_t seen = 0;  // the call that met it last
  };
  Kind classify(std::string_view name) const;
  void reclassify();

  std::filesystem::path root_;
  KeptFile file_;
  std::uint64_t calls_ = 0;
  std::vector<Interface> interfaces_;
  std::vector<InterfaceUse> uses_;
};

}  // namespace slipway::machine_agent
