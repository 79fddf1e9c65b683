#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/digest.hpp"
#include "ports/source_archive.hpp"

namespace slipway::archive {

/// Passes bytes on, counts and digests them. `inner` outlives it.
class DigestingSource final : public ByteSource {
 public:
  /// More than `most` bytes: kInvalid archive.too_large.
  DigestingSource(ByteSource& inner, std::uint64_t most) : inner_(inner), left_(most) {}
  Result<std::size_t> read(std::span<char> buffer) override;
  /// Reads what is left, then the digest of everything.
  Result<std::string> finish();

 private:
  ByteSource& inner_;
  std::uint64_t left_;
  Sha256 digest_;
};

/// Bytes as they were before gzip or zstd; others are passed through. `packed` outlives it.
class Unpacked final : public ByteSource {
 public:
  explicit Unpacked(ByteSource& packed);
  ~Unpacked() override;
  /// Errors of `packed` come through unchanged; what cannot be unpacked is kInvalid archive.corrupt.
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  struct State;
  Status open();
  std::unique_ptr<State> state_;
};

}  // namespace slipway::archive
