#include "tests/fakes/fake_engine.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/ports/engine_suite.hpp"

namespace slipway::ports {
namespace {

// The shell of the suite's containers, as far as the suite needs one.
ExecResult shell(const ExecSpec& spec) {
  ExecResult result;
  if (spec.argv.front() == "cat") result.output = spec.input;
  if (spec.argv.front() == "echo") {
    for (std::size_t i = 1; i < spec.argv.size(); ++i) result.output += (i > 1 ? " " : "") + spec.argv[i];
    result.output += "\n";
  }
  if (spec.argv.front() == "sh") result.exit_code = 3;
  return result;
}

fakes::ContainerScript behave(const ContainerSpec& spec) {
  fakes::ContainerScript script;
  script.exec = shell;
  if (spec.entrypoint) script.start_error = "no such file: " + spec.entrypoint->front();
  if (spec.command && spec.command->back() == kSaysAndDies) {
    script.logs = {"one", "two"};
    script.dies_at_start = 7;
  }
  return script;
}

class FakeBench final : public EngineBench {
 public:
  FakeBench() {
    Image base;
    base.tags = {image()};
    engine_.add_image(base);
    engine_.script(behave);
  }
  Engine& engine() override { return engine_; }
  std::string image() override { return "base:1"; }
  void expect_failing_build(const std::vector<std::string>& output) override {
    engine_.fail_next_build(output);
  }
  void expect_endless_build() override { engine_.hold_builds(true); }

 private:
  fakes::FakeEngine engine_;
};

INSTANTIATE_TEST_SUITE_P(Fake, EngineSuite,
                         ::testing::Values(MakeBench{[] { return std::make_unique<FakeBench>(); }}));

}  // namespace
}  // namespace slipway::ports
