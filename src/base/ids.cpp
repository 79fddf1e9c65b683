#include "base/ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <random>

namespace slipway {

std::uint64_t random_u64() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return engine();
}

std::string make_id(std::string_view prefix, WallTime now) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<char, 26> text{};
  auto time = static_cast<std::uint64_t>(to_ms(now));
  for (int i = 9; i >= 0; --i, time >>= 5U) text[static_cast<std::size_t>(i)] = kAlphabet[time & 31U];
  std::uint64_t bits = 0;
  for (std::size_t i = 10; i < text.size(); ++i, bits >>= 5U) {
    if ((i - 10) % 8 == 0) bits = random_u64();
    text[i] = kAlphabet[bits & 31U];
  }
  return std::string(prefix) + std::string(text.data(), text.size());
}

std::string make_uuid() {
  const std::uint64_t a = (random_u64() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t b = (random_u64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32U, (a >> 16U) & 0xffffU, a & 0xffffU,
                     b >> 48U, b & 0xffffffffffffULL);
}

std::string short_id(std::string_view request_id) {
  std::string tail(request_id.substr(request_id.size() - std::min<std::size_t>(4, request_id.size())));
  std::ranges::transform(tail, tail.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return "d-" + tail;
}

}  // namespace slipway
