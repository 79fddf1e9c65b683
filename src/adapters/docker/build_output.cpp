#include "adapters/docker/build_output.hpp"

#include "adapters/docker/json_fields.hpp"

namespace slipway::docker {
namespace {
constexpr std::size_t kLastLines = 100;
}

BuildOutput::BuildOutput(const ports::LineHandler& on_line)
    : on_line_(on_line), text_([this](std::string_view line) {
        take(line);
        return true;
      }) {}

void BuildOutput::take(std::string_view line) {
  if (line.empty()) return;
  last_.emplace_back(line);
  if (last_.size() > kLastLines) last_.pop_front();
  if (on_line_) on_line_(line);
}

void BuildOutput::feed(std::string_view json_line) {
  if (json_line.find_first_not_of(" \t\r") == json_line.npos) return;
  const auto json = parse_json(json_line);
  if (!json) {
    take(json_line);  // not expected, but somebody may want to read it
    return;
  }
  text_.feed(text_at(*json, "stream"));
  if (const auto status = text_at(*json, "status"); !status.empty() && at(*json, "progressDetail").empty())
    text_.feed(text_at(*json, "id").append(json->contains("id") ? ": " : "").append(status).append("\n"));
  if (auto id = text_at(at(*json, "aux"), "ID"); !id.empty()) image_id_ = std::move(id);
  if (error_.empty()) error_ = text_at(at(*json, "errorDetail"), "message");
  if (error_.empty()) error_ = text_at(*json, "error");
}

}  // namespace slipway::docker
