#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace slipway {

/// Seals and opens secrets with one key: AES-256-GCM. Cheap to copy; any thread may call.
class SecretBox {
 public:
  /// Reads the key file: 32 bytes, or 64 hex digits and perhaps a newline; readable by its owner alone (0600
  /// or 0400). kInvalid `secret.key_file`, which says what is wrong; the key is never in a message.
  static Result<SecretBox> load(const std::string& key_file);
  /// 32 bytes; kInvalid `secret.key_file` for any other length.
  static Result<SecretBox> from_key(std::string_view key);

  /// Tells two keys apart without telling anything of them: 16 hex digits.
  const std::string& key_id() const { return key_id_; }

  /// Nonce, ciphertext and tag. What was sealed opens only under the same `place` (a name): a sealed value
  /// that is moved elsewhere is refused.
  Result<std::string> seal(std::string_view value, std::string_view place) const;
  /// kCorrupt `secret.sealed` for bytes that this key and place did not seal.
  Result<std::string> open(std::string_view sealed, std::string_view place) const;

 private:
  static constexpr std::size_t kKeySize = 32;
  explicit SecretBox(std::string_view key);

  std::array<unsigned char, kKeySize> key_{};
  std::string key_id_;
};

}  // namespace slipway
