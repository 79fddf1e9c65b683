#include "base/secret_box.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/ids.hpp"

namespace slipway {
namespace {

const std::string kKey(32, 'k');

class KeyFile {
 public:
  KeyFile(const std::string& content, mode_t mode)
      : path_(std::filesystem::temp_directory_path() / ("slipway-key-" + make_uuid())) {
    std::ofstream(path_, std::ios::binary) << content;
    EXPECT_EQ(chmod(path_.c_str(), mode), 0);
  }
  ~KeyFile() { std::filesystem::remove(path_); }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(SecretBox, opens_what_it_sealed) {
  const auto box = SecretBox::from_key(kKey);
  ASSERT_TRUE(box);
  for (const std::string& value :
       {std::string("s3cret"), std::string(), std::string(64 << 10, 'x'), std::string("\0\xff\n", 3)}) {
    const auto sealed = box->seal(value, "place");
    ASSERT_TRUE(sealed);
    EXPECT_TRUE(value.empty() || !sealed->contains(value));
    EXPECT_EQ(box->open(*sealed, "place"), value);
  }
}

TEST(SecretBox, seals_the_same_value_differently_each_time) {
  const auto box = *SecretBox::from_key(kKey);
  EXPECT_NE(*box.seal("s3cret", "place"), *box.seal("s3cret", "place"));
}

TEST(SecretBox, refuses_what_was_changed_moved_or_sealed_by_another_key) {
  const auto box = *SecretBox::from_key(kKey);
  const auto other = *SecretBox::from_key(std::string(32, 'o'));
  EXPECT_NE(box.key_id(), other.key_id());
  const std::string sealed = *box.seal("s3cret", "MQTT_PASSWORD");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(box.open(changed, "MQTT_PASSWORD").error().code, "secret.sealed") << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(box.open(sealed.substr(0, size), "MQTT_PASSWORD")) << size;
  EXPECT_FALSE(box.open(sealed, "OTHER"));
  EXPECT_FALSE(other.open(sealed, "MQTT_PASSWORD"));
}

TEST(SecretBox, reads_bytes_and_hex_of_the_same_key_alike) {
  const KeyFile bytes(kKey, 0600);
  std::string digits;
  for (int i = 0; i < 32; ++i) digits += i % 2 == 0 ? "6b" : "6B";
  const KeyFile hex(digits + "\n", 0400);
  const auto one = SecretBox::load(bytes.path());
  const auto two = SecretBox::load(hex.path());
  ASSERT_TRUE(one) << one.error().message;
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(one->key_id(), two->key_id());
}

TEST(SecretBox, refuses_key_files_that_are_missing_short_long_or_open_to_others) {
  for (const mode_t mode : {0640U, 0604U, 0700U, 0644U}) {
    const KeyFile open_to_others(kKey, mode);
    const auto box = SecretBox::load(open_to_others.path());
    ASSERT_FALSE(box) << mode;
    EXPECT_EQ(box.error().code, "secret.key_file");
    EXPECT_NE(box.error().hint.find("chmod 600"), std::string::npos);
  }
  for (const std::string& content : {std::string(), std::string(31, 'k'), std::string(33, 'k'),
                                     std::string(64, 'g'), std::string(4096, 'k')}) {
    const KeyFile wrong(content, 0600);
    const auto box = SecretBox::load(wrong.path());
    ASSERT_FALSE(box) << content.size();
    EXPECT_EQ(box.error().code, "secret.key_file");
    EXPECT_EQ(box.error().message.find("kkkk"), std::string::npos) << "the key is in the message";
  }
  EXPECT_EQ(SecretBox::load("/nowhere/key").error().code, "secret.key_file");
}

}  // namespace
}  // namespace slipway
