#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "ports/bus.hpp"

namespace slipway::tests {

/// Makes a bus of its own to one and the same world.
using MakeBus = std::function<std::unique_ptr<ports::Bus>()>;

/// What every Bus must do: run on the fake and on Kafka. Topics and groups have names of this run's own.
class BusSuite : public testing::TestWithParam<MakeBus> {
 protected:
  BusSuite();
  void SetUp() override;

  std::string name(const std::string& word) const { return prefix_ + word; }
  void make_topic(const std::string& topic, int partitions = 1, bool compacted = false);
  void publish(const std::string& topic, const std::string& key, const std::string& value);
  /// Polls until `count` records came, or the deadline passed.
  static std::vector<ports::Record> read(ports::Consumer& consumer, std::size_t count);
  static std::vector<std::string> values(const std::vector<ports::Record>& records);

  const std::string prefix_;
  std::unique_ptr<ports::Bus> bus_;
};

}  // namespace slipway::tests
