#include "messages/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "messages/parsed.hpp"
#include "messages/strict_json.hpp"

namespace slipway::messages {
namespace {

using nlohmann::json;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}

// First and last character `edge`, those between `edge` or one of `more`.
bool matches(std::string_view text, std::size_t most, bool (*edge)(char), std::string_view more) {
  if (text.empty() || text.size() > most || !edge(text.front()) || !edge(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return edge(c) || more.find(c) != std::string_view::npos; });
}

bool is_lower_or_digit(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_service_name(std::string_view text) {
  return matches(text, 40, is_lower_or_digit, "-") && is_lower(text.front());
}
bool is_machine_name(std::string_view text) {
  return matches(text, 63, is_lower_or_digit, "._-");
}
bool is_sensor_name(std::string_view text) {
  return matches(text, 63, is_alnum, "_.-");
}
bool is_sensor_type(std::string_view text) {
  return matches(text, 63, is_alnum, "_-");
}
bool is_topic_name(std::string_view text) {
  return !text.empty() && text.size() <= 249 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::string_view type_name(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "text";
    case json::value_t::boolean:
      return "true or false";
    case json::value_t::number_float:
      return "a number with a fraction";
    default:
      return "a whole number";
  }
}

// A member's name as a JSON pointer has it (RFC 6901).
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return escape_for_people(out);
}

}  // namespace

const TextRule kAnyText{};
const TextRule kServiceName{
    is_service_name, "a service's name: lower-case letters, digits and -, starting with a letter, at most 40",
    40};
const TextRule kMachineName{is_machine_name,
                            "a machine's name: lower-case letters, digits, dots, _ and -, at most 63", 63};
const TextRule kQuestionId{is_question_id,
                           "an id: 1 to 80 letters, digits, dots, _ : and -, a letter or digit first", 80};
const TextRule kSensorName{is_sensor_name, "a sensor's id: letters, digits, dots, _ and -, at most 63", 63};
const TextRule kSensorType{is_sensor_type, "a sensor's type: letters, digits, _ and -, at most 63", 63};
const TextRule kTopicName{is_topic_name, "a topic's name: letters, digits, dots, _ and -, at most 249", 249};
const TextRule kRequestId{
    is_request_id, "a request id: 1 to 64 letters, digits, dots, _ : and -, a letter or digit first", 64};

void Problems::add(std::string code, const std::string& pointer, std::string_view message, std::string hint) {
  if (all_.size() < 50) {
    Error error = invalid(std::move(code), fmt::format("{}: {}", pointer.empty() ? "/" : pointer, message),
                          std::move(hint));
    error.where = pointer;
    all_.push_back(std::move(error));
  }
}

std::optional<Error> Problems::refusal() const {
  if (all_.empty()) return std::nullopt;
  Error error = all_.front();
  for (std::size_t i = 1; i < all_.size(); ++i) error.message += "; " + all_[i].message;
  return error;
}

Fields::Fields(const json& value, std::string pointer, Problems& problems)
    : value_(&value), pointer_(std::move(pointer)), problems_(&problems) {
  if (!value.is_object())
    problems_->add("request.invalid", pointer_, fmt::format("must be an object, not {}", type_name(value)));
}

const json* Fields::find(std::string_view name) const {
  if (!value_->is_object()) return nullptr;
  const auto found = value_->find(std::string(name));
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::pointer_to(std::string_view name) const {
  return pointer_ + "/" + escaped(name);
}

void Fields::add_problem(std::string code, std::string_view name, std::string_view message,
                         std::string hint) const {
  problems_->add(std::move(code), pointer_to(name), message, std::move(hint));
}

void Fields::wrong_type(std::string_view name, std::string_view wanted, const json& found) const {
  add_problem("request.invalid", name, fmt::format("must be {}, not {}", wanted, type_name(found)));
}

std::string Fields::text(std::string_view name, const TextRule& rule) const {
  const json* found = find(name);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    wrong_type(name, "text", *found);
    return {};
  }
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > rule.most) {
    add_problem("request.invalid", name,
                fmt::format("is {} bytes long, at most {} are taken", text.size(), rule.most));
    return {};
  }
  if (rule.holds != nullptr && !rule.holds(text)) {
    add_problem("request.invalid", name,
                fmt::format("\"{}\" is not {}", escape_for_people(text.substr(0, 100)), rule.what));
    return {};
  }
  return text;
}

std::string Fields::required_text(std::string_view name, const TextRule& rule) const {
  if (!has(name)) {
    add_problem("request.invalid", name, "is missing");
    return {};
  }
  return text(name, rule);
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t least,
                                            std::int64_t most) const {
  const json* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number_integer()) {
    wrong_type(name, "a whole number", *found);
    return std::nullopt;
  }
  const bool fits =
      !found->is_number_unsigned() ||
      found->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!fits || found->get<std::int64_t>() < least || found->get<std::int64_t>() > most) {
    add_problem("request.invalid", name,
                fmt::format("{} is not between {} and {}", found->dump(), least, most));
    return std::nullopt;
  }
  return found->get<std::int64_t>();
}

std::optional<double> Fields::number(std::string_view name, double least, double most) const {
  const json* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) {
    wrong_type(name, "a number", *found);
    return std::nullopt;
  }
  const double value = found->get<double>();
  if (!std::isfinite(value) || value < least || value > most) {
    add_problem("request.invalid", name, fmt::format("{} is not between {} and {}", value, least, most));
    return std::nullopt;
  }
  return value;
}

bool Fields::flag(std::string_view name) const {
  const json* found = find(name);
  if (found == nullptr) return false;
  if (!found->is_boolean()) {
    wrong_type(name, "true or false", *found);
    return false;
  }
  return found->get<bool>();
}

std::optional<WallTime> Fields::time(std::string_view name) const {
  const json* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) {
    wrong_type(name, "a time as text", *found);
    return std::nullopt;
  }
  auto time = parse_rfc3339(std::string_view(found->get_ref<const std::string&>()).substr(0, 100));
  if (!time) {
    add_problem("request.invalid", name, time.error().message, time.error().hint);
    return std::nullopt;
  }
  return *time;
}

WallTime Fields::required_time(std::string_view name) const {
  if (!has(name)) add_problem("request.invalid", name, "is missing");
  return time(name).value_or(WallTime{});
}

std::vector<std::string> Fields::list(std::string_view name, std::size_t most) const {
  std::vector<std::string> out;
  const json* found = find(name);
  if (found == nullptr) return out;
  if (!found->is_array() ||
      !std::all_of(found->begin(), found->end(), [](const json& item) { return item.is_string(); })) {
    wrong_type(name, "a list of texts", *found);
    return out;
  }
  if (found->size() > most)
    add_problem("request.invalid", name,
                fmt::format("has {} entries, at most {} are taken", found->size(), most));
  for (std::size_t i = 0; i < std::min(most, found->size()); ++i)
    out.push_back((*found)[i].get<std::string>());
  return out;
}

std::map<std::string, std::string> Fields::texts(std::string_view name, std::size_t most) const {
  std::map<std::string, std::string> out;
  const auto inner = object(name);
  if (!inner || !inner->value_->is_object()) return out;
  if (inner->value_->size() > most) {
    add_problem("request.invalid", name,
                fmt::format("has {} entries, at most {} are taken", inner->value_->size(), most));
    return out;
  }
  for (const auto& [key, value] : inner->value_->items()) out[key] = inner->text(key);
  return out;
}

std::optional<Fields> Fields::object(std::string_view name) const {
  const json* found = find(name);
  if (found == nullptr) return std::nullopt;
  return Fields(*found, pointer_to(name), *problems_);
}

std::vector<Fields> Fields::objects(std::string_view name, std::size_t most) const {
  std::vector<Fields> out;
  const json* found = find(name);
  if (found == nullptr) return out;
  if (!found->is_array()) {
    wrong_type(name, "a list", *found);
    return out;
  }
  if (found->size() > most) {
    add_problem("request.invalid", name,
                fmt::format("has {} entries, at most {} are taken", found->size(), most));
    return out;
  }
  for (std::size_t i = 0; i < found->size(); ++i)
    out.emplace_back((*found)[i], fmt::format("{}/{}", pointer_to(name), i), *problems_);
  return out;
}

std::map<std::string, Fields> Fields::named_objects(std::string_view name, std::size_t most) const {
  std::map<std::string, Fields> out;
  const auto inner = object(name);
  if (!inner || !inner->value_->is_object()) return out;
  if (inner->value_->size() > most) {
    add_problem("request.invalid", name,
                fmt::format("has {} entries, at most {} are taken", inner->value_->size(), most));
    return out;
  }
  for (const auto& [key, value] : inner->value_->items())
    out.emplace(key, Fields(value, inner->pointer_to(key), *problems_));
  return out;
}

Result<json> open_message(std::string_view text) {
  return parse_strict_json(text);
}

std::optional<Error> message_error(const Problems& problems, std::string_view what) {
  auto error = problems.refusal();
  if (error) {
    error->code = "message.invalid";
    error->message = fmt::format("{}: {}", what, error->message);
  }
  return error;
}

void put_text(json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

void put_time(json& object, const char* name, const std::optional<WallTime>& value) {
  if (value) object[name] = to_rfc3339(*value);
}

}  // namespace slipway::messages
