#include "cli/cli.hpp"

#include <cerrno>
#include <csignal>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace slipway::cli {
namespace {

bool speaks_unicode(const CliContext& world) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = world.env(name);
    if (!value || value->empty()) continue;
    return value->contains("UTF-8") || value->contains("utf8") || value->contains("UTF8");
  }
  return false;
}

bool wants_colour(const CliContext& world) {
  const auto no_colour = world.env("NO_COLOR");
  const auto term = world.env("TERM");
  return world.err_is_terminal && !(no_colour && !no_colour->empty()) && term && *term != "dumb";
}

/// A reader that has enough (`| head`) is no failure; a full disk is.
int check_output(CliContext& world, int code) {
  errno = 0;
  world.out.flush();
  if (world.out || errno == EPIPE || errno == 0) return code;
  world.err << "slipway: cannot write the result: " << std::generic_category().message(errno) << "\n";
  return static_cast<int>(ExitCode::kUnexpected);
}

}  // namespace

int run_cli(std::vector<std::string> args, CliContext& world) {
  std::signal(SIGPIPE, SIG_IGN);
  Session session{world, {}};
  const auto url = world.env("SLIPWAY_URL");
  session.server = url && !url->empty() ? *url : "http://127.0.0.1:7420";
  session.unicode = speaks_unicode(world);
  session.colour = wants_colour(world);
  const int code = check_output(world, run_arguments(session, std::move(args)));
  if (session.events()) say_event(session, "end", {{"exit_code", code}});
  return code;
}

Status confirm(Session& session, const std::string& question) {
  if (session.yes) return {};
  if (!session.world.in_is_terminal)
    return invalid("usage.not_confirmed", "this needs a yes, and nobody is there to ask", "add --yes");
  session.world.err << escape_for_people(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(session.world.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return conflict("usage.not_confirmed", "nothing was done");
}

Result<std::vector<std::pair<std::string, std::string>>> read_pairs(const std::vector<std::string>& words,
                                                                    std::string_view what) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return invalid("usage", "not a " + std::string(what) + ": '" + word + "'", "write it as name=value");
    pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return pairs;
}

}  // namespace slipway::cli
