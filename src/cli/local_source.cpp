#include "cli/local_source.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/text.hpp"
#include "cli/output.hpp"
#include "messages/deployment_status.hpp"
#include "ports/source_view.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

LocalTrouble trouble_of(std::vector<meta_file::Finding> findings) {
  Error first = meta_file::as_one_error(findings);
  return {std::move(first), std::move(findings)};
}

/// Whatever is wrong with a folder is the caller's mistake: exit code 2.
LocalTrouble as_usage(Error error) {
  error.kind = ErrorKind::kInvalid;
  return {std::move(error), {}};
}

}  // namespace

std::expected<LocalSource, LocalTrouble> read_folder(const Archives& archives, const std::string& folder) {
  auto packed = archives.pack_folder(std::filesystem::path(folder));
  if (!packed) {
    Error error = std::move(packed).error();
    if (error.where.empty()) error.where = folder;
    return std::unexpected(as_usage(std::move(error)));
  }
  const auto view = view_of(archives, *packed);
  meta_file::Reading reading = meta_file::read_service(packed->meta_name, packed->meta_text, {}, &view);
  if (!reading.ok()) return std::unexpected(trouble_of(std::move(reading.errors)));
  auto missing = meta_file::check_against_source(*reading.spec, packed->file_paths(), packed->meta_name,
                                                 packed->meta_text);
  if (!missing.empty()) return std::unexpected(trouble_of(std::move(missing)));
  LocalSource local{std::move(*packed), std::move(*reading.spec), {}, std::move(reading.detected)};
  for (const meta_file::Finding& warning : reading.warnings)
    local.warnings.push_back(meta_file::render(warning));
  for (const Error& warning : local.source.warnings)
    local.warnings.push_back(warning.where + ": " + warning.message);
  return local;
}

int say_trouble(Session& session, const LocalTrouble& trouble) {
  if (trouble.findings.empty()) return fail(session, trouble.first);
  json errors = json::array();
  for (const meta_file::Finding& finding : trouble.findings) {
    json value = messages::to_value(finding.error);
    value["line"] = finding.line;
    errors.push_back(std::move(value));
    if (session.events()) {
      say_event(session, "error", errors.back());
      continue;
    }
    for (const std::string& line : split(meta_file::render(finding), '\n'))
      session.world.err << escape_for_people(line) << "\n";
  }
  if (!session.events())
    session.world.err << trouble.findings.size() << (trouble.findings.size() == 1 ? " problem" : " problems")
                      << " in the meta file; nothing was sent.\n";
  const int code = static_cast<int>(ExitCode::kUsage);
  if (session.format == Format::kJson || session.format == Format::kYaml)
    write_value(session,
                {{"valid", false}, {"code", trouble.first.code}, {"errors", errors}, {"exit_code", code}});
  return code;
}

std::string runtime_of(const meta_file::ServiceSpec& spec) {
  switch (spec.image_source) {
    case meta_file::ImageSource::kImage:
      return "image " + spec.image;
    case meta_file::ImageSource::kDockerfile:
      return spec.dockerfile;
    case meta_file::ImageSource::kRuntime:
      break;
  }
  return spec.runtime_version.empty() ? spec.runtime : spec.runtime + "@" + spec.runtime_version;
}

}  // namespace slipway::cli
