#include "messages/strict_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "base/text.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValues = 20'000;

std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("{}:{}", line, before.size() - start + 1);
}

Error wrong(std::string code, std::string message, std::string_view text, std::size_t offset) {
  Error error = invalid(std::move(code), std::move(message));
  error.where = line_and_column(text, offset);
  return error;
}

/// Tells the scan how far the lexer has read, which SAX events do not.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::size_t* taken;
  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    ++*taken;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

/// Checks the limits before anything is built.
class Scan : public nlohmann::json_sax<json> {
 public:
  Scan(std::string_view text, const std::size_t& taken) : text_(text), taken_(taken) {}
  std::optional<Error> error;

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    return fail("json.duplicate_key", fmt::format("the key \"{}\" is there twice", escape_for_people(name)));
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...": the end says it.
    const std::string_view what = e.what();
    const std::size_t colon = what.find(": ");
    const std::string_view reason = colon == std::string_view::npos ? what : what.substr(colon + 2);
    error = wrong("json.syntax", escape_for_people(reason.substr(0, 200)), text_,
                  position > 0 ? position - 1 : 0);
    return false;
  }

 private:
  bool count() { return ++values_ <= kMaxValues || fail("json.too_large", "more than 20,000 values"); }
  bool open() {
    keys_.emplace_back();
    return count() && (keys_.size() <= kMaxDepth || fail("json.too_deep", "more than 32 levels deep"));
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  bool fail(std::string code, std::string message) {
    error = wrong(std::move(code), std::move(message), text_, taken_ > 0 ? taken_ - 1 : 0);
    return false;
  }

  std::string_view text_;
  const std::size_t& taken_;
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Result<json> parse_strict_json(std::string_view text) {
  if (text.size() > kMaxMessageBytes)
    return wrong("json.too_large", fmt::format("{} bytes; at most 256 KiB are read", text.size()), text, 0);
  if (const auto bad = find_invalid_utf8(text)) return wrong("json.utf8", "no valid UTF-8", text, *bad);
  if (text.starts_with("\xef\xbb\xbf")) return wrong("json.syntax", "starts with a byte order mark", text, 0);
  std::size_t taken = 0;
  Scan scan(text, taken);
  const CountingIterator first{text.data(), &taken}, last{text.data() + text.size(), &taken};
  if (!json::sax_parse(first, last, &scan))
    return scan.error.value_or(wrong("json.syntax", "no JSON", text, taken));
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return wrong("json.syntax", "no JSON", text, 0);
  return value;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace slipway::messages
