#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/local_source.hpp"
#include "cli/output.hpp"
#include "meta_file/read.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using meta_file::Guess;

constexpr std::size_t kMostFiles = 10'000;  // of the folder itself: detection looks no deeper

Result<meta_file::SourceView> look_into(const fs::path& folder) {
  meta_file::SourceView view;
  std::error_code failed;
  fs::directory_iterator entries(folder, failed);
  for (; !failed && entries != fs::end(entries) && view.paths.size() < kMostFiles; entries.increment(failed))
    if (std::error_code odd; entries->is_regular_file(odd)) view.paths.push_back(entries->path().filename());
  if (failed)
    return invalid("source.not_found",
                   fmt::format("cannot read the folder '{}': {}", folder.string(), failed.message()));
  std::ranges::sort(view.paths);
  view.read = [folder](const std::string& name, std::size_t most) {
    std::ifstream file(folder / name, std::ios::binary);
    std::string bytes(most, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(most));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
  };
  return view;
}

// "Boiler Monitor" -> "boiler-monitor"; empty if nothing of it may be a name.
std::string name_of(const fs::path& folder) {
  std::error_code failed;
  const fs::path whole = fs::canonical(folder, failed);
  std::string name;
  for (const char c : whole.filename().string()) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool letter = lower >= 'a' && lower <= 'z', digit = lower >= '0' && lower <= '9';
    if (letter || (digit && !name.empty()))
      name += lower;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name.resize(std::min<std::size_t>(name.size(), 40));
  while (name.ends_with('-')) name.pop_back();
  return name;
}

// What the file shall say: the one thing that the folder looks like, or the one that the user names.
Result<Guess> choose(const std::vector<Guess>& guesses, const InitOptions& options) {
  if (!options.runtime.empty()) {
    const std::size_t at = options.runtime.find('@');
    const std::string language = options.runtime.substr(0, at);
    const auto found = std::ranges::find(guesses, language, &Guess::runtime);
    Guess chosen = found == guesses.end() ? Guess{language, {}, {}, {}} : *found;
    if (at != std::string::npos) chosen.version = options.runtime.substr(at + 1);
    return chosen;
  }
  if (guesses.size() == 1) return guesses.front();
  if (guesses.empty())
    return invalid("meta.missing_field", fmt::format("nothing in '{}' says what it is", options.folder),
                   "say it: slipway init --runtime python (node, cpp, binary)");
  return invalid("meta.runtime_ambiguous",
                 "the folder looks like more than one thing: " + meta_file::show(guesses),
                 fmt::format("say which it is: slipway init --runtime {}", guesses.front().runtime));
}

// A word that YAML reads as this very text.
std::string quoted(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '_' || c == '-' || c == ' ';
  };
  const bool safe = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
                    text[0] != '-' && std::ranges::all_of(text, plain) && text.back() != ' ';
  return safe ? text : nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string command_line(const Guess& guess, const InitOptions& options) {
  if (!options.command.empty()) return quoted(options.command);
  if (guess.command.empty()) return {};
  const bool simple = std::ranges::all_of(guess.command, [](const std::string& word) {
    return !word.empty() &&
           word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-=") ==
               std::string::npos;
  });
  return simple ? join(guess.command, " ")
                : nlohmann::json(guess.command).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string text_of_file(const std::string& name, const Guess& guess, const InitOptions& options,
                         const std::string& server) {
  const bool own = guess.runtime == meta_file::kOwnDockerfile;
  const std::string command = command_line(guess, options);
  std::string text =
      fmt::format("# yaml-language-server: $schema={}/schemas/service.v1.json\nname: {}\n", server, name);
  if (!guess.evidence.empty()) text += fmt::format("# detected {}\n", meta_file::show(guess));
  text +=
      own ? "build: {dockerfile: Dockerfile}\n"
          : fmt::format("runtime: {}{}\n", guess.runtime, guess.version.empty() ? "" : "@" + guess.version);
  if (!command.empty()) text += fmt::format("command: {}\n", command);
  return text +
         "# What else it may say; `slipway validate` checks it.\n"
         "# version: 1.0.0                # else a hash of the folder\n"
         "# ports: [\"0:8080\"]              # a free port of the machine, to 8080 in the container; also "
         "the health check\n"
         "# healthcheck: {http: /healthz, port: 8080}\n"
         "# env: {LOG_LEVEL: info}\n"
         "# resources: {cpus: 1, memory: 256Mi}\n"
         "# volumes: [\"data:/var/lib/data\"]\n"
         "# restart: never                # an algorithm that runs once; exit code 0 is success\n"
         "# sensors:\n"
         "#   - name: air                 # its topic arrives as SLIPWAY_SENSOR_AIR_TOPIC\n"
         "#     type: bme280\n"
         "#     location: site/room\n"
         "# topics: [readings]            # that it publishes to; made before it starts\n";
}

// O_EXCL: whatever stands there stays, also when it came a moment ago.
Status write_new(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 && errno == EEXIST)
    return invalid("usage.exists", fmt::format("{} is there already; nothing was written", path.string()),
                   "change it, or remove it first");
  if (file < 0)
    return invalid("usage",
                   fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(errno)));
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(file) == 0;
  if (written && closed) return {};
  std::error_code ignored;
  fs::remove(path, ignored);
  return internal_error("usage", fmt::format("cannot write {}", path.string()));
}

struct Made {
  std::string name;
  std::string text;
  Guess guess;
};

Result<Made> make_file(Session& session, const InitOptions& options) {
  SLIPWAY_ASSIGN(const auto view, look_into(options.folder));
  for (const char* taken : {"service.yaml", "service.json"})
    if (std::ranges::binary_search(view.paths, taken))
      return invalid("usage.exists",
                     fmt::format("'{}' has a {} already; nothing was written", options.folder, taken),
                     fmt::format("slipway validate {}", options.folder));
  Made made;
  made.name = options.name.empty() ? name_of(options.folder) : options.name;
  if (made.name.empty())
    return invalid("meta.name", "the folder's name gives no name of a service",
                   "say one: slipway init --name NAME");
  SLIPWAY_ASSIGN(made.guess, choose(meta_file::guess_runtimes(view), options));
  made.text = text_of_file(made.name, made.guess, options, session.server);
  const auto reading = meta_file::read_service("service.yaml", made.text, {}, &view);
  if (reading.ok()) return made;
  Error error = meta_file::as_one_error(reading.errors);
  if (reading.errors.size() == 1 && command_line(made.guess, options).empty())
    error.hint = "say what to run: slipway init --command 'python3 main.py'";
  return error;
}

}  // namespace

int init(Session& session, const InitOptions& options) {
  const auto made = make_file(session, options);
  if (!made) return fail(session, made.error());
  const fs::path path = fs::path(options.folder) / "service.yaml";
  if (const Status written = write_new(path, made->text); !written) return fail(session, written.error());
  const std::string detected = made->guess.evidence.empty() ? "" : meta_file::show(made->guess);
  if (!write_value(session, {{"name", made->name},
                             {"path", path.string()},
                             {"runtime", made->guess.runtime},
                             {"detected", detected}}))
    session.world.out << fmt::format(
        "Wrote {}: {}\n  check  slipway validate {}   deploy  slipway deploy {} --machine MACHINE\n",
        escape_for_people(path.string()), detected.empty() ? made->guess.runtime : detected,
        escape_for_people(options.folder), escape_for_people(options.folder));
  return 0;
}

}  // namespace slipway::cli
