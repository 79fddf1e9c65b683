#include "base/failpoint.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace slipway {
namespace {

std::string scratch(const std::string& name) {
  return testing::TempDir() + "failpoint-" + std::to_string(getpid()) + "-" + name;
}

TEST(Failpoints, do_nothing_unless_armed) {
  Failpoints().hit(Failpoint::kCreated, "boiler");
  Failpoints::parse("", "").value().hit(Failpoint::kCreated, "boiler");
}

TEST(FailpointsDeathTest, end_the_process_where_they_are_armed) {
  const auto reach = [](Failpoint point, std::string_view service) {
    Failpoints::parse("created@boiler:kill;ended:abort", "").value().hit(point, service);
    std::exit(0);
  };
  EXPECT_EXIT(reach(Failpoint::kCreated, "boiler"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(reach(Failpoint::kEnded, "any"), testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(reach(Failpoint::kCreated, "other"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(reach(Failpoint::kStarted, "boiler"), testing::ExitedWithCode(0), "");
}

TEST(FailpointsDeathTest, count_over_restarts) {
  const std::string hits = scratch("hits");
  const auto reach = [&](std::string_view service) {
    Failpoints::parse("started:kill*2", hits).value().hit(Failpoint::kStarted, service);
    std::exit(0);
  };
  EXPECT_EXIT(reach("boiler"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(reach("boiler"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(reach("boiler"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(reach("other"), testing::KilledBySignal(SIGKILL), "");
  std::ifstream in(hits);
  std::string line;
  std::getline(in, line);
  EXPECT_TRUE(line.starts_with("started boiler ")) << line;
  std::filesystem::remove(hits);
}

TEST(Failpoints, hold_until_their_file_is_gone) {
  const std::string file = scratch("hold"), hits = scratch("held");
  std::ofstream(file) << "";
  std::jthread held(
      [&] { Failpoints::parse("ended:hold=" + file, hits).value().hit(Failpoint::kEnded, "x"); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!std::filesystem::exists(hits) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_TRUE(std::filesystem::exists(hits));
  std::filesystem::remove(file);
  held.join();
  std::filesystem::remove(hits);
}

TEST(Failpoints, are_refused_when_they_cannot_be_meant) {
  for (const auto& [text, code] : {std::pair{"nowhere:kill", "failpoint.unknown"},
                                   {"created", "failpoint.syntax"},
                                   {"created:explode", "failpoint.effect"},
                                   {"created:kill*0", "failpoint.syntax"},
                                   {"created:kill*2", "failpoint.hits"}}) {
    const auto parsed = Failpoints::parse(text, "");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, code) << text;
    EXPECT_FALSE(parsed.error().hint.empty()) << text;
  }
}

TEST(Failpoints, have_a_name_each) {
  std::set<std::string_view> names;
  for (const auto& [name, when] : failpoints()) {
    EXPECT_FALSE(when.empty());
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Failpoint::kEnded) + 1);
}

}  // namespace
}  // namespace slipway
