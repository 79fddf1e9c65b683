#include <fmt/format.h>

#include "adapters/docker/answers.hpp"
#include "adapters/docker/container_body.hpp"
#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/json_fields.hpp"

namespace slipway::docker {

using namespace std::chrono_literals;

http::Request make_request(std::string method, std::string target, std::string json) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!json.empty()) request.content_type = "application/json";
  request.body = std::move(json);
  return request;
}

std::string container_path(const std::string& id, std::string_view rest) {
  return fmt::format("/containers/{}{}", http::percent_encode(id), rest);
}

std::string label_filter(const std::vector<std::string>& labels) {
  return dump({{"label", labels}});
}

Result<ports::EngineInfo> DockerEngine::info() {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("GET", "/info")));
  SLIPWAY_TRY(expect_ok(response, "asking for the engine's facts"));
  SLIPWAY_ASSIGN(auto answer, parse_info(response.body));
  SLIPWAY_ASSIGN(answer.info.api_version, api_.version());
  return std::move(answer.info);
}

Result<std::string> DockerEngine::create(const ports::ContainerSpec& spec) {
  SLIPWAY_TRY(ensure_network(spec.network, spec.labels));
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("POST", "/containers/create" + query({{"name", spec.name}}),
                                        container_body(spec))));
  if (auto status = expect_ok(response, "creating " + spec.name); !status) {
    auto error = std::move(status).error();
    if (response.status == 404) error.code = "engine.image_missing";
    if (response.status == 409) error.code = "engine.name_taken";
    return error;
  }
  return parse_id(response.body);
}

Status DockerEngine::start(const std::string& id) {
  SLIPWAY_ASSIGN(auto response, api_.call(make_request("POST", container_path(id, "/start"))));
  if (response.status == 404 && response.body.find("network") != std::string::npos) {
    SLIPWAY_TRY(rejoin_network(id));  // pruned while the container was stopped
    SLIPWAY_ASSIGN(response, api_.call(make_request("POST", container_path(id, "/start"))));
  }
  auto status = expect_ok(response, "starting the container");
  if (status || response.status == 404) return status;
  auto error = std::move(status).error();
  const bool runtime_said_no = error.message.find("runtime create failed") != std::string::npos ||
                               error.message.find("failed to create") != std::string::npos;
  if (response.status == 400 || (error.code == "engine.failed" && runtime_said_no)) {
    error.kind = ErrorKind::kInvalid;
    error.code = "engine.start_failed";
  }
  return error;
}

Status DockerEngine::stop(const std::string& id, std::chrono::seconds grace) {
  auto request =
      make_request("POST", container_path(id, "/stop") + query({{"t", std::to_string(grace.count())}}));
  request.deadline = grace + 30s;
  SLIPWAY_ASSIGN(const auto response, api_.call(std::move(request)));
  return expect_ok(response, "stopping the container");
}

Status DockerEngine::remove(const std::string& id, bool force) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request(
                     "DELETE", container_path(id, "") + query({{"v", "1"}, {"force", force ? "1" : "0"}}))));
  if (response.status == 404) return {};
  if (response.status == 409 && response.body.find("already in progress") != std::string::npos) {
    SLIPWAY_ASSIGN(const auto gone,
                   api_.call(make_request("POST", container_path(id, "/wait?condition=removed"))));
    return gone.status == 404 ? Status{} : expect_ok(gone, "waiting for the container's removal");
  }
  return expect_ok(response, "removing the container");
}

Status DockerEngine::set_restart_policy(const std::string& id, const std::string& policy) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("POST", container_path(id, "/update"), restart_body(policy))));
  return expect_ok(response, "setting the restart policy");
}

Status DockerEngine::set_limits(const std::string& id, const ports::Limits& limits) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("POST", container_path(id, "/update"), limits_body(limits))));
  return expect_ok(response, "setting the limits");
}

Status DockerEngine::unpause(const std::string& id) {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("POST", container_path(id, "/unpause"))));
  if (response.body.find("is not paused") != std::string::npos) return {};
  return expect_ok(response, "letting the container go on");
}

Result<std::optional<ports::Container>> DockerEngine::inspect(const std::string& id_or_name) {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("GET", container_path(id_or_name, "/json"))));
  if (response.status == 404) return std::optional<ports::Container>{};
  SLIPWAY_TRY(expect_ok(response, "inspecting " + id_or_name));
  SLIPWAY_ASSIGN(auto container, parse_container(response.body));
  return std::optional{std::move(container)};
}

Result<std::vector<ports::Container>> DockerEngine::list(const std::vector<std::string>& labels) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request(
                     "GET", "/containers/json" + query({{"all", "1"}, {"filters", label_filter(labels)}}))));
  SLIPWAY_TRY(expect_ok(response, "listing containers"));
  return parse_containers(response.body);
}

Status DockerEngine::put_archive(const std::string& id, const std::string& folder, const std::string& tar) {
  auto request = make_request("PUT", container_path(id, "/archive") + query({{"path", folder}}));
  request.content_type = "application/x-tar";
  request.borrowed_body = tar;
  SLIPWAY_ASSIGN(const auto response, api_.call(std::move(request)));
  return expect_ok(response, "writing files to " + folder);
}

Result<std::string> DockerEngine::get_archive(const std::string& id, const std::string& path) {
  SLIPWAY_ASSIGN(auto response,
                 api_.call(make_request("GET", container_path(id, "/archive") + query({{"path", path}}))));
  SLIPWAY_TRY(expect_ok(response, "reading " + path));
  return std::move(response.body);
}

Status DockerEngine::create_volume(const std::string& name,
                                   const std::map<std::string, std::string>& labels) {
  SLIPWAY_ASSIGN(const auto response, api_.call(make_request("POST", "/volumes/create",
                                                             dump({{"Name", name}, {"Labels", labels}}))));
  return expect_ok(response, "creating the volume " + name);
}

Result<bool> DockerEngine::has_volume(const std::string& name) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("GET", "/volumes/" + http::percent_encode(name))));
  if (response.status == 404) return false;
  SLIPWAY_TRY(expect_ok(response, "looking for the volume " + name));
  return true;
}

Status DockerEngine::remove_volume(const std::string& name) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("DELETE", "/volumes/" + http::percent_encode(name))));
  if (response.status == 404) return {};
  return expect_ok(response, "removing the volume " + name);
}

Result<std::vector<ports::Volume>> DockerEngine::list_volumes(const std::vector<std::string>& labels) {
  SLIPWAY_ASSIGN(const auto response,
                 api_.call(make_request("GET", "/volumes" + query({{"filters", label_filter(labels)}}))));
  SLIPWAY_TRY(expect_ok(response, "listing volumes"));
  return parse_volumes(response.body);
}

}  // namespace slipway::docker
