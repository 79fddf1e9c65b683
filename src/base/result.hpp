#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace slipway {

/// What the caller can do about a failure; the only thing code branches on.
enum class ErrorKind {
  kInvalid,      ///< the input is wrong: tell its author, never retry
  kNotFound,     ///< no such thing
  kConflict,     ///< somebody else decided otherwise, or the name is taken
  kUnavailable,  ///< a peer does not answer: the same call may succeed later
  kUnknown,      ///< the call may or may not have had its effect: look before repeating
  kDenied,       ///< not allowed
  kCorrupt,      ///< stored or received bytes do not hold what they claim
  kInternal,     ///< a bug, or a peer that breaks its own contract
};

std::string_view to_string(ErrorKind kind);

/// One failure, for code (kind), for scripts (code, stable and documented) and for people (the rest).
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string code;                      ///< stable, such as "meta.unknown_key"
  std::string message;                   ///< what was being done and what went wrong
  std::string where{};                   ///< "service.yaml:12:1", "topic[partition]@offset", or empty
  std::string hint{};                    ///< what to do, or empty
  std::vector<std::string> last_logs{};  ///< last lines of a failed container, or empty

  bool retryable() const { return kind == ErrorKind::kUnavailable || kind == ErrorKind::kUnknown; }
  /// The same error with `prefix: ` before its message: the context in which it happened.
  Error in(std::string_view prefix) &&;
};

/// "code: message (where). hint": one line for logs.
std::string to_string(const Error& error);

/// A value or an Error; dropping one does not compile.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  static_assert(!std::is_same_v<T, Error>, "a returned Error would always be taken for a failure");

 public:
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>(std::unexpect, std::move(error)) {}  // NOLINT: a return value
};

using Status = Result<void>;

inline Error invalid(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kInvalid, std::move(code), std::move(message), {}, std::move(hint)};
}
inline Error not_found(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kNotFound, std::move(code), std::move(message), {}, std::move(hint)};
}
inline Error conflict(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kConflict, std::move(code), std::move(message), {}, std::move(hint)};
}
inline Error unavailable(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kUnavailable, std::move(code), std::move(message), {}, std::move(hint)};
}
inline Error denied(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kDenied, std::move(code), std::move(message), {}, std::move(hint)};
}
inline Error internal_error(std::string code, std::string message, std::string hint = {}) {
  return {ErrorKind::kInternal, std::move(code), std::move(message), {}, std::move(hint)};
}

}  // namespace slipway

/// Returns the Error of `expression` from the calling function, if it failed.
#define SLIPWAY_TRY(expression)                                                                           \
  do {                                                                                                    \
    if (auto slipway_result_ = (expression); !slipway_result_) return std::move(slipway_result_).error(); \
  } while (false)

#define SLIPWAY_CONCAT_INNER(a, b) a##b
#define SLIPWAY_CONCAT(a, b) SLIPWAY_CONCAT_INNER(a, b)

/// SLIPWAY_ASSIGN(auto x, call()): x is the value, or the calling function returns the Error.
#define SLIPWAY_ASSIGN(target, expression) \
  SLIPWAY_ASSIGN_INNER(SLIPWAY_CONCAT(slipway_result_, __LINE__), target, expression)
#define SLIPWAY_ASSIGN_INNER(result, target, expression) \
  auto result = (expression);                            \
  if (!result) return std::move(result).error();         \
  target = std::move(*result)
