#include "cli/message_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/output.hpp"

namespace slipway::cli {

std::string message_text(const nlohmann::json& message, bool wide) {
  const std::string time = text_of(message, "time");  // "2026-11-22T11:58:03.120Z"
  const std::string clock = time.size() >= 23 ? time.substr(11, 12) : time;
  std::string line = fmt::format("{}  {} -> {}  {}  {}", clock, text_of(message, "from"),
                                 text_of(message, "to"), text_of(message, "topic"), text_of(message, "says"));
  if (wide) line += "  " + text_of(message, "place") + " key " + cell(message, "key");
  return escape_for_people(line);
}

}  // namespace slipway::cli
