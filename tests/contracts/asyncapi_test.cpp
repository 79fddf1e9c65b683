#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "messages/topics.hpp"
#include "meta_file/document.hpp"

// contracts/asyncapi.yaml says what the server does: the same topics, partitions and policies.
namespace slipway {
namespace {

using meta_file::Document;
using meta_file::Node;

std::filesystem::path contracts() {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  return std::filesystem::path(root != nullptr ? root : ".") / "contracts";
}

Document read_asyncapi() {
  std::ifstream file(contracts() / "asyncapi.yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto document = Document::parse("asyncapi.yaml", text.str());
  if (!document) throw std::runtime_error(to_string(document.error()));
  return std::move(*document);
}

/// The value below these keys; fails the test if there is none.
const Node& at(const Node& node, std::initializer_list<std::string_view> keys) {
  const Node* found = &node;
  for (const auto key : keys) {
    found = found->find(key);
    if (found == nullptr) throw std::runtime_error("asyncapi.yaml has no " + std::string(key));
  }
  return *found;
}

TEST(AsyncApi, has_the_topics_that_the_server_creates) {
  const Document document = read_asyncapi();
  std::set<std::string> written;
  for (const auto& [name, place, channel] : at(document.root(), {"channels"}).entries)
    written.insert(at(channel, {"address"}).text);
  EXPECT_EQ(written.erase("sensor.{type}.{id}"), 1U);
  std::set<std::string> created;
  for (const auto& spec : messages::Topics().all()) created.insert(spec.name);
  EXPECT_EQ(written, created);
}

TEST(AsyncApi, has_their_partitions_and_policies) {
  const Document document = read_asyncapi();
  for (const auto& spec : messages::Topics().all()) {
    SCOPED_TRACE(spec.name);
    const Node* channel = nullptr;
    for (const auto& [name, place, one] : at(document.root(), {"channels"}).entries)
      if (at(one, {"address"}).text == spec.name) channel = &one;
    ASSERT_NE(channel, nullptr);
    const Node& kafka = at(*channel, {"bindings", "kafka"});
    EXPECT_EQ(at(kafka, {"topic"}).text, spec.name);
    EXPECT_EQ(at(kafka, {"partitions"}).text, std::to_string(spec.partitions));
    const Node& configuration = at(kafka, {"topicConfiguration"});
    ASSERT_EQ(at(configuration, {"cleanup.policy"}).items.size(), 1U);
    EXPECT_EQ(at(configuration, {"cleanup.policy"}).items[0].text, spec.compacted ? "compact" : "delete");
    if (!spec.compacted) {
      EXPECT_EQ(at(configuration, {"retention.ms"}).text,
                std::to_string(std::chrono::milliseconds(spec.retention).count()));
    }
  }
}

TEST(AsyncApi, refers_to_every_message_schema) {
  const Document document = read_asyncapi();
  std::set<std::string> referred, there;
  for (const auto& [name, place, message] : at(document.root(), {"components", "messages"}).entries) {
    const Node* schema = at(message, {"payload"}).find("schema");
    if (schema == nullptr) continue;
    const std::string path = at(*schema, {"$ref"}).text;
    EXPECT_TRUE(std::filesystem::exists(contracts() / path)) << path;
    referred.insert(std::filesystem::path(path).filename().string());
  }
  for (const auto& entry : std::filesystem::directory_iterator(contracts() / "messages"))
    there.insert(entry.path().filename().string());
  EXPECT_EQ(referred, there);
}

}  // namespace
}  // namespace slipway
