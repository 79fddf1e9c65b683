#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ports/engine.hpp"

namespace slipway::fakes {

/// How a container behaves once it is started.
struct ContainerScript {
  std::string start_error;             ///< start fails with engine.start_failed and these words
  std::optional<int> dies_at_start;    ///< exit code, at once after a start that succeeded
  std::optional<int> dies_after_exec;  ///< exit code, after the first exec was answered
  bool oom = false;                    ///< that death is one by the memory limit
  std::vector<std::string> logs;       ///< written at start
  std::string health = "healthy";      ///< where the spec has a health check
  bool execs_wait = false;             ///< execs block until death, stop, their deadline or release_execs()
  std::function<ports::ExecResult(const ports::ExecSpec&)> exec;  ///< none: exit code 0, no output
};

/// What goes wrong with one call of one operation (named as the port's method).
struct EngineFault {
  Error error;
  bool takes_effect = false;  ///< the answer alone is lost
};
/// The answer never came: kUnknown, as after a time-out.
EngineFault lost_answer(bool takes_effect);
/// The engine was not reached: kUnavailable.
EngineFault unreachable();

/// An engine in memory: names collide, what starts can die, every change is an event. Any thread may call.
class FakeEngine final : public ports::Engine {
 public:
  /// `clock` (may be null: the system's) stamps events and starts; it must outlive this.
  explicit FakeEngine(const Clock* clock = nullptr);

  // What a test sets up.
  void script(std::function<ContainerScript(const ports::ContainerSpec&)> script);
  void fail_next(const std::string& operation, EngineFault fault);  ///< queued per operation
  void stop_failing();                                              ///< forgets what fail_next() queued
  void fail_next_build(std::vector<std::string> output);            ///< build.failed with these lines
  void set_down(bool down);     ///< every call is unavailable, watches and followed logs break
  void hold_builds(bool hold);  ///< builds wait until released or stopped
  void release_execs();
  /// What a built image has beside tag and labels.
  void set_built_image(ports::Image image);
  void add_image(ports::Image image);
  /// Registers a container that somebody else made; returns its id.
  std::string add_container(ports::Container container);
  void die(const std::string& id_or_name, int exit_code, bool oom = false);
  void set_health(const std::string& id_or_name, const std::string& health);
  void pause(const std::string& id_or_name);
  void log_line(const std::string& id_or_name, const std::string& line);

  // What a test looks at.
  std::vector<std::string> calls() const;  ///< "create demo-1-1", "start <name>", "build <tag>" ... in order
  std::size_t count(const std::string& operation) const;
  void forget_calls();
  std::vector<ports::EngineEvent> events() const;
  std::optional<ports::ContainerSpec> spec_of(const std::string& id_or_name) const;
  std::map<std::string, std::string> files_of(const std::string& id_or_name) const;  ///< put by put_archive
  std::vector<ports::BuildSpec> builds() const;
  std::string last_build_context() const;
  std::size_t watchers() const;

  // ports::Engine
  Status ping() override;
  Result<ports::EngineInfo> info() override;
  Result<ports::Image> build(const ports::BuildSpec& spec, const std::string& context_tar,
                             const ports::LineHandler& on_line, const std::stop_token& stop) override;
  Result<std::optional<ports::Image>> find_image(const std::string& label) override;
  Result<std::optional<ports::Image>> inspect_image(const std::string& reference) override;
  Status load_image(const std::string& archive_path) override;
  Status save_image(const std::string& reference, const std::string& archive_path) override;
  Result<std::string> create(const ports::ContainerSpec& spec) override;
  Status start(const std::string& id) override;
  Status stop(const std::string& id, std::chrono::seconds grace) override;
  Status remove(const std::string& id, bool force) override;
  Status set_restart_policy(const std::string& id, const std::string& policy) override;
  Status set_limits(const std::string& id, const ports::Limits& limits) override;
  Status unpause(const std::string& id) override;
  Result<std::optional<ports::Container>> inspect(const std::string& id_or_name) override;
  Result<std::vector<ports::Container>> list(const std::vector<std::string>& labels) override;
  Result<std::vector<std::string>> last_logs(const std::string& id, std::size_t tail) override;
  Status follow_logs(const std::string& id, const ports::LogOptions& options,
                     const ports::LineHandler& on_line, const std::stop_token& stop) override;
  Status put_archive(const std::string& id, const std::string& folder, const std::string& tar) override;
  Result<std::string> get_archive(const std::string& id, const std::string& path) override;
  Result<ports::ExecResult> exec(const std::string& id, const ports::ExecSpec& spec,
                                 const std::stop_token& stop) override;
  Status create_volume(const std::string& name, const std::map<std::string, std::string>& labels) override;
  Result<bool> has_volume(const std::string& name) override;
  Status remove_volume(const std::string& name) override;
  Result<std::vector<ports::Volume>> list_volumes(const std::vector<std::string>& labels) override;
  Status watch(const std::string& label, const std::function<void()>& on_ready,
               const std::function<void(const ports::EngineEvent&)>& on_event,
               const std::stop_token& stop) override;

 private:
  struct Held;  // a container with its script, logs and files

  std::optional<EngineFault> enter(const std::string& operation, const std::string& what);
  Held* find(const std::string& id_or_name);
  const Held* find(const std::string& id_or_name) const;
  std::string name_of(const std::string& id_or_name) const;
  void emit(const Held& held, const std::string& action, std::optional<int> exit_code = {},
            const std::string& health = {});
  void end(Held& held, int exit_code, bool oom);
  void begin(Held& held);
  std::string stamp();
  ports::Image& remember(ports::Image image);

  const Clock* clock_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool down_ = false, hold_builds_ = false;
  std::uint64_t next_ = 1, exec_release_ = 0;
  int next_port_ = 49153;
  std::size_t watchers_ = 0;
  std::function<ContainerScript(const ports::ContainerSpec&)> script_;
  std::map<std::string, std::deque<EngineFault>> faults_;
  std::deque<std::vector<std::string>> failing_builds_;
  ports::Image built_image_;
  std::vector<ports::Image> images_;
  std::vector<std::shared_ptr<Held>> containers_;
  std::map<std::string, std::map<std::string, std::string>> volumes_;
  std::vector<ports::BuildSpec> builds_;
  std::string last_context_;
  std::vector<std::string> calls_;
  std::vector<ports::EngineEvent> events_;
};

/// Hands out one FakeEngine per endpoint; refuses what no engine was added for, as machine.url.
class FakeEngines final : public ports::Engines {
 public:
  explicit FakeEngines(const Clock* clock = nullptr) : clock_(clock) {}
  /// The engine at `endpoint`, made on first use.
  FakeEngine& at(const std::string& endpoint);
  Result<std::shared_ptr<ports::Engine>> open(const std::string& endpoint,
                                              const std::string& tls_name) override;

 private:
  const Clock* clock_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<FakeEngine>> engines_;
};

}  // namespace slipway::fakes
