#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "messages/machine_sample.hpp"
#include "systems/machine_agent/probes/filesystem.hpp"

namespace slipway::machine_agent {

/// Who measures: what is the same in every sample of one run.
struct SampleOrigin {
  std::string machine;
  std::string boot_id;  ///< random at each start of the agent
  std::string agent;    ///< version of the agent
};

/// Puts one MachineSample together from all probes. A probe that fails leaves its fields empty and is logged
/// when it begins and when it ends failing: the sample goes out all the same, for it is also the beat by
/// which the machine is known to be up. Not for sharing between threads.
class Sampler {
 public:
  /// Reads below `root` ("/" in life, a recorded tree in tests).
  Sampler(const std::filesystem::path& root, SampleOrigin origin, std::vector<WatchedFilesystem> filesystems,
          Log log);
  ~Sampler();

  /// Measures now. Nothing on the first call, for there is no difference yet; then samples numbered 1, 2, 3
  /// ... `dropped` = samples dropped so far. The sample lives until the next call.
  const messages::MachineSample* step(WallTime now, MonoTime mono, std::int64_t dropped);

 private:
  struct Probes;
  std::unique_ptr<Probes> probes_;
  Log log_;
  messages::MachineSample sample_;  // reused: its strings and vectors keep their memory
  std::optional<MonoTime> last_;
};

}  // namespace slipway::machine_agent
