#include "cli/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "messages/deployment_status.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// Quoted wherever a YAML reader could see something else than this text.
std::string yaml_scalar(const json& value) {
  if (!value.is_string()) return dump(value, -1);
  const auto& text = value.get_ref<const std::string&>();
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_-./ ").contains(static_cast<char>(c));
  };
  static const std::vector<std::string> kWords{"true", "false", "null", "yes", "no", "on", "off"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool safe = !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
                    text.back() != ' ' && std::ranges::all_of(text, plain) &&
                    std::ranges::find(kWords, lower) == kWords.end();
  return safe ? text : dump(value, -1);
}

}  // namespace

std::size_t shown_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string fit(std::string_view text, std::size_t width, bool unicode) {
  const std::size_t shown = shown_width(text);
  if (shown <= width) return std::string(text) + std::string(width - shown, ' ');
  const std::string_view end = unicode ? "…" : "~";
  std::size_t bytes = 0;
  for (std::size_t count = 0; bytes < text.size(); ++bytes) {
    if (is_continuation(text[bytes])) continue;
    if (count + 1 == width) break;
    ++count;
  }
  return std::string(text.substr(0, bytes)) + std::string(end);
}

void Table::add(std::vector<std::string> row) {
  for (std::string& one : row) one = one.empty() ? "-" : escape_for_people(one);
  row.resize(head_.size(), "-");
  rows_.push_back(std::move(row));
}

std::string Table::render(std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < head_.size(); ++i) {
    widths.push_back(shown_width(head_[i]));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], shown_width(row[i]));
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text(indent);
    for (std::size_t i = 0; i < cells.size(); ++i)
      text += cells[i] + std::string(widths[i] - shown_width(cells[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line(head_);
  for (const auto& row : rows_) line(row);
  return out;
}

std::string text_of(const json& object, std::string_view field) {
  if (!object.is_object()) return {};
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : dump(*found, -1);
}

std::string cell(const json& object, std::string_view field) {
  std::string text = text_of(object, field);
  return text.empty() ? "-" : text;
}

const json& child(const json& object, std::string_view field) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(field);
  return found == object.end() ? kNull : *found;
}

double number_of(const json& object, std::string_view field) {
  if (!object.is_object()) return 0;
  const auto found = object.find(field);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string human_bytes(double bytes) {
  constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 || bytes >= 99.95 ? 0 : 1, kUnits[unit]);
}

std::string human_age(const std::string& time, WallTime now) {
  const auto parsed = parse_rfc3339(time);
  if (time.empty() || !parsed) return "-";
  const auto age = std::max(milliseconds{0}, now - *parsed);
  if (age < milliseconds{10'000}) return fmt::format("{:.1f} s ago", static_cast<double>(age.count()) / 1000);
  return to_human(age) + " ago";
}

std::string to_yaml(const json& value, std::size_t indent) {
  const std::string pad(indent, ' ');
  std::string out;
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, one] : value.items()) {
      const bool nested = one.is_structured() && !one.empty();
      out += pad + yaml_scalar(json(key)) + ":" +
             (nested ? "\n" + to_yaml(one, indent + 2) : " " + yaml_scalar(one) + "\n");
    }
  } else if (value.is_array() && !value.empty()) {
    for (const json& one : value) {
      const bool nested = one.is_structured() && !one.empty();
      out += pad + "- " + (nested ? to_yaml(one, indent + 2).substr(indent + 2) : yaml_scalar(one) + "\n");
    }
  } else {
    out += pad + yaml_scalar(value) + "\n";
  }
  return out;
}

bool write_value(Session& session, const json& value) {
  std::ostream& out = session.world.out;
  switch (session.format) {
    case Format::kTable:
    case Format::kWide:
      return false;
    case Format::kJson:
      out << dump(value, 2) << "\n";
      return true;
    case Format::kYaml:
      out << to_yaml(value);
      return true;
    case Format::kName:
      break;
  }
  const json list = value.is_array() ? value : json::array({value});
  for (const json& one : list) {
    std::string name = text_of(one, "name");
    if (name.empty()) name = text_of(one, "id");
    out << escape_for_people(name) << "\n";
  }
  return true;
}

void say_event(Session& session, std::string_view event, const json& data) {
  session.world.err << dump({{"event", event}, {"data", data}}, -1) << "\n" << std::flush;
}

void say_note(Session& session, const std::string& text) {
  if (session.events()) return say_event(session, "note", {{"text", text}});
  session.world.err << escape_for_people(text) << "\n";
}

void say_error(Session& session, const Error& error) {
  if (session.events()) return say_event(session, "error", messages::to_value(error));
  std::ostream& err = session.world.err;
  err << "slipway: " << escape_for_people(error.message) << " (" << escape_for_people(error.code) << ")\n";
  if (!error.where.empty()) err << "  at    " << escape_for_people(error.where) << "\n";
  for (const std::string& line : error.last_logs) err << "  | " << escape_for_people(line) << "\n";
  if (!error.hint.empty()) err << "  hint  " << escape_for_people(error.hint) << "\n";
}

int fail(Session& session, const Error& error) {
  say_error(session, error);
  const int code = static_cast<int>(exit_code(error));
  if (session.format == Format::kJson || session.format == Format::kYaml) {
    json value = messages::to_value(error);
    value["exit_code"] = code;
    write_value(session, value);
  }
  return code;
}

}  // namespace slipway::cli
