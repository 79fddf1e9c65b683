#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ports/container.hpp"

namespace slipway::ports {

using LineHandler = std::function<void(std::string_view line)>;

/// A container engine on one machine. Any thread may call; calls on one engine may run side by side. Every
/// call has a deadline of its own. A call that timed out after it was sent is kUnknown: look by name before
/// repeating.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Status ping() = 0;
  virtual Result<EngineInfo> info() = 0;

  /// Builds a context tar; each line of output to `on_line`. Success = an image with `labels` is there.
  /// Stopping closes the connection, which makes the engine cancel. Errors: build.failed (kInvalid; last_logs
  /// hold the output's end), build.timeout, build.cancelled.
  virtual Result<Image> build(const BuildSpec& spec, const std::string& context_tar,
                              const LineHandler& on_line, const std::stop_token& stop) = 0;
  /// By label `key=value`; nothing if there is none.
  virtual Result<std::optional<Image>> find_image(const std::string& label) = 0;
  /// By reference (name:tag or id); nothing if there is none.
  virtual Result<std::optional<Image>> inspect_image(const std::string& reference) = 0;
  /// Loads a docker-archive from a file.
  virtual Status load_image(const std::string& archive_path) = 0;
  /// Saves an image of this engine as an archive that `load_image` of another takes.
  virtual Status save_image(const std::string& reference, const std::string& archive_path) = 0;

  /// The new container's id. conflict engine.name_taken if the name is in use.
  virtual Result<std::string> create(const ContainerSpec& spec) = 0;
  /// Starting a running one is a success. engine.start_failed (kInvalid) if its process cannot be started;
  /// with `init` the init does start, and the container dies with 127 or 126 right after.
  virtual Status start(const std::string& id) = 0;
  /// SIGTERM (or the container's stop signal), after `grace` SIGKILL. Stopping a stopped one is a success.
  virtual Status stop(const std::string& id, std::chrono::seconds grace) = 0;
  /// With its anonymous volumes. Removing what is gone is a success.
  virtual Status remove(const std::string& id, bool force) = 0;
  virtual Status set_restart_policy(const std::string& id, const std::string& policy) = 0;
  virtual Status set_limits(const std::string& id, const Limits& limits) = 0;
  /// Of one that is not paused: a success.
  virtual Status unpause(const std::string& id) = 0;
  virtual Result<std::optional<Container>> inspect(const std::string& id_or_name) = 0;
  /// Running and stopped ones that carry all the labels ("key=value" or "key"). No error, oom_killed,
  /// restart, limits, times.
  virtual Result<std::vector<Container>> list(const std::vector<std::string>& labels) = 0;

  /// The last `tail` lines of standard output and error, in order.
  virtual Result<std::vector<std::string>> last_logs(const std::string& id, std::size_t tail) = 0;
  /// Follows until `stop`, or until the container ends.
  virtual Status follow_logs(const std::string& id, const LogOptions& options, const LineHandler& on_line,
                             const std::stop_token& stop) = 0;
  /// Unpacks a tar into `folder` of a container that was created (before start).
  virtual Status put_archive(const std::string& id, const std::string& folder, const std::string& tar) = 0;
  /// A tar of `path`; not_found if there is none.
  virtual Result<std::string> get_archive(const std::string& id, const std::string& path) = 0;
  /// Runs a command in a running container. kConflict engine.not_running if it is not (any more).
  virtual Result<ExecResult> exec(const std::string& id, const ExecSpec& spec,
                                  const std::stop_token& stop) = 0;

  /// Creating an existing one is a success (labels stay).
  virtual Status create_volume(const std::string& name, const std::map<std::string, std::string>& labels) = 0;
  virtual Result<bool> has_volume(const std::string& name) = 0;
  virtual Status remove_volume(const std::string& name) = 0;
  /// Those that carry all the labels ("key=value" or "key").
  virtual Result<std::vector<Volume>> list_volumes(const std::vector<std::string>& labels) = 0;

  /// Hands over events of containers with `label` until `stop` or until the stream breaks (an Error).
  /// `on_ready` is called when the engine has begun to stream: what happens after that will be seen.
  virtual Status watch(const std::string& label, const std::function<void()>& on_ready,
                       const std::function<void(const EngineEvent&)>& on_event,
                       const std::stop_token& stop) = 0;
};

/// Opens engines by endpoint ("unix:///...", "tcp://host:port"); keeps and shares connections.
class Engines {
 public:
  virtual ~Engines() = default;
  /// machine.url (kInvalid) for what is no allowed endpoint. Does not talk to the engine yet.
  virtual Result<std::shared_ptr<Engine>> open(const std::string& endpoint, const std::string& tls_name) = 0;
};

}  // namespace slipway::ports
