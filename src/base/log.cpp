#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"

namespace slipway {
namespace {

// JSON string content. Invalid UTF-8 and controls are made visible, so a hostile log line stays one line.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : escape_for_people(text)) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\t') {
      out += "\\t";
      continue;
    }
    out += c;
  }
  return out + '"';
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace

struct Log::Sink {
  LogLevel level;
  std::shared_ptr<spdlog::logger> logger;
};

Log::Log(std::shared_ptr<Sink> sink, std::string component)
    : sink_(std::move(sink)), component_(std::move(component)) {}

Log Log::to_stderr(LogLevel level) {
  auto logger =
      std::make_shared<spdlog::logger>("slipway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  return {std::make_shared<Sink>(level, std::move(logger)), "slipway"};
}

Log Log::silent() {
  return {nullptr, ""};
}

Log Log::named(std::string component) const {
  return {sink_, std::move(component)};
}

void Log::error(std::string_view message, const Error& error) const {
  write(LogLevel::kError, message, {{"code", error.code}, {"error", error.message}, {"where", error.where}});
}

void Log::warn(std::string_view message, const Error& error) const {
  write(LogLevel::kWarn, message, {{"code", error.code}, {"error", error.message}, {"where", error.where}});
}

void Log::write(LogLevel level, std::string_view message, Fields fields) const {
  if (!sink_ || level < sink_->level) return;
  std::string line =
      fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"component\":{},\"msg\":{}",
                  to_rfc3339(SystemClock{}.now()), name_of(level), quoted(component_), quoted(message));
  for (const auto& [key, value] : fields)
    if (!value.empty()) line += fmt::format(",{}:{}", quoted(key), quoted(value));
  sink_->logger->info("{}", line + "}");
}

}  // namespace slipway
