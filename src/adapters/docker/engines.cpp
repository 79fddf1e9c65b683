#include "adapters/docker/engines.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "adapters/docker/docker_engine.hpp"

namespace slipway::docker {
namespace {

class DockerEngines final : public ports::Engines {
 public:
  DockerEngines(DockerSettings settings, Log log) : settings_(std::move(settings)), log_(std::move(log)) {}

  Result<std::shared_ptr<ports::Engine>> open(const std::string& endpoint,
                                              const std::string& tls_name) override {
    SLIPWAY_ASSIGN(auto address, resolve_endpoint(endpoint, tls_name, settings_));
    const std::lock_guard lock{mutex_};
    auto& engine = engines_[{endpoint, tls_name}];
    if (!engine) engine = std::make_shared<DockerEngine>(std::move(address), endpoint, log_);
    return engine;
  }

 private:
  const DockerSettings settings_;
  const Log log_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<ports::Engine>> engines_;
};

}  // namespace

std::unique_ptr<ports::Engines> make_engines(const DockerSettings& settings, Log log) {
  return std::make_unique<DockerEngines>(settings, std::move(log));
}

}  // namespace slipway::docker
