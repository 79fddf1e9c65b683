#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/docker/api.hpp"
#include "ports/engine.hpp"

namespace slipway::docker {

/// The Engine port over the Docker Engine API: containers and volumes in engine_containers.cpp, their
/// networks in engine_networks.cpp, images in engine_images.cpp, what streams (logs, exec, events) in
/// engine_streams.cpp.
class DockerEngine final : public ports::Engine {
 public:
  DockerEngine(http::Address address, std::string name, Log log)
      : api_(std::move(address), std::move(name), std::move(log)) {}

  Status ping() override { return api_.ping(); }
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
  Status ensure_network(const std::string& name, const std::map<std::string, std::string>& labels);
  Status rejoin_network(const std::string& id);
  Result<std::string> create_exec(const std::string& id, const ports::ExecSpec& spec);
  Result<int> exec_exit_code(const std::string& exec_id);
  Result<ports::ExecResult> run_exec(const std::string& exec_id, const ports::ExecSpec& spec,
                                     const std::stop_token& stop);
  bool has_ended(const std::string& id, bool in_doubt);

  Api api_;
};

/// A request with the usual deadline of 30 s; `json` (may be empty) is its body.
http::Request make_request(std::string method, std::string target, std::string json = {});

/// "/containers/<id><rest>" with `id` escaped.
std::string container_path(const std::string& id, std::string_view rest);

/// {"label":["a=b","c"]} for a filters parameter.
std::string label_filter(const std::vector<std::string>& labels);

}  // namespace slipway::docker
