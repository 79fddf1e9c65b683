#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/session.hpp"

namespace slipway::cli {

/// Columns with aligned cells; every cell is made safe for a terminal.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  /// Each line begins with `indent` and ends without spaces.
  std::string render(std::string_view indent = {}) const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

/// Code points: what a terminal shows of our own text.
std::size_t shown_width(std::string_view text);
/// The text padded, or cut with "…", to exactly that width.
std::string fit(std::string_view text, std::size_t width, bool unicode);

/// Text of a JSON field; "-" if it is absent, null or empty.
std::string cell(const nlohmann::json& object, std::string_view field);
/// The same without the dash.
std::string text_of(const nlohmann::json& object, std::string_view field);
/// The field itself; null if it is absent.
const nlohmann::json& child(const nlohmann::json& object, std::string_view field);
double number_of(const nlohmann::json& object, std::string_view field);

std::string human_bytes(double bytes);
/// How long ago an RFC 3339 time was: "3 s ago"; "-" if there is none.
std::string human_age(const std::string& time, WallTime now);

/// Writes a value as -o json or -o yaml wants it; names of a list for -o name. False for table and wide: the
/// command draws them.
bool write_value(Session& session, const nlohmann::json& value);
std::string to_yaml(const nlohmann::json& value, std::size_t indent = 0);

/// One JSON line on standard error, {"event": ..., "data": ...}: what --progress json says instead of words.
void say_event(Session& session, std::string_view event, const nlohmann::json& data);

/// A line beside the result on standard error.
void say_note(Session& session, const std::string& text);

/// Says what went wrong on standard error.
void say_error(Session& session, const Error& error);

/// The same on standard error (and, with -o json, as an object with `code` on standard output);
/// the exit code for it.
int fail(Session& session, const Error& error);

}  // namespace slipway::cli
