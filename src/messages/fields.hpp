#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::messages {

/// All that is wrong with one message, each with its JSON pointer.
class Problems {
 public:
  void add(std::string code, const std::string& pointer, std::string_view message, std::string hint = {});
  bool empty() const { return all_.empty(); }
  /// One Error that names every problem; its code and hint are the first one's.
  std::optional<Error> refusal() const;

 private:
  std::vector<Error> all_;
};

/// What a text must look like; `what` says it to people.
struct TextRule {
  bool (*holds)(std::string_view) = nullptr;
  std::string_view what;
  std::size_t most = 1024;  ///< bytes
};
extern const TextRule kAnyText;
extern const TextRule kServiceName;  ///< ^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$
extern const TextRule kMachineName;  ///< ^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$
extern const TextRule kSensorName;   ///< ^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$
extern const TextRule kSensorType;   ///< the same without dots, which part a topic's name
extern const TextRule kTopicName;    ///< ^[a-zA-Z0-9._-]{1,249}$
extern const TextRule kRequestId;
extern const TextRule kQuestionId;

/// Reads the members of one JSON object: each call names what it wants, what is wrong goes to `problems` and
/// the default comes back. Nothing is ever narrowed. null counts as absent; unknown members are ignored. Both
/// referenced objects must outlive it.
class Fields {
 public:
  Fields(const nlohmann::json& value, std::string pointer, Problems& problems);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string text(std::string_view name, const TextRule& rule = kAnyText) const;
  std::string required_text(std::string_view name, const TextRule& rule = kAnyText) const;
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least = 0,
                                      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  std::optional<double> number(std::string_view name, double least, double most) const;
  bool flag(std::string_view name) const;
  std::optional<WallTime> time(std::string_view name) const;
  WallTime required_time(std::string_view name) const;
  std::vector<std::string> list(std::string_view name, std::size_t most) const;
  std::map<std::string, std::string> texts(std::string_view name, std::size_t most) const;
  std::optional<Fields> object(std::string_view name) const;
  std::vector<Fields> objects(std::string_view name, std::size_t most) const;
  /// The members of an object of objects, by name.
  std::map<std::string, Fields> named_objects(std::string_view name, std::size_t most) const;

  /// The member as it is, or nullptr; for the few that have several shapes.
  const nlohmann::json* find(std::string_view name) const;
  std::string pointer_to(std::string_view name) const;
  void add_problem(std::string code, std::string_view name, std::string_view message,
                   std::string hint = {}) const;

 private:
  void wrong_type(std::string_view name, std::string_view wanted, const nlohmann::json& found) const;

  const nlohmann::json* value_;
  std::string pointer_;
  Problems* problems_;
};

/// A value that is no text is an invalid Error `message.invalid`; all messages but requests are read so.
Result<nlohmann::json> open_message(std::string_view json);
/// The Error of a message that is not a request, if anything is wrong with it.
std::optional<Error> message_error(const Problems& problems, std::string_view what);

/// Adds "name": value where the value is not empty.
void put_text(nlohmann::json& object, const char* name, const std::string& value);
void put_time(nlohmann::json& object, const char* name, const std::optional<WallTime>& value);

}  // namespace slipway::messages
