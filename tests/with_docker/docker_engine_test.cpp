#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/docker/docker_engine.hpp"
#include "adapters/docker/engines.hpp"
#include "base/log.hpp"
#include "tests/ports/engine_suite.hpp"

namespace slipway::ports {
namespace {

std::string endpoint() {
  const char* host = std::getenv("DOCKER_HOST");
  return host != nullptr && *host != '\0' ? host : "unix:///var/run/docker.sock";
}

// A real engine, with an image of busybox alone. What a test makes goes with it.
class DockerBench final : public EngineBench {
 public:
  DockerBench() {
    docker::DockerSettings settings;
    settings.unix_sockets = {endpoint().substr(std::min<std::size_t>(7, endpoint().size()))};
    settings.insecure_networks = {"0.0.0.0/0", "::/0"};
    engines_ = docker::make_engines(settings, Log::silent());
    auto opened = engines_->open(endpoint(), "");
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    engine_ = *opened;
    const auto base = engine_->inspect_image(image());
    if (!base) throw std::runtime_error(to_string(base.error()));
    if (!*base) throw std::runtime_error("the engine has no image " + image() + ": ./dev stack up makes it");
  }
  ~DockerBench() override {
    if (const auto left = engine_->list({label()})) {
      for (const auto& one : *left) {
        const auto removed = engine_->remove(one.id, true);
        if (!removed) ADD_FAILURE() << "left behind: " << one.name << ": " << to_string(removed.error());
      }
    }
    remove_images();
  }
  Engine& engine() override { return *engine_; }
  std::string image() override { return "slipway-base-minimal:1"; }
  void expect_failing_build(const std::vector<std::string>&) override {}
  void expect_endless_build() override {}

 private:
  // The port has no removal of images: nothing but a test needs one.
  void remove_images() {
    auto address =
        docker::resolve_endpoint(endpoint(), "", {{endpoint().substr(7)}, {"0.0.0.0/0", "::/0"}, ""});
    http::Client client{*address};
    while (true) {
      const auto image = engine_->find_image(label());
      if (!image || !*image) return;
      const auto removed =
          client.call(docker::make_request("DELETE", "/images/" + (*image)->id + "?force=1"));
      if (!removed || !removed->ok()) return;
    }
  }

  std::unique_ptr<Engines> engines_;
  std::shared_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Docker, EngineSuite,
                         ::testing::Values(MakeBench{[] { return std::make_unique<DockerBench>(); }}));

}  // namespace
}  // namespace slipway::ports
