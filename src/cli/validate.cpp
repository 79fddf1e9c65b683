#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/local_source.hpp"
#include "cli/output.hpp"

namespace slipway::cli {

int validate(Session& session, const std::string& folder) {
  const auto local = read_folder(session.world.archives, folder);
  if (!local) return say_trouble(session, local.error());
  for (const std::string& warning : local->warnings) say_note(session, "warning: " + warning);
  if (!local->detected.empty()) say_note(session, local->detected);
  nlohmann::json value = {{"valid", true},
                          {"name", local->spec.name},
                          {"version", local->spec.version},
                          {"runtime", runtime_of(local->spec)},
                          {"files", local->source.file_paths().size()},
                          {"bytes", local->source.tar.size()},
                          {"digest", local->source.digest}};
  if (!local->detected.empty()) value["detected"] = local->detected;
  if (!write_value(session, value))
    session.world.out << fmt::format(
        "{} is valid: {} {}{} {}, {} files, {}\n", local->source.meta_name, local->spec.name,
        local->spec.version, local->spec.version.empty() ? "" : ",", runtime_of(local->spec),
        local->source.file_paths().size(), human_bytes(static_cast<double>(local->source.tar.size())));
  return 0;
}

}  // namespace slipway::cli
