#include "base/secret_box.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/digest.hpp"

namespace slipway {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kLongestKeyFile = 256;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

int hex_digit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto found = kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
  return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

// 64 hex digits as 32 bytes; anything else stays.
std::string unhex(const std::string& text) {
  std::string digits = text;
  while (digits.ends_with('\n') || digits.ends_with('\r')) digits.pop_back();
  if (digits.size() != 64 || std::ranges::any_of(digits, [](char c) { return hex_digit(c) < 0; }))
    return text;
  std::string key;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    key += static_cast<char>(hex_digit(digits[i]) * 16 + hex_digit(digits[i + 1]));
  return key;
}

Error broken(const char* what) {
  return internal_error("secret.cipher", fmt::format("{} failed in the cipher library", what));
}

}  // namespace

SecretBox::SecretBox(std::string_view key) {
  std::ranges::copy(key, reinterpret_cast<char*>(key_.data()));
  key_id_ = sha256_hex("slipway secret key " + std::string(key)).substr(0, 16);
}

Result<SecretBox> SecretBox::from_key(std::string_view key) {
  if (key.size() != kKeySize)
    return invalid("secret.key_file", "a key for secrets is 32 bytes, or 64 hex digits",
                   "make one: (umask 077; head -c 32 /dev/urandom > FILE)");
  return SecretBox(key);
}

Result<SecretBox> SecretBox::load(const std::string& key_file) {
  struct stat file{};
  if (stat(key_file.c_str(), &file) != 0)
    return invalid("secret.key_file", fmt::format("secrets.key_file: there is no file {}", key_file),
                   fmt::format("make one: (umask 077; head -c 32 /dev/urandom > {})", key_file));
  if (!S_ISREG(file.st_mode) || (file.st_mode & 0177) != 0)
    return invalid("secret.key_file",
                   fmt::format("secrets.key_file: {} must be a file that its owner alone may read "
                               "(mode 0600), not {:04o}",
                               key_file, file.st_mode & 07777),
                   fmt::format("chmod 600 {}", key_file));
  std::ifstream in(key_file, std::ios::binary);
  std::string text(kLongestKeyFile, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty())
    return invalid("secret.key_file", fmt::format("secrets.key_file: cannot read {}", key_file));
  auto box = from_key(unhex(text));
  if (!box) return std::move(box).error().in(key_file);
  return box;
}

Result<std::string> SecretBox::seal(std::string_view value, std::string_view place) const {
  std::string nonce(kNonceSize, '\0');
  if (RAND_bytes(bytes_of(nonce), static_cast<int>(nonce.size())) != 1) return broken("a random number");
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string sealed(value.size(), '\0');
  std::string tag(kTagSize, '\0');
  int written = 0;
  int rest = 0;
  unsigned char end[16];
  const bool done =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(place), size_of(place)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &written, bytes_of(value), size_of(value)) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), end, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, tag.data()) == 1;
  return done ? Result<std::string>(nonce + sealed + tag) : broken("sealing");
}

Result<std::string> SecretBox::open(std::string_view sealed, std::string_view place) const {
  const Error wrong{ErrorKind::kCorrupt, "secret.sealed",
                    "a sealed value does not open: it was changed, moved or sealed under another key"};
  if (sealed.size() < kNonceSize + kTagSize) return wrong;
  const std::string_view nonce = sealed.substr(0, kNonceSize);
  const std::string_view inner = sealed.substr(kNonceSize, sealed.size() - kNonceSize - kTagSize);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string value(inner.size(), '\0');
  int written = 0;
  int rest = 0;
  unsigned char end[16];
  const bool done =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(place), size_of(place)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(value), &written, bytes_of(inner), size_of(inner)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), end, &rest) == 1;
  return done ? Result<std::string>(std::move(value)) : wrong;
}

}  // namespace slipway
