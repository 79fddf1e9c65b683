#include "base/url.hpp"

#include <cctype>
#include <cstddef>
#include <utility>

#include "base/text.hpp"

namespace slipway {
namespace {

constexpr std::size_t kMostParameters = 64;

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

Error bad_target(std::string message) {
  return invalid("http.target", std::move(message));
}

Status parse_query(std::string_view text, std::map<std::string, std::string>& query) {
  for (const std::string& part : split(text, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    SLIPWAY_ASSIGN(std::string name, percent_decode(part.substr(0, equals)));
    SLIPWAY_ASSIGN(std::string value,
                   percent_decode(equals == std::string::npos ? std::string_view{}
                                                              : std::string_view(part).substr(equals + 1)));
    if (!query.emplace(name, std::move(value)).second)
      return bad_target("the parameter '" + escape_for_people(name) + "' comes twice");
    if (query.size() > kMostParameters) return bad_target("more than 64 parameters");
  }
  return {};
}

}  // namespace

std::string percent_encode(std::string_view text, std::string_view keep) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-._~").contains(c));
    if (plain || keep.contains(c)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return bad_target("broken percent-encoding in the address");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return bad_target("control character in the address");
    decoded += c;
  }
  if (find_invalid_utf8(decoded)) return bad_target("the address is not UTF-8");
  return decoded;
}

Result<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return bad_target("the address must begin with '/'");
  text = text.substr(0, text.find('#'));
  const std::size_t question = text.find('?');
  Target target;
  SLIPWAY_ASSIGN(target.path, percent_decode(text.substr(0, question)));
  if (question != std::string_view::npos) SLIPWAY_TRY(parse_query(text.substr(question + 1), target.query));
  return target;
}

}  // namespace slipway
