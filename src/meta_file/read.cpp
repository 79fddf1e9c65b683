#include "meta_file/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "meta_file/document.hpp"
#include "meta_file/not_yet.hpp"
#include "meta_file/spec_reader.hpp"

namespace slipway::meta_file {
namespace {

constexpr std::size_t kMostFindings = 20;

// What to do where the message says all that is to be said.
std::string hint_for(std::string_view code) {
  if (code == "meta.missing_field") return "add it";
  if (code == "meta.unknown_key" || code == "meta.duplicate_key") return "remove it";
  if (code == "meta.too_long" || code == "meta.too_deep") return "make it smaller";
  if (code == "meta.syntax" || code == "meta.encoding" || code == "meta.control_char")
    return "mend this place";
  return "what is allowed: contracts/service.schema.json";
}

Finding finding(const Document& document, const Problem& problem) {
  Error error =
      invalid(problem.code, problem.message, problem.hint.empty() ? hint_for(problem.code) : problem.hint);
  error.where = document.where(problem.place);
  return {std::move(error), document.line_at(problem.place)};
}

// Where "service.yaml:12:1" points to, in a text that did not parse.
Finding finding(Error error, std::string_view text) {
  if (error.hint.empty()) error.hint = hint_for(error.code);
  const auto parts = split(error.where, ':');
  const std::size_t line = parts.size() < 3 ? 0 : std::stoul(parts[parts.size() - 2]);
  // Escaped byte for byte where it is not UTF-8; a huge line is cut.
  return {std::move(error), line_of(text, line)};
}

std::vector<Guess> guesses_for(const Node& root, const SourceView* source) {
  if (source == nullptr || !root.is_map() || root.find("image") != nullptr) return {};
  const Node* build = root.find("build");
  const bool own = build != nullptr && build->find("dockerfile") != nullptr;
  const bool complete = root.find("runtime") != nullptr &&
                        (root.find("command") != nullptr || root.find("entrypoint") != nullptr);
  return own || complete ? std::vector<Guess>{} : guess_runtimes(*source);
}

// Said whenever something of the spec was not in the file.
std::string what_was_detected(const Node& root, const ServiceSpec& spec, std::span<const Guess> guesses) {
  for (const auto& guess : guesses) {
    const bool taken = spec.image_source == ImageSource::kDockerfile ? guess.runtime == kOwnDockerfile
                                                                     : guess.runtime == spec.runtime;
    if (!taken) continue;
    std::string text = "detected " + show(guess);
    const bool named = root.find("command") != nullptr || root.find("entrypoint") != nullptr;
    if (!named && !spec.command.empty())
      text += fmt::format("; it runs: {}", escape_for_people(join(spec.command, " ")));
    return text;
  }
  return {};
}

std::vector<Problem> check(const Node& root, const Policy& policy, std::span<const Guess> guesses,
                           ServiceSpec& spec) {
  static const nlohmann::json kSchema = nlohmann::json::parse(schema_text());
  Problems problems;
  problems.add(explain_by_schema(kSchema, root));
  if (!root.is_map()) return problems.all();
  if (problems.all().empty())
    if (const auto violation = violates_schema(kSchema, root))
      problems.add(
          {Problem{"meta.schema", "the file breaks the schema: " + *violation, "", root.place, nullptr}});
  refuse_not_yet(root, problems);
  spec = read_spec(Fields(root, "", problems), policy, guesses);
  return problems.all();
}

std::vector<Finding> in_order(const Document& document, std::vector<Problem> problems) {
  std::ranges::stable_sort(problems, [](const Problem& a, const Problem& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  std::vector<Finding> findings;
  for (const auto& problem : problems) {
    if (findings.size() == kMostFindings) break;
    findings.push_back(finding(document, problem));
  }
  return findings;
}

// The file that must be in the source for the command to start; empty where that cannot be told.
std::string script_of(const ServiceSpec& spec) {
  if (spec.image_source != ImageSource::kRuntime || !spec.build_steps.empty() || !spec.working_dir.empty() ||
      spec.command.empty())
    return {};
  if (spec.runtime == "binary")
    return spec.command[0].starts_with("./") || spec.command[0].starts_with("/app/") ? entry_path(spec) : "";
  const bool python = spec.command[0].starts_with("python");
  if (!python && spec.command[0] != "node") return {};
  const auto script =
      std::ranges::find_if(spec.command.begin() + 1, spec.command.end(), [](const auto& word) {
        return !word.starts_with('-') || word == "-m" || word == "-c" || word == "-e";
      });
  if (script == spec.command.end() || script->starts_with('/')) return {};
  const auto ends = [&](std::string_view ending) { return script->ends_with(ending); };
  return (python ? ends(".py") : ends(".js") || ends(".mjs") || ends(".cjs")) ? *script : "";
}

}  // namespace

std::map<std::string, std::vector<std::string>> known_runtimes() {
  return {{"binary", {}},
          {"cpp", {}},
          {"node", {"18", "16", "20", "22", "24"}},
          {"python", {"3.11", "3.8", "3.9", "3.10", "3.12", "3.13", "3.14"}}};
}

Reading read_service(std::string_view file_name, std::string_view text, const Policy& policy,
                     const SourceView* source) {
  Reading reading;
  const auto document = Document::parse(std::string(file_name), text);
  if (!document) {
    reading.errors.push_back(finding(document.error(), text));
    return reading;
  }
  ServiceSpec spec;
  const auto guesses = guesses_for(document->root(), source);
  reading.errors = in_order(*document, check(document->root(), policy, guesses, spec));
  if (reading.errors.empty()) reading.detected = what_was_detected(document->root(), spec, guesses);
  for (const auto* entry : secrets_in_env(document->root())) {
    Error error = invalid(
        "meta.secret_in_env", fmt::format("'env.{}' looks like a secret", entry->key),
        "whoever may read the container's settings can read it: use `secrets:` and slipway secret set");
    error.where = document->where(entry->key_place);
    reading.warnings.push_back({std::move(error), entry->key + ": ..."});
  }
  if (reading.errors.empty()) reading.spec = std::move(spec);
  return reading;
}

std::string where_is(std::string_view file_name, std::string_view text, std::string_view key) {
  const auto document = Document::parse(std::string(file_name), text);
  if (!document) return std::string(file_name);
  const Node* node = &document->root();
  const Node::Entry* entry = nullptr;
  for (const auto& part : split(key, '.')) {
    entry = node->find_entry(part);
    if (entry == nullptr) return std::string(file_name);
    node = &entry->value;
  }
  return document->where(entry->key_place);
}

std::vector<Finding> check_against_source(const ServiceSpec& spec, std::span<const std::string> paths,
                                          std::string_view file_name, std::string_view text) {
  std::vector<Finding> findings;
  const auto need = [&](std::string path, const char* key) {
    if (path.starts_with("./")) path.erase(0, 2);
    if (std::ranges::binary_search(paths, path)) return;
    const auto near = did_you_mean(path, std::vector<std::string>(paths.begin(), paths.end()));
    Error error =
        invalid("meta.entry_missing",
                fmt::format("'{}' names '{}', which is not in the source", key, escape_for_people(path)),
                near ? fmt::format("did you mean '{}'?", *near) : "add the file, or change the command");
    error.where = where_is(file_name, text, key);
    findings.push_back({std::move(error), ""});
  };
  if (spec.image_source == ImageSource::kDockerfile) need(spec.dockerfile, "build.dockerfile");
  const std::string script = script_of(spec);
  if (!script.empty()) need(script, "command");
  return findings;
}

std::string entry_path(const ServiceSpec& spec) {
  if (spec.command.empty()) return {};
  std::string path = spec.command[0];
  for (const std::string_view folder : {"/app/", "./"})
    if (path.starts_with(folder)) path.erase(0, folder.size());
  return path;
}

Error as_one_error(std::span<const Finding> findings) {
  Error error = findings.front().error;
  if (!findings.front().line.empty()) error.message += fmt::format(" | {}", findings.front().line);
  for (const auto& other : findings.subspan(1))
    error.message += fmt::format("; {}: {}: {}", other.error.where, other.error.code, other.error.message);
  return error;
}

std::string render(const Finding& finding) {
  std::string text =
      fmt::format("{}: {} [{}]", finding.error.where, finding.error.message, finding.error.code);
  if (!finding.line.empty()) text += "\n    " + finding.line;
  if (!finding.error.hint.empty()) text += "\n    hint: " + finding.error.hint;
  return text;
}

}  // namespace slipway::meta_file
