#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/engine.hpp"

namespace slipway::ports {

/// An engine under test, and the few things in which engines differ. One for each test.
class EngineBench {
 public:
  virtual ~EngineBench() = default;
  virtual Engine& engine() = 0;
  /// An image with a shell.
  virtual std::string image() = 0;
  /// A label that only this test's things carry.
  std::string label() const { return "slipway.test=" + run_; }
  /// A name that only this test uses.
  std::string name(const std::string& suffix) const { return run_ + "-" + suffix; }
  virtual void expect_failing_build(const std::vector<std::string>& output) = 0;
  virtual void expect_endless_build() = 0;

 protected:
  EngineBench();
  const std::string run_;
};

// What a container of the suite does; a fake knows these texts.
inline constexpr const char* kSleeps = "exec sleep 300";
inline constexpr const char* kSaysAndDies = "echo one; echo two; exit 7";

using MakeBench = std::function<std::unique_ptr<EngineBench>()>;

/// What every Engine promises: engine_suite.cpp is compiled into one program for each kind.
class EngineSuite : public ::testing::TestWithParam<MakeBench> {
 protected:
  void SetUp() override { bench_ = GetParam()(); }

  Engine& engine() { return bench_->engine(); }
  ContainerSpec spec(const std::string& suffix, const std::string& shell);
  /// Creates and starts; fails the test where that fails.
  std::string run(const ContainerSpec& spec);
  Container inspect(const std::string& id);
  /// Waits until `holds`, at most 20 s.
  static bool eventually(const std::function<bool()>& holds);

  std::unique_ptr<EngineBench> bench_;
};

}  // namespace slipway::ports
