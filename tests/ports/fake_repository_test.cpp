#include <gtest/gtest.h>

#include "tests/fakes/fake_repository.hpp"
#include "tests/ports/repository_suite.hpp"

namespace slipway::tests {

ports::Repository& repository_under_test() {
  static fakes::FakeRepository repository;
  return repository;
}

namespace {

TEST(FakeRepository, fails_when_told_to_and_changes_nothing) {
  fakes::FakeRepository repository;
  repository.fail_next(unavailable("x", "y"), 1, "leases");
  EXPECT_TRUE(repository.lanes().enqueue("s", "r"));
  EXPECT_FALSE(repository.leases().take("l", "me", std::nullopt));
  EXPECT_FALSE(*repository.leases().find("l"));
}

TEST(FakeRepository, loses_answers_of_writes_that_happened) {
  fakes::FakeRepository repository;
  repository.lose_answers();
  const auto lost = repository.leases().take("l", "me", std::nullopt);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::kUnknown);
  EXPECT_TRUE(*repository.leases().find("l"));
}

TEST(FakeRepository, is_down_until_it_is_up) {
  fakes::FakeRepository repository;
  repository.set_down(true);
  EXPECT_FALSE(repository.ping(milliseconds(1)));
  EXPECT_FALSE(repository.lanes().find("s"));
  repository.set_down(false);
  EXPECT_TRUE(repository.lanes().find("s"));
}

}  // namespace
}  // namespace slipway::tests
