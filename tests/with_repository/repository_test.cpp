#include "adapters/repository/repository.hpp"

#include <gtest/gtest.h>
#include <mongoc/mongoc.h>

#include <cstdlib>

#include "base/ids.hpp"
#include "tests/ports/repository_suite.hpp"

namespace slipway::tests {
namespace {

SystemClock clock_of_tests;

repository::RepositorySettings settings() {
  const char* uri = std::getenv("MONGODB_URI");
  if (!uri || !*uri) {
    std::fprintf(stderr,
                 "MONGODB_URI is not set: these tests need a Repository (./dev stack up, then ./dev env)\n");
    std::exit(2);  // a missing peer is a failure, never a skip
  }
  static const std::string database = "slipway_test_" + std::to_string(random_u64() % 1'000'000'000);
  repository::RepositorySettings made;
  made.uri = uri;
  made.database = database;
  return made;
}

// Drops this run's database.
class Cleanup final : public testing::Environment {
 public:
  void TearDown() override {
    mongoc_client_t* client = mongoc_client_new(settings().uri.c_str());
    mongoc_database_t* database = mongoc_client_get_database(client, settings().database.c_str());
    bson_error_t error{};
    EXPECT_TRUE(mongoc_database_drop(database, &error)) << error.message;
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
  }
};
const auto* const kCleanup = testing::AddGlobalTestEnvironment(new Cleanup);

TEST(OpenRepository, can_be_done_again_on_the_same_database) {
  repository_under_test();
  EXPECT_TRUE(repository::open_repository(settings(), clock_of_tests, Log::silent()));
}

TEST(OpenRepository, says_in_time_that_nobody_answers_and_keeps_the_password_to_itself) {
  repository::RepositorySettings nobody;
  nobody.uri = "mongodb://anna:s3cr3t@127.0.0.1:1/?authSource=admin";
  nobody.server_selection = milliseconds(300);
  const auto opened = repository::open_repository(nobody, clock_of_tests, Log::silent());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(to_string(opened.error()).find("s3cr3t"), std::string::npos);
}

// FAULTS F23
TEST(OpenRepository, F23_waits_for_majority_and_journal_whatever_the_uri_says) {
  for (const char* weak : {"w=0", "w=1&journal=false"}) {
    auto wished = settings();
    wished.uri += (wished.uri.find('?') == std::string::npos ? "/?" : "&") + std::string(weak);
    const auto opened = repository::open_repository(wished, clock_of_tests, Log::silent());
    ASSERT_TRUE(opened) << to_string(opened.error());
    ports::Deployment deployment;
    deployment.request_id = "weak-" + std::to_string(random_u64());
    deployment.service_id = "shop";
    EXPECT_TRUE(*(*opened)->deployments().insert(deployment));
    EXPECT_FALSE(*(*opened)->deployments().insert(deployment)) << "with " << weak << " nobody would be told";
  }
}

TEST(OpenRepository, refuses_a_uri_that_is_none_without_repeating_it) {
  repository::RepositorySettings wrong;
  wrong.uri = "mongo:/anna:s3cr3t@host";
  const auto opened = repository::open_repository(wrong, clock_of_tests, Log::silent());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(opened.error().code, "repository.uri");
  EXPECT_EQ(to_string(opened.error()).find("s3cr3t"), std::string::npos);
}

}  // namespace

ports::Repository& repository_under_test() {
  static const auto opened = [] {
    auto made = repository::open_repository(settings(), clock_of_tests, Log::silent());
    if (!made) {
      std::fprintf(stderr, "cannot open the Repository: %s\n", to_string(made.error()).c_str());
      std::exit(2);
    }
    return std::move(*made);
  }();
  return *opened;
}

}  // namespace slipway::tests
