#include "meta_file/detect_runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"

namespace slipway::meta_file {
namespace {

using nlohmann::json;

constexpr std::size_t kMostText = 256 * 1024;
constexpr std::size_t kMostPrograms = 50;  // files that may be looked into for being a program
constexpr std::string_view kDigits = "0123456789";

bool has(const SourceView& source, const std::string& path) {
  return std::ranges::binary_search(source.paths, path);
}

std::vector<std::string> in_root(const SourceView& source) {
  std::vector<std::string> names;
  for (const auto& path : source.paths)
    if (!path.contains('/')) names.push_back(path);
  return names;
}

// --- python ---

std::optional<Guess> guess_python(const SourceView& source) {
  Guess guess{.runtime = "python", .version = {}, .command = {}, .evidence = {}};
  for (const char* name : {"requirements.txt", "pyproject.toml", "setup.py"})
    if (has(source, name)) guess.evidence.push_back({name, ""});
  std::vector<std::string> scripts;
  for (const auto& name : in_root(source))
    if (name.ends_with(".py") && name != "setup.py") scripts.push_back(name);
  std::string entry = scripts.size() == 1 ? scripts[0] : "";
  for (const char* name : {"app.py", "main.py"})
    if (has(source, name)) entry = name;
  if (!entry.empty()) {
    guess.evidence.push_back({entry, ""});
    guess.command = {"python3", entry};
  }
  if (guess.evidence.empty()) return std::nullopt;
  return guess;
}

// --- node ---

// "18", "^18.2" and "18.x" mean 18; ">=18" and "16 || 18" leave it open.
std::string major_version(std::string_view range) {
  while (range.starts_with('^') || range.starts_with('~') || range.starts_with('=') || range.starts_with('v'))
    range.remove_prefix(1);
  const std::size_t end = std::min(range.find_first_not_of(kDigits), range.size());
  const bool only_one = range.find_first_not_of("0123456789.x*") == std::string_view::npos;
  return only_one && end > 0 && end <= 3 ? std::string(range.substr(0, end)) : std::string{};
}

std::string text_in(const json& object, std::initializer_list<const char*> keys) {
  const json* at = &object;
  for (const char* key : keys) {
    if (!at->is_object() || !at->contains(key)) return {};
    at = &at->at(key);
  }
  return at->is_string() ? at->get<std::string>() : std::string{};
}

// The words of "node server.js"; other starts (npm, a bundler) need more than the runtime has.
std::vector<std::string> words_of_start(const std::string& start) {
  if (!start.starts_with("node ") || start.find_first_of("&|;<>$`*") != std::string::npos) return {};
  return split_shell_words(start).value_or(std::vector<std::string>{});
}

void read_package(const SourceView& source, Guess& guess) {
  const json package = json::parse(source.read("package.json", kMostText), nullptr, false);
  std::string says = package.is_object() ? "" : "no JSON object";
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) says += (says.empty() ? "" : ", ") + what + ": " + value.substr(0, 80);
  };
  const std::string start = text_in(package, {"scripts", "start"});
  const std::string main = text_in(package, {"main"});
  const std::string entry = main.starts_with("./") ? main.substr(2) : main;
  const std::string engine = text_in(package, {"engines", "node"});
  add("start", start);
  add("main", main);
  add("engines", engine);
  guess.evidence.push_back({"package.json", says});
  guess.version = major_version(engine);
  guess.command = words_of_start(start);
  if (start.empty() && has(source, entry)) guess.command = {"node", entry};
}

std::optional<Guess> guess_node(const SourceView& source) {
  Guess guess{.runtime = "node", .version = {}, .command = {}, .evidence = {}};
  const bool package = has(source, "package.json");
  if (package) read_package(source, guess);
  for (const char* name :
       {"server.js", "index.js", "app.js", "main.js", "server.mjs", "index.mjs", "app.mjs", "main.mjs"}) {
    if (!has(source, name)) continue;
    guess.evidence.push_back({name, ""});
    if (guess.command.empty() && (!package || guess.evidence[0].says.find("start: ") == std::string::npos))
      guess.command = {"node", name};
  }
  if (guess.evidence.empty()) return std::nullopt;
  return guess;
}

// --- cpp ---

std::string without_comments(std::string_view cmake) {
  std::string text;
  for (const auto& line : split(cmake, '\n')) text += line.substr(0, line.find('#')) + "\n";
  return text;
}

// The first word in the brackets of each call, such as add_executable(NAME ...).
std::vector<std::string> first_arguments(const std::string& text, std::string_view call) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::vector<std::string> found;
  for (std::size_t at = lower.find(call); at != std::string::npos; at = lower.find(call, at + 1)) {
    const bool whole = at == 0 || kSpace.contains(lower[at - 1]);
    std::size_t begin = text.find_first_not_of(kSpace, at + call.size());
    if (!whole || begin == std::string::npos || text[begin] != '(') continue;
    begin = text.find_first_not_of(kSpace, begin + 1);
    const std::size_t end = text.find_first_of(" \t\r\n)", begin);
    if (begin != std::string::npos && end != std::string::npos && end - begin <= 128)
      found.push_back(text.substr(begin, end - begin));
  }
  return found;
}

bool is_target_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("._+-").contains(static_cast<char>(c));
  });
}

std::optional<Guess> guess_cpp(const SourceView& source) {
  if (!has(source, "CMakeLists.txt")) return std::nullopt;
  const std::string text = without_comments(source.read("CMakeLists.txt", kMostText));
  const auto projects = first_arguments(text, "project");
  std::vector<std::string> programs;
  for (std::string name : first_arguments(text, "add_executable")) {
    if ((name == "${PROJECT_NAME}" || name == "${CMAKE_PROJECT_NAME}") && !projects.empty())
      name = projects[0];
    if (is_target_name(name)) programs.push_back(name);
  }
  Guess guess{.runtime = "cpp", .version = {}, .command = {}, .evidence = {}};
  if (programs.size() > 20) programs.resize(20);
  guess.evidence.push_back(
      {"CMakeLists.txt", programs.empty() ? "" : "add_executable: " + join(programs, ", ")});
  if (programs.size() == 1) guess.command = {"/app/bin/" + programs[0]};
  return guess;
}

// --- binary, and what has no recipe yet ---

std::optional<Guess> guess_binary(const SourceView& source) {
  Guess guess{.runtime = "binary", .version = {}, .command = {}, .evidence = {}};
  std::size_t looked = 0;
  for (const auto& name : in_root(source)) {
    const bool may_be = !name.contains('.') || name.ends_with(".bin") || name.ends_with(".elf");
    if (!may_be || ++looked > kMostPrograms) continue;
    if (const auto architecture = elf_architecture(source.read(name, kElfHead)); !architecture.empty())
      guess.evidence.push_back({name, "a program for " + architecture});
  }
  if (guess.evidence.empty()) return std::nullopt;
  if (guess.evidence.size() == 1) guess.command = {"/app/" + guess.evidence[0].file};
  return guess;
}

std::optional<Guess> guess_by_file(const SourceView& source, std::string_view runtime,
                                   std::initializer_list<const char*> files) {
  for (const char* file : files)
    if (has(source, file)) return Guess{std::string(runtime), {}, {}, {{file, ""}}};
  return std::nullopt;
}

}  // namespace

std::vector<Guess> guess_runtimes(const SourceView& source) {
  std::vector<Guess> all;
  for (auto& guess : std::array{
           guess_binary(source), guess_cpp(source), guess_by_file(source, kOwnDockerfile, {"Dockerfile"}),
           guess_by_file(source, "go", {"go.mod"}),
           guess_by_file(source, "java", {"pom.xml", "build.gradle", "build.gradle.kts"}), guess_node(source),
           guess_python(source)})
    if (guess) all.push_back(std::move(*guess));
  return all;
}

std::string show(const Guess& guess) {
  std::string text = guess.runtime + (guess.version.empty() ? "" : "@" + guess.version) + ": ";
  for (std::size_t i = 0; i < guess.evidence.size(); ++i) {
    const auto& [file, says] = guess.evidence[i];
    text += fmt::format("{}{}{}", i == 0 ? "" : ", ", file, says.empty() ? "" : " (" + says + ")");
  }
  return escape_for_people(text);
}

std::string show(std::span<const Guess> guesses) {
  std::string text;
  for (const auto& guess : guesses) text += (text.empty() ? "" : "; ") + show(guess);
  return text;
}

std::string elf_architecture(std::string_view head) {
  if (head.size() < kElfHead || !head.starts_with("\x7f"
                                                  "ELF"))
    return {};
  const bool little = head[5] == 1;
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(head[at]));
  };
  const auto number = [&](std::size_t at) {
    return little ? byte(at) | byte(at + 1) << 8U : byte(at) << 8U | byte(at + 1);
  };
  if (number(16) != 2 && number(16) != 3) return {};  // neither a program nor a position-independent one
  switch (number(18)) {
    case 3:
      return "386";
    case 21:
      return little ? "ppc64le" : "ppc64";
    case 22:
      return "s390x";
    case 40:
      return "arm";
    case 62:
      return "amd64";
    case 183:
      return "arm64";
    case 243:
      return "riscv64";
    default:
      return fmt::format("machine {}", number(18));
  }
}

}  // namespace slipway::meta_file
