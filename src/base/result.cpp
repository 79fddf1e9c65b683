#include "base/result.hpp"

namespace slipway {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kUnknown:
      return "unknown";
    case ErrorKind::kDenied:
      return "denied";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::in(std::string_view prefix) && {
  message.insert(0, ": ").insert(0, prefix);
  return std::move(*this);
}

std::string to_string(const Error& error) {
  std::string text = error.code + ": " + error.message;
  if (!error.where.empty()) text += " (" + error.where + ")";
  if (!error.hint.empty()) text += ". Hint: " + error.hint;
  return text;
}

}  // namespace slipway
