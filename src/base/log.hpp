#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace slipway {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// Writes one JSON object per line: ts, level, component, msg and the fields given. Any thread may call;
/// copies are cheap and share one sink. Never hand it a secret.
class Log {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

  /// To standard error, from `level` on.
  static Log to_stderr(LogLevel level = LogLevel::kInfo);
  /// Into nothing: for tests.
  static Log silent();
  /// The same sink under another component name (a role's).
  Log named(std::string component) const;

  void debug(std::string_view message, Fields fields = {}) const { write(LogLevel::kDebug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(LogLevel::kInfo, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { write(LogLevel::kWarn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(LogLevel::kError, message, fields); }
  void error(std::string_view message, const Error& error) const;
  void warn(std::string_view message, const Error& error) const;

 private:
  struct Sink;
  Log(std::shared_ptr<Sink> sink, std::string component);
  void write(LogLevel level, std::string_view message, Fields fields) const;

  std::shared_ptr<Sink> sink_;
  std::string component_;
};

}  // namespace slipway
