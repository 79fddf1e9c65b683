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

// What the fake adds to the port: trouble on request.

TEST(FakeEngine, loses_an_answer_with_or_without_the_effect) {
  fakes::FakeEngine engine;
  Image base;
  base.tags = {"base:1"};
  engine.add_image(base);
  ContainerSpec spec;
  spec.name = "a";
  spec.image = "base:1";
  engine.fail_next("create", fakes::lost_answer(false));
  engine.fail_next("create", fakes::lost_answer(true));
  EXPECT_EQ(engine.create(spec).error().kind, ErrorKind::kUnknown);
  EXPECT_FALSE(*engine.inspect("a"));
  EXPECT_EQ(engine.create(spec).error().kind, ErrorKind::kUnknown);
  EXPECT_TRUE(*engine.inspect("a"));
  EXPECT_EQ(engine.count("create"), 2U);
}

TEST(FakeEngine, is_down_when_told_so) {
  fakes::FakeEngine engine;
  engine.set_down(true);
  EXPECT_EQ(engine.ping().error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(engine.list({}).error().kind, ErrorKind::kUnavailable);
  engine.set_down(false);
  EXPECT_TRUE(engine.ping());
  const auto broken = engine.watch("a=b", [&] { engine.set_down(true); }, [](const EngineEvent&) {}, {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, "engine.watch_broken");
}

TEST(FakeEngine, kills_a_container_after_its_first_good_answer) {
  fakes::FakeEngine engine;
  Image base;
  base.tags = {"base:1"};
  engine.add_image(base);
  engine.script([](const ContainerSpec&) {
    fakes::ContainerScript script;
    script.dies_after_exec = 7;
    return script;
  });
  ContainerSpec spec;
  spec.name = "a";
  spec.image = "base:1";
  const auto id = engine.create(spec);
  ASSERT_TRUE(id);
  ASSERT_TRUE(engine.start(*id));
  EXPECT_EQ(engine.exec(*id, {}, {})->exit_code, 0);
  EXPECT_EQ((*engine.inspect(*id))->exit_code, 7);
  EXPECT_EQ(engine.events().back().action, "die");
  ASSERT_TRUE(engine.start(*id));
  EXPECT_TRUE(engine.exec(*id, {}, {}));
  EXPECT_TRUE((*engine.inspect(*id))->running);
}

TEST(FakeEngines, opens_only_what_was_added) {
  fakes::FakeEngines engines;
  engines.at("unix:///a").add_image({});
  EXPECT_TRUE(engines.open("unix:///a", ""));
  EXPECT_EQ(engines.open("unix:///b", "").error().code, "machine.url");
}

}  // namespace
}  // namespace slipway::ports
